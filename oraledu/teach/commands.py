"""The teacher's commands, and what a student needs for them. Each is a few lines; what it does stands in its module."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.app.parameters import FILE, FOLDER, LESSON, LESSONS


@click.command(epilog="Example: oraledu handout autumn --lessons 01,04 --roster students.csv --zip")
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


@click.command(epilog="Example: oraledu receipt --student ada")
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


@click.command(epilog="Example: oraledu grade submissions/ --out grades")
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


@click.command(epilog="Example: oraledu hint 04 quadratic_gram")
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


@click.command(epilog="Example: oraledu quiet handout")
@click.argument("folder", metavar="[DIR]", type=FOLDER, required=False)
def quiet(folder: Path | None) -> int:
    """Ask VS Code to keep its assistant silent in a folder of lessons.

    DIR is the folder that 'oraledu lab' made. Whoever opens it can take this back.
    """
    from oraledu.app import workspace
    from oraledu.teach import quiet

    print(quiet.ask(folder or workspace.default_folder()))
    return 0


@click.command(epilog="Example: oraledu guide 04")
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


@click.command(epilog="Example: oraledu slides 04")
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


@click.command(epilog="Example: oraledu cards 04")
@click.argument("lessons", metavar="[NN]...", type=LESSON, nargs=-1)
@click.option("--out", type=FOLDER, default=".", show_default=True, help="The folder of the file.")
def cards(lessons: Sequence[Lesson], out: Path) -> int:
    """Write flash cards of questions and definitions for Anki.

    The file is a text; in Anki, File > Import reads it. NN chooses lessons; none means all.
    """
    from oraledu.teach import cards

    print(cards.write(out, "cards.txt", cards.anki(lessons or catalogue.LESSONS)))
    return 0


@click.command(epilog="Example: oraledu quiz 04")
@click.argument("lessons", metavar="[NN]...", type=LESSON, nargs=-1)
@click.option("--out", type=FOLDER, default=".", show_default=True, help="The folder of the file.")
def quiz(lessons: Sequence[Lesson], out: Path) -> int:
    """Write the questions of the lessons for Moodle.

    The file is in GIFT; the question bank of Moodle imports it. NN chooses lessons; none means all.
    """
    from oraledu.teach import cards

    print(cards.write(out, "quiz.gift", cards.gift(lessons or catalogue.LESSONS)))
    return 0


@click.group(epilog="Example: oraledu export canvas grades --template gradebook.csv --out filled.csv")
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


@export.command("otter", epilog="Example: oraledu export otter masters --lessons 04")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--lessons", type=LESSONS, help="Which, as in 01,04; default: all.")
def export_otter(folder: Path, lessons: list[Lesson] | None) -> int:
    """Write masters for otter-grader.

    The course must be installed where otter runs.
    """
    from oraledu.teach import otter

    for path in otter.export(folder, lessons or ()):
        print(f"otter assign {path} {path.with_suffix('')}")
    return 0


@export.command("colab", epilog="Example: oraledu export colab colab --wheel https://example.org/oraledu.whl")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--wheel", required=True, help="Where the course's wheel lies: an address, or a path.")
@click.option("--lessons", type=LESSONS, help="Which, as in 01,04; default: all.")
def export_colab(folder: Path, wheel: str, lessons: list[Lesson] | None) -> int:
    """Write the lessons for Colab, where nothing is installed.

    Each gets a first cell that installs the wheel; put both on the web, and a link to
    colab.research.google.com opens a lesson.
    """
    from oraledu.teach import colab

    for path in colab.export(folder, wheel, lessons or ()):
        print(path)
    return 0


COMMANDS = (handout, receipt, grade, hint, quiet, guide, slides, cards, quiz, export)

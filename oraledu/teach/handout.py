"""A folder for students: lessons without the way to their solutions, and a page that says how to start.

How a folder was handed out stands in its `.oraledu/handout.json`. 'oraledu lab' and 'oraledu reset' ask here what
belongs into it, so that a solution does not come in by them.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import oraledu
from oraledu.app import catalogue, generate, workspace
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.course import results
from oraledu.course.results import HANDED_OUT
from oraledu.teach import names

START = (Path(__file__).parent / "templates" / "START.md").read_text("utf-8")
_OWN = "* Some numbers are drawn for you alone: they differ from those of the others, and what they show does not.\n"
_LINK = re.compile(r"\n*^\[[^\]\n]*\]\(\.\./solutions/[^\n]*\)$", re.MULTILINE)
_HINT = re.compile(r"<details><summary>Hint \d+ of \d+</summary>.*?</details>\n*", re.DOTALL)


@dataclass(frozen=True)
class Handed:
    """How a folder was handed out.

    Attributes:
        lessons: their numbers.
        hints: whether the hints stand in them.
        student: a digest of the student's identifier; empty where all get the same.
        offset: what is added to the seeds of a lesson (`oraledu.course.results.offset`).
    """

    lessons: tuple[str, ...]
    hints: bool = True
    student: str = ""
    offset: int = 0


def for_student(handed: Handed, identifier: str) -> Handed:
    """Return how one student gets it: with other random numbers than all others."""
    digest = hashlib.sha256(f"oraledu {identifier}".encode()).hexdigest()
    # Steps of 1000, so that nobody's second seed is another's first.
    return Handed(handed.lessons, handed.hints, digest[:16], 1000 * (1 + int(digest[:6], 16)))


def read(folder: Path) -> Handed:
    """Return how a folder was handed out.

    Raises:
        UserError: it was not, or its mark is damaged.
    """
    path = folder / results.MARKER / HANDED_OUT
    if not path.is_file():
        raise UserError(
            f"{folder} was not handed out; 'oraledu handout {folder}' needs a new or an empty folder"
        )
    try:
        stored = json.loads(path.read_text("utf-8"))
        handed = Handed(tuple(stored["lessons"]), stored["hints"], stored["student"], stored["offset"])
        [catalogue.lesson(number) for number in handed.lessons]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} is damaged; take it from the folder as it was handed out") from None
    return handed


def lesson_for(lesson: Lesson, handed: Handed) -> NotebookNode:
    """Return a lesson as a student gets it: no links to solutions, and hints only if wanted.

    Where the student's numbers differ there are no stored outputs: they belong to other numbers.

    Raises:
        UserError: this copy of the course has no such lesson.
    """
    source = catalogue.source_folder("lessons") / f"{lesson.name}.ipynb"
    if not source.is_file():
        raise UserError(f"{source} is missing; in a checkout, 'oraledu build {lesson.number}' makes it")
    notebook = nbformat.read(source, as_version=4)
    kept = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = without_links(cell.source)
            text = text if handed.hints else _HINT.sub("", text)
            if not text.strip():
                continue
            cell.source = text.strip() if text != cell.source else text
        elif handed.offset:
            cell.outputs, cell.execution_count = [], None
        kept.append(cell)
    notebook.cells = kept
    return notebook


def without_links(text: str) -> str:
    """Return a text without the lines that lead to a solution."""
    return _LINK.sub("", text)


def fill(folder: Path) -> list[Path]:
    """Put into a folder that was handed out the lessons that it does not have; return the new notebooks."""
    handed = read(folder)
    new = []
    for lesson in map(catalogue.lesson, handed.lessons):
        if not any((folder / "lessons" / f"{lesson.name}{ending}").exists() for ending in workspace.ENDINGS):
            notebook = lesson_for(lesson, handed)
            new.append(workspace.write_pair(folder, lesson, notebook))
            keep_text(folder, lesson, notebook)
    workspace.trust(folder, new)
    return new


def is_old(folder: Path, lesson: Lesson) -> bool:
    """Tell whether the course has another text now than the one that was handed out."""
    kept, handed = folder / results.MARKER / f"{lesson.name}.py", read(folder)
    there = lesson.number in handed.lessons and kept.is_file()
    return there and kept.read_text("utf-8") != generate.render(lesson_for(lesson, handed))


def require(folder: Path, lesson: Lesson) -> None:
    """Refuse a lesson that does not belong to a folder.

    Raises:
        UserError: it was not handed out with it.
    """
    if lesson.number not in (handed := read(folder)).lessons:
        raise UserError(
            f"{folder} was handed out with lessons {', '.join(handed.lessons)}, without {lesson.number}"
        )


def keep_text(folder: Path, lesson: Lesson, notebook: NotebookNode) -> None:
    """Keep what was handed out, to know later what a student has written."""
    (folder / results.MARKER / f"{lesson.name}.py").write_text(generate.render(notebook), encoding="utf-8")


def handout(
    folder: Path,
    *,
    lessons: Sequence[Lesson] = (),
    hints: bool = True,
    roster: Path | None = None,
    pack: bool = False,
) -> list[Path]:
    """Make a folder for students, or with a roster one for each; return what was made.

    Args:
        folder: a new or empty one; with a roster the students' folders lie in it, by their identifiers.
        lessons: which; none means all.
        hints: whether the hints stand in them.
        roster: a text with one identifier a line.
        pack: make zips instead of folders.

    Raises:
        UserError: the folder holds something, the roster says nothing clear, or a lesson is missing.
        OSError: the folder cannot be written.
    """
    students = read_roster(roster) if roster else []
    workspace.refuse_the_checkout(folder)
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} holds something; name a new folder, or bring it up to date with --update")
    handed = Handed(tuple(each.number for each in lessons or catalogue.LESSONS), hints)
    wanted = {folder / each: for_student(handed, each) for each in students} or {folder: handed}
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = []
    # All is written aside first: a full disk leaves no half of a class.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".handout-") as drafts:
        for place, each in wanted.items():
            draft = Path(drafts, place.name)
            _make(draft, each)
            if pack:
                shutil.make_archive(str(draft), "zip", drafts, draft.name)
                shutil.rmtree(draft)
                draft, place = draft.with_name(f"{draft.name}.zip"), place.with_name(f"{place.name}.zip")
                if place.exists():
                    raise UserError(f"{place} is there already; move it away, or choose another name")
            made.append((draft, place))
        for draft, place in made:
            place.parent.mkdir(exist_ok=True)
            if place.is_dir():
                place.rmdir()
            draft.rename(place)
    return [place for _, place in made]


def _make(folder: Path, handed: Handed) -> None:
    (folder / results.MARKER).mkdir(parents=True)
    mark(folder, handed)
    fill(folder)


def mark(folder: Path, handed: Handed) -> None:
    """Write how a folder was handed out, and the page that says how to start."""
    content = json.dumps({"version": oraledu.__version__, **asdict(handed)}, indent=1)
    (folder / results.MARKER / HANDED_OUT).write_text(content + "\n", encoding="utf-8")
    lessons = [each.name for each in map(catalogue.lesson, handed.lessons)]
    titles = [f"`lessons/{name}.ipynb`" for name in lessons]
    own = _OWN if handed.offset else ""
    listed = f"{own}\nYour lessons: {', '.join(titles)}."
    text = START.format(version=oraledu.__version__, first=handed.lessons[0], lessons=listed)
    (folder / "START.md").write_text(text, encoding="utf-8")


def read_roster(path: Path) -> list[str]:
    """Return the identifiers of a roster: what stands before the first comma of each line.

    Raises:
        UserError: it is no text or empty, or an identifier stands twice or cannot name a folder.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path} is no text; a roster has one student a line") from None
    students = [names.plain(line.split(",")[0].strip().strip('"')) for line in lines if line.strip()]
    if not students:
        raise UserError(f"{path} is empty; a roster has one student a line")
    seen: set[str] = set()
    for student in students:
        if (
            not student
            or student.startswith((".", "'"))
            or any(letter in student for letter in '/\\:\0"<>|?*')
        ):
            raise UserError(
                f"{path}: {student!r} cannot name a folder; give an identifier of letters and digits"
            )
        if student.casefold() in seen:
            raise UserError(
                f"{path}: {student!r} stands twice; each student needs an identifier of their own"
            )
        seen.add(student.casefold())
    return students

"""The teacher's guide of a lesson, in Markdown, from what the sources hold.

Minutes, objectives and questions stand in the solved notebook, the mistakes in the exercises' tables. What no source
has, the discussion of open questions and the exam problems, stands in `teach/NN.md`.
"""

import ast
import difflib
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.course.exercise import Exercise
from oraledu.course.slips import WrongAnswer
from oraledu.teach import outline
from oraledu.teach.outline import SAW, Figure, Part

_CHECK = re.compile(r"(\w+) = checks\.")
_LEADS_ON = re.compile(
    r"\?$|\b(next cell|explorer|next figure|here (is|are))\b|^(Now|Next|Walk|Back) ", re.IGNORECASE
)


def write(lesson: Lesson, folder: Path) -> Path:
    """Write the guide of a lesson into a folder; return its path.

    Raises:
        UserError: a guide that somebody has changed stands there, or this copy of the course has no solutions.
        OSError: the folder cannot be written.
    """
    target, content = folder / f"{lesson.name}.md", text(lesson)
    folder.mkdir(parents=True, exist_ok=True)
    if target.exists() and target.read_text("utf-8") != content:
        raise UserError(
            f"{target} holds another text, which may be yours; move it, or choose a folder with --out"
        )
    target.write_text(content, encoding="utf-8")
    return target


def text(lesson: Lesson) -> str:
    """Return the guide of a lesson as Markdown."""
    first, glance, *rest = outline.parts(lesson)
    numbered = [part for part in rest if part.saw]
    given = {title.partition(".")[0]: each for title, each in outline.minutes(glance).items()}
    about = next(
        paragraph for paragraph in outline.paragraphs(first.cells[0]) if paragraph.startswith("*Lesson")
    )
    exercises = catalogue.exercises(lesson)
    reasons = dict(reason for part in rest for reason in _reasons(part))
    sections = [
        f"# {lesson.title}: the teacher's guide",
        about,
        f"Written by `oraledu guide {lesson.number}` from the sources of the lesson; figures are named by the call "
        "that draws them in the solved notebook.",
        "## Minutes",
        _table(
            ["Part", "Minutes", "Exercises"],
            [
                [part.title, str(given.get(part.title.partition(".")[0], "")), ", ".join(_exercises_of(part))]
                for part in numbered
            ],
        ),
        f"Together {sum(given.values())} minutes, with the core exercises ({_names(exercises, core=True)}). "
        f"Further ones: {_names(exercises, core=False)}.",
        "## Objectives",
        "After the lesson a student can\n\n" + "\n".join(f"* {each}" for each in outline.objectives(glance)),
        "## Questions to ask",
        *(section for part in numbered for section in _part(lesson, part)),
        *(section for part in rest if not part.saw and _shows(part) for section in _part(lesson, part)),
        "## Common mistakes",
        "Each is a change of a right answer, with what the check tells the student.",
        *(
            section
            for exercise in exercises
            for section in mistakes(exercise, reasons.get(exercise.name, ""))
        ),
        _unsourced(lesson),
    ]
    return "\n\n".join(sections) + "\n"


def mistakes(exercise: Exercise, reason: str = "") -> Iterator[str]:
    """Yield the mistakes of an exercise as Markdown: a heading, then each as a diff against the right answer.

    Args:
        exercise: the exercise.
        reason: what the solution says about it, to stand first.
    """
    yield f"### `{exercise.name}`: {exercise.title}"
    if reason:
        yield reason
    others = []
    for wrong in exercise.wrong_answers:
        if wrong.edits:
            yield f"{wrong.mistake}\n\n```diff\n{diff(wrong)}\n```"
        else:
            others.append(f"* {wrong.mistake}")
    if others:
        yield "And, no small change of it:\n\n" + "\n".join(others)


def diff(wrong: WrongAnswer) -> str:
    """Return the lines of the plain right answer that a mistake changes, and what it makes of them."""
    before = plain_answer(wrong)
    after = before
    for old, new in wrong.edits:
        after = after.replace(old, new)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))


def plain_answer(wrong: WrongAnswer) -> str:
    """Return the source of the right answer whose edits a wrong one is."""
    return _source(wrong.function.__globals__["__name__"], wrong.function.__name__)


@cache
def _source(module: str, name: str) -> str:
    """Return the text of a function; its name may since mean the exercise, so the module's text is asked."""
    whole = inspect.getsource(sys.modules[module])
    for node in ast.parse(whole).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            return "\n".join(whole.splitlines()[first - 1 : node.end_lineno]) + "\n"
    raise ValueError(f"{module} holds no function {name!r}")


def _shows(part: Part) -> bool:
    return bool(part.quizzes() or part.figures())


def _part(lesson: Lesson, part: Part) -> Iterator[str]:
    yield f"### {part.title}"
    if part.question:
        yield f"**To begin:** {part.question}"
    for number, figure in enumerate(part.figures(), start=1):
        yield "\n".join(_figure(number, figure))
    if part.saw:
        yield f"**What we saw.** {part.saw}"
    for name in part.quizzes():
        quiz = outline.quiz(lesson, name)
        right = " ".join(f"{option.text}: {option.explanation}" for option in quiz.options if option.right)
        yield f"**Quiz.** {quiz.question}\n\n*Right:* {right}"


def _figure(number: int, figure: Figure) -> Iterator[str]:
    called = re.search(r"views\.(\w+)", figure.call)
    yield f"**Figure {number}**{f', `{called[1]}`' if called else ''}. {figure.alt}\n"
    announced = [
        sentence.rstrip(":") + "." * sentence.endswith(":")
        for sentence in outline.sentences(figure.before)[-1:]
    ]
    yield f"* *Before:* {' '.join(outline.questions(figure.before) or [*announced, 'What do you expect?'])}"
    yield "* *After:* What do you see? Which of it did you expect?"
    # Below a heading or "What we saw" the text speaks of something else, and so do sentences that lead on.
    following = "" if figure.after.startswith(("#", SAW)) else figure.after.partition(SAW)[0]
    seen = [sentence for sentence in outline.sentences(following) if not _LEADS_ON.search(sentence)][:2]
    if heard := outline.answers(figure.before) or seen:
        yield f"* *To hear:* {' '.join(heard)}"


def _reasons(part: Part) -> Iterator[tuple[str, str]]:
    """Yield the name of each exercise whose solution is followed by a text about it, and that text."""
    for check, following in pairwise(part.cells):
        if (found := _CHECK.match(check.source)) and "solution" in following.metadata.get("tags", []):
            yield found[1], following.source


def _exercises_of(part: Part) -> list[str]:
    checks = (_CHECK.match(cell.source) for cell in part.cells if cell.cell_type == "code")
    return [f"`{found[1]}`" for found in checks if found]


def _names(exercises: tuple[Exercise, ...], *, core: bool) -> str:
    return ", ".join(f"`{exercise.name}`" for exercise in exercises if exercise.core is core)


def _table(names: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [names, ["---"] * len(names), *rows])


def _unsourced(lesson: Lesson) -> str:
    return (catalogue.source_folder("teach") / f"{lesson.number}.md").read_text("utf-8").strip()

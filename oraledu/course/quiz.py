"""Questions whose answers unfold: plain HTML, so that they work in a stored notebook without a kernel."""

import html
import re
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from types import SimpleNamespace

from oraledu.course.tables import in_markdown


@dataclass(frozen=True)
class Option:
    """One answer to choose: its text, whether it is right, and why it is or is not."""

    text: str
    right: bool
    explanation: str


class Quiz:
    """What `quiz` returns; show it as the last line of a cell."""

    def __init__(self, question: str, options: tuple[Option, ...]) -> None:
        self.question = question
        self.options = options

    def _repr_html_(self) -> str:
        answers = "".join(
            f"<details><summary>{letter}) {html.escape(option.text)}</summary>"
            f'<p style="margin:0 0 0.5em 1.5em"><b>{"Right." if option.right else "Not this one."}</b> '
            f"{html.escape(option.explanation)}</p></details>"
            for letter, option in zip(ascii_lowercase, self.options, strict=False)
        )
        # A fieldset with a legend is a named group to a screen reader; JupyterLab's sanitizer would drop ARIA.
        return f"<fieldset><legend><b>{html.escape(self.question)}</b></legend>{answers}</fieldset>"

    def _repr_markdown_(self) -> str:
        lines = [f"**{self.question}**", ""]
        for option in self.options:  # in print nothing unfolds
            lines.append(
                f"* {option.text}: *{'right' if option.right else 'not this one'}.* {option.explanation}"
            )
        return in_markdown("\n".join(lines))

    def __repr__(self) -> str:
        lettered = zip(ascii_lowercase, self.options, strict=False)
        return "\n".join([self.question, *(f"  {letter}) {option.text}" for letter, option in lettered)])


def quiz(text: str) -> Quiz:
    """Ask a question; each answer unfolds to say whether it is right, and why.

    LaTeX between dollar signs is typeset in all texts.

    Args:
        text: The question, then two to 26 answers, each from a line that begins with `- [x]` (right) or `- [ ]`, and
            with `::` between the answer and its explanation. A line break counts as a space.

    Returns:
        The quiz, which shows itself at the end of a cell.

    Raises:
        ValueError: A text is empty, there are too few or too many answers, two are equal, or none is right.
    """
    question, *parts = re.split(r"^\s*- \[([ x])\] ", text, flags=re.MULTILINE)
    answers = zip(parts[::2], parts[1::2], strict=True)
    made = [_option(answer, mark == "x") for mark, answer in answers]
    question = " ".join(question.split())
    if not question:
        raise ValueError("question is empty.")
    if not 2 <= len(made) <= len(ascii_lowercase):
        raise ValueError(f"there are {len(made)} answers to {question!r}; give 2 to {len(ascii_lowercase)}.")
    for option in made:
        if not option.text or not option.explanation:
            raise ValueError(f"an answer has no text or no explanation: {option.text!r}.")
    if len({option.text for option in made}) < len(made):
        raise ValueError(f"the same answer stands twice below {question!r}.")
    if not any(option.right for option in made):
        raise ValueError(f"no answer to {question!r} is right; mark one with [x].")
    return Quiz(question, tuple(made))


def questions_beside(module: str) -> SimpleNamespace:
    """Return the questions of `questions.md` beside a module, whose path is given, by their names.

    Each stands below a heading of the second level, its name, in the form that `quiz` takes.
    """
    text = Path(module).with_name("questions.md").read_text("utf-8")
    _, *parts = re.split(r"^## (\w+)$", text, flags=re.MULTILINE)
    return SimpleNamespace(**{name: quiz(body) for name, body in zip(parts[::2], parts[1::2], strict=True)})


def _option(answer: str, right: bool) -> Option:
    text, _, explanation = answer.partition("::")
    return Option(" ".join(text.split()), right, " ".join(explanation.split()))

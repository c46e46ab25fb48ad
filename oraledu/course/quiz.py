"""Questions whose answers unfold: plain HTML, so that they work in a stored notebook without a kernel."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase


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

    def __repr__(self) -> str:
        lettered = zip(ascii_lowercase, self.options, strict=False)
        return "\n".join([self.question, *(f"  {letter}) {option.text}" for letter, option in lettered)])


def quiz(question: str, *, options: Sequence[tuple[str, bool, str]]) -> Quiz:
    """Ask a question; each answer unfolds to say whether it is right, and why.

    LaTeX between dollar signs is typeset in all texts.

    Args:
        question: The question.
        options: Two to 26 answers, each with its text, whether it is right, and an explanation: for the wrong
            ones too.

    Returns:
        The quiz, which shows itself at the end of a cell.

    Raises:
        ValueError: A text is empty, there are too few or too many answers, two are equal, or none is right.
    """
    made = tuple(Option(text.strip(), right, explanation.strip()) for text, right, explanation in options)
    if not question.strip():
        raise ValueError("question is empty.")
    if not 2 <= len(made) <= len(ascii_lowercase):
        raise ValueError(f"options has {len(made)} answers; give 2 to {len(ascii_lowercase)}.")
    for option in made:
        if not option.text or not option.explanation:
            raise ValueError(f"options has an answer without text or explanation: {option.text!r}.")
    if len({option.text for option in made}) < len(made):
        raise ValueError("options has the same answer twice.")
    if not any(option.right for option in made):
        raise ValueError("options has no right answer; mark one with True.")
    return Quiz(question.strip(), made)

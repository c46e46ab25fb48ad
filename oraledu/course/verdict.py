"""What a check says: one line, which JupyterLab shows as a small card."""

import html
import re
import sys
from dataclasses import dataclass
from typing import Any, Literal, get_args

Status = Literal["not attempted", "wrong", "borrowed", "correct", "slow"]
STATUSES: tuple[Status, ...] = get_args(Status)

_ENDS_WITH_REFERENCE = "The lesson goes on with the reference."
_SENTENCES: dict[Status, str] = {
    "not attempted": f"not attempted yet. {_ENDS_WITH_REFERENCE}",
    "wrong": f"not yet right. {{detail}} {_ENDS_WITH_REFERENCE}",
    "borrowed": f"borrowed. This calls the reference; write your own. {_ENDS_WITH_REFERENCE}",
    "correct": "correct. The lesson goes on with your function.",
    "slow": "correct, but {detail} The small figures use your function, the long runs the reference.",
}
# A glyph beside the words, so that nothing hangs on colour; the colour is JupyterLab's, with one for other viewers.
_CARDS: dict[Status, tuple[str, str]] = {
    "not attempted": ("…", "var(--jp-info-color1, #1976d2)"),
    "wrong": ("✗", "var(--jp-error-color1, #d32f2f)"),
    "borrowed": ("↺", "var(--jp-warn-color1, #b26a00)"),
    "correct": ("✓", "var(--jp-success-color1, #388e3c)"),
    "slow": ("✓", "var(--jp-warn-color1, #b26a00)"),
}


class Complaint(Exception):
    """What is not yet right about a learner's function, in words for the learner."""


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check.

    Attributes:
        status: one of `STATUSES`.
        line: the outcome in one line of plain text, the same on every run.
        printed: what the learner's function printed during the check, shortened.
    """

    status: Status
    line: str
    printed: str = ""

    def __repr__(self) -> str:
        return self.line

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.line, "text/html": _card(self)}


def verdict(name: str, status: Status, detail: str = "", printed: str = "") -> Verdict:
    """Put an outcome into words.

    Args:
        name: the name of the exercise's function.
        status: the outcome.
        detail: the sentence that helps, needed for "wrong" and "slow".
        printed: what the learner's function printed.
    """
    return Verdict(status, f"{name}: {_SENTENCES[status].format(detail=detail)}", printed)


def show(outcome: Verdict) -> None:
    """Show a verdict where the code runs: as a card in a notebook, as a line elsewhere."""
    if outcome.printed:
        print(outcome.printed)
    # Whoever runs inside IPython has it loaded already; a plain script must not pay for the import.
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(outcome)
    else:
        print(outcome.line)


def _card(outcome: Verdict) -> str:
    glyph, colour = _CARDS[outcome.status]
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(outcome.line))
    return (
        f'<div role="status" style="border-left: 4px solid {colour}; padding: 0.4em 0.8em; '
        'color: var(--jp-content-font-color1, inherit); background: var(--jp-layout-color2, transparent)">'
        f'<span aria-hidden="true" style="color: {colour}; font-weight: bold">{glyph}</span> {text}</div>'
    )

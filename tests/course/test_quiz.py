from html.parser import HTMLParser

import pytest
from IPython.core.formatters import DisplayFormatter

from oraledu.course.quiz import quiz

RIGHT = ("The metric $M$", True, "It is updated at each step.")
WRONG = ("The weights, $a < b$", False, "There are none to train.")


class Outline(HTMLParser):
    """Which texts stand inside which elements."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.texts.append((">".join(self.open), data.strip()))


def shown() -> dict[str, str]:
    return DisplayFormatter().format(quiz("What learns?", options=[RIGHT, WRONG]))[0]


def test_each_answer_unfolds_to_its_explanation():
    outline = Outline()
    outline.feed(shown()["text/html"])
    assert outline.open == []
    assert outline.texts == [
        ("fieldset>legend>b", "What learns?"),
        ("fieldset>details>summary", "a) The metric $M$"),
        ("fieldset>details>p>b", "Right."),
        ("fieldset>details>p", "It is updated at each step."),
        ("fieldset>details>summary", "b) The weights, $a < b$"),
        ("fieldset>details>p>b", "Not this one."),
        ("fieldset>details>p", "There are none to train."),
    ]


def test_answers_are_folded_at_first():
    assert "open" not in shown()["text/html"]


def test_the_plain_text_does_not_give_the_answer_away():
    assert shown()["text/plain"] == "What learns?\n  a) The metric $M$\n  b) The weights, $a < b$"


@pytest.mark.parametrize(
    ("question", "options", "message"),
    [
        (" ", [RIGHT, WRONG], "question is empty"),
        ("What learns?", [RIGHT], "has 1 answers"),
        ("What learns?", [(f"{n}", True, "Why.") for n in range(27)], "has 27 answers"),
        ("What learns?", [RIGHT, ("Nothing", False, " ")], "without text or explanation: 'Nothing'"),
        ("What learns?", [RIGHT, ("", False, "Why.")], "without text or explanation"),
        ("What learns?", [RIGHT, ("The metric $M$ ", False, "Why.")], "same answer twice"),
        ("What learns?", [WRONG, ("Nothing", False, "Why.")], "no right answer"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(question, options, message):
    with pytest.raises(ValueError, match=message):
        quiz(question, options=options)

from html.parser import HTMLParser

import pytest
from IPython.core.formatters import DisplayFormatter

from oraledu.course.quiz import quiz

RIGHT = "- [x] The metric\n  $M$ :: It is updated\n  at each step."
WRONG = "- [ ] The weights, $a < b$ :: There are none to train."


def question(*answers, text="What learns?"):
    return quiz("\n".join([text, *answers]))


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
    return DisplayFormatter().format(question(RIGHT, WRONG))[0]


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


def test_in_print_where_nothing_unfolds_the_answers_stand_below_the_question():
    assert shown()["text/markdown"].splitlines() == [
        "**What learns?**",
        "",
        "* The metric $M$: *right.* It is updated at each step.",
        "* The weights, $a < b$: *not this one.* There are none to train.",
    ]


def test_answers_are_folded_at_first():
    assert "open" not in shown()["text/html"]


def test_the_plain_text_does_not_give_the_answer_away():
    assert shown()["text/plain"] == "What learns?\n  a) The metric $M$\n  b) The weights, $a < b$"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([RIGHT], "there are 1 answers to 'What learns"),
        ([f"- [x] {n} :: Why." for n in range(27)], "there are 27 answers"),
        ([RIGHT, "- [ ] Nothing ::"], "no text or no explanation: 'Nothing'"),
        ([RIGHT, "- [ ] Nothing"], "no text or no explanation: 'Nothing'"),
        ([RIGHT, "- [ ] :: Why."], "no text or no explanation"),
        ([RIGHT, "- [ ] The metric $M$ :: Why."], "the same answer stands twice"),
        ([WRONG, "- [ ] Nothing :: Why."], "no answer to 'What learns"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(answers, message):
    with pytest.raises(ValueError, match=message):
        question(*answers)


def test_answers_without_a_question_are_refused():
    with pytest.raises(ValueError, match="question is empty"):
        question(RIGHT, WRONG, text=" ")

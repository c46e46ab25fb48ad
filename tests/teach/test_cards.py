"""Cards and quiz files, read back by the rules of those who import them."""

import csv
import re
from pathlib import Path

import pytest

from oraledu.app import catalogue
from oraledu.app.cli import main
from oraledu.course.quiz import quiz
from oraledu.teach import cards

PLACES = {symbol: chr(0xE000 + number) for number, symbol in enumerate("\\:#={}~")}


def read_gift(text: str) -> list[dict]:
    """Read multiple-choice questions as Moodle does: escapes held aside first, then name, braces and answers."""
    found = []
    for block in text.split("\n\n"):
        if block.startswith("$CATEGORY:"):
            continue
        block = block.replace("\\\\", PLACES["\\"])
        for symbol, place in PLACES.items():
            block = block.replace(f"\\{symbol}", place)
        if "\\" in block or block.count("{") != 1 or block.count("}") != 1:
            raise ValueError(f"a symbol without its backslash: {block}")
        shape = re.fullmatch(r"::(.+?)::\[html\](.+?)\{(.*)\}\s*", block, re.DOTALL)
        answers = [each.strip() for each in re.split(r"(?=[~=])", shape[3]) if each.strip()]
        options = []
        for answer in answers:
            sign, weight, words = re.fullmatch(
                r"([~=])(?:%(-?\d{1,2}(?:\.\d*)?)%)?(.*)", answer, re.DOTALL
            ).groups()
            chosen, comment = words.split("#")
            points = 100.0 if sign == "=" else float(weight or 0)
            options.append((released(chosen), released(comment), points))
        found.append({"name": released(shape[1]), "text": released(shape[2]), "options": options})
    return found


def released(text: str) -> str:
    for symbol, place in PLACES.items():
        text = text.replace(place, symbol)
    return text.strip()


def read_anki(text: str) -> tuple[dict[str, str], list[list[str]]]:
    """Read the headers and the rows, as Anki does."""
    lines = text.splitlines()
    headers = dict(line[1:].split(":", 1) for line in lines if line.startswith("#"))
    assert headers["separator"] == "tab"
    return headers, list(
        csv.reader([line for line in lines if not line.startswith("#")], dialect="excel-tab")
    )


@pytest.fixture(scope="module", params=catalogue.LESSONS, ids=lambda lesson: lesson.name)
def lesson(request):
    return request.param


def test_moodle_reads_every_question_whole(lesson):
    asked = [question for _, question in cards.quizzes(lesson)]
    read = read_gift(cards.gift([lesson]))
    assert len(asked) == len(read) >= 5
    for question, found in zip(asked, read, strict=True):
        assert found["text"] == cards.marked_up(question.question)
        assert [(text, comment) for text, comment, _ in found["options"]] == [
            (cards.marked_up(each.text), cards.marked_up(each.explanation)) for each in question.options
        ]
        assert [points > 0 for *_, points in found["options"]] == [each.right for each in question.options]
        assert sum(points for *_, points in found["options"] if points > 0) == pytest.approx(100, abs=1e-4)


def test_what_means_something_to_moodle_is_escaped():
    tricky = quiz(r"""
    Is {x} = $\neq \{y\}$: ~3 # or `a<b`?
    - [x] = yes ~ :: because # {1}: \n
    - [x] % or :: half
    - [ ] no ::: never
    """)
    (found,) = read_gift(cards._gift("tricky_name: {one}", tricky))
    assert found["name"] == "tricky name: {one}"
    assert found["text"] == r"Is {x} = \(\neq \{y\}\): ~3 # or <code>a&lt;b</code>?"
    assert found["options"] == [
        ("= yes ~", r"because # {1}: \n", 50),
        ("% or", "half", 50),
        ("no", ": never", -50),
    ]


def test_the_reader_refuses_what_is_not_escaped():
    with pytest.raises(ValueError, match="without its backslash"):
        read_gift("::a::[html]Is {x} one?{=yes#1 ~no#2}")


def test_anki_reads_every_card_whole(lesson):
    headers, rows = read_anki(cards.anki([lesson]))
    assert headers["html"] == "true"
    assert all(len(row) == 4 for row in rows)
    asked = [question for _, question in cards.quizzes(lesson)]
    questions = [row for row in rows if row[3] == "question"]
    defined = [row for row in rows if row[3] == "definition"]
    assert [row[0].partition("<ul>")[0] for row in questions] == [
        cards.marked_up(each.question) for each in asked
    ]
    assert all(
        cards.marked_up(each.explanation) in row[1]
        for each, row in zip(asked, questions, strict=True)
        for each in each.options
        if each.right
    )
    assert len(defined) >= 8
    assert len({row[0] for row in rows}) == len(rows)
    assert all(len(row[1].split()) > 6 for row in defined)
    assert not any("$" in field or "**" in field for row in rows for field in row)


def test_a_card_with_quotes_and_tabs_is_read_back(monkeypatch):
    odd = ('"so" it begins', 'a\ttab and a "quote"', "question")
    monkeypatch.setattr(cards, "_cards", lambda lesson: [odd])
    _, rows = read_anki(cards.anki(catalogue.LESSONS[:1]))
    assert rows == [[*odd[:2], "oraledu::01 Creativity in diffusion models", "question"]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*is* $a*b*c$ & `x*y*z`", r"<i>is</i> \(a*b*c\) &amp; <code>x*y*z</code>"),
        ("the **mean** of $a < b$", r"the <i>mean</i> of \(a &lt; b\)"),
        ("$$x^2$$ is 2 * 3", r"\[x^2\] is 2 * 3"),
    ],
)
def test_a_text_becomes_html(text, shown):
    assert cards.marked_up(text) == shown


def test_the_commands_write_a_file_each(capsys):
    assert main(["cards", "04", "--out", "out"]) == 0
    assert main(["quiz", "04", "--out", "out"]) == 0
    made = capsys.readouterr().out.split()
    assert made == ["out/cards.txt", "out/quiz.gift"]
    assert len(read_anki(Path(made[0]).read_text("utf-8"))[1]) > 10
    assert len(read_gift(Path(made[1]).read_text("utf-8"))) == 5

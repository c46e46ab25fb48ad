"""What of a lesson becomes slides, and in which order."""

import pytest

from oraledu.app import catalogue, cures
from oraledu.app.cli import main
from oraledu.teach import outline, slides


@pytest.fixture(scope="module", params=catalogue.LESSONS, ids=lambda lesson: lesson.name)
def lesson(request):
    return request.param


@pytest.fixture(scope="module")
def deck(lesson):
    return slides.deck(lesson)


def kind(cell) -> str:
    return cell.metadata.slideshow.slide_type


def test_each_part_begins_to_the_right_with_its_question_and_ends_with_what_we_saw(lesson, deck):
    shown = [cell.source for cell in deck.cells if kind(cell) != "notes"]
    right = [cell.source for cell in deck.cells if kind(cell) == "slide"]
    for part in outline.parts(lesson):
        if part.saw:
            assert f"## {part.title}\n\n*{part.question}*" in right
            assert f"### What we saw\n\n{part.saw}" in shown


def test_every_picture_has_a_page_and_its_words(lesson, deck):
    figures = [figure for part in outline.parts(lesson) for figure in part.figures()]
    pictures = [cell for cell in deck.cells if cell.cell_type == "code"]
    assert [cell.outputs[0].metadata["image/png"]["alt"] for cell in pictures] == [
        figure.alt for figure in figures
    ]
    assert all(list(cell.outputs[0].data) == ["image/png"] for cell in pictures)


def test_no_solution_and_no_answer_stands_on_a_page(lesson, deck):
    pages = "\n".join(cell.source for cell in deck.cells if kind(cell) in ("slide", "subslide"))
    hidden = [
        cell.source.splitlines()[0]
        for part in outline.parts(lesson)
        for cell in part.cells
        if "solution" in cell.metadata.get("tags", [])
    ]
    quizzes = [outline.quiz(lesson, name) for part in outline.parts(lesson) for name in part.quizzes()]
    answers = [option.explanation for quiz in quizzes for option in quiz.options]
    assert len(hidden) > 5
    assert len(answers) > 12
    assert [text for text in hidden + answers if text in pages] == []
    assert all(f"**{quiz.question}**" in pages for quiz in quizzes)


def test_formulas_are_whole_and_no_cell_is_announced(lesson, deck):
    pages = [cell.source for cell in deck.cells if kind(cell) in ("slide", "subslide")]
    assert sum(page.count("$$") for page in pages) > 20
    assert all(page.count("$$") % 2 == 0 for page in pages)
    assert [page for page in pages if page.startswith("The next cell")] == []


def test_without_the_packages_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(slides, "find_spec", lambda name: None)
    assert main(["slides", "04"]) == 2
    assert f"run: {cures.install('oraledu[slides]')}" in capsys.readouterr().err

"""The teacher's guide: what it takes from the sources, and where."""

import inspect
import re

import pytest

from oraledu.app import catalogue
from oraledu.app.cli import main
from oraledu.teach import guide, outline


@pytest.fixture(scope="module", params=catalogue.LESSONS, ids=lambda lesson: lesson.name)
def lesson(request):
    return request.param


@pytest.fixture(scope="module")
def written(lesson):
    return guide.text(lesson)


def test_it_has_every_part_with_its_minutes_and_its_question(lesson, written):
    parts = [part for part in outline.parts(lesson) if re.match(r"\d+\. ", part.title)]
    assert len(parts) == 7
    assert all(part.question and part.saw for part in parts)
    for part in parts:
        assert re.search(rf"^\| {re.escape(part.title)} \| \d+ \|", written, re.MULTILINE)
        assert f"### {part.title}\n\n**To begin:** {part.question}" in written
        assert f"**What we saw.** {part.saw}" in written


def test_it_has_every_objective_and_every_figure_with_a_question_before_and_after(lesson, written):
    parts = outline.parts(lesson)
    figures = [figure for part in parts for figure in part.figures()]
    assert len(outline.objectives(parts[1])) >= 6
    assert len(figures) >= 14
    assert all(f"* {each}" in written for each in outline.objectives(parts[1]))
    assert all(figure.alt in written for figure in figures)
    assert len(re.findall(r"^\* \*Before:\* .*\?$", written, re.MULTILINE)) == len(figures)
    assert len(re.findall(r"^\* \*After:\* .*\?$", written, re.MULTILINE)) == len(figures)


def test_it_has_every_quiz_with_its_right_answer(lesson, written):
    names = [name for part in outline.parts(lesson) for name in part.quizzes()]
    assert len(names) >= 5
    for quiz in (outline.quiz(lesson, name) for name in names):
        assert quiz.question in written
        assert all((option.explanation in written) == option.right for option in quiz.options)


def test_it_has_every_mistake_of_every_exercise(lesson, written):
    for exercise in catalogue.exercises(lesson):
        section = written.partition(f"### `{exercise.name}`")[2].partition("\n### ")[0]
        assert all(wrong.mistake in section for wrong in exercise.wrong_answers)
        assert section.count("```diff") == sum(bool(wrong.edits) for wrong in exercise.wrong_answers)


def test_a_diff_leads_from_the_right_answer_to_the_wrong_one(lesson):
    answers = [
        wrong for exercise in catalogue.exercises(lesson) for wrong in exercise.wrong_answers if wrong.edits
    ]
    assert len(answers) > 50
    for wrong in answers:
        changed = guide.diff(wrong).splitlines()
        before, after = guide.plain_answer(wrong).splitlines(), inspect.getsource(wrong.function).splitlines()
        taken = [line[1:] for line in changed if line.startswith("-")]
        put = [line[1:] for line in changed if line.startswith("+")]
        assert 0 < len(taken) + len(put) == len(changed) < 30
        assert sorted([*before, *put]) == sorted([*after, *taken]), wrong.mistake


def test_sentences_leave_out_formulas_tables_and_folded_answers():
    text = "# A?\n\nIs it so? It is.\n\n$$x?$$\n\n| a? |\n\n<details><summary>An answer</summary>\n\nNo?\n\n</details>"
    assert outline.sentences(text) == ["Is it so?", "It is."]
    assert outline.questions(text) == ["Is it so?"]
    assert outline.answers(text) == ["No?"]


def test_the_command_writes_a_guide_and_spares_one_that_somebody_has_changed(tmp_path, capsys):
    assert main(["guide", "04", "--out", "out"]) == 0
    made = tmp_path / "out" / "04_grokking.md"
    assert capsys.readouterr().out.strip() == "out/04_grokking.md"
    assert main(["guide", "4", "--out", "out"]) == 0
    made.write_text("mine", "utf-8")
    assert main(["guide", "04", "--out", "out"]) == 2
    assert "may be yours" in capsys.readouterr().err
    assert made.read_text("utf-8") == "mine"

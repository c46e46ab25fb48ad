"""The rules that every stored lesson keeps; what its cells print is compared by nbval."""

import re
from pathlib import Path

import nbformat
import pytest

from oraledu.app import build, catalogue
from tests.published import checks_called

ROOT = Path(__file__).resolve().parents[1]
LESSONS = pytest.mark.parametrize("lesson", catalogue.LESSONS, ids=lambda lesson: lesson.name)
#: A tag that makes nbval skip a cell or its output needs a reason beside it; so far no lesson needs one.
ALLOWED_IGNORES = 0
LONGEST_CODE_LINE = 108


def stored(kind, lesson):
    return nbformat.read(ROOT / kind / f"{lesson.name}.ipynb", as_version=4)


def markdown(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_every_notebook_follows_from_its_source(capsys):
    code = build.main(check=True, root=ROOT)
    assert code == 0, capsys.readouterr().out


def test_every_solution_is_a_lesson_of_the_catalogue():
    names = {path.stem for path in (ROOT / "solutions").glob("*.py")}
    assert names == {lesson.name for lesson in catalogue.LESSONS}


@LESSONS
def test_every_exercise_of_the_topic_is_met_once_and_in_order(lesson):
    called = checks_called(stored("solutions", lesson))
    assert called == [exercise.name for exercise in catalogue.exercises(lesson)]


@LESSONS
def test_four_or_five_exercises_are_core_as_the_front_matter_says(lesson):
    table = markdown(stored("lessons", lesson))
    for exercise in catalogue.exercises(lesson):
        row = re.search(rf"^\|.*`{exercise.name}`.*\|$", table, re.MULTILINE)
        assert row, f"the map of exercises has no row for {exercise.name}"
        assert ("further" in row.group()) is not exercise.core
    assert sum(exercise.core for exercise in catalogue.exercises(lesson)) in (4, 5)


@LESSONS
def test_the_front_matter_names_objectives_prerequisites_difficulty_and_minutes(lesson):
    text = markdown(stored("lessons", lesson))
    for word in (
        "**Objectives.**",
        "**Prerequisites.**",
        "**Difficulty.**",
        "**Notation.**",
        "| Part | Minutes |",
    ):
        assert word in text
    minutes = dict(re.findall(r"^\| (\d)\. .*? \| (\d+) \|$", text, re.MULTILINE))
    parts = re.findall(r"^## (\d)\. ", text, re.MULTILINE)
    assert list(minutes) == parts
    assert sum(map(int, minutes.values())) <= 180


@LESSONS
def test_the_title_is_the_catalogue_s(lesson):
    assert stored("lessons", lesson).cells[0].source.startswith(f"# {lesson.title}\n")


@LESSONS
def test_the_first_code_cell_starts_the_lesson(lesson):
    assert f'start("{lesson.name}")' in code_cells(stored("lessons", lesson))[0].source


@LESSONS
def test_every_check_of_the_solution_says_correct_and_of_the_lesson_not_attempted(lesson):
    for kind, words in (("solutions", ": correct."), ("lessons", ": not attempted yet.")):
        checks = [
            cell for cell in code_cells(stored(kind, lesson)) if "check" in cell.metadata.get("tags", [])
        ]
        for cell in checks:
            assert words in cell.outputs[0].data["text/plain"], cell.source


@LESSONS
def test_no_output_is_an_error_or_a_warning(lesson):
    for kind in ("lessons", "solutions"):
        for cell in code_cells(stored(kind, lesson)):
            for output in cell.outputs:
                assert output.output_type != "error", cell.source
                assert output.get("name") != "stderr", output.text


@LESSONS
def test_every_picture_has_words(lesson):
    for kind in ("lessons", "solutions"):
        for cell in code_cells(stored(kind, lesson)):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    alt = output.metadata["image/png"]["alt"]
                    assert len(alt) > 20, cell.source
                    assert output.data["text/plain"].startswith(alt[:20])


@LESSONS
def test_the_words_of_every_picture_can_be_reached_before_its_cell_runs(lesson):
    for kind in ("lessons", "solutions"):
        for cell in code_cells(stored(kind, lesson)):
            pictures = sum("image/png" in output.get("data", {}) for output in cell.outputs)
            hidden = [output.get("data", {}).get("text/html", "") for output in cell.outputs]
            assert sum(text.startswith('<p class="jp-sr-only"') for text in hidden) == pictures, cell.source


@LESSONS
def test_tables_and_quizzes_have_a_form_for_print_with_no_letter_that_its_fonts_lack(lesson):
    for cell in code_cells(stored("lessons", lesson)):
        for data in (output.get("data", {}) for output in cell.outputs):
            if data.get("text/html", "").startswith(("<table>", "<fieldset>")):
                text = re.sub(r"\$[^$]*\$", "", data["text/markdown"])
                assert re.findall("[\u0370-\u03ff\u2100-\u22ff]", text) == [], text


@LESSONS
def test_no_cell_is_hidden_from_nbval(lesson):
    tags = [tag for cell in stored("solutions", lesson).cells for tag in cell.metadata.get("tags", [])]
    assert sum("nbval" in tag or tag == "raises-exception" for tag in tags) == ALLOWED_IGNORES


@LESSONS
def test_code_fits_the_width_of_a_laptop_s_page(lesson):
    lines = [line for cell in code_cells(stored("solutions", lesson)) for line in cell.source.splitlines()]
    assert [line for line in lines if len(line) > LONGEST_CODE_LINE] == []


@LESSONS
def test_prose_stays_within_its_length(lesson):
    text = re.sub(r"<details>.*?</details>", "", markdown(stored("lessons", lesson)), flags=re.DOTALL)
    text = re.sub(r"\[Open the solution of this exercise\]\(.*?\)", "", text)
    without_formulas = re.sub(r"\$[^$]*\$", " x ", re.sub(r"\$\$.*?\$\$", " ", text, flags=re.DOTALL))
    words = re.findall(r"[A-Za-z][\w'-]*", without_formulas)
    assert 3500 <= len(words) <= 7000

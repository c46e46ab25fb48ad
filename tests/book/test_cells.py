"""What of a notebook becomes of a page."""

import base64
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

pytest.importorskip("math_core", reason="the site needs the extra 'book'")
from oraledu.book import cells

PNG = b"\x89PNG no real one"
HIDDEN = '<p class="jp-sr-only" role="{}">A dot.</p>'


def figure(role: str = "note") -> list:
    """What a figure leaves in a notebook, or with the role "status" an explorer."""
    data = {"image/png": base64.b64encode(PNG).decode(), "text/plain": "A dot."}
    return [
        new_output("display_data", data, metadata={"image/png": {"alt": 'A "dot": red.', "width": 720}}),
        new_output("display_data", {"text/html": HIDDEN.format(role), "text/plain": ""}),
    ]


def page(tmp_path: Path, *outputs, source="x = 1", **options) -> str:
    notebook = new_notebook(cells=[new_code_cell(source, outputs=list(outputs))])
    return cells.page(notebook, tmp_path / "pictures", **options)


def test_a_figure_is_shown_once_with_its_own_words_and_stored_once(tmp_path):
    text = page(tmp_path, *figure(), *figure())
    assert text.count(r':alt: "A \"dot\": red."') == 2
    assert text.count(":width: 720px") == 2
    assert "jp-sr-only" not in text
    assert [path.read_bytes() for path in (tmp_path / "pictures").iterdir()] == [PNG]


def test_two_figures_of_one_cell_are_two_pictures(tmp_path):
    png = base64.b64encode(b"another").decode()
    another = new_output(
        "display_data", {"image/png": png, "text/plain": "A line."}, metadata={"image/png": {}}
    )
    text = page(tmp_path, *figure(), another)
    assert text.index(r"A \"dot\": red.") < text.index("A line.")
    assert {path.read_bytes() for path in (tmp_path / "pictures").iterdir()} == {PNG, b"another"}


def test_a_figure_without_words_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="give its figure an alt text"):
        cells.picture(PNG, " ", tmp_path)


def test_an_explorer_says_that_it_moves_in_the_notebook_or_becomes_what_stands_for_it(tmp_path):
    stays = "In the notebook its controls move this picture."
    assert stays in page(tmp_path, *figure("status"))
    assert stays not in page(tmp_path, *figure())
    asked: list[tuple] = []
    alive = page(
        tmp_path, *figure("status"), explorer=lambda *given: asked.append(given[1:]) or "<b>alive</b>"
    )
    assert asked == [(PNG, 'A "dot": red.')]
    assert "<b>alive</b>" in alive
    assert stays not in alive
    assert stays in page(tmp_path, *figure("status"), explorer=lambda *given: "")


def test_tables_and_questions_keep_their_form_and_their_formulas_are_set(tmp_path):
    table = "<table><tr><td>$a &lt; b$</td></tr></table>"
    text = page(tmp_path, new_output("execute_result", {"text/html": table, "text/plain": "a < b"}))
    assert "table-wrapper" in text
    assert "<math" in text
    assert "&lt;</mo>" in text
    assert "$" not in text


def test_a_solution_is_shown_without_its_authors_marks(tmp_path):
    source = "def f():\n    # BEGIN SOLUTION\n    return 1  # one\n    # END SOLUTION"
    assert "python\ndef f():\n    return 1  # one\n```" in page(tmp_path, source=source)


def test_a_question_is_asked_once():
    asked = new_output(
        "display_data", {"text/html": "<fieldset><legend>Why?</legend></fieldset>", "text/plain": ""}
    )

    def shown(source: str) -> str:
        notebook = new_notebook(cells=[new_code_cell(source, outputs=[asked])])
        return cells.page(notebook, Path("pictures"))

    assert "code-block" not in shown("checks.questions.why\n")
    assert "Why?" in shown("checks.questions.why\n")
    assert "code-block" in shown("x = 1\nchecks.questions.why")


def test_what_a_check_says_loses_the_colours_of_jupyter_and_keeps_its_words(tmp_path):
    said = {
        "text/html": '<div style="color: var(--jp-x)">f: right &amp; fast</div>',
        "text/plain": "f: right & fast",
    }
    assert '<p class="verdict">f: right &amp; fast</p>' in page(tmp_path, new_output("display_data", said))


def test_code_that_holds_a_fence_stays_one_block(tmp_path):
    text = page(tmp_path, source='"""\n```\nx\n```\n"""')
    assert text.startswith("````{code-block} python")


def test_a_link_to_a_solution_becomes_one_to_a_section_and_the_notebook_is_offered_beside_it(tmp_path):
    source = "[Open](../solutions/04_grokking.ipynb#Exercise-5-(further):-the-order-of-$x$)"
    notebook = new_notebook(
        cells=[new_markdown_cell("# A"), new_markdown_cell("b"), new_markdown_cell(source)]
    )
    text = cells.page(notebook, tmp_path, name="04_grokking")
    assert "[Open](../solutions/04_grokking.md#exercise-5-further-the-order-of-x)" in text
    offered = "{download}`The notebook of this lesson <04_grokking.ipynb>`"
    assert text.count(offered) == 2
    assert text.splitlines()[-1].startswith("[Open")
    assert text.splitlines()[-1].endswith(offered)

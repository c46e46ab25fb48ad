"""Tables: the same cells on the page and in plain text."""

import pytest
import torch

from oraledu.course.tables import results


def test_numbers_have_two_digits_whole_numbers_none_and_nothing_is_a_dash():
    table = results(
        ["name", "value"], [["half", 0.5], ["count", 12], ["none", None], ["t", torch.tensor(2 / 3)]]
    )
    assert table.rows == [["half", "0.50"], ["count", "12"], ["none", "–"], ["t", "0.67"]]


def test_plain_text_is_aligned():
    table = results(["", "long header"], [["a", 1], ["bcd", 0.25]])
    assert repr(table) == "     long header\na    1\nbcd  0.25"


def test_the_page_has_header_cells_and_no_live_markup():
    page = results(["a", "b"], [["<i>x</i>", 1]])._repr_html_()
    assert page.count('<th scope="col"') == 2
    assert page.count('<th scope="row"') == 1
    assert "&lt;i&gt;x&lt;/i&gt;</th>" in page
    assert "<i>" not in page


def test_a_corner_that_names_nothing_is_no_header():
    page = results(["", "b"], [["x", 1]])._repr_html_()
    assert page.startswith('<table><thead><tr><td></td><th scope="col"')
    assert "></th>" not in page


def test_print_gets_a_table_whose_letters_every_font_has():
    table = results(["", "Δ at |x|"], [["σ of α", 1], ["within $α|β$", "–"]])
    assert table._repr_markdown_().splitlines() == [
        r"|  | $\Delta$ at \|x\| |",
        "| --- | --- |",
        r"| $\sigma$ of $\alpha$ | 1 |",
        "| within $α|β$ | – |",
    ]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="1 cells under a header of 2"):
        results(["a", "b"], [["x"]])

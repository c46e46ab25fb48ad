"""The tables of lesson 4: the same cells on the page and in plain text."""

import pytest
import torch

from oraledu.grokking import arithmetic, rfm, views


def test_numbers_have_two_digits_whole_numbers_none_and_nothing_is_a_dash():
    table = views.results(
        ["name", "value"], [["half", 0.5], ["count", 12], ["none", None], ["t", torch.tensor(2 / 3)]]
    )
    assert table.rows == [["half", "0.50"], ["count", "12"], ["none", "–"], ["t", "0.67"]]


def test_plain_text_is_aligned():
    table = views.results(["", "long header"], [["a", 1], ["bcd", 0.25]])
    assert repr(table) == "     long header\na    1\nbcd  0.25"


def test_the_page_has_header_cells_and_no_live_markup():
    page = views.results(["a", "b"], [["<i>x</i>", 1]])._repr_html_()
    assert page.count('<th scope="col"') == 2
    assert page.count('<th scope="row"') == 1
    assert "&lt;i&gt;x&lt;/i&gt;</th>" in page
    assert "<i>" not in page


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="1 cells under a header of 2"):
        views.results(["a", "b"], [["x"]])


def test_the_table_beside_the_paper_holds_the_numbers_of_the_run():
    p = 13
    generator = torch.Generator().manual_seed(0)
    data = arithmetic.split(*arithmetic.modular_table("+", p), 0.8, generator=generator)
    history = rfm.fit(*data, p, iterations=15)
    toeplitz = torch.tensor([0, 0.5, 0.6, 0.5, 0.4, 0.29] + 9 * [0.1])
    table = views.paper_and_here(
        history=history,
        toeplitz=toeplitz,
        random_circulant=0.987,
        correlation=0.654,
        circulant_inputs=(0.91, 0.03),
    )
    here = [row[2] for row in table.rows]
    moved = int((history.test_accuracy > 0.02).nonzero()[0])
    assert "below 1e-20" in here
    assert f"{history.test_accuracy[-1]:.2f}" in here
    assert f"from iteration {moved}" in here
    assert "halved at iteration 5" in here
    assert {"0.99", "0.65", "0.91; 0.03"} <= set(here)
    assert all(all(cell for cell in row) for row in table.rows)

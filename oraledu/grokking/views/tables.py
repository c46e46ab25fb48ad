"""Part 7: results as small tables, in HTML for the page and in plain text for everything else."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from oraledu.grokking.rfm import History
from oraledu.grokking.views.progress import MOVED

# JupyterLab sets cells flush right, which suits columns of numbers alone.
_LEFT = ' style="text-align: left"'


class Table:
    """A table that shows itself at the end of a cell; use `results` to make one."""

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.header, self.rows = list(header), [list(row) for row in rows]

    def __repr__(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        padded = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join(padded)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col"{_LEFT}>{html.escape(cell)}</th>' for cell in self.header)
        body = "".join(f"<tr>{_html_row(row)}</tr>" for row in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def results(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Make a table of results.

    Args:
        header: The name of each column.
        rows: The cells of each row: text as it is, whole numbers in full, other numbers with two digits after the
            point, None as a dash.

    Raises:
        ValueError: A row has more or fewer cells than the header.
    """
    for row in rows:
        if len(row) != len(header):
            raise ValueError(
                f"rows has a row of {len(row)} cells under a header of {len(header)}: {list(row)}."
            )
    return Table(header, [[_written(cell) for cell in row] for row in rows])


def paper_and_here(
    *,
    history: History,
    toeplitz: Tensor,
    random_circulant: float,
    correlation: float,
    circulant_inputs: Sequence[float],
) -> Table:
    """Set this run's numbers beside the paper's, with the reason for each difference.

    Args:
        history: The large run.
        toeplitz: (iterations,) its Toeplitz deviations.
        random_circulant: The accuracy of one solve with random circulant features.
        correlation: That of the network's feature matrix with the root of its AGOP.
        circulant_inputs: The accuracies of the network with circulant inputs, and with plain ones.
    """
    moved = int((history.test_accuracy > MOVED).nonzero()[0])
    halved = int((toeplitz[2:] < toeplitz[2] / 2).nonzero()[0]) + 2
    with_circulants, without = circulant_inputs
    rows = [
        (
            "training loss",
            "identically zero",
            f"below {_power_of_ten(float(history.train_loss.max()))}",
            "rounding",
        ),
        (
            "test accuracy of a + b, half of the table",
            "perfect",
            history.test_accuracy[-1],
            "a few questions may stay wrong; which ones depends on the split",
        ),
        ("it rises", "around iterations 8 to 15", f"from iteration {moved}", "none"),
        (
            "the deviation falls",
            "from the start",
            f"halved at iteration {halved}",
            "ours is the Toeplitz one; the paper's formula, taken literally, is blind to it",
        ),
        ("random circulants, one solve", "generalise", random_circulant, "none"),
        (
            "feature matrix and root of the AGOP",
            "correlation 0.955",
            correlation,
            "it depends on width and epochs, and is nearly as high before training",
        ),
        (
            "network with circulant inputs, and without",
            "from 17.5 % of the table: all right; not in 3000 epochs",
            f"{with_circulants:.2f}; {without:.2f}",
            "a smaller prime needs a larger share; at full scale the plain network learns too, but later",
        ),
        (
            "orientation of the block for a + b",
            "circulant",
            "Toeplitz; in the network Hankel",
            "the paper has one word for both",
        ),
    ]
    return results(["", "paper", "here", "reason for the difference"], rows)


def _html_row(row: Sequence[str]) -> str:
    first, *rest = (html.escape(cell) for cell in row)
    return f'<th scope="row"{_LEFT}>{first}</th>' + "".join(f"<td{_LEFT}>{cell}</td>" for cell in rest)


def _written(cell: Any) -> str:
    if cell is None:
        return "–"
    return str(cell) if isinstance(cell, str | int) else f"{float(cell):.2f}"


def _power_of_ten(value: float) -> str:
    """Return a round upper bound, coarse enough to be the same on every machine."""
    return next(f"1e-{exponent}" for exponent in (20, 15, 10, 5, 0) if value < 10.0**-exponent)

"""Results as small tables, in HTML for the page and in plain text for everything else."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# JupyterLab sets cells flush right, which suits columns of numbers alone.
_LEFT = ' style="text-align: left"'


#: Letters of formulas, which LaTeX's text fonts lack, and what LaTeX calls them.
_NAMES = "alpha beta gamma eta lambda rho sigma tau Delta ell surd propto le ge approx"
_FORMULAS = str.maketrans(
    {letter: f"$\\{name}$" for letter, name in zip("αβγηλρστΔℓ√∝≤≥≈", _NAMES.split(), strict=True)}
)


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
        head = head.replace(f'<th scope="col"{_LEFT}></th>', "<td></td>")
        body = "".join(f"<tr>{_html_row(row)}</tr>" for row in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _repr_markdown_(self) -> str:
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        return "\n".join(f"| {' | '.join(map(in_markdown, line))} |" for line in lines)


def in_markdown(text: str) -> str:
    """Write a text for Markdown, with the letters of formulas outside of formulas as formulas."""
    pieces = text.split("$")
    pieces[::2] = [piece.replace("|", r"\|").translate(_FORMULAS) for piece in pieces[::2]]
    return "$".join(pieces)


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


def beside_the_paper(module: str, **values: Any) -> Table:
    """Make the table that sets a run beside the paper.

    Args:
        module: The path of the module whose folder holds it: `paper_and_here.md`, a Markdown table, where what stands
            in braces is filled in as by `str.format`.
        **values: What is filled in, by name.
    """
    lines = Path(module).with_name("paper_and_here.md").read_text("utf-8").splitlines()
    header, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)
    return Table(header, [[cell.format(**values) for cell in row] for row in rows])


def _html_row(row: Sequence[str]) -> str:
    first, *rest = (html.escape(cell) for cell in row)
    return f'<th scope="row"{_LEFT}>{first}</th>' + "".join(f"<td{_LEFT}>{cell}</td>" for cell in rest)


def _written(cell: Any) -> str:
    if cell is None:
        return "–"
    return str(cell) if isinstance(cell, str | int) else f"{float(cell):.2f}"

"""How the views of this lesson name things, and write numbers and curves in words."""

from collections.abc import Mapping

from torch import Tensor

#: Of a score: in words, or its text set and its own name.
Name = str | tuple[str, ...]
#: Values by layer, by name.
Curves = Mapping[str, Tensor]
#: The same by model.
Models = Mapping[str, Curves]


def shortened(text: str, length: int = 60) -> str:
    """Cut a text at a word, with an ellipsis, where it is too long for a menu."""
    if len(text) <= length:
        return text
    return text[:length].rsplit(" ", 1)[0] + " …"


def number(value: float) -> str:
    """Write a number of any size with two digits that count, without an exponent where it is readable so."""
    if 10 <= abs(value) < 1e6:
        return f"{float(f'{value:.2g}'):,.0f}"
    return f"{value:.2g}".replace("e+0", "e")


def plain(value: float | Tensor, digits: int = 2) -> str:
    """Write a number with so many digits after the point, and never a minus before zeros."""
    return f"{round(float(value), digits) + 0.0:.{digits}f}"


def signed(value: float | Tensor) -> str:
    """Write a difference with its sign and one digit after the point; a rounded zero is +0.0."""
    return f"{round(float(value), 1) + 0.0:+.1f}"


def written(name: Name) -> str:
    """Write a name; of a text set and a score "noun, clustering", or one of them if they are the same."""
    return name if isinstance(name, str) else ", ".join(dict.fromkeys(name))


def extremes(values: Tensor) -> str:
    """Say where a curve over layers begins and ends, and where it is lowest and highest."""
    low, high = int(values.argmin()), int(values.argmax())
    return (
        f"{plain(values[0])} at layer 0, {plain(values[-1])} at the last, lowest {plain(values[low])} at {low}, "
        f"highest {plain(values[high])} at {high}"
    )

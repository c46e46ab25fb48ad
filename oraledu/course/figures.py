"""Figures that look alike in every lesson, and that say in words what they show.

A `Figure` knows its alt text and shows itself as a PNG of twice its size on the page, so that it stays crisp on
any screen. It belongs to no plotting state: nothing keeps it alive once the notebook lets go of it.
"""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from oraledu.course.alt import mimebundle, spoken
from oraledu.course.style import PALETTE, PIXELS_PER_INCH, styled, theme

__all__ = [
    "PALETTE",
    "Figure",
    "curve_with_band",
    "image_strip",
    "matrix_image",
    "panels",
    "subplots",
    "theme",
]

WIDTH = 720  # CSS pixels: as wide as a notebook's output on a small laptop
SHARPNESS = 2  # image pixels to one CSS pixel
MISSING = "#d9d9d9"


class Figure(MatplotlibFigure):
    """A matplotlib figure with alt text that shows itself in a notebook as a PNG on white.

    Args:
        alt: What the figure shows, in words, for those who do not see it; also its `text/plain`.
        **options: Those of `matplotlib.figure.Figure`.

    Raises:
        ValueError: `alt` is empty.
    """

    def __init__(self, *, alt: str, **options: Any) -> None:
        super().__init__(**{"facecolor": "white", "dpi": PIXELS_PER_INCH, **options})
        self.alt = alt

    @property
    def alt(self) -> str:
        """What the figure shows, in words."""
        return self._alt

    @alt.setter
    def alt(self, text: str) -> None:
        if not isinstance(text, str) or not text.strip():
            raise ValueError("alt is empty: say in a sentence what the figure shows.")
        self._alt = text.strip()

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height on the page, in CSS pixels."""
        width, height = self.get_size_inches() * PIXELS_PER_INCH
        return round(width), round(height)

    def png(self) -> bytes:
        """Draw the figure at twice its shown size; on one machine the same figure gives the same bytes."""
        dpi = self.dpi
        # Not savefig: that draws everything twice, and stamps the file with matplotlib's version.
        with styled():
            canvas = FigureCanvasAgg(self)
            try:
                self.dpi = SHARPNESS * PIXELS_PER_INCH
                canvas.draw()
                pixels = np.asarray(canvas.buffer_rgba())
            finally:
                self.dpi = dpi
        file = io.BytesIO()
        # Who moves a slider waits for this; packing harder takes twice as long and saves a few per cent.
        Image.fromarray(pixels).convert("RGB").save(file, format="png", compress_level=1)
        return file.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        return mimebundle(self.png(), self.alt, self.shown_size)

    def _ipython_display_(self) -> None:
        # IPython prefers this method to the formatter that `%matplotlib inline` registers for every figure;
        # it would prefer that formatter to `_repr_mimebundle_`.
        from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)
        # JupyterLab 4 gives the <img> of an output no alt attribute: a screen reader finds the words here.
        display({"text/html": spoken(self.alt), "text/plain": ""}, raw=True)


def subplots(
    rows: int = 1,
    columns: int = 1,
    *,
    alt: str,
    width: int = WIDTH,
    height: int | None = None,
    **options: Any,
) -> tuple[Figure, Any]:
    """Make a figure with a grid of axes.

    Args:
        rows: Number of rows.
        columns: Number of columns.
        alt: What the figure shows, in words.
        width: Width on the page, CSS pixels.
        height: Height on the page, CSS pixels; 260 for each row where it is not given.
        **options: Those of `matplotlib.figure.Figure.subplots`, such as `sharex` or `width_ratios`.

    Returns:
        The figure, and its axes as matplotlib gives them: one `Axes`, or an array of them.
    """
    inches = (width / PIXELS_PER_INCH, (260 * rows if height is None else height) / PIXELS_PER_INCH)
    with styled():
        figure = Figure(alt=alt, figsize=inches, layout="constrained")
        return figure, figure.subplots(rows, columns, **options)


def panels(
    layout: list[Any], *, height: int, alt: str = "not drawn yet", width: int = WIDTH, **options: Any
) -> tuple[Figure, dict[str, Axes]]:
    """Make a figure whose panels have names.

    Args:
        layout: The names as they stand on the page, as `matplotlib.figure.Figure.subplot_mosaic` takes them.
        height: Height on the page, CSS pixels.
        alt: What the figure shows, in words; an explorer sets it with every picture.
        width: Width on the page, CSS pixels.
        **options: Those of `subplot_mosaic`, such as `width_ratios`.
    """
    with styled():
        figure = Figure(alt=alt, figsize=(width / PIXELS_PER_INCH, height / PIXELS_PER_INCH))
        figure.set_layout_engine("constrained", w_pad=0.04, h_pad=0.04, wspace=0.03, hspace=0.03)
        axes: dict[str, Axes] = figure.subplot_mosaic(layout, **options)
        return figure, axes


def matrix_image(
    ax: Axes, matrix: ArrayLike | torch.Tensor, *, title: str, symmetric: bool = True, colorbar: bool = True
) -> AxesImage:
    """Draw a matrix as a picture; entries that are NaN are grey.

    Args:
        ax: Where to draw.
        matrix: Shape (rows, columns); NaN marks an entry to leave out, such as a removed diagonal.
        title: Title of the axes.
        symmetric: Whether the sign matters: a diverging colour map with white at 0. Otherwise a sequential
            one from the smallest to the largest entry.
        colorbar: Whether a scale stands beside the picture.

    Returns:
        The image, whose `set_data` shows another matrix in the same colours.

    Raises:
        ValueError: `matrix` is not two-dimensional, is empty, or holds an infinite entry.
    """
    values = _array(matrix)
    if values.ndim != 2 or values.size == 0:
        raise ValueError(
            f"matrix has shape {values.shape}; a picture needs two dimensions, neither of them empty."
        )
    if np.isinf(values).any():
        raise ValueError("matrix has infinite entries; put NaN where an entry is to be left out.")
    known = values[~np.isnan(values)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    if symmetric:
        high = max(abs(low), abs(high))
        low = -high
    if low == high:
        low, high = low - 1.0, high + 1.0
    colours = matplotlib.colormaps["RdBu_r" if symmetric else "viridis"].with_extremes(bad=MISSING)
    image = ax.imshow(values, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    ax.locator_params(integer=True, nbins=5)
    ax.set_title(title)
    if colorbar:
        ax.figure.colorbar(image, ax=ax, fraction=0.05, pad=0.03)
    return image


def redraw_matrix(image: AxesImage, matrix: torch.Tensor) -> float:
    """Show another matrix, of any shape, in a diverging `matrix_image`; return the size of its largest entry."""
    limit = max(float(matrix.abs().nan_to_num().max()), 1e-30)
    bottom, right = (side - 0.5 for side in matrix.shape)
    image.set(data=matrix.numpy(), clim=(-limit, limit), extent=(-0.5, right, bottom, -0.5))
    image.axes.set(xlim=(-0.5, right), ylim=(bottom, -0.5))
    return limit


def curve_with_band(
    ax: Axes,
    x: ArrayLike | torch.Tensor,
    curves: ArrayLike | torch.Tensor,
    *,
    label: str,
    quantiles: tuple[float, float] | None = None,
    **line: Any,
) -> Line2D:
    """Draw the mean of several runs as a line and their spread as a band; the label says which spread.

    Args:
        ax: Where to draw.
        x: Shape (points,).
        curves: Shape (runs, points), or (points,) for one run, which has no band.
        label: Name of the curve.
        quantiles: Lower and upper edge of the band as fractions, such as (0.1, 0.9); smallest and largest
            run where they are not given.
        **line: Options of `Axes.plot`, such as `color` or `linestyle`.

    Returns:
        The line of the mean.

    Raises:
        ValueError: `curves` does not fit `x`, or `quantiles` are not two rising fractions.
    """
    positions, runs = _array(x), np.atleast_2d(_array(curves))
    if runs.ndim != 2 or runs.shape[1:] != positions.shape:
        raise ValueError(
            f"curves has shape {runs.shape}; x has shape {positions.shape}: give (runs, points)."
        )
    low, high = quantiles or (0.0, 1.0)
    if not 0 <= low < high <= 1:
        raise ValueError(f"quantiles is {quantiles}; give two fractions in [0, 1], the smaller first.")
    if len(runs) > 1:
        spread = f"{low:.0%}–{high:.0%}" if quantiles else "min–max"
        label = f"{label}\n(mean, {spread} of {len(runs)})"
    (mean,) = ax.plot(positions, runs.mean(axis=0), label=label, **line)
    if len(runs) > 1:
        lower, upper = np.quantile(runs, [low, high], axis=0)
        ax.fill_between(positions, lower, upper, color=mean.get_color(), alpha=0.25, linewidth=0)
    return mean


def image_strip(
    images: Sequence[ArrayLike | torch.Tensor], titles: Sequence[str], *, alt: str, width: int = WIDTH
) -> Figure:
    """Show pictures side by side in one row; the grey ones share one scale, from darkest to brightest pixel.

    Args:
        images: Each of shape (height, width) in any units, or (height, width, 3) with colours in [0, 1].
        titles: One for each picture; may be empty strings.
        alt: What the strip shows, in words.
        width: Width of the whole strip on the page, CSS pixels.

    Returns:
        The figure.

    Raises:
        ValueError: There is no picture, a picture has another shape, or the titles are not one to a picture.
    """
    pictures = [_array(image) for image in images]
    if not pictures or len(pictures) != len(titles):
        raise ValueError(
            f"images has {len(pictures)} and titles {len(titles)} entries; give one title a picture."
        )
    for picture in pictures:
        if picture.ndim != 2 and picture.shape[2:] != (3,):
            raise ValueError(f"images has a picture of shape {picture.shape}; give (height, width[, 3]).")
    tallest = max(picture.shape[0] / picture.shape[1] for picture in pictures)
    titled = 24 if any(titles) else 4
    height = round(width / len(pictures) * tallest) + titled
    figure, grid = subplots(1, len(pictures), alt=alt, width=width, height=height, squeeze=False)
    grey = [picture for picture in pictures if picture.ndim == 2]
    low, high = (min(p.min() for p in grey), max(p.max() for p in grey)) if grey else (0.0, 1.0)
    for ax, picture, title in zip(grid[0], pictures, titles, strict=True):
        ax.imshow(picture, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        ax.set_title(title)
        ax.set_axis_off()
    return figure


def _array(values: ArrayLike | torch.Tensor) -> NDArray[np.floating]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=float)

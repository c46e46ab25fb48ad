"""Figures that look alike in every lesson, and that say in words what they show.

A `Figure` knows its alt text and shows itself as a PNG of twice its size on the page, so that it stays crisp on
any screen. It belongs to no plotting state: nothing keeps it alive once the notebook lets go of it.
"""

import io
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
from oraledu.course.style import PIXELS_PER_INCH, styled

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
    **line: Any,
) -> Line2D:
    """Draw the mean of several runs as a line, and a band from the smallest run to the largest; the label says so.

    Args:
        ax: Where to draw.
        x: Shape (points,).
        curves: Shape (runs, points), or (points,) for one run, which has no band.
        label: Name of the curve.
        **line: Options of `Axes.plot`, such as `color` or `linestyle`.

    Returns:
        The line of the mean.

    Raises:
        ValueError: `curves` does not fit `x`.
    """
    positions, runs = _array(x), np.atleast_2d(_array(curves))
    if runs.ndim != 2 or runs.shape[1:] != positions.shape:
        raise ValueError(
            f"curves has shape {runs.shape}; x has shape {positions.shape}: give (runs, points)."
        )
    if len(runs) > 1:
        label = f"{label}\n(mean, min–max of {len(runs)})"
    (mean,) = ax.plot(positions, runs.mean(axis=0), label=label, **line)
    if len(runs) > 1:
        band = runs.min(axis=0), runs.max(axis=0)
        ax.fill_between(positions, *band, color=mean.get_color(), alpha=0.25, linewidth=0)
    return mean


def _array(values: ArrayLike | torch.Tensor) -> NDArray[np.floating]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=float)

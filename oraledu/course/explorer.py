"""A figure with controls: move one, and the picture follows.

The figure is drawn into one `ipywidgets.Image`. A stored notebook carries the last picture and its alt text, so it
shows both before any kernel runs.
"""

import asyncio
import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import ipywidgets as widgets
from IPython.display import display
from matplotlib.transforms import Bbox
from traitlets import Unicode

from oraledu.course.alt import mimebundle, spoken
from oraledu.course.controls import controls_for
from oraledu.course.figures import Figure
from oraledu.course.frames import Frame, Frames
from oraledu.course.runtime import progress
from oraledu.course.style import styled

T = TypeVar("T")
R = TypeVar("R")

PAUSE = 0.02  # seconds in which further moves of a control join the redraw that is due


class Picture(widgets.Image):
    """An image whose `tooltip` names it, for want of an alt attribute.

    The browser's side of ipywidgets 8 sets the title of an element only where its model has an empty description.
    """

    description = Unicode("").tag(sync=True)


class Explorer:
    """What `explore` returns; show it as the last line of a cell.

    Attributes:
        controls: The widgets by name; setting the `value` of one moves it.
        error: Why the last figure could not be drawn, or None.
    """

    def __init__(self, draw: Callable[..., Figure], controls: dict[str, widgets.DOMWidget]) -> None:
        self.controls = controls
        self.error: str | None = None
        self._draw = draw
        self._frames = Frames()
        self._places: list[Bbox] = []
        self._shown: Frame | None = None
        self._due: asyncio.TimerHandle | None = None
        self._image = Picture(format="png", layout=widgets.Layout(max_width="100%", height="auto"))
        self._words = widgets.HTML()
        self._alert = widgets.HTML()
        self._widget = widgets.VBox(
            [*controls.values(), self._alert, self._image],
            layout=widgets.Layout(align_items="flex-start"),
        )
        self.redraw()
        for control in controls.values():
            control.observe(self._schedule, names="value")

    @property
    def values(self) -> dict[str, Any]:
        """Where the controls stand, by name."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def alt(self) -> str:
        """What the picture shows, in words, or why there is none."""
        return self._shown.alt if self._shown else f"The figure could not be drawn. {self.error}"

    def redraw(self) -> None:
        """Show the figure for the present values at once."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        try:
            frame = self.frame(self.values)
        except Exception as error:
            # Whatever goes wrong in `draw` belongs in the notebook: a callback's traceback goes nowhere.
            self._fail(f"{type(error).__name__}: {error}")
        else:
            self._show(frame)

    def _schedule(self, change: object) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.redraw()
            return
        if self._due is None:
            self._due = loop.call_later(PAUSE, self.redraw)

    def frame(self, values: dict[str, Any]) -> Frame:
        """Draw the figure for some values of the controls, in their order, or give back what was drawn before."""
        key = tuple(values.values())
        if (kept := self._frames.get(key)) is not None:
            return kept
        with styled():
            return self._drawn(key, values)

    def _drawn(self, key: tuple[Any, ...], values: dict[str, Any]) -> Frame:
        figure = self._draw(**values)
        if not isinstance(figure, Figure):
            raise TypeError(
                f"draw returned {type(figure).__name__}; return a Figure, as `subplots` makes it."
            )
        self._keep_places(figure)
        frame = Frame(figure.png(), figure.alt, figure.shown_size)
        self._places = [ax.get_position(original=True).frozen() for ax in figure.axes]
        self._frames.put(key, frame)
        return frame

    def _keep_places(self, figure: Figure) -> None:
        # Working out the layout takes as long as drawing, and panels that move with a tick label disturb the eye.
        if len(self._places) == len(figure.axes):
            figure.set_layout_engine("none")
            for ax, place in zip(figure.axes, self._places, strict=True):
                ax.set_position(place)

    def _show(self, frame: Frame) -> None:
        self.error, self._shown = None, frame
        self._image.layout.width = f"{frame.size[0]}px"
        self._image.layout.display = None
        self._image.tooltip = frame.alt
        self._image.value = frame.png
        self._words.value = spoken(frame.alt, role="status")
        self._alert.value = ""

    def _fail(self, error: str) -> None:
        self.error, self._shown = error, None
        self._image.layout.display = "none"
        self._words.value = ""
        self._alert.value = (
            f'<div role="alert"><b>The figure could not be drawn.</b><br>{html.escape(error)}</div>'
        )

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        if self._due is not None:
            self.redraw()
        data: dict[str, Any] = {"text/plain": self.alt}
        metadata: dict[str, Any] = {}
        if self._shown is not None:
            data, metadata = mimebundle(self._shown.png, self.alt, self._shown.size)
        view = self._widget._repr_mimebundle_()
        return {**view, **data}, metadata

    def _ipython_display_(self) -> None:
        # IPython prefers this to the method above. The words are a second output: of a stored picture JupyterLab
        # shows no alt text, and without its kernel what is left of the words is this hidden paragraph.
        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)
        words = {"text/html": self._words.value, "text/plain": ""}
        display({**self._words._repr_mimebundle_(), **words}, raw=True)


def explore(
    draw: Callable[..., Figure], *, labels: Mapping[str, str] | None = None, **controls: Any
) -> Explorer:
    """Give a figure controls.

    The figure is drawn anew when a control moves; of several quick moves the last one counts. Pictures are kept, so
    `draw` must depend on its arguments alone. It may return a new figure each time or, which takes a third less, the
    same one changed. The panels stay where the first picture put them.

    Args:
        draw: Takes the values of the controls by name and returns the figure for them, with its alt text.
        labels: The words beside the controls, by name.
        **controls: For each parameter of `draw` what it can be: `(low, high[, step])`, a list, a dict from label
            to value, a bool, or a widget.

    Returns:
        The explorer, which shows itself at the end of a cell.

    Raises:
        ValueError: There is no control, a label has no control, or a control's notation means nothing.
        TypeError: `draw` cannot be called with these names, or a control's values are not hashable.
    """
    return Explorer(draw, controls_for(draw, controls, labels or {}))


def precompute(function: Callable[[T], R], values: Iterable[T], *, label: str) -> list[R]:
    """Compute something slow for each value behind a progress bar.

    Args:
        function: Called with one value. Where it is `cached`, an interruption loses only the value under way.
        values: What to call it with.
        label: The words beside the bar.

    Returns:
        The results, in the order of the values.
    """
    return [function(value) for value in progress(list(values), label)]

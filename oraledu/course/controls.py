"""From short notation to labelled controls that a keyboard can move."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any

import ipywidgets as widgets

LISTED = (
    widgets.Dropdown,
    widgets.RadioButtons,
    widgets.Select,
    widgets.SelectionSlider,
    widgets.ToggleButtons,
)


def controls_for(
    draw: Callable[..., Any], short: Mapping[str, Any], labels: Mapping[str, str]
) -> dict[str, widgets.DOMWidget]:
    """Make one control for each parameter of `draw`.

    Args:
        draw: Called with the values by name; the default of a parameter is where its control starts.
        short: `(low, high[, step])` for a slider, a list of numbers for a slider over them, another list or a
            dict (label to value) for a menu, a bool for a box to tick; or a widget.
        labels: The words beside a control; its name where they are not given.

    Returns:
        The controls by name, in the order of `short`.

    Raises:
        ValueError: There is no control, a label has no control, or a control's notation means nothing.
        TypeError: `draw` cannot be called with these names, or a control's values cannot be told apart by hash.
    """
    if not short:
        raise ValueError("controls are missing: give at least one, such as iteration=(0, 30).")
    if unknown := sorted(set(labels) - set(short)):
        raise ValueError(f"labels names {', '.join(unknown)}; the controls are {', '.join(short)}.")
    try:
        defaults = {name: p.default for name, p in inspect.signature(draw).parameters.items()}
        inspect.signature(draw).bind(**short)
    except TypeError as error:
        raise TypeError(f"draw cannot be called with the controls {', '.join(short)}: {error}.") from None
    made = {}
    for name, notation in short.items():
        widget = _widget(name, notation, defaults.get(name, inspect.Parameter.empty))
        _label(widget, labels.get(name) or getattr(widget, "description", "") or name.replace("_", " "))
        made[name] = widget
    return made


def positions(name: str, widget: widgets.DOMWidget) -> list[Any]:
    """List every value that a control can take.

    Raises:
        TypeError: The control takes more values than can be listed.
    """
    if isinstance(widget, LISTED):
        return _values(widget.options)
    if isinstance(widget, widgets.IntSlider):
        return list(range(widget.min, widget.max + 1, widget.step))
    if isinstance(widget, widgets.Checkbox):
        return [False, True]
    raise TypeError(f"control {name} takes too many values to draw each beforehand: give a list of values.")


def _widget(name: str, notation: Any, default: Any) -> widgets.DOMWidget:
    listed = notation.options if isinstance(notation, LISTED) else notation
    for value in _values(listed) if isinstance(listed, (list, tuple, dict)) else []:
        _require_key(name, value)
    if isinstance(notation, list) and notation and all(_is_number(value) for value in notation):
        widget = widgets.SelectionSlider(options=notation, value=notation[0])
    else:
        widget = widgets.interactive.widget_from_abbrev(notation)
    if not isinstance(widget, widgets.DOMWidget) or not widget.has_trait("value"):
        raise ValueError(
            f"control {name} is {notation!r}; give (low, high[, step]), a list, a dict or a bool."
        )
    if isinstance(notation, tuple):
        starts = _is_number(default)
    else:
        starts = isinstance(notation, (list, dict)) and default in _values(notation)
    if starts:
        widget.value = default
    return widget


def _label(widget: widgets.DOMWidget, text: str) -> None:
    widget.description = text
    widget.layout.width = "36em"
    widget.layout.max_width = "100%"
    if widget.style.has_trait("description_width"):
        widget.style.description_width = "initial"
    if isinstance(widget, widgets.Checkbox):
        widget.indent = False


def _values(options: Iterable[Any] | Mapping[str, Any]) -> list[Any]:
    listed = list(options.values()) if isinstance(options, Mapping) else list(options)
    if isinstance(options, Mapping) or not all(isinstance(o, (list, tuple)) and len(o) == 2 for o in listed):
        return listed
    return [value for _, value in listed]


def _require_key(name: str, value: Any) -> None:
    try:
        hash(value)
        bool(value == value)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"control {name} has a {type(value).__name__} as value: give keys, not data."
        ) from None


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)

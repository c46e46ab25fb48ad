import ipywidgets as widgets
import numpy as np
import pytest

from oraledu.course.controls import controls_for, positions


def nothing(**values: object) -> None:
    """Take any control."""


def control(notation: object, default: object = None, **labels: str) -> widgets.DOMWidget:
    def draw(size: object = default) -> None: ...

    return controls_for(draw, {"size": notation}, labels)["size"]


@pytest.mark.parametrize(
    ("notation", "kind", "start", "every"),
    [
        ((0, 6, 2), widgets.IntSlider, 2, [0, 2, 4, 6]),
        ([5, 7, 11], widgets.SelectionSlider, 5, [5, 7, 11]),
        ([0.1, 0.5], widgets.SelectionSlider, 0.1, [0.1, 0.5]),
        (["add", "divide"], widgets.Dropdown, "add", ["add", "divide"]),
        ({"plus": 1, "minus": -1}, widgets.Dropdown, 1, [1, -1]),
        (True, widgets.Checkbox, True, [False, True]),
        (widgets.RadioButtons(options=[("one", 1), ("two", 2)]), widgets.RadioButtons, 1, [1, 2]),
        (widgets.Select(options={"one": 1}), widgets.Select, 1, [1]),
    ],
)
def test_each_notation_has_its_control_and_its_positions(notation, kind, start, every):
    made = control(notation)
    assert type(made) is kind
    assert made.value == start
    assert positions("size", made) == every


@pytest.mark.parametrize("notation", [(0, 10), [2, 4, 7], {"four": 4, "seven": 7}])
def test_a_control_starts_at_the_default_of_its_parameter(notation):
    assert control(notation, default=7).value == 7


def test_a_float_slider_cannot_be_listed():
    with pytest.raises(TypeError, match="control size takes too many values"):
        positions("size", control((0.0, 1.0)))


def test_labels_are_whole_and_fall_back_on_the_name():
    made = controls_for(nothing, {"training_fraction": (0, 3), "p": [2, 3]}, {"p": "A very long label of p"})
    assert [widget.description for widget in made.values()] == ["training fraction", "A very long label of p"]
    assert {widget.style.description_width for widget in made.values()} == {"initial"}


def test_a_widget_keeps_its_own_label():
    assert control(widgets.IntSlider(description="Mine")).description == "Mine"
    assert control(widgets.IntSlider(description="Mine"), size="Yours").description == "Yours"


def test_sliders_follow_the_hand():
    made = controls_for(nothing, {"a": (0, 3), "b": (0.0, 1.0), "c": [1, 2]}, {})
    assert all(widget.continuous_update for widget in made.values())


@pytest.mark.parametrize("notation", [(1, 2, 3, 4), None, object(), widgets.fixed(3)])
def test_notation_that_means_nothing_is_refused(notation):
    with pytest.raises(ValueError, match="control size is"):
        control(notation)


def test_missing_and_unknown_names_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        controls_for(nothing, {}, {})
    with pytest.raises(ValueError, match=r"labels names width; the controls are size"):
        control((0, 3), width="Width")
    with pytest.raises(TypeError, match="draw cannot be called with the controls length"):
        controls_for(lambda size: None, {"length": (0, 3)}, {})


def test_values_without_a_hash_are_refused():
    with pytest.raises(TypeError, match="control size has a ndarray as value"):
        control({"first": np.zeros(2)})

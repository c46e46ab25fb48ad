import ipywidgets as widgets
import pytest

from oraledu.book.positions import Choices, choices, combinations, count, thinned
from oraledu.course.explorer import explore
from oraledu.course.figures import Figure, subplots
from tests.book.drawn import bars


def of(**controls: object) -> list[Choices]:
    def draw(**values: object) -> Figure:
        return subplots(alt="Nothing.", width=60, height=60)[0]

    return choices(explore(draw, **controls))


@pytest.mark.parametrize(
    ("notation", "kind", "values", "words"),
    [
        ((2, 6, 2), "range", (2, 4, 6), ("2", "4", "6")),
        ((0.1, 0.4, 0.1), "range", (0.1, 0.2, 0.3, 0.4), ("0.10", "0.20", "0.30", "0.40")),
        ([0.5, 3.0], "range", (0.5, 3.0), ("0.5", "3.0")),
        ({"plus": "+", "minus": "-"}, "select", ("+", "-"), ("plus", "minus")),
        (True, "checkbox", (False, True), ("no", "yes")),
        (widgets.ToggleButtons(options=["a", "b"]), "select", ("a", "b"), ("a", "b")),
    ],
)
def test_each_control_lists_its_values_and_their_words(notation, kind, values, words):
    (found,) = of(x=notation)
    assert (found.kind, found.values, found.words) == (kind, values, words)


def test_a_control_begins_where_it_stands_in_the_notebook():
    explorer = bars()
    explorer.controls["side"].value = "right"
    assert [(each.values[each.start], each.label) for each in choices(explorer)] == [
        (3, "height <cm>"),
        ("right", "side"),
        (False, "filled"),
    ]


def test_thinning_keeps_both_ends_and_the_start_and_takes_from_the_longest():
    few = thinned(choices(bars(height=(0, 12))), 30)
    assert [each.values for each in few] == [(0, 3, 6, 9, 12), ("left", "right"), (False, True)]
    assert few[0].values[few[0].start] == 3
    assert count(few) == 20


def test_short_menus_are_never_thinned():
    few = thinned(of(x=(0, 9), menu={str(n): n for n in range(8)}), 10)
    assert [len(each.values) for each in few] == [3, 8]


def test_the_last_control_moves_fastest():
    some = of(x=(0, 1), y=True)
    assert list(combinations(some)) == [
        {"x": 0, "y": False},
        {"x": 0, "y": True},
        {"x": 1, "y": False},
        {"x": 1, "y": True},
    ]

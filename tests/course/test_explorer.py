import asyncio
import io
import re

import ipywidgets as widgets
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from oraledu.course.explorer import Explorer, explore, precompute
from oraledu.course.figures import Figure, subplots

VIEW = "application/vnd.jupyter.widget-view+json"


class Drawing:
    """Draws its `height` as a line, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, height: int = 0) -> Figure:
        self.asked.append(height)
        if height == 13:
            raise ValueError("13 <b>is</b> too high")
        figure, ax = subplots(alt=f"A line at {height}.", width=120, height=80)
        ax.axhline(height)
        ax.set_ylim(-1, 31)
        return figure


@pytest.fixture
def drawing() -> Drawing:
    return Drawing()


def shown(explorer: Explorer) -> tuple[dict, dict]:
    return explorer._repr_mimebundle_()


def html_of(explorer: Explorer) -> str:
    children = [*explorer._widget.children, explorer._words]
    return "".join(child.value for child in children if isinstance(child, widgets.HTML))


def picture_of(explorer: Explorer) -> widgets.Image:
    (picture,) = (child for child in explorer._widget.children if isinstance(child, widgets.Image))
    return picture


def move(explorer: Explorer, value: object, name: str = "height") -> None:
    explorer.controls[name].value = value


def test_moving_a_control_changes_the_picture_and_its_words(drawing):
    explorer = explore(drawing, height=(0, 30))
    before = bytes(picture_of(explorer).value)
    move(explorer, 5)
    assert bytes(picture_of(explorer).value) != before
    assert picture_of(explorer).tooltip == "A line at 5."
    assert "A line at 5." in html_of(explorer)
    assert explorer.alt == "A line at 5."
    assert explorer.values == {"height": 5}


def test_a_stored_notebook_has_the_view_the_picture_and_the_words(drawing):
    explorer = explore(drawing, height=(0, 30))
    data, metadata = shown(explorer)
    assert set(data) == {VIEW, "image/png", "text/plain"}
    assert data["image/png"] == bytes(picture_of(explorer).value)
    assert Image.open(io.BytesIO(data["image/png"])).size == (240, 160)
    assert data["text/plain"] == "A line at 0."
    assert data[VIEW]["model_id"] == explorer._widget.model_id
    assert metadata == {"image/png": {"width": 120, "height": 80, "alt": data["text/plain"]}}
    assert picture_of(explorer).layout.width == "120px"
    assert "A line at 0." in html_of(explorer)


def test_the_words_are_an_output_of_their_own_and_stay_when_the_live_view_has_gone(drawing, monkeypatch):
    outputs = []
    monkeypatch.setattr("oraledu.course.explorer.display", lambda data, **rest: outputs.append((data, rest)))
    assert DisplayFormatter().format(explore(drawing, height=(0, 30))) == ({}, {})
    (_, picture), (words, _) = outputs
    assert picture["metadata"]["image/png"]["alt"] == "A line at 0."
    stored = {kind: text for kind, text in words.items() if kind != VIEW}
    assert set(words) == {VIEW, *stored}
    assert re.fullmatch(r'<p class="jp-sr-only".*>A line at 0\.</p>', stored["text/html"])
    assert stored["text/plain"] == ""


def test_the_last_of_many_quick_moves_wins_and_is_drawn_once(drawing):
    async def drag() -> Explorer:
        explorer = explore(drawing, height=(0, 30))
        for height in range(1, 14):
            move(explorer, height)
        await asyncio.sleep(0.2)
        return explorer

    explorer = asyncio.run(drag())
    assert drawing.asked == [0, 13]
    assert explorer.error == "ValueError: 13 <b>is</b> too high"


def test_a_move_after_a_redraw_is_drawn_too(drawing):
    async def two_moves() -> None:
        explorer = explore(drawing, height=(0, 30))
        for height in (4, 8):
            move(explorer, height)
            await asyncio.sleep(0.2)

    asyncio.run(two_moves())
    assert drawing.asked == [0, 4, 8]


def test_showing_an_explorer_draws_what_is_still_due(drawing):
    async def move_and_show() -> dict:
        explorer = explore(drawing, height=(0, 30))
        move(explorer, 9)
        data, _ = shown(explorer)
        await asyncio.sleep(0.2)
        return data

    assert asyncio.run(move_and_show())["text/plain"] == "A line at 9."
    assert drawing.asked == [0, 9]


def test_a_position_seen_before_is_not_drawn_again(drawing):
    explorer = explore(drawing, height=(0, 30))
    for height in (1, 0, 1):
        move(explorer, height)
    assert drawing.asked == [0, 1]
    assert explorer.alt == "A line at 1."


def test_an_error_is_shown_in_place_and_goes_with_the_next_good_figure(drawing):
    explorer = explore(drawing, height=(0, 30))
    move(explorer, 13)
    assert explorer.error == "ValueError: 13 <b>is</b> too high"
    assert '<div role="alert">' in html_of(explorer)
    assert "13 &lt;b&gt;is&lt;/b&gt; too high" in html_of(explorer)
    assert picture_of(explorer).layout.display == "none"
    assert (
        shown(explorer)[0]["text/plain"] == "The figure could not be drawn. ValueError: 13 <b>is</b> too high"
    )
    assert "image/png" not in shown(explorer)[0]
    move(explorer, 14)
    assert explorer.error is None
    assert "alert" not in html_of(explorer)
    assert picture_of(explorer).layout.display is None


def test_a_figure_that_fails_from_the_start_says_so_in_the_stored_text(drawing):
    data, metadata = shown(explore(drawing, height=[13, 14]))
    assert data["text/plain"] == "The figure could not be drawn. ValueError: 13 <b>is</b> too high"
    assert "image/png" not in data
    assert metadata == {}


def test_something_that_is_no_figure_is_named():
    explorer = explore(lambda height: "a picture", height=(0, 3))
    assert explorer.error == "TypeError: draw returned str; return a Figure, as `subplots` makes it."


def test_panels_stay_where_the_first_picture_put_them():
    figures: list[Figure] = []

    def draw(power: int) -> Figure:
        figure, axes = subplots(1, 2, alt="Two panels.", width=300, height=150)
        axes[0].plot([0.0, 10.0**power])
        axes[0].ticklabel_format(style="plain")
        figures.append(figure)
        return figure

    explorer = explore(draw, power=[0, 6])
    move(explorer, 6, "power")
    first, second = ([ax.get_position(original=True).bounds for ax in f.axes] for f in figures)
    assert first == second


def test_one_figure_may_be_kept_and_changed():
    figure, ax = subplots(alt="A line.", width=120, height=80)
    line = ax.axhline(0)
    ax.set_ylim(-1, 31)

    def draw(height: int) -> Figure:
        line.set_ydata([height, height])
        figure.alt = f"A line at {height}."
        return figure

    explorer = explore(draw, height=[0, 20])
    low = bytes(picture_of(explorer).value)
    move(explorer, 20)
    assert bytes(picture_of(explorer).value) != low
    move(explorer, 0)
    assert bytes(picture_of(explorer).value) == low
    assert explorer.alt == "A line at 0."


def test_a_position_that_was_seen_is_not_drawn_again(drawing):
    explorer = explore(drawing, height=(0, 8, 2))
    move(explorer, 8)
    move(explorer, 0)
    assert drawing.asked == [0, 8]
    assert explorer.alt == "A line at 0."


def test_precomputing_gives_the_results_in_order_and_no_bar_under_ci(monkeypatch, capsys):
    monkeypatch.setenv("CI", "1")
    assert precompute(lambda n: n * n, (3, 1, 2), label="Squares") == [9, 1, 4]
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""

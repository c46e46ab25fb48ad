import gc
import io
import subprocess
import sys
import weakref
from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.font_manager import findfont
from PIL import Image

from oraledu.course.figures import Figure, curve_with_band, matrix_image, subplots
from oraledu.course.style import PALETTE, theme


@pytest.fixture(autouse=True)
def untouched_settings() -> Iterator[None]:
    with matplotlib.rc_context():
        yield


class NotebookShell(InteractiveShell):
    def enable_gui(self, gui=None) -> None:
        """Like a kernel's shell, which has its own event loop."""


@pytest.fixture
def shell(tmp_path, monkeypatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    NotebookShell.clear_instance()
    shell = NotebookShell.instance()
    shell.history_manager.enabled = False
    backend = matplotlib.get_backend()
    yield shell
    plt.switch_backend(backend)
    shell.history_manager.end_session()
    NotebookShell.clear_instance()


def line_figure(alt: str = "A rising line.") -> Figure:
    figure, ax = subplots(alt=alt, width=300, height=200)
    ax.plot([0, 1, 2], [0, 1, 4])
    return figure


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def png_chunks(png: bytes) -> set[bytes]:
    names, at = set(), 8
    while at < len(png):
        names.add(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    return names


def test_a_figure_without_words_is_refused():
    with pytest.raises(TypeError, match="alt"):
        subplots()
    with pytest.raises(ValueError, match="alt is empty"):
        subplots(alt="  ")
    figure = line_figure()
    with pytest.raises(ValueError, match="alt is empty"):
        figure.alt = ""


@pytest.mark.parametrize(
    "before", ["", "%matplotlib inline", "import matplotlib.pyplot as plt\n%matplotlib inline"]
)
@pytest.mark.parametrize("how", ["figure", "display(figure)"])
def test_a_notebook_shows_the_png_with_its_alt_text(shell, before, how):
    shell.user_ns["figure"] = figure = line_figure()
    with capture_output() as captured:
        shell.run_cell(before).raise_error()
        shell.run_cell(how).raise_error()
    picture, words = captured.outputs
    assert picture.data == {"image/png": figure.png(), "text/plain": "A rising line."}
    assert picture.metadata == {"image/png": {"width": 300, "height": 200, "alt": "A rising line."}}
    assert "A rising line." in words.data["text/html"]


def test_alt_text_is_escaped_where_it_becomes_html(shell):
    shell.user_ns["figure"] = line_figure(alt="p < 0.5 & <b>bold</b>")
    with capture_output() as captured:
        shell.run_cell("figure").raise_error()
    assert "p &lt; 0.5 &amp; &lt;b&gt;bold" in captured.outputs[1].data["text/html"]


def test_the_png_has_twice_the_shown_size_on_white_whatever_the_style():
    with plt.style.context("dark_background"):
        picture = opened(line_figure().png())
        plain = opened(Figure(alt="Nothing.", figsize=(1, 1)).png())
    assert picture.size == (600, 400)
    assert picture.mode == "RGB"
    assert picture.getpixel((0, 0)) == plain.getpixel((0, 0)) == (255, 255, 255)


def test_equal_figures_give_equal_bytes_without_date_or_version():
    assert line_figure().png() == line_figure().png()
    figure = line_figure()
    assert figure.png() == figure.png()
    assert png_chunks(figure.png()) == {b"IHDR", b"IDAT", b"IEND"}


def test_drawing_leaves_the_figures_size_and_the_settings_alone():
    figure = line_figure()
    before = dict(matplotlib.rcParams)
    figure.png()
    assert figure.dpi == 96
    assert figure.shown_size == (300, 200)
    assert dict(matplotlib.rcParams) == before


def test_nothing_keeps_a_figure_alive():
    figure = line_figure()
    figure.png()
    gone = weakref.ref(figure)
    del figure
    gc.collect()
    assert gone() is None
    assert plt.get_fignums() == []


def test_importing_the_figures_changes_no_setting():
    code = (
        "import matplotlib; before = dict(matplotlib.rcParams)\n"
        "import oraledu.course.figures\n"
        "assert dict(matplotlib.rcParams) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_theme_reaches_pyplot():
    theme()
    figure = plt.figure()
    assert figure.add_subplot().plot([0, 1])[0].get_color() == PALETTE[0]
    plt.close(figure)


def test_the_font_is_the_one_that_matplotlib_brings_along():
    matplotlib.rcParams["font.family"] = "monospace"
    _, ax = subplots(alt="Empty axes.")
    ax.set_title("Title")
    assert findfont(ax.title.get_fontproperties()).endswith("DejaVuSans.ttf")


def test_a_signed_matrix_is_white_at_zero():
    _, ax = subplots(alt="A matrix.")
    image = matrix_image(ax, torch.tensor([[0.0, 1.0], [-4.0, 2.0]], requires_grad=True), title="M")
    assert image.get_clim() == (-4.0, 4.0)
    assert min(image.to_rgba(0.0)[:3]) > 0.95
    assert ax.get_title() == "M"


def test_an_unsigned_matrix_spans_its_entries():
    _, ax = subplots(alt="A matrix.")
    image = matrix_image(ax, np.array([[3, 5], [4, 7]]), title="M", symmetric=False)
    assert image.get_clim() == (3.0, 7.0)
    assert image.get_cmap().name == "viridis"


def test_left_out_entries_are_grey_and_do_not_set_the_scale():
    _, ax = subplots(alt="A matrix.")
    image = matrix_image(ax, [[np.nan, 1.0], [0.5, np.nan]], title="M")
    assert image.get_clim() == (-1.0, 1.0)
    grey = image.get_cmap()(np.ma.masked_invalid([np.nan]))[0]
    assert tuple(grey) == pytest.approx(to_rgba("#d9d9d9"))


@pytest.mark.parametrize("matrix", [np.zeros((2, 2)), np.full((2, 2), np.nan)])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("colorbar", [True, False])
def test_a_matrix_of_zeros_lies_in_the_middle_of_its_scale(matrix, symmetric, colorbar):
    figure, ax = subplots(alt="A matrix.", width=200, height=100)
    image = matrix_image(ax, matrix, title="M", symmetric=symmetric, colorbar=colorbar)
    assert image.norm(0.0) == pytest.approx(0.5)
    assert figure.png()


def test_the_scale_stands_beside_the_matrix_unless_it_is_not_wanted():
    figure, axes = subplots(1, 2, alt="Two matrices.")
    matrix_image(axes[0], np.eye(2), title="with")
    assert len(figure.axes) == 3
    matrix_image(axes[1], np.eye(2), title="without", colorbar=False)
    assert len(figure.axes) == 3


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros(3), "two dimensions"),
        (np.zeros((2, 0)), "empty"),
        ([[np.inf, 1.0]], "infinite"),
    ],
)
def test_what_is_no_matrix_is_refused(matrix, message):
    _, ax = subplots(alt="A matrix.")
    with pytest.raises(ValueError, match=message):
        matrix_image(ax, matrix, title="M")


def band_edges(ax) -> tuple[np.ndarray, np.ndarray]:
    (band,) = [c for c in ax.collections if isinstance(c, PolyCollection)]
    corners = band.get_paths()[0].vertices
    at_one = corners[corners[:, 0] == 1.0][:, 1]
    return at_one.min(), at_one.max()


def test_the_band_reaches_from_the_smallest_to_the_largest_run_and_the_label_says_so():
    _, ax = subplots(alt="Curves.")
    runs = torch.tensor([[0.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.0, 9.0, 0.0]])
    mean = curve_with_band(ax, torch.arange(3), runs, label="test", color=PALETTE[2])
    assert mean.get_ydata() == pytest.approx([0, 4, 0])
    assert band_edges(ax) == (1.0, 9.0)
    assert mean.get_label() == "test\n(mean, min–max of 3)"
    assert mean.get_color() == PALETTE[2]


def test_a_single_run_is_a_line_without_a_band():
    _, ax = subplots(alt="A curve.")
    assert curve_with_band(ax, [0, 1], [3, 4], label="train").get_label() == "train"
    assert len(ax.collections) == 0


@pytest.mark.parametrize("curves", [np.zeros((2, 4)), np.zeros((1, 2, 3)), np.zeros(2)])
def test_curves_that_do_not_fit_are_refused(curves):
    _, ax = subplots(alt="Curves.")
    with pytest.raises(ValueError, match="curves has shape"):
        curve_with_band(ax, np.arange(3), curves, label="test")

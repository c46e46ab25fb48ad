"""What the views share: images on a grey scale, rows of them, weights over pictures, frames of windows."""

import pytest
import torch

from oraledu.course.figures import panels
from oraledu.diffusion.views import layout
from tests.diffusion.pictures import SIZE, grey, random_images, shown


def test_black_is_minus_one_white_is_one_and_what_lies_beyond_is_clipped():
    image = torch.tensor([[[-1.0, 0.0, 1.0], [-7.0, 0.5, 7.0]]])
    torch.testing.assert_close(
        torch.as_tensor(layout.picture(image)), torch.tensor([[0, 0.5, 1], [0, 0.75, 1]]).double()
    )


def test_colours_stand_last_in_a_picture():
    (image,) = random_images(1, channels=3)
    picture = torch.as_tensor(layout.picture(image))
    torch.testing.assert_close(picture, (image.double().permute(1, 2, 0) + 1) / 2)


def test_rows_show_each_image_at_its_place_under_its_title():
    first, second = random_images(3), random_images(3, seed=1)
    figure = layout.image_rows(
        {"first": first, "second": second}, titles=["a", "b", "c"], notes=["d", "e", "f"], alt="Two rows."
    )
    upper, lower = figure.axes[:3], figure.axes[3:]
    for axes, images in ((upper, first), (lower, second)):
        for ax, image in zip(axes, images, strict=True):
            torch.testing.assert_close(shown(ax), grey(image))
            assert ax.images[0].get_clim() == (0, 1)
    assert [ax.get_title() for ax in upper] == ["a", "b", "c"]
    assert [ax.get_xlabel() for ax in lower] == ["d", "e", "f"]
    assert [upper[0].get_ylabel(), lower[0].get_ylabel()] == ["first", "second"]
    assert figure.png().startswith(b"\x89PNG")


@pytest.mark.parametrize(("columns", "width"), [(2, 720), (12, 720), (12, 400)])
def test_rows_are_no_wider_than_asked_and_few_images_are_not_blown_up(columns, width):
    figure = layout.image_rows({"name": random_images(columns)}, alt="One row.", width=width)
    assert figure.shown_size[0] <= min(width, 100 + columns * layout.CELL)


def test_images_side_by_side_are_a_white_pixel_apart():
    images = random_images(3)
    strip = torch.as_tensor(layout.montage(images))
    assert strip.shape == (SIZE, 3 * SIZE + 2)
    assert (strip[:, [SIZE, 2 * SIZE + 1]] == 1).all()
    torch.testing.assert_close(strip[:, SIZE + 1 : 2 * SIZE + 1], grey(images[1]))
    assert layout.montage(random_images(2, channels=3)).shape == (SIZE, 2 * SIZE + 1, 3)


def test_a_weight_is_the_height_of_the_bar_above_its_picture():
    figure, axes = panels([["only"]], height=200)
    ranking = layout.Ranking(axes["only"], "title")
    images = list(random_images(layout.Ranking.PLACES))
    ranking.set(images, [0.5, 0.25, 0.125, 0.0625, 0.004], list("abcde"))
    bars = axes["only"].containers[0]
    heights = [bar.get_height() for bar in bars]
    assert heights[0] == 2 * heights[1] == 4 * heights[2]
    words = {text.get_text() for text in axes["only"].texts}
    assert {"0.50", "0.25", "< 0.01", "a", "e"} <= words
    for drawn, image, bar in zip(axes["only"].images, images, bars, strict=True):
        torch.testing.assert_close(torch.as_tensor(drawn.get_array().filled()), grey(image))
        assert drawn.get_extent()[0] == pytest.approx(bar.get_x())
    assert figure.png().startswith(b"\x89PNG")


def test_places_without_a_picture_stay_empty():
    _, axes = panels([["only"]], height=200)
    ranking = layout.Ranking(axes["only"], "title")
    ranking.set(list(random_images(5)), [0.2] * 5, list("abcde"))
    ranking.set(list(random_images(2)), [0.5, 0.5], list("fg"))
    for parts in (axes["only"].images, axes["only"].containers[0]):
        assert [part.get_visible() for part in parts] == [True, True, False, False, False]
    assert sorted(text.get_text() for text in axes["only"].texts if text.get_visible()) == [
        "0.50",
        "0.50",
        "f",
        "g",
    ]


@pytest.mark.parametrize(
    ("pixel", "patch", "bounds"),
    [
        ((2, 3), 3, (1.5, 0.5, 3, 3)),
        ((0, 5), 3, (3.5, -0.5, 2, 2)),
        ((5, 0), 5, (-0.5, 2.5, 3, 3)),
        ((3, 3), 11, (-0.5, -0.5, 6, 6)),
    ],
)
def test_the_frame_of_a_window_ends_at_the_border(pixel, patch, bounds):
    _, axes = panels([["only"]], height=200)
    layout.show(axes["only"], random_images(1)[0])
    layout.Window(axes["only"]).set(*pixel, patch)
    (frame,) = axes["only"].patches
    assert (frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()) == bounds
    (dot,) = axes["only"].lines
    assert (dot.get_ydata()[0], dot.get_xdata()[0]) == pixel

import io

import numpy as np
import pytest
from PIL import Image

from oraledu.book.sprite import TILE, Sprite
from tests.book.unpack import frames_of


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png")
    return file.getvalue()


@pytest.fixture
def pictures() -> list[np.ndarray]:
    """Three noisy pictures, of no whole number of tiles, that differ in one corner each."""
    every = np.random.default_rng(0).integers(0, 256, (3, 3 * TILE + 5, 4 * TILE - 7, 3), np.uint8)
    every[1:, TILE:, TILE:] = every[0, TILE:, TILE:]
    return list(every)


def packed(pictures: list[np.ndarray], levels: int = 256) -> tuple[bytes, dict]:
    sprite = Sprite(levels)
    for each in pictures:
        sprite.add(png(each))
    return sprite.packed()


def test_every_frame_comes_back_as_it_was(pictures):
    assert [np.array_equal(a, b) for a, b in zip(frames_of(*packed(pictures)), pictures, strict=True)] == [
        True
    ] * 3


def test_what_frames_share_is_kept_once(pictures):
    sprite = Sprite()
    for each in pictures:
        sprite.add(png(each))
    rows, columns = 4, 4
    assert len(sprite) == rows * columns + 2 * (rows + columns - 1)


def test_fewer_levels_change_no_colour_by_more_than_half_a_step(pictures):
    rounded = np.array(frames_of(*packed(pictures, levels=32)), int)
    assert 0 < np.abs(rounded - pictures).max() <= 255 / 31 / 2 + 0.5


def test_black_and_white_stay_when_colours_are_rounded():
    edge = np.zeros((TILE, TILE, 3), np.uint8)
    edge[:, TILE // 2 :] = 255
    assert np.array_equal(frames_of(*packed([edge], levels=32))[0], edge)


def test_frames_of_two_sizes_are_named(pictures):
    sprite = Sprite()
    sprite.add(png(pictures[0]))
    with pytest.raises(ValueError, match=r"a frame has \(121, 60\) pixels; the first has \(121, 101\)"):
        sprite.add(png(pictures[1][:60]))

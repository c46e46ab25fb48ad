import numpy as np
import pytest
import torch

from oraledu.data.images import balanced_order, check_split, prepare

CLASSES = ("a", "b")


def random_images(count: int = 5, side: int = 4) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 1, side, side), dtype=np.uint8)


def test_black_is_minus_one_and_white_is_one():
    raw = np.array([0, 255, 51, 204], dtype=np.uint8).reshape(1, 1, 2, 2)
    images = prepare(raw, np.zeros(1), CLASSES, count=None, pool=1)
    torch.testing.assert_close(images.pixels.flatten(), torch.tensor([-1, 1, -0.6, 0.6]))


def test_types_and_shapes_are_those_of_the_machines():
    images = prepare(random_images(), np.array([0, 1, 0, 1, 0], np.uint8), CLASSES, count=None, pool=1)
    assert (images.pixels.dtype, images.labels.dtype) == (torch.float32, torch.int64)
    assert (images.pixels.shape, images.labels.tolist()) == ((5, 1, 4, 4), [0, 1, 0, 1, 0])
    assert (len(images), images.classes) == (5, CLASSES)


def test_pooling_is_the_mean_of_each_block():
    raw = random_images(side=6)
    images = prepare(raw, np.zeros(5), CLASSES, count=None, pool=3)
    blocks = raw.reshape(5, 1, 2, 3, 2, 3).astype(np.float64).mean(axis=(3, 5)) / 127.5 - 1
    torch.testing.assert_close(images.pixels.double(), torch.from_numpy(blocks), rtol=0, atol=1e-6)


def test_count_takes_the_first_images():
    raw, labels = random_images(), np.arange(5) % 2
    three, every = (prepare(raw, labels, CLASSES, count=count, pool=1) for count in (3, None))
    assert torch.equal(three.pixels, every.pixels[:3])
    assert torch.equal(three.labels, every.labels[:3])


def test_the_images_are_no_view_of_what_they_were_made_of():
    raw, labels = random_images(), np.zeros(5, np.int64)
    images = prepare(raw, labels, CLASSES, count=None, pool=1)
    raw[:], labels[:] = 7, 7
    assert torch.equal(images.pixels, prepare(random_images(), labels, CLASSES, count=None, pool=1).pixels)
    assert images.labels.tolist() == [0] * 5


@pytest.mark.parametrize("count", [0, -1, 6])
def test_a_count_out_of_range_is_said(count: int):
    with pytest.raises(ValueError, match=f"count must lie between 1 and the 5 images .* got {count}"):
        prepare(random_images(), np.zeros(5), CLASSES, count=count, pool=1)


def test_a_pool_must_divide_both_sides():
    for shape in ((1, 1, 4, 6), (1, 1, 6, 4)):
        with pytest.raises(ValueError, match="pool must divide"):
            prepare(np.zeros(shape, np.uint8), np.zeros(1), CLASSES, count=None, pool=3)


@pytest.mark.parametrize("pool", [0, -2, 3, 8])
def test_a_pool_that_does_not_divide_the_image_is_said(pool: int):
    with pytest.raises(ValueError, match=f"pool must divide the image's 4 × 4 pixels .* got {pool}"):
        prepare(random_images(), np.zeros(5), CLASSES, count=None, pool=pool)


def test_the_classes_come_in_turn_and_each_keeps_its_order():
    labels = np.array([2, 2, 0, 1, 0, 1, 2, 0, 1])
    order = balanced_order(labels)
    assert labels[order].tolist() == [0, 1, 2] * 3
    assert order.tolist() == [2, 3, 0, 4, 5, 1, 7, 8, 6]


def test_a_class_that_runs_out_is_passed_over():
    labels = np.array([1, 1, 1, 0, 2, 2])
    assert labels[balanced_order(labels)].tolist() == [0, 1, 2, 1, 2, 1]
    assert sorted(balanced_order(labels)) == list(range(6))


def test_an_unknown_split_is_said():
    with pytest.raises(ValueError, match="split must be 'train' or 'test', got 'valid'"):
        check_split("valid")

"""The two embedded sets, and the complete ones where a folder or torchvision has them."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from oraledu import data
from oraledu.data.embedded import read_subset
from oraledu.data.images import Images
from tests.data.files import NAMES, FakeTorchvision, digits, write_idx_pair

Load = Callable[..., Images]
LOADERS = pytest.mark.parametrize("load", [data.fashion_mnist, data.mnist])


def original(file: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the beginning of a complete set, as far as its subset tells: the images left out are black."""
    subset = read_subset(file, split)
    size = int(subset.indices.max()) + 1
    # What was left out belongs to a class that had its share already; the first class to have it always did.
    full_first = min(range(10), key=lambda label: subset.indices[subset.labels == label].max())
    pixels, labels = np.zeros((size, 28, 28), np.uint8), np.full(size, full_first, np.uint8)
    pixels[subset.indices], labels[subset.indices] = subset.pixels, subset.labels
    return pixels, labels


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that ORALEDU_DATA names, on a machine without torchvision."""
    monkeypatch.setenv("ORALEDU_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    return tmp_path


@LOADERS
@pytest.mark.parametrize(("split", "size"), [("train", 2000), ("test", 500)])
def test_the_embedded_images_are_balanced_and_scaled(load: Load, split: str, size: int):
    images = load(split=split)
    assert images.pixels.shape == (size, 1, 28, 28)
    assert (images.pixels.dtype, images.labels.dtype) == (torch.float32, torch.int64)
    assert (images.pixels.min(), images.pixels.max()) == (-1, 1)
    for count in range(10, size + 1, 10):
        assert (images.labels[:count].bincount(minlength=10) == count // 10).all()


@LOADERS
def test_fewer_images_are_the_first_ones(load: Load):
    assert torch.equal(load(30).pixels, load().pixels[:30])
    assert not torch.equal(load(30).pixels, load(30, split="test").pixels)


def test_pooling_by_two_halves_the_sides():
    images, whole = data.mnist(5, pool=2).pixels, data.mnist(5).pixels
    assert images.shape == (5, 1, 14, 14)
    torch.testing.assert_close(images[3, 0, 5, 6], whole[3, 0, 10:12, 12:14].mean())


def test_the_classes_have_names():
    assert data.mnist(1).classes == tuple("0123456789")
    assert data.fashion_mnist(1).classes[1] == "Trouser"
    assert len(set(data.fashion_mnist(1).classes)) == 10


def test_a_trouser_is_two_dark_legs_on_a_dark_ground():
    images = data.fashion_mnist(500)
    trousers = images.pixels[images.labels == images.classes.index("Trouser")].mean(dim=0)[0]
    assert trousers[20, 14] < trousers[20, 11] - 0.2
    assert trousers[20, 14] < trousers[20, 17] - 0.2
    assert trousers[:, :4].max() < -0.8


@LOADERS
def test_more_images_than_are_embedded_are_in_the_complete_set(load: Load):
    with pytest.raises(ValueError, match=r"count must be at most 2000, .* got 2001; complete=True gives"):
        load(2001)
    with pytest.raises(ValueError, match="count must be at most 500"):
        load(501, split="test")


@LOADERS
@pytest.mark.parametrize("wrong", [{"count": 0}, {"pool": 3}, {"split": "all"}], ids=str)
def test_an_argument_out_of_range_is_named(load: Load, wrong: dict):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        load(**wrong)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("load", "file", "place"),
    [
        (data.fashion_mnist, "fashion_mnist.npz", "fashion-mnist"),
        (data.mnist, "mnist.npz", "mnist"),
        (data.mnist, "mnist.npz", "MNIST/raw"),
        (data.mnist, "mnist.npz", "."),
    ],
)
def test_the_complete_set_begins_with_the_embedded_images(
    folder: Path, load: Load, file: str, place: str, packed: bool
):
    pixels, labels = original(file, "test")
    pixels, labels = np.concatenate([pixels, 255 - pixels[:30]]), np.concatenate([labels, labels[:30]])
    write_idx_pair(folder / place, "test", pixels, labels, packed=packed)
    images = load(split="test", complete=True)
    assert len(images) == len(labels)
    assert torch.equal(images.pixels[:500], load(split="test").pixels)
    assert torch.equal(
        load(20, split="test", complete=True, pool=2).pixels, load(20, split="test", pool=2).pixels
    )


def test_each_set_is_found_beside_the_other(folder: Path):
    write_idx_pair(folder / "mnist", "test", *original("mnist.npz", "test"))
    write_idx_pair(folder / "fashion-mnist", "test", *original("fashion_mnist.npz", "test"))
    for load in (data.mnist, data.fashion_mnist):
        assert torch.equal(load(500, split="test", complete=True).pixels, load(split="test").pixels)


@pytest.mark.parametrize("other", ["Fashion-MNIST", "cut", "shuffled", "another size"])
def test_another_set_in_the_place_of_the_digits_is_said(folder: Path, other: str):
    pixels, labels = original("mnist.npz", "test")
    write_idx_pair(
        folder / "mnist",
        "test",
        *{
            "Fashion-MNIST": original("fashion_mnist.npz", "test"),
            "cut": (pixels[:400], labels[:400]),
            "shuffled": (pixels[::-1].copy(), labels[::-1].copy()),
            "another size": (np.pad(pixels, ((0, 0), (2, 2), (2, 2))), labels),
        }[other],
    )
    with pytest.raises(ValueError, match=r"mnist.t10k-images\S+ is not the test set of MNIST"):
        data.mnist(split="test", complete=True)


@LOADERS
def test_a_complete_set_that_is_nowhere_says_what_to_put_where(folder: Path, load: Load):
    with pytest.raises(FileNotFoundError) as caught:
        load(complete=True)
    for word in (*NAMES["train"], "set ORALEDU_DATA to the folder", "pip install torchvision"):
        assert word in str(caught.value)


def test_without_the_variable_it_says_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ORALEDU_DATA")
    with pytest.raises(
        FileNotFoundError, match=r"put t10k-images-idx3-ubyte .* into a folder mnist, and set"
    ):
        data.mnist(split="test", complete=True)


def test_a_folder_that_does_not_exist_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ORALEDU_DATA", str(folder / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"ORALEDU_DATA is .*nowhere', and there is no such folder"):
        data.mnist(complete=True)


@pytest.mark.parametrize(
    ("load", "file", "name"),
    [(data.mnist, "mnist.npz", "MNIST"), (data.fashion_mnist, "fashion_mnist.npz", "FashionMNIST")],
)
def test_torchvision_has_the_complete_set_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, load: Load, file: str, name: str
):
    fake = FakeTorchvision(*original(file, "test"))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", fake)
    monkeypatch.setenv("ORALEDU_CACHE", str(folder / "cache"))
    images = load(500, split="test", complete=True)
    assert torch.equal(images.pixels, load(split="test").pixels)
    assert {called for called, *_ in fake.calls} == {name}
    assert fake.calls[-1][2] is False


def test_torchvisions_images_are_compared_too(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torchvision.datasets", FakeTorchvision(*digits(600, side=28)))
    monkeypatch.setenv("ORALEDU_CACHE", str(folder / "cache"))
    with pytest.raises(ValueError, match="torchvision's FashionMNIST is not the train set of Fashion-MNIST"):
        data.fashion_mnist(complete=True)

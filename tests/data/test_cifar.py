import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from oraledu import data
from oraledu.data import cifar
from tests.data.files import FakeTorchvision

RECORDS = 20


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Write six batches of twenty images, and return each as (20, 3073)."""
    monkeypatch.setattr(cifar, "RECORDS", RECORDS)
    monkeypatch.setenv("ORALEDU_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    random = np.random.default_rng(0)
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    written = {}
    for name in (*cifar.FILES["train"], *cifar.FILES["test"]):
        batch = random.integers(0, 256, (RECORDS, 3073), dtype=np.uint8)
        batch[:, 0] = random.permutation(RECORDS) % 10
        batch.tofile(folder / name)
        written[name] = batch
    return written


def test_red_green_and_blue_planes_follow_the_label(records: dict[str, np.ndarray]):
    images = data.cifar10(split="test")
    batch = records["test_batch.bin"]
    assert images.pixels.shape == (RECORDS, 3, 32, 32)
    first = batch[np.flatnonzero(batch[:, 0] == 0)[0]]
    channel, row, column = 1, 5, 9
    value = first[1 + channel * 1024 + row * 32 + column] / 127.5 - 1
    assert images.pixels[0, channel, row, column].item() == pytest.approx(value, abs=1e-6)


def test_all_five_batches_are_for_training_and_the_classes_come_in_turn(records: dict[str, np.ndarray]):
    images = data.cifar10()
    assert images.labels.tolist() == list(range(10)) * 10
    pixels = np.concatenate([records[name][:, 1:] for name in cifar.FILES["train"]])
    expected = np.sort(pixels.mean(axis=1)) / 127.5 - 1
    torch.testing.assert_close(
        images.pixels.double().mean(dim=(1, 2, 3)).sort().values,
        torch.from_numpy(expected),
        rtol=0,
        atol=1e-6,
    )
    assert len(set(images.classes)) == 10


def test_count_and_pool_are_those_of_the_other_sets(records: dict[str, np.ndarray]):
    images = data.cifar10(30, pool=2)
    assert images.pixels.shape == (30, 3, 16, 16)
    torch.testing.assert_close(images.pixels[7, 2, 3, 4], data.cifar10().pixels[7, 2, 6:8, 8:10].mean())
    with pytest.raises(ValueError, match="count must lie between 1 and the 100 images"):
        data.cifar10(101)
    with pytest.raises(ValueError, match="pool must divide the image's 32 × 32 pixels"):
        data.cifar10(pool=5)
    with pytest.raises(ValueError, match="split must be"):
        data.cifar10(split="valid")


def test_a_missing_batch_is_said(records: dict[str, np.ndarray], tmp_path: Path):
    (tmp_path / "cifar-10-batches-bin" / "data_batch_4.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"data_batch_4\.bin is missing: unpack the binary version"):
        data.cifar10()


@pytest.mark.parametrize("kept", [0, 3073 * 19, 3073 * 20 - 1])
def test_a_batch_that_is_cut_short_is_said(records: dict[str, np.ndarray], tmp_path: Path, kept: int):
    path = tmp_path / "cifar-10-batches-bin" / "test_batch.bin"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=rf"test_batch\.bin is cut short or damaged: it has {kept} bytes"):
        data.cifar10(split="test")


def test_a_label_that_does_not_exist_is_said(records: dict[str, np.ndarray], tmp_path: Path):
    batch = records["test_batch.bin"].copy()
    batch[3, 0] = 10
    batch.tofile(tmp_path / "cifar-10-batches-bin" / "test_batch.bin")
    with pytest.raises(ValueError, match="it has a label above 9"):
        data.cifar10(split="test")


def test_where_it_is_nowhere_it_says_what_to_put_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ORALEDU_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    message = "a folder cifar-10-batches-bin, and set ORALEDU_DATA .* 'pip install torchvision'"
    with pytest.raises(FileNotFoundError, match=message):
        data.cifar10()


def test_torchvisions_images_have_their_colours_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pixels = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)
    fake = FakeTorchvision(pixels, np.arange(10)[::-1])
    monkeypatch.setitem(sys.modules, "torchvision.datasets", fake)
    monkeypatch.delenv("ORALEDU_DATA", raising=False)
    monkeypatch.setenv("ORALEDU_CACHE", str(tmp_path))
    images = data.cifar10(split="test")
    assert images.labels.tolist() == list(range(10))
    assert images.pixels[0, 2, 4, 7].item() == pytest.approx(pixels[9, 4, 7, 2] / 127.5 - 1, abs=1e-6)
    assert fake.calls[-1][2] is False

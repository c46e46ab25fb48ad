"""Where complete sets are looked for, and how torchvision fetches them."""

import sys
from pathlib import Path

import numpy as np
import pytest

from oraledu.data.complete import through_torchvision, user_folder
from tests.data.files import FakeTorchvision, digits


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTorchvision:
    fake = FakeTorchvision(*digits(20))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", fake)
    monkeypatch.setenv("ORALEDU_CACHE", str(tmp_path / "cache"))
    return fake


@pytest.mark.parametrize("named", [None, ""])
def test_without_the_variable_there_is_no_folder(monkeypatch: pytest.MonkeyPatch, named: str | None):
    monkeypatch.delenv("ORALEDU_DATA", raising=False)
    if named is not None:
        monkeypatch.setenv("ORALEDU_DATA", named)
    assert user_folder() is None


def test_a_tilde_stands_for_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "sets").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("ORALEDU_DATA", "~/sets")
    assert user_folder() == tmp_path / "sets"


def test_a_set_is_fetched_once_and_then_kept(fake: FakeTorchvision, tmp_path: Path):
    kept = tmp_path / "cache" / "data" / "MNIST"
    for split in ("train", "test"):
        found = through_torchvision("MNIST", split, "put it there")
        assert np.array_equal(found.data, fake.pixels)
    fetched, *later = fake.calls
    assert (fetched[0], fetched[3]) == ("MNIST", True)
    assert later == [("MNIST", kept, True, False), ("MNIST", kept, False, False)]
    assert list(kept.parent.iterdir()) == [kept]


@pytest.mark.parametrize("error", [OSError("no network"), RuntimeError("no network")], ids=repr)
def test_a_transfer_that_fails_is_said_and_leaves_nothing(
    fake: FakeTorchvision, tmp_path: Path, error: Exception
):
    fake.fails = error
    with pytest.raises(FileNotFoundError, match=r"could not fetch CIFAR10 \(no network\); put it there"):
        through_torchvision("CIFAR10", "train", "put it there")
    assert list((tmp_path / "cache" / "data").iterdir()) == []


def test_an_interrupted_transfer_leaves_nothing_and_the_next_one_begins_anew(
    fake: FakeTorchvision, tmp_path: Path
):
    fake.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        through_torchvision("MNIST", "train", "put it there")
    assert list((tmp_path / "cache" / "data").iterdir()) == []
    fake.fails = None
    assert np.array_equal(through_torchvision("MNIST", "train", "put it there").data, fake.pixels)


def test_without_torchvision_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    with pytest.raises(
        FileNotFoundError, match=r"^put it there; or 'pip install torchvision', which fetches it$"
    ):
        through_torchvision("MNIST", "train", "put it there")

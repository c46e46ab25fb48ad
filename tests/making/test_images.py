import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from making import images
from making.images import make
from oraledu.app import doctor
from oraledu.data.embedded import read_subset
from tests.data.files import NAMES, digits, write_idx_pair

COUNTS = {"train": 20, "test": 10}


@pytest.fixture
def originals(tmp_path: Path) -> tuple[Path, Path]:
    """Write two small data sets, each with the files of both splits."""
    folders = tmp_path / "fashion", tmp_path / "digits"
    for seed, folder in enumerate(folders):
        write_idx_pair(folder, "train", *digits(40, seed=seed))
        write_idx_pair(folder, "test", *digits(30, seed=seed + 2))
    return folders


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_subset_has_the_first_images_of_each_class(originals: tuple[Path, Path], target: Path):
    make(*originals, target, COUNTS)
    for file, seed in (("fashion_mnist.npz", 0), ("mnist.npz", 1)):
        for split, shift, count in (("train", 0, 40), ("test", 2, 30)):
            pixels, labels = digits(count, seed=seed + shift)
            subset = read_subset(file, split, target)
            assert subset.labels.tolist() == list(range(10)) * (COUNTS[split] // 10)
            assert np.array_equal(subset.pixels, pixels[subset.indices])
            for label in range(10):
                first = np.flatnonzero(labels == label)[: COUNTS[split] // 10]
                assert subset.indices[subset.labels == label].tolist() == first.tolist()


def test_the_same_originals_give_the_same_bytes(originals: tuple[Path, Path], target: Path, tmp_path: Path):
    make(*originals, target, COUNTS)
    first = contents(target)
    shutil.rmtree(target)
    target.mkdir()
    for seed, folder in enumerate(originals):
        shutil.rmtree(folder)
        write_idx_pair(folder, "train", *digits(40, seed=seed), packed=True)
        write_idx_pair(folder, "test", *digits(30, seed=seed + 2), packed=True)
    make(*originals, target, COUNTS)
    assert contents(target) == first


def test_the_checksums_are_those_that_the_doctor_compares(originals: tuple[Path, Path], target: Path):
    make(*originals, target, COUNTS)
    assert sorted(contents(target)) == ["SHA256SUMS", "fashion_mnist.npz", "mnist.npz"]
    assert [finding.cure for finding in doctor.data(target)] == [None, None]
    for line in (target / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, name = line.split("  ")
        assert digest == hashlib.sha256((target / name).read_bytes()).hexdigest()


def test_the_checksums_of_other_files_stay(originals: tuple[Path, Path], target: Path):
    (target / "SHA256SUMS").write_text(f"{'1' * 64}  mnist.npz\n{'2' * 64}  a book.txt\n")
    make(*originals, target, COUNTS)
    lines = (target / "SHA256SUMS").read_text("utf-8").splitlines()
    assert [line.split(maxsplit=1)[1] for line in lines] == ["a book.txt", "fashion_mnist.npz", "mnist.npz"]
    assert lines[0].startswith("2" * 64)
    assert read_subset("mnist.npz", "test", target).labels.tolist() == list(range(10))


@pytest.mark.parametrize("wrong", ["missing", "cut", "too few", "unbalanced"])
def test_an_original_that_is_wrong_leaves_what_was_there(
    originals: tuple[Path, Path], target: Path, wrong: str
):
    make(*originals, target, COUNTS)
    before = contents(target)
    _, mnist = originals
    images, labels = (mnist / name for name in NAMES["test"])
    if wrong == "missing":
        images.unlink()
        labels.unlink()
    elif wrong == "cut":
        images.write_bytes(images.read_bytes()[:-1])
    elif wrong == "too few":
        write_idx_pair(mnist, "test", *digits(9))
    else:
        pixels, _ = digits(30)
        write_idx_pair(mnist, "test", pixels, np.repeat(np.arange(10), [0, 6, 3, 3, 3, 3, 3, 3, 3, 3]))
    with pytest.raises((ValueError, FileNotFoundError), match="digits"):
        make(*originals, target, COUNTS)
    assert contents(target) == before


def test_the_command_takes_two_folders(
    originals: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    made: list[tuple[Path, ...]] = []
    monkeypatch.setattr(images, "make", lambda *folders: made.append(folders))
    assert images.main([str(folder) for folder in originals]) == 0
    assert made == [originals]
    assert images.main([]) == 2
    assert "FASHION_FOLDER MNIST_FOLDER" in capsys.readouterr().err

import re
from pathlib import Path

import numpy as np
import pytest

from oraledu.data import embedded
from oraledu.data.embedded import CHECKSUMS, FOLDER, read_subset
from oraledu.data.images import balanced_order

FILES = ("fashion_mnist.npz", "mnist.npz")
SIZES = {"train": 2000, "test": 500}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("mnist.npz", CHECKSUMS):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_first_images_of_every_class_come_in_turn(file: str, split: str):
    subset = read_subset(file, split)
    assert subset.pixels.shape == (SIZES[split], 28, 28)
    assert (subset.pixels.dtype, subset.labels.dtype, subset.indices.dtype) == (np.uint8, np.uint8, np.uint16)
    assert np.array_equal(subset.labels, np.arange(SIZES[split]) % 10)
    for label in range(10):
        places = subset.indices[subset.labels == label].astype(int)
        assert (np.diff(places) > 0).all()
    by_place = np.argsort(subset.indices)
    assert np.array_equal(balanced_order(subset.labels[by_place]), np.argsort(by_place))


def test_a_text_may_have_the_line_ends_of_windows_and_a_picture_may_not(copy: Path):
    name = "diffusion_study.json"
    (copy / CHECKSUMS).write_bytes((FOLDER / CHECKSUMS).read_bytes().replace(b"\n", b"\r\n"))
    (copy / name).write_bytes((FOLDER / name).read_bytes().replace(b"\n", b"\r\n"))
    assert embedded.read_checked(name, copy) == (FOLDER / name).read_bytes()
    (copy / "mnist.npz").write_bytes((FOLDER / "mnist.npz").read_bytes() + b"\r\n")
    with pytest.raises(ValueError, match=r"mnist\.npz is damaged"):
        embedded.read_checked("mnist.npz", copy)


@pytest.mark.parametrize("file", FILES)
def test_no_image_is_there_twice(file: str):
    pixels = [read_subset(file, split).pixels.reshape(-1, 784) for split in SIZES]
    assert len(np.unique(np.concatenate(pixels), axis=0)) == 2500


@pytest.mark.parametrize("file", FILES)
def test_the_pixels_are_pictures(file: str):
    pixels = read_subset(file, "train").pixels
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert pixels.reshape(len(pixels), -1).std(axis=1).min() > 10
    assert np.abs(np.diff(pixels.astype(int), axis=2)).mean() < 0.6 * np.abs(pixels - pixels.mean()).mean()


@pytest.mark.parametrize("file", FILES)
def test_the_datasheet_says_what_must_be_known(file: str):
    sheet = (FOLDER / file).with_suffix(".md").read_text("utf-8")
    for row in ("| Origin |", "| Citation |", "| Licence |", "## Which images", "## How it was made"):
        assert row in sheet
    assert len(re.findall(r"^[0-9a-f]{64}  (?:train|t10k)-\S+-ubyte$", sheet, re.MULTILINE)) == 4
    for split, name in (("train", "training"), ("test", "test")):
        last = int(read_subset(file, split).indices.max())
        assert re.search(rf"{name}\s+images\s+(are\s+)?among\s+its\s+first\s+{last + 1}\b", sheet)


def test_the_files_are_small():
    sizes = {name: (FOLDER / name).stat().st_size for name in FILES}
    assert sizes["fashion_mnist.npz"] < 1_200_000
    assert sizes["mnist.npz"] < 500_000


def test_a_changed_byte_is_seen(copy: Path):
    content = bytearray((copy / "mnist.npz").read_bytes())
    content[200_000] ^= 1
    (copy / "mnist.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"mnist\.npz is damaged.*'oraledu doctor' says what to do"):
        read_subset("mnist.npz", "train", copy)


def test_a_file_without_a_checksum_of_its_own_is_not_read(copy: Path):
    (copy / "other.npz").write_bytes((copy / "mnist.npz").read_bytes())
    with pytest.raises(ValueError, match=r"other\.npz is damaged"):
        read_subset("other.npz", "train", copy)


@pytest.mark.parametrize("missing", ["mnist.npz", CHECKSUMS])
def test_a_missing_file_is_said(copy: Path, missing: str):
    (copy / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"{missing} is missing{embedded.DOCTOR}"):
        read_subset("mnist.npz", "train", copy)

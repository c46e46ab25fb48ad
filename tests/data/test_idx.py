import gzip
from pathlib import Path

import numpy as np
import pytest

from oraledu.data.idx import find_idx, read_idx, read_idx_pair
from tests.data.files import NAMES, digits, idx, write_idx_pair

IMAGES, LABELS = NAMES["train"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("split", ["train", "test"])
def test_what_was_written_is_read(tmp_path: Path, split: str, packed: bool):
    pixels, labels = digits(7)
    write_idx_pair(tmp_path, split, pixels, labels, packed=packed)
    paths = find_idx(tmp_path, split)
    assert paths is not None
    found_pixels, found_labels = read_idx_pair(*paths)
    assert np.array_equal(found_pixels, pixels)
    assert np.array_equal(found_labels, labels)


def test_the_sizes_are_read_with_the_highest_byte_first(tmp_path: Path):
    (tmp_path / "wide").write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 1, 4]) + bytes(520))
    assert read_idx(tmp_path / "wide", 3).shape == (1, 2, 260)


def test_a_split_that_is_not_there_is_none(tmp_path: Path):
    write_idx_pair(tmp_path, "train", *digits(7))
    assert find_idx(tmp_path, "test") is None
    assert find_idx(tmp_path / "nowhere", "train") is None


@pytest.mark.parametrize("missing", [0, 1])
def test_images_without_labels_or_labels_without_images_are_said(tmp_path: Path, missing: int):
    write_idx_pair(tmp_path, "train", *digits(7))
    (tmp_path / NAMES["train"][missing]).unlink()
    message = f"{NAMES['train'][1 - missing]} needs {NAMES['train'][missing]} .*beside it"
    with pytest.raises(FileNotFoundError, match=message):
        find_idx(tmp_path, "train")


def test_other_numbers_of_images_and_labels_are_said(tmp_path: Path):
    pixels, labels = digits(7)
    write_idx_pair(tmp_path, "train", pixels, labels[:6])
    with pytest.raises(ValueError, match=f"{IMAGES} has 7 images, but .*{LABELS} has 6 labels"):
        read_idx_pair(tmp_path / IMAGES, tmp_path / LABELS)


def test_labels_in_the_place_of_images_are_said(tmp_path: Path):
    path = tmp_path / IMAGES
    path.write_bytes(idx(np.zeros(7, np.uint8)))
    with pytest.raises(
        ValueError, match=f"{IMAGES} is no IDX file .* starts with 00000801, not with 00000803"
    ):
        read_idx(path, 3)


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>"], ids=["empty", "a web page"])
def test_another_file_under_the_name_is_said(tmp_path: Path, content: bytes):
    (tmp_path / LABELS).write_bytes(content)
    with pytest.raises(ValueError, match=f"{LABELS} is no IDX file"):
        read_idx(tmp_path / LABELS, 1)


@pytest.mark.parametrize("kept", [5, 8, 12, 16, 100, 267])
def test_a_file_that_is_cut_short_is_said(tmp_path: Path, kept: int):
    pixels, _ = digits(7)
    assert len(idx(pixels)) == 268
    (tmp_path / IMAGES).write_bytes(idx(pixels)[:kept])
    with pytest.raises(ValueError, match=f"{IMAGES} is cut short or damaged: it has {kept} bytes"):
        read_idx(tmp_path / IMAGES, 3)


def test_a_file_that_is_too_long_is_said(tmp_path: Path):
    (tmp_path / LABELS).write_bytes(idx(digits(7)[1]) + b"\0")
    with pytest.raises(ValueError, match="cut short or damaged"):
        read_idx(tmp_path / LABELS, 1)


@pytest.mark.parametrize("damage", ["cut", "changed", "no block", "not packed"])
def test_a_packed_file_that_is_damaged_is_said(tmp_path: Path, damage: str):
    whole = gzip.compress(idx(digits(50)[0]))
    content = {
        "cut": whole[:-20],
        "changed": whole[:100] + bytes([whole[100] ^ 255]) + whole[101:],
        "no block": whole[:10] + b"\xff" + whole[11:],
        "not packed": b"<!DOCTYPE html>",
    }[damage]
    path = tmp_path / f"{IMAGES}.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{IMAGES}\.gz is damaged and cannot be unpacked"):
        read_idx(path, 3)

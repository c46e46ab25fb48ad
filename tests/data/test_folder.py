from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from oraledu import data

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def write(path: Path, colour: tuple[int, int, int], width: int = 8, height: int = 8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), colour).save(path)


def test_the_images_come_in_the_order_of_their_names(tmp_path: Path):
    faces = tmp_path / "faces"
    write(faces / "2.png", BLUE)
    write(faces / "0.PNG", RED)
    write(faces / "1" / "deep.bmp", GREEN)
    (faces / "list.txt").write_text("no image")
    images = data.image_folder(faces, size=4)
    assert images.pixels.shape == (3, 3, 4, 4)
    assert images.pixels.dtype == torch.float32
    assert images.pixels[:, :, 1, 2].tolist() == [[1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
    assert (images.labels.tolist(), images.classes) == ([0, 0, 0], ("faces",))
    assert torch.equal(data.image_folder(str(faces), 2, size=4).pixels, images.pixels[:2])


@pytest.mark.parametrize("upright", [False, True])
def test_the_square_in_the_middle_is_kept(tmp_path: Path, upright: bool):
    picture = np.zeros((4, 12, 3), np.uint8)
    picture[:, 4:8] = np.random.default_rng(0).integers(0, 256, (4, 4, 3))
    middle = picture[:, 4:8]
    if upright:
        picture, middle = picture.transpose(1, 0, 2), middle.transpose(1, 0, 2)
    Image.fromarray(np.ascontiguousarray(picture)).save(tmp_path / "wide.png")
    pixels = data.image_folder(tmp_path, size=4).pixels[0]
    expected = torch.from_numpy(middle / 127.5 - 1).permute(2, 0, 1).float()
    torch.testing.assert_close(pixels, expected)


@pytest.mark.parametrize("size", [1, 3, 20])
def test_any_size_can_be_had(tmp_path: Path, size: int):
    write(tmp_path / "a.png", GREEN, 9, 7)
    pixels = data.image_folder(tmp_path, size=size).pixels
    assert pixels.shape == (1, 3, size, size)
    assert pixels[0].flatten(1).mean(dim=1).tolist() == [-1, 1, -1]


def test_grey_images_get_three_equal_colours(tmp_path: Path):
    Image.new("L", (5, 5), 51).save(tmp_path / "grey.png")
    torch.testing.assert_close(data.image_folder(tmp_path, size=5).pixels, torch.full((1, 3, 5, 5), -0.6))


def test_a_picture_that_says_it_is_turned_is_turned_back(tmp_path: Path):
    picture = Image.new("RGB", (8, 8), RED)
    picture.paste(BLUE, (0, 0, 4, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the left side is the top
    picture.save(tmp_path / "turned.png", exif=exif)
    pixels = data.image_folder(tmp_path, size=8).pixels[0]
    assert pixels[:, 0, 4].tolist() == [-1, -1, 1]
    assert pixels[:, 7, 4].tolist() == [1, -1, -1]


@pytest.mark.parametrize("damage", ["cut", "a web page"])
def test_a_file_that_is_no_image_is_named(tmp_path: Path, damage: str):
    write(tmp_path / "good.jpg", RED, 64, 64)
    content = (tmp_path / "good.jpg").read_bytes()
    (tmp_path / "wrong.jpg").write_bytes(content[:-200] if damage == "cut" else b"<!DOCTYPE html>")
    with pytest.raises(ValueError, match=r"wrong\.jpg is no image that can be read"):
        data.image_folder(tmp_path, size=4)
    assert len(data.image_folder(tmp_path, 1, size=4)) == 1


def test_a_folder_that_is_not_there_or_has_no_image_is_said(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"path is .*nowhere', and there is no such folder"):
        data.image_folder(tmp_path / "nowhere", size=4)
    with pytest.raises(FileNotFoundError, match=r"has no image: put files ending in .*\.png"):
        data.image_folder(tmp_path, size=4)


@pytest.mark.parametrize("count", [0, -1, 2])
def test_a_count_out_of_range_is_said(tmp_path: Path, count: int):
    write(tmp_path / "a.png", RED)
    with pytest.raises(ValueError, match=f"count must lie between 1 and the 1 images of .*, got {count}"):
        data.image_folder(tmp_path, count, size=4)


def test_a_size_below_one_is_said(tmp_path: Path):
    write(tmp_path / "a.png", RED)
    with pytest.raises(ValueError, match="size must be at least 1 pixel, got 0"):
        data.image_folder(tmp_path, size=0)

"""Any folder of images, such as CelebA."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from oraledu.data.images import Images, prepare

ENDINGS = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


def image_folder(path: str | Path, count: int | None = None, *, size: int) -> Images:
    """Load the images of a folder and of the folders in it, in the order of their names.

    Each is cut to the largest square in its middle, scaled, and turned into red, green and blue.

    Args:
        path: The folder.
        count: How many images; all if left out.
        size: Height and width of the result in pixels, at least 1.

    Returns:
        `.pixels` (N, 3, size, size) float32 in [-1, 1]; one class, which has the folder's name.

    Raises:
        ValueError: If size or count is out of range, or a file is no image.
        FileNotFoundError: If there is no such folder, or no image in it.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1 pixel, got {size}")
    folder = Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(f"path is {str(path)!r}, and there is no such folder")
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS and file.is_file())
    if not files:
        raise FileNotFoundError(
            f"{folder} has no image: put files ending in {', '.join(sorted(ENDINGS))} there"
        )
    if count is not None and not 1 <= count <= len(files):
        raise ValueError(f"count must lie between 1 and the {len(files)} images of {folder}, got {count}")
    raw = np.stack([_square(file, size) for file in files[:count]])  # (N, size, size, 3)
    labels = np.zeros(len(raw), dtype=np.int64)
    return prepare(raw.transpose(0, 3, 1, 2), labels, (folder.resolve().name,), count=None, pool=1)


def _square(file: Path, size: int) -> np.ndarray:
    """Return one image as (size, size, 3) uint8."""
    try:
        with Image.open(file) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"{file} is no image that can be read ({error}): fetch it anew or remove it"
        ) from error
    return np.asarray(ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS))

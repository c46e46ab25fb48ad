"""Patch banks: all training patches of a region, laid out for one matrix product, and kept for the next call."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from oraledu.diffusion.precision import double
from oraledu.diffusion.windows import Region, visible_patches

#: All banks that are kept take at most this many bytes. A larger one is built in parts, each time.
BUDGET = 256 << 20

#: Image sets of more bytes keep no banks.
LARGEST_SET = BUDGET // 8

#: A part of a bank that is not kept takes about this many bytes.
PART = 16 << 20

#: How many numbers stand before a patch's pixels in a key.
EXTRA = 3

_clock = count(1)


@dataclass
class Bank:
    """The patches of a region in M = N · rows · columns positions, ordered by image, row and column.

    Attributes:
        keys: (D + 3, M): a one, h and what rounding left of h, and the D pixels of a patch; h is half its squared
            norm. So a log-weight is a single product, (shift, -a²/b², -a²/b², q a/b²) · key. The large numbers
            come first: they cancel before the pixels' small ones are added, and cost no digits.
        values: (C, M) the patches' own pixels, a view of `keys`.
        last_use: When it was last handed out.
    """

    keys: Tensor
    values: Tensor
    last_use: int = 0


def build(images: Tensor, region: Region, padding: str) -> Bank:
    """Return the bank of a region of some images (N, C, H, H)."""
    patches = visible_patches(images, region, padding)
    pixels, places = patches.shape[:3].numel(), patches.shape[3:].numel()
    keys = torch.empty(EXTRA + pixels, places, dtype=images.dtype, device=images.device)
    keys[EXTRA:].view(patches.shape).copy_(patches)
    half = torch.zeros(places, dtype=double(images.device), device=images.device)
    # One at a time: all squares at once would take as much again as the bank.
    for pixel in keys[EXTRA:].split(1):
        exact = pixel[0].to(half)
        half.addcmul_(exact, exact, value=0.5)
    keys[0], keys[1] = 1, half
    keys[2] = half - keys[1]
    return Bank(keys, keys[EXTRA + region.centre :: region.window])


@dataclass
class Shelf:
    """The banks of one set of training images.

    Attributes:
        images: (N, C, H, H), a copy if banks are kept: the originals may change in place without a trace.
        keeps: Whether to keep banks.
        kept: Those that are.
    """

    images: Tensor
    keeps: bool
    kept: dict[tuple[Region, str], Bank] = field(default_factory=dict)

    def banks(self, region: Region, padding: str) -> Iterator[Bank]:
        """Yield the patches of a region: as one bank that is kept, or in parts if it would be too large."""
        pixels = self.images.shape[1] * region.window
        each = (EXTRA + pixels) * region.places * self.images.element_size()
        needed = each * len(self.images)
        if not self.keeps or needed > BUDGET:
            for part in self.images.split(max(1, PART // each)):
                yield build(part, region, padding)
            return
        bank = self.kept.get((region, padding))
        if bank is None:
            make_room(needed)
            bank = self.kept[region, padding] = build(self.images, region, padding)
        bank.last_use = next(_clock)
        yield bank


#: For each tensor of training images, while it lives: a shelf for each class in use (None: for all images).
_shelves: WeakIdKeyDictionary = WeakIdKeyDictionary()


def shelf_of(images: Tensor, owner: Tensor, label: int | None) -> Shelf:
    """Return the shelf of some training images: the one from an earlier call, if they are still the same.

    Args:
        images: (N, C, H, H) the images that count.
        owner: What the caller handed over; the shelf lives as long as this tensor.
        label: Which class of them `images` is; None for all.
    """
    if images.nbytes > LARGEST_SET:
        return Shelf(images, keeps=False)
    shelves = _shelves.setdefault(owner, {})
    shelf = shelves.get(label)
    if shelf is None or not torch.equal(shelf.images, images):
        shelf = shelves[label] = Shelf(images.clone(), keeps=True)
    return shelf


def kept_banks() -> list[tuple[Shelf, tuple[Region, str], Bank]]:
    """Return all banks that are kept, the one that was used longest ago first."""
    shelves = [shelf for by_label in list(_shelves.values()) for shelf in by_label.values()]
    found = [(shelf, place, bank) for shelf in shelves for place, bank in shelf.kept.items()]
    return sorted(found, key=lambda entry: entry[2].last_use)


def make_room(needed: int) -> None:
    """Drop the banks that were used longest ago, until so many bytes fit into the budget."""
    banks = kept_banks()
    total = sum(bank.keys.nbytes for _, _, bank in banks)
    for shelf, place, bank in banks:
        if total + needed <= BUDGET:
            return
        del shelf.kept[place]
        total -= bank.keys.nbytes

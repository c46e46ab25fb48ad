"""Patch banks: what they hold, how long they are kept, and that nothing stale is ever used."""

import gc
import subprocess
import sys
import weakref

import pytest
import torch

from oraledu.diffusion import banks, machines
from oraledu.diffusion.windows import region_of, regions, windows

HOW = {"machine": "equivariant-local", "patch": 3, "padding": "circular"}


@pytest.fixture(autouse=True)
def _nothing_kept():
    banks._shelves.clear()
    yield
    banks._shelves.clear()


@pytest.fixture
def builds(monkeypatch):
    """The list of regions of which a bank is built from now on."""
    built, build = [], banks.build

    def count(images, region, padding):
        built.append(region)
        return build(images, region, padding)

    monkeypatch.setattr(banks, "build", count)
    return built


def draw(count=6, size=7, channels=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = 2 * torch.rand(count, channels, size, size, generator=generator, dtype=torch.float64) - 1
    return torch.randn(2, channels, size, size, generator=generator, dtype=torch.float64), images


def kept_bytes():
    return sum(bank.keys.nbytes for _, _, bank in banks.kept_banks())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("padding", "pixel"), [("circular", (0, 0)), ("zeros", (3, 3)), ("zeros", (0, 3))])
def test_one_product_with_a_key_is_the_log_weight(dtype, padding, pixel):
    _, images = draw(channels=2)
    images = images.to(dtype)
    region = region_of(7, 5, padding, *pixel)
    bank = banks.build(images, region, padding)
    rows, columns = region.rows, region.columns
    patches = windows(images, 5, padding)[:, rows.start : rows.stop, columns.start : columns.stop].flatten(
        0, 2
    )
    if padding == "zeros":
        patches = patches[patches != 0].view(len(patches), -1)
    assert torch.equal(bank.keys[banks.EXTRA :].T, patches)
    block = images[:, :, rows.start : rows.stop, columns.start : columns.stop]
    assert torch.equal(bank.values, block.transpose(0, 1).flatten(1))
    a, variance, generator = 0.7, 0.3, torch.Generator().manual_seed(1)
    query = torch.randn(patches.shape[1], generator=generator, dtype=torch.float64)
    ratio = a**2 / variance
    level = torch.tensor([0.0, -ratio, -ratio], dtype=torch.float64)
    product = torch.cat([level, query * ratio / a]) @ bank.keys.double()
    log_weights = -(query - a * patches.double()).square().sum(dim=1) / (2 * variance)
    dropped = -query.square().sum() / (2 * variance)
    torch.testing.assert_close(product + dropped, log_weights, rtol=0, atol=1e-12)


def test_the_half_norm_keeps_more_digits_than_a_float32_has():
    images = torch.rand(4, 1, 9, 9) + 1
    bank = banks.build(images, region_of(9, 7, "circular", 0, 0), "circular")
    exact = bank.keys[banks.EXTRA :].double().square().sum(dim=0) / 2
    torch.testing.assert_close(bank.keys[1].double() + bank.keys[2].double(), exact, rtol=1e-13, atol=0)


def test_banks_are_built_once_for_a_patch_size(builds):
    x, images = draw()
    for _ in range(3):
        machines.denoise(x, images, 0.4, **HOW)
        machines.provenance(x, images, 0.6, **HOW)
    assert len(builds) == 1
    machines.denoise(x, images, 0.4, machine="equivariant-local", patch=5)
    machines.denoise(x, images, 0.4, machine="equivariant-local", patch=5)
    shared = [region for region in regions(7, 5, "zeros") if region.places > 1]
    assert builds[1:] == shared
    machines.denoise(x, images, 0.4, **HOW)
    assert len(builds) == 1 + len(shared)


def test_the_local_machine_and_the_whole_image_ones_build_none(builds):
    x, images = draw()
    machines.denoise(x, images, 0.4, machine="local", patch=3)
    machines.denoise(x, images, 0.4, machine="ideal")
    machines.denoise(x, images, 0.4, machine="equivariant-local", patch=7)  # all pixels alone
    assert not builds


@pytest.mark.parametrize("how", ["torch", "data", "numpy"])
def test_images_that_change_in_place_are_seen(how):
    x, images = draw()
    machines.denoise(x, images, 0.4, **HOW)
    if how == "torch":
        images[2, 0, 3, 3] += 0.5
    elif how == "data":
        images.data[2, 0, 3, 3] += 0.5
    else:
        images.numpy()[2, 0, 3, 3] += 0.5
    found = machines.denoise(x, images, 0.4, **HOW)
    assert torch.equal(found, machines.denoise(x, images.clone(), 0.4, **HOW))


def test_images_that_change_their_size_in_place_are_seen():
    x, images = draw()
    machines.denoise(x, images, 0.4, **HOW)
    images.resize_(3, 1, 7, 7)
    found = machines.denoise(x, images, 0.4, **HOW)
    assert torch.equal(found, machines.denoise(x, images.clone(), 0.4, **HOW))


def test_labels_that_change_in_place_are_seen():
    x, images = draw()
    labels = torch.arange(6) % 2
    machines.denoise(x, images, 0.4, labels=labels, label=1, **HOW)
    labels.fill_(1)
    found = machines.denoise(x, images, 0.4, labels=labels, label=1, **HOW)
    assert torch.equal(found, machines.denoise(x, images, 0.4, **HOW))


def test_each_class_has_banks_of_its_own(builds):
    x, images = draw()
    labels = torch.arange(6) % 2
    for _ in range(2):
        for label in (0, 1):
            machines.denoise(x, images, 0.4, labels=labels, label=label, **HOW)
        machines.denoise(x, images, 0.4, **HOW)
    assert len(builds) == 3


def test_banks_die_with_their_images():
    x, images = draw()
    machines.denoise(x, images, 0.4, **HOW)
    assert kept_bytes()
    alive = weakref.ref(images)
    del images
    gc.collect()
    assert alive() is None
    assert not kept_bytes()
    assert not banks._shelves


def test_within_the_budget_the_bank_that_was_used_longest_ago_goes_first(builds, monkeypatch):
    x, images = draw()
    sizes = {}
    for patch in (1, 3, 5):
        machines.denoise(x, images, 0.4, machine="equivariant-local", patch=patch, padding="circular")
        sizes[patch] = kept_bytes() - sum(sizes.values())
    monkeypatch.setattr(banks, "BUDGET", sum(sizes.values()))
    machines.denoise(x, images, 0.4, machine="equivariant-local", patch=1, padding="circular")
    other = images.clone()
    machines.denoise(x, other, 0.4, **HOW)  # as large as what it takes the place of: patch 3
    assert kept_bytes() == banks.BUDGET
    del builds[:]
    for patch in (1, 5):
        machines.denoise(x, images, 0.4, machine="equivariant-local", patch=patch, padding="circular")
    assert not builds
    machines.denoise(x, images, 0.4, **HOW)
    assert len(builds) == 1
    assert kept_bytes() <= banks.BUDGET


@pytest.mark.parametrize("limit", ["BUDGET", "LARGEST_SET"])
@pytest.mark.parametrize("part", [1, 20_000])
def test_a_bank_beyond_the_budget_is_built_in_parts_and_not_kept(limit, part, monkeypatch, builds):
    x, images = draw(count=20)
    whole = machines.denoise(x, images, 0.4, **HOW)
    source = machines.provenance(x, images, 0.4, **HOW)
    banks._shelves.clear()
    del builds[:]
    monkeypatch.setattr(banks, limit, 100)
    monkeypatch.setattr(banks, "PART", part)
    found = machines.denoise(x, images, 0.4, **HOW)
    torch.testing.assert_close(found, whole, rtol=0, atol=1e-12)
    assert len(builds) > 1
    again = machines.provenance(x, images, 0.4, **HOW)
    assert torch.equal(again.image, source.image)
    assert torch.equal(again.row, source.row)
    assert torch.equal(again.column, source.column)
    assert not kept_bytes()


PEAK = """
import re
import torch
from oraledu.diffusion import machines

torch.set_num_threads(1)
images, x = torch.rand(2000, 1, 28, 28) * 2 - 1, torch.randn(1, 1, 28, 28)
for patch, padding in ((3, "circular"), (7, "circular"), (7, "zeros"), (5, "zeros"), (17, "zeros")):
    machines.denoise(x, images, 0.5, machine="equivariant-local", patch=patch, padding=padding)
machines.denoise(x, images, 0.5, machine="equivariant", padding="circular")
machines.denoise(x, images, 0.5, machine="local", patch=7)
# Not ru_maxrss: that begins at what the process that started this one had.
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux knows of a process")
def test_two_thousand_images_of_28_pixels_take_less_than_a_gigabyte():
    done = subprocess.run(
        [sys.executable, "-c", PEAK], capture_output=True, text=True, check=True, timeout=280
    )
    assert int(done.stdout) * 1024 < 1e9

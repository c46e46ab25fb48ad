"""Tiles fit the memory that is free, and where they do not after all, smaller ones give the same answer."""

import pytest
import torch

from oraledu.diffusion import machines, tiles
from tests.second_device import register, with_room_for

BOARD = torch.ones(1, device=register()).device


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "_most", {})


@pytest.mark.parametrize("free", [1 << 22, 1 << 30, (1 << 30) + 4711])
def test_a_tile_takes_at_most_half_of_the_free_memory(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(tiles, "free_memory", lambda device: free)
    tile = tiles.gpu_tile(BOARD)
    assert tile * tiles.BYTES <= free / 2 < 2 * tile * tiles.BYTES
    assert tile & (tile - 1) == 0


@pytest.mark.parametrize(
    ("free", "tile"), [(1 << 40, tiles.GPU_TILE), (None, tiles.GPU_TILE), (0, tiles.SMALLEST)]
)
def test_a_tile_has_bounds(monkeypatch: pytest.MonkeyPatch, free: int | None, tile: int) -> None:
    monkeypatch.setattr(tiles, "free_memory", lambda device: free)
    assert tiles.gpu_tile(BOARD) == tile


@pytest.mark.parametrize(("machine", "patch"), [("ideal", None), ("local", 3), ("equivariant-local", 3)])
def test_out_of_memory_tiles_shrink_which_one_line_says_and_the_answer_stays(
    machine: str, patch: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = torch.Generator().manual_seed(0)
    x, images = (torch.randn(n, 1, 8, 8, generator=generator, dtype=torch.float64) for n in (2, 160))
    options = {"machine": machine, "patch": patch, "padding": "circular"}
    expected = machines.denoise(x, images, 0.5, **options)
    room = 200_000 if machine == "equivariant-local" else 18_000
    with with_room_for(room):
        for _ in range(2):  # the second time it is known
            there = machines.denoise(x.to(BOARD), images.to(BOARD), 0.5, **options)
            torch.testing.assert_close(there.cpu(), expected)
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        f"The memory of {BOARD} is too small for tiles of {tiles.GPU_TILE} numbers: on with {tiles.gpu_tile(BOARD)}."
    )
    assert tiles.gpu_tile(BOARD) < room


def test_what_fits_in_no_tile_is_out_of_memory() -> None:
    with with_room_for(10), pytest.raises(torch.OutOfMemoryError):
        tiles.within_memory(lambda: torch.ones(12, device=BOARD), BOARD)


def test_the_cpu_tries_once() -> None:
    tried = []

    def fail() -> None:
        tried.append(1)
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        tiles.within_memory(fail, torch.device("cpu"))
    assert len(tried) == 1

"""Where a pixel comes from: the definition, and what it has to do with the answer."""

import pytest
import torch

from oraledu.diffusion import machines
from tests.diffusion import loops
from tests.diffusion.test_machines import ALL, LOCAL, draw, small_tiles


def pixels_at(images, provenance):
    """The training pixels that a provenance names, (B, C, H, H)."""
    found = images.permute(0, 2, 3, 1)[provenance.image, provenance.row, provenance.column]
    return found.permute(0, 3, 1, 2)


@pytest.mark.parametrize("tile", [40, 1 << 18])
@pytest.mark.parametrize(("machine", "padding"), LOCAL)
@pytest.mark.parametrize("patch", [3, 5, 7])
def test_it_names_the_patch_of_largest_weight(machine, padding, patch, tile):
    x, images = draw(5, 2, 7, batch=2)
    how = {"machine": machine, "patch": patch, "padding": padding}
    tiles, groups = small_tiles(tile, 9)
    with tiles, groups:
        found = machines.provenance(x, images, 0.6, **how)
    for row in range(7):
        for column in range(7):
            places = loops.places_to_look(7, row, column, **how)
            patches = torch.stack(
                [loops.window(y, *place, patch, padding) for y in images for place in places]
            )
            queries = loops.window(x, row, column, patch, padding)
            errors = (queries[:, None] - 0.6**0.5 * patches).square().sum(dim=2)
            weight, which = torch.softmax(-errors / 0.8, dim=1).max(dim=1)
            for one in range(2):
                place = tuple(
                    part[one, row, column].item() for part in (found.image, found.row, found.column)
                )
                assert place == (which[one].item() // len(places), *places[which[one].item() % len(places)])
            torch.testing.assert_close(found.weight[:, row, column], weight, rtol=0, atol=1e-12)


def test_all_pixels_of_the_ideal_machine_come_from_one_image_at_their_own_place():
    x, images = draw(5, 1, 6)
    found = machines.provenance(x, images, 0.3, machine="ideal")
    errors = (x[:, None] - 0.3**0.5 * images).square().sum(dim=(2, 3, 4))
    weight, which = torch.softmax(-errors / 1.4, dim=1).max(dim=1)
    assert torch.equal(found.image, which[:, None, None].expand(2, 6, 6))
    torch.testing.assert_close(found.weight, weight[:, None, None].expand(2, 6, 6))
    assert torch.equal(found.row[0, :, 0], torch.arange(6))
    assert torch.equal(found.column[1, 0], torch.arange(6))


@pytest.mark.parametrize("size", [5, 6])
def test_the_equivariant_machine_names_the_translate(size):
    _, images = draw(4, 2, size)
    moved = images[[2, 0]].roll((2, -1), dims=(2, 3))
    found = machines.provenance(
        0.9995**0.5 * moved, images, 0.9995, machine="equivariant", padding="circular"
    )
    assert found.image[:, 0, 0].tolist() == [2, 0]
    torch.testing.assert_close(pixels_at(images, found), moved)
    torch.testing.assert_close(found.weight, torch.ones_like(found.weight))


@pytest.mark.parametrize("how", ALL)
def test_where_one_candidate_has_all_the_weight_its_pixel_is_the_answer(how):
    x, images = draw(6, 3, 7)
    found = machines.provenance(x, images, 0.999, **how)
    answer = machines.denoise(x, images, 0.999, **how)
    sure = found.weight > 1 - 1e-9
    assert sure.float().mean() > 0.5
    difference = (pixels_at(images, found) - answer).abs().amax(dim=1)
    assert difference[sure].max() < 1e-8


@pytest.mark.parametrize("how", ALL)
def test_shapes_types_and_ranges(how):
    x, images = draw(6, 1, 7, dtype=torch.float32)
    found = machines.provenance(x, images, 0.5, **how)
    for part, largest in ((found.image, 5), (found.row, 6), (found.column, 6)):
        assert part.shape == (2, 7, 7)
        assert part.dtype == torch.int64
        assert part.min() >= 0
        assert part.max() <= largest
    assert found.weight.shape == (2, 7, 7)
    assert found.weight.dtype == torch.float32
    assert ((found.weight > 0) & (found.weight <= 1)).all()


@pytest.mark.parametrize("how", ALL)
def test_with_labels_images_are_counted_among_all(how):
    x, images = draw(8, 1, 7)
    labels = torch.tensor([1, 0, 0, 1, 1, 0, 1, 1])
    found = machines.provenance(x, images, 0.5, labels=labels, label=0, **how)
    alone = machines.provenance(x, images[labels == 0], 0.5, **how)
    assert torch.equal(found.image, torch.tensor([1, 2, 5])[alone.image])
    assert torch.equal(found.row, alone.row)
    assert torch.equal(found.weight, alone.weight)

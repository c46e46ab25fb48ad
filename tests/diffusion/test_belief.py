"""What one pixel believes, against the definition and against the machines."""

import math

import pytest
import torch

from oraledu.diffusion import machines
from oraledu.diffusion.windows import windows
from tests.diffusion import loops
from tests.diffusion.test_machines import LOCAL, draw, small_tiles

PIXELS = [(3, 4), (0, 3), (6, 0), (1, 6)]


@pytest.mark.parametrize(("machine", "padding"), LOCAL)
@pytest.mark.parametrize("pixel", PIXELS)
@pytest.mark.parametrize("tile", [100, 1 << 18])
def test_a_belief_is_the_posterior_over_the_patches_of_the_machine(machine, padding, pixel, tile):
    x, images = draw(4, 2, 7, batch=1)
    how = {"machine": machine, "patch": 5, "padding": padding}
    with small_tiles(tile, 9)[0]:
        found = machines.belief(x, images, 0.3, pixel=pixel, top=3, **how)
    places = loops.places_to_look(7, *pixel, **how)
    patches = torch.stack([loops.window(y, *place, 5, padding) for y in images for place in places])
    query = loops.window(x[0], *pixel, 5, padding)
    posterior = torch.softmax(-(query - 0.3**0.5 * patches).square().sum(dim=1) / 1.4, dim=0)
    weight, which = posterior.topk(3)
    torch.testing.assert_close(found.weight, weight, rtol=0, atol=1e-12)
    assert found.image.tolist() == (which // len(places)).tolist()
    expected = [places[index] for index in (which % len(places)).tolist()]
    assert list(zip(found.row.tolist(), found.column.tolist(), strict=True)) == expected
    assert found.size == len(posterior)
    assert found.entropy == pytest.approx(-(posterior * posterior.log()).sum().item(), abs=1e-10)
    centres = windows(images, 5, padding)[found.image, found.row, found.column]
    assert torch.equal(found.patches.flatten(1), centres)


@pytest.mark.parametrize(("machine", "padding"), LOCAL)
@pytest.mark.parametrize("pixel", PIXELS)
def test_the_mean_of_all_believed_centres_is_the_answer(machine, padding, pixel):
    x, images = draw(4, 2, 7, batch=1)
    how = {"machine": machine, "patch": 3, "padding": padding}
    found = machines.belief(x, images, 0.3, pixel=pixel, top=10_000, **how)
    assert len(found.weight) == found.size
    answer = machines.denoise(x, images, 0.3, **how)[0, :, pixel[0], pixel[1]]
    torch.testing.assert_close(found.weight @ found.patches[:, :, 1, 1], answer, rtol=0, atol=1e-12)


def test_the_heaviest_patch_is_the_provenance():
    x, images = draw(5, 1, 7, batch=1)
    source = machines.provenance(x, images, 0.3, machine="equivariant-local", patch=3)
    for row, column in PIXELS:
        found = machines.belief(x, images, 0.3, pixel=(row, column), patch=3, top=1)
        assert found.image.item() == source.image[0, row, column]
        assert found.row.item() == source.row[0, row, column]
        assert found.column.item() == source.column[0, row, column]
        assert found.weight.item() == pytest.approx(source.weight[0, row, column].item(), abs=1e-12)


def test_entropy_goes_from_that_of_all_candidates_to_nothing_as_noise_falls():
    x, images = draw(5, 1, 7, batch=1)

    def entropy(alpha_bar):
        return machines.belief(x, images, alpha_bar, pixel=(3, 3), patch=3).entropy

    size = 5 * 25
    assert entropy(1e-12) == pytest.approx(math.log(size), abs=1e-6)
    assert entropy(1 - 1e-9) == pytest.approx(0, abs=1e-6)
    assert 0 < entropy(0.5) < math.log(size)


def test_impossible_candidates_leave_the_entropy_finite():
    x, images = draw(5, 1, 7, batch=1, dtype=torch.float32)
    found = machines.belief(x, images, 1 - 1e-9, pixel=(3, 3), patch=3)
    assert found.weight[0] == 1
    assert found.entropy == 0


def test_with_labels_images_are_counted_among_all():
    x, images = draw(6, 1, 7, batch=1)
    labels = torch.tensor([0, 1, 0, 1, 1, 0])
    found = machines.belief(x, images, 0.5, pixel=(2, 2), patch=3, labels=labels, label=1)
    alone = machines.belief(x, images[labels == 1], 0.5, pixel=(2, 2), patch=3)
    assert torch.equal(found.image, torch.tensor([1, 3, 4])[alone.image])
    assert found.size == alone.size


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"pixel": (7, 0)}, "pixel must lie in 0 … 6 on both axes"),
        ({"pixel": (0, -1)}, "pixel must lie in 0 … 6 on both axes"),
        ({"top": 0}, "top must be at least 1"),
        (
            {"machine": "ideal", "patch": None},
            "machine must be one of 'local', 'equivariant-local' for a belief",
        ),
        ({"patch": 4}, "patch must be an odd number"),
        ({"x": torch.zeros(2, 1, 7, 7)}, "x must be one noisy image"),
    ],
)
def test_it_is_refused_by_name(wrong, words):
    images = torch.zeros(3, 1, 7, 7)
    right = {"x": images[:1], "images": images, "alpha_bar": 0.5, "pixel": (3, 3), "patch": 3}
    with pytest.raises(ValueError, match=words):
        machines.belief(**{**right, **wrong})

"""Maps of sources: a colour for each training image, a line where two meet, grey where none is responsible."""

import pytest
import torch

from oraledu.course.figures import panels
from oraledu.diffusion.machines import Provenance
from oraledu.diffusion.views import sources
from tests.diffusion.pictures import shown


def test_two_training_images_never_share_a_colour():
    colours = torch.as_tensor(sources.colours(torch.arange(2000).view(40, 50))).flatten(0, 1)
    assert colours.min() >= 0
    assert colours.max() <= 1
    assert len((colours * 255).round().unique(dim=0)) > 1990
    assert (colours[1:] - colours[:-1]).abs().amax(1).min() > 0.1


def test_a_training_image_has_the_same_colour_in_every_map():
    first = sources.colours(torch.tensor([[7, 1]]))
    second = sources.colours(torch.tensor([[3], [7]]))
    assert (first[0, 0] == second[1, 0]).all()


def test_no_training_image_is_grey():
    red, green, blue = sources.colours(torch.tensor([[-1]]))[0, 0]
    assert red == green == blue


def test_lines_stand_where_sources_meet_and_nowhere_else():
    found = sources.seams(torch.tensor([[4, 4, 5], [4, 6, 6]]))
    expected = [
        [(1.5, -0.5), (1.5, 0.5)],
        [(0.5, 0.5), (0.5, 1.5)],
        [(0.5, 0.5), (1.5, 0.5)],
        [(1.5, 0.5), (2.5, 0.5)],
    ]
    assert sorted(found) == sorted(expected)
    assert sources.seams(torch.zeros(3, 3)) == []


def test_a_map_can_show_another():
    _, axes = panels([["only"]], height=200)
    drawn = sources.SourceMap(axes["only"], torch.zeros(2, 2, dtype=torch.int64))
    other = torch.tensor([[0, 1], [1, -1]])
    drawn.set(other)
    torch.testing.assert_close(shown(axes["only"]), torch.as_tensor(sources.colours(other)))
    assert len(axes["only"].collections[0].get_segments()) == 4


def test_a_pixel_has_a_source_only_if_one_image_has_enough_weight():
    image = torch.arange(4).view(1, 2, 2)
    weight = torch.tensor([[[1.0, 0.5], [sources.SOURCED, sources.SOURCED / 2]]])
    claimed = sources.claimed(Provenance(image, image, image, weight))
    assert claimed.tolist() == [[[0, 1], [2, -1]]]
    assert sources.distinct(claimed[0]) == 3
    assert sources.distinct(torch.full((2, 2), -1)) == 0
    everyone = sources.claimed(Provenance(image, image, image, weight), least=0)
    assert everyone.tolist() == image.tolist()


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0"), (9, "9"), (10, "at least 10"), (76, "at least 50"), (700, "at least 500")]
)
def test_large_numbers_are_said_roughly(count, words):
    assert sources.at_least(count) == words


def test_one_thing_is_singular():
    assert [sources.plural(count) for count in (0, 1, 2)] == ["0 sources", "1 source", "2 sources"]
    assert sources.plural(3, "training image") == "3 training images"

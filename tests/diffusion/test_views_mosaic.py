"""The mosaics: where pixels come from, how far they are from the training set, and the explorer of both."""

from dataclasses import replace

import pytest
import torch

from oraledu.diffusion import machines, views
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.views import mosaic
from oraledu.diffusion.views.sources import SOURCED, claimed, colours, distinct

SIZE, NOISES = 6, 2
PATCHES = {"equivariant-local": 3, "local": 5, "ideal": None}


@pytest.fixture(scope="module")
def images():
    return torch.rand(8, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(scope="module")
def runs(images):
    noise = torch.randn(NOISES, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    return {
        name: machines.sample(machines.Machine(images, name, patch), noise, steps=4)
        for name, patch in PATCHES.items()
    }


@pytest.fixture(scope="module")
def origins(images, runs):
    return {
        name: machines.provenance(
            run.noisy[-2], images, alpha_bar(run.times[-2]), machine=name, patch=PATCHES[name]
        )
        for name, run in runs.items()
    }


@pytest.fixture
def explorer(runs, origins, images):
    return views.mosaic_explorer(runs, origins, images, PATCHES)


def pixels(ax):
    return torch.as_tensor(ax.images[0].get_array().filled())


def grey(image):
    return ((image[0].double() + 1) / 2).clamp(0, 1)


def test_the_map_of_the_ideal_machine_has_one_colour_and_those_of_the_others_more(runs, origins):
    samples = {name: run.images for name, run in runs.items()}
    figure = mosaic.source_maps(samples, origins, index=1)
    maps = dict(zip(samples, figure.axes[3:], strict=True))
    counts = {name: int(ax.get_xlabel().split()[0]) for name, ax in maps.items()}
    assert counts["ideal"] == 1
    assert counts["local"] > 1
    assert counts["equivariant-local"] > 1
    for name, ax in maps.items():
        sure = origins[name].weight[1] >= SOURCED
        assert counts[name] == len(origins[name].image[1][sure].unique())
        colours = pixels(ax)[sure].unique(dim=0)
        assert len(colours) == counts[name]
    assert "ideal: 1." in figure.alt
    assert figure.png().startswith(b"\x89PNG")


def test_without_a_least_weight_every_pixel_has_a_source(runs, origins):
    samples = {name: run.images for name, run in runs.items()}
    unsure = {name: replace(origin, weight=0 * origin.weight) for name, origin in origins.items()}
    for least, counted in ((SOURCED, [0, 0, 0]), (0, [len(o.image[1].unique()) for o in origins.values()])):
        figure = mosaic.source_maps(samples, unsure, index=1, least=least)
        assert [int(ax.get_xlabel().split()[0]) for ax in figure.axes[3:]] == counted
        assert ("grey where that is less than 0.02" in figure.alt) == (least > 0)


def test_a_pixel_that_many_images_could_claim_is_grey():
    image = torch.arange(4).view(1, 2, 2)
    weight = torch.tensor([[[1.0, 0.5], [SOURCED, SOURCED / 2]]])
    origin = machines.Provenance(image, torch.zeros_like(image), torch.zeros_like(image), weight)
    figure = mosaic.source_maps({"local": torch.zeros(1, 1, 2, 2)}, {"local": origin})
    red, green, blue = pixels(figure.axes[1])[1, 1]
    assert red == green == blue
    assert all(len(colour.unique()) > 1 for colour in pixels(figure.axes[1]).flatten(0, 1)[:3])
    assert figure.axes[1].get_xlabel() == "3 sources"


def test_the_source_shown_is_that_of_the_pixel(explorer, runs, origins, images):
    figure = explorer._draw(machine="equivariant-local", seed=1, row=2, column=4)
    sample, known, source, seen, found = figure.axes
    origin = origins["equivariant-local"]
    image, row, column = (int(part[1, 2, 4]) for part in (origin.image, origin.row, origin.column))
    torch.testing.assert_close(pixels(sample), grey(runs["equivariant-local"].images[1]))
    torch.testing.assert_close(pixels(source), grey(images[image]))
    torch.testing.assert_close(pixels(known), torch.as_tensor(colours(claimed(origin)[1])))
    assert known.get_title() == f"from {distinct(claimed(origin)[1])} training images"
    assert source.get_title() == f"training image {image}"
    assert (
        f"comes from row {row}, column {column} of training image {image}"
        in explorer._draw(machine="equivariant-local", seed=1, row=2, column=4).alt
    )
    for ax, whole, (r, c) in (
        (seen, runs["equivariant-local"].noisy[-2, 1], (2, 4)),
        (found, images[image], (row, column)),
    ):
        padded = torch.nn.functional.pad(whole, (1, 1, 1, 1))
        torch.testing.assert_close(pixels(ax), grey(padded[:, r : r + 3, c : c + 3]))
    for ax, (r, c) in ((sample, (2, 4)), (source, (row, column))):
        (frame,) = ax.patches
        assert (frame.get_x() + 1.5, frame.get_y() + 1.5, frame.get_width()) == (c, r, 3)


def test_a_pixel_that_many_images_could_claim_names_none_of_them(runs, origins, images):
    vague = replace(origins["local"], weight=torch.full_like(origins["local"].weight, SOURCED / 4))
    explorer = views.mosaic_explorer({"local": runs["local"]}, {"local": vague}, images, {"local": 5})
    figure = explorer._draw(machine="local")
    assert figure.axes[2].get_title() == "one of many that fit"
    assert figure.axes[3].get_title() == "it sees"
    assert figure.axes[4].get_xlabel() == "weight < 0.01"
    assert "comes from one of many that fit" in explorer.alt


def test_the_ideal_machine_sees_and_finds_whole_images(explorer, runs, images, origins):
    figure = explorer._draw(machine="ideal", seed=0, row=1, column=1)
    *_, seen, found = figure.axes
    torch.testing.assert_close(pixels(seen), grey(runs["ideal"].noisy[-2, 0]))
    torch.testing.assert_close(pixels(found), grey(images[int(origins["ideal"].image[0, 1, 1])]))
    assert "the whole image around the pixel" in figure.alt


def test_with_circular_padding_a_window_wraps_around(runs, origins, images):
    circular = views.mosaic_explorer(runs, origins, images, PATCHES, padding="circular")
    figure = circular._draw(machine="local", seed=0, row=0, column=0)
    wrapped = torch.roll(runs["local"].noisy[-2, 0], (2, 2), (1, 2))[:, :5, :5]
    torch.testing.assert_close(pixels(figure.axes[3]), grey(wrapped))


def test_every_control_moves_the_picture_and_its_words(explorer):
    start = explorer.values
    for name, values in {
        "machine": PATCHES,
        "seed": (0, 1),
        "row": range(SIZE),
        "column": range(SIZE),
    }.items():
        shown = set()
        for value in values:
            explorer.controls[name].value = value
            assert explorer.error is None
            shown.add((explorer._repr_mimebundle_()[0]["image/png"], explorer.alt))
        assert len({png for png, _ in shown}) == len({alt for _, alt in shown}) == len(values), name
        explorer.controls[name].value = start[name]


def test_an_explorer_leaves_what_it_is_given_as_it_was(runs, origins, images):
    kept = images.clone(), runs["local"].noisy.clone(), origins["local"].image.clone()
    views.mosaic_explorer(runs, origins, images, PATCHES)
    mosaic.source_maps({"local": runs["local"].images}, {"local": origins["local"]})
    now = images, runs["local"].noisy, origins["local"].image
    assert all(torch.equal(before, after) for before, after in zip(kept, now, strict=True))


def test_consistency_is_a_line_for_each_tolerance():
    figure = mosaic.consistency([20, 100], {"within 0.001": [0.28, 0.59], "within 0.05": [0.63, 0.75]})
    first, second = figure.axes[0].lines[:2]
    assert list(first.get_xdata()) == list(second.get_xdata()) == [20, 100]
    assert list(first.get_ydata()) == [0.28, 0.59]
    assert list(second.get_ydata()) == [0.63, 0.75]
    assert "for 20, 100 steps" in figure.alt
    assert "within 0.001: 0.3, 0.6; within 0.05: 0.6, 0.8" in figure.alt
    assert figure.png().startswith(b"\x89PNG")


def test_distances_are_a_row_of_dots_with_a_bar_at_the_median():
    distances = {"ideal": torch.zeros(4), "network": torch.tensor([0.3, 0.5, 0.41])}
    figure = mosaic.creativity(distances)
    ax = figure.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["ideal", "network"]
    dots, bars = ax.lines[0::2], ax.lines[1::2]
    for values, row, bar in zip(distances.values(), dots, bars, strict=True):
        torch.testing.assert_close(torch.as_tensor(row.get_xdata()), values)
        assert list(bar.get_xdata()) == [values.median()] * 2
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first row is on top"
    assert "ideal 0.0, network 0.4" in figure.alt
    assert figure.png().startswith(b"\x89PNG")

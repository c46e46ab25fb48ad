"""Several kinds of networks side by side, and this run beside the paper."""

import pytest
import torch

from oraledu.diffusion import views
from oraledu.diffusion.study import Entry, Sight, Study
from oraledu.diffusion.views import limits

TIMES = [1.0, 0.5, 0.05]


def around(centre):
    """Return five r that spread symmetrically around a centre."""
    return centre + torch.tensor([-0.04, -0.02, 0.0, 0.02, 0.04])


def machines(equivariant_local, local, ideal):
    return {
        "equivariant-local": around(equivariant_local),
        "local": around(local),
        "ideal": around(ideal),
    }


@pytest.fixture
def study():
    """Three seeds of each architecture, of which the second agrees as its centres say."""
    centres = {"ResNet": (0.93, 0.88, 0.6), "UNet": (0.9, 0.8, 0.6), "AttentionUNet": (0.7, 0.66, 0.5)}
    entries = [
        Entry(
            architecture=architecture,
            seed=seed,
            parameters=10,
            loss=0.1,
            patches=[7, 5, 3],
            agreement=machines(*(each + shift for each in three)),
            sight=Sight(TIMES, [6, 6, 6], [9 + seed, 5, 3]),
        )
        for architecture, three in centres.items()
        for seed, shift in enumerate((-0.02, 0.0, 0.02))
    ]
    return Study(entries, {})


def test_there_is_a_mark_for_each_network_machine_and_training_seed(study):
    figure = limits.architectures(study)
    marks = figure.axes[0].lines
    assert [len(mark.get_xdata()) for mark in marks] == [3] * 9
    expected = [r.square().median(1).values for table in study.agreements().values() for r in table.values()]
    for mark, values in zip(marks, expected, strict=True):
        torch.testing.assert_close(torch.as_tensor(mark.get_ydata()), values)
    places = [float(x) for mark in marks for x in mark.get_xdata()]
    assert len(set(places)) == 27
    assert places == sorted(places)
    assert "UNet: equivariant-local above 0.8, local above 0.6, ideal above 0.3" in figure.alt
    assert (
        "UNet with self-attention: equivariant-local above 0.4, local above 0.4, ideal above 0.2"
        in figure.alt
    )
    assert figure.png().startswith(b"\x89PNG")


def test_the_lines_reach_from_the_lower_to_the_upper_quantile(study):
    lines = limits.architectures(study).axes[0].collections[0].get_segments()
    squares = study.agreements()["ResNet"]["equivariant-local"].square()
    for line, row in zip(lines, squares, strict=True):
        assert line[0][1] == pytest.approx(float(row.quantile(0.1)))
        assert line[1][1] == pytest.approx(float(row.quantile(0.9)))


def test_how_far_each_network_looks_is_a_line_and_each_kind_has_one_name(study):
    ax = limits.architectures(study).axes[1]
    assert len(ax.lines) == 9
    for line, entry in zip(ax.lines, study.entries, strict=True):
        assert list(line.get_xdata()) == pytest.approx(TIMES, abs=0.03)
        assert list(line.get_ydata()) == entry.sight.window
    names = [text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts()]
    assert names == ["ResNet", "UNet", "UNet with self-attention"]
    left, right = ax.get_xlim()
    assert left > right, "noise comes first"


def test_the_networks_of_a_study_are_tabulated_with_what_else_sets_them_apart(study):
    table = limits.studied(study)
    assert table.rows[1] == [
        *("UNet", "10", "0.10 to 0.10", "7, 7, 7"),
        *("0.77 to 0.85", "0.61 to 0.67", "0.34 to 0.38", "100%"),
    ]
    assert [row[0] for row in table.rows] == ["ResNet", "UNet", "UNet with self-attention"]
    assert len(table.header) == 8


def test_the_seed_is_told_where_the_first_machine_wins_least(study):
    study.entries[4].agreement["equivariant-local"][:2] = 0
    study.entries[5].agreement["equivariant-local"][:1] = 0
    assert [row[-1] for row in limits.studied(study).rows] == ["100%", "60%", "100%"]


def test_the_table_beside_the_paper_holds_the_numbers_of_the_run(study):
    table = views.paper_and_here(
        images=torch.zeros(1200, 1, 10, 10),
        zeros=machines(0.96, 0.91, 0.62),
        circular=machines(0.94, 0.34, 0.17),
        zeros_patches=[9, 9, 7, 5, 5, 3],
        circular_patches=[7, 5, 3, 3],
        study=study,
    )
    assert [row[2] for row in table.rows] == [
        "0.96 / 0.91 / 0.62",
        "100 %",
        *"–––",
        "0.94 / 0.34 / 0.17",
        "–",
        "0.92 / 0.83 / 0.38; 0.88 / 0.12 / 0.03",
        "9, 7, 5, 3 of 10 pixels",
        "7, 5, 3 of 10 pixels",
        "0.90 / 0.80 / 0.60",
        *"–––",
        "0.70 / 0.66 / 0.50",
    ]
    assert "here 1,200 of 10 × 10" in table.rows[0][3]
    for row in table.rows:
        assert (row[2] == "–") == row[3].startswith("not run")


def test_the_table_has_all_networks_of_the_paper_with_20_and_with_150_steps(study):
    table = views.paper_and_here(
        images=torch.zeros(12, 1, 10, 10),
        zeros=machines(0.96, 0.91, 0.62),
        circular=machines(0.94, 0.34, 0.17),
        zeros_patches=[9],
        circular_patches=[7],
        study=study,
    )
    networks = [row for row in table.rows if row[0].startswith(("ResNet", "UNet"))]
    assert len(networks) == 11
    assert all(row[1].count(" / ") == 4 and row[1].count(";") == 1 for row in networks)
    for data, count in (("Fashion-MNIST", 2), ("CelebA", 2), ("CIFAR-10", 3), (" MNIST", 3)):
        assert sum(data in row[0] for row in networks) == count
    # In one of them alone the paper's local machine is ahead, with both numbers of steps.
    ahead = [
        row[0]
        for row in networks
        for each in row[1].split("; ")
        if each.split(" / ")[1] > each.removeprefix("CIFAR-10 ").split(" / ")[0]
    ]
    assert ahead == ["UNet, CelebA"] * 2
    assert all(all(cell for cell in row) for row in table.rows)

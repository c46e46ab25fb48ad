"""The figures that set a network's images beside the machines': what they draw and what they say."""

import pytest
import torch

from oraledu.diffusion.calibrate import pearson_r
from oraledu.diffusion.sampling import sample
from oraledu.diffusion.views import prediction


@pytest.fixture
def network():
    return torch.randn(5, 1, 6, 6, generator=torch.Generator().manual_seed(0)) / 2


def like(images, noise, seed):
    """Images whose r with the given ones falls with the noise that is mixed in."""
    generator = torch.Generator().manual_seed(seed)
    return images + noise * torch.randn(images.shape, generator=generator)


def below(figure):
    """Return the words below the images of all rows but the first, which has none."""
    words = [ax.get_xlabel() for ax in figure.axes]
    first = words.index(next(filter(None, words)))
    assert not any(words[:first])
    assert all(words[first:])
    return words[first:]


def test_the_loss_is_drawn_with_its_running_mean():
    losses = torch.linspace(0.9, 0.3, 90)
    figure = prediction.losses(losses)
    raw, smooth = figure.axes[0].lines
    torch.testing.assert_close(torch.as_tensor(raw.get_ydata()), losses.double())
    # The mean of three values on a line is the one in the middle.
    torch.testing.assert_close(torch.as_tensor(smooth.get_ydata()), losses[1:-1].double())
    assert list(smooth.get_xdata()) == list(range(1, 89))
    assert "over 90 steps" in figure.alt
    assert "from 0.9 to 0.3; after a third of the steps it is 0.7" in figure.alt
    assert figure.png().startswith(b"\x89PNG")


def test_a_single_loss_can_be_drawn():
    assert "from 0.5 to 0.5" in prediction.losses(torch.tensor([0.5])).alt


def test_below_each_image_of_a_machine_stands_its_r_with_the_network_s(network):
    rows = {"network": network, "near": like(network, 0.1, 1), "far": like(network, 2.0, 2)}
    kept = {name: images.clone() for name, images in rows.items()}
    figure = prediction.strip(rows)
    agreement = [*pearson_r(network, rows["near"]), *pearson_r(network, rows["far"])]
    assert below(figure) == [f"r = {r:.2f}" for r in agreement]
    assert len(figure.axes) == 15
    assert "in the median of the 5 shown: near above 0.9, far above" in figure.alt
    assert "near above 0.9, far above 0.9" not in figure.alt
    assert all(torch.equal(rows[name], kept[name]) for name in rows)
    assert figure.png().startswith(b"\x89PNG")


def test_a_strip_of_colour_images_can_be_drawn():
    images = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    figure = prediction.strip({"network": images, "machine": -images})
    assert figure.axes[0].images[0].get_array().shape == (4, 4, 3)
    assert below(figure) == ["r = -1.00"] * 2
    assert "machine above -1.0" in figure.alt


def test_a_trajectory_is_drawn_at_the_sampler_s_times_nearest_to_those_asked_for(network):
    runs = {
        "network": sample(lambda x, t: x * t, network, steps=10),
        "machine": sample(lambda x, t: like(x, t, 3), network, steps=10),
    }
    figure = prediction.trajectories(runs, index=2, moments=(1.0, 0.52, 0.01))
    assert [ax.get_title() for ax in figure.axes[:3]] == ["t = 1", "t = 0.5", "t = 0.1"]
    for place, (run, step) in enumerate([(run, step) for run in runs.values() for step in (0, 5, 9)]):
        shown = torch.as_tensor(figure.axes[place].images[0].get_array().filled())
        expected = ((run.denoised[step, 2, 0].double() + 1) / 2).clamp(0, 1)
        torch.testing.assert_close(shown, expected)
    steps = [0, 5, 9]
    r = pearson_r(runs["network"].denoised[steps, 2], runs["machine"].denoised[steps, 2])
    assert below(figure) == [f"r = {each:.2f}" for each in r]
    assert "from t = 1 to t = 0.1" in figure.alt


def test_the_scatter_counts_what_lies_above_its_diagonal():
    agreements = {
        "equivariant-local": torch.tensor([0.95, 0.93, 0.5]),
        "local": torch.tensor([0.8, 0.7, 0.75]),
        "ideal": torch.tensor([0.2, 0.4, 0.6]),
    }
    figure = prediction.agreement_scatter(agreements)
    pairs, rows = figure.axes
    dots = next(line for line in pairs.lines if len(line.get_xdata()) == 3)
    torch.testing.assert_close(torch.as_tensor(dots.get_ydata()), agreements["equivariant-local"])
    torch.testing.assert_close(torch.as_tensor(dots.get_xdata()), agreements["ideal"])
    assert "2 lie above the diagonal" in figure.alt
    assert "equivariant-local above 0.9, local above 0.7, ideal above 0.4" in figure.alt
    assert pairs.get_xlim() == pairs.get_ylim()
    assert pairs.get_xlim()[0] <= 0.2
    labels = [label.get_text() for label in rows.get_yticklabels()]
    assert labels[0] == "equivariant-local\nmedian r 0.93, r² 0.86"
    assert figure.png().startswith(b"\x89PNG")


def test_the_table_has_medians_and_lower_quantiles_of_r_and_of_its_square():
    r = torch.tensor([0.5, 0.6, 0.7, 0.8, 0.9], dtype=torch.float64)
    table = prediction.agreement_table({"ideal": r, "local": torch.full((5,), 0.5)}, quantile_step=0.01)
    assert table.rows == [
        ["ideal", "0.70", "0.54", "0.49", "0.29"],
        ["local", "0.50", "0.50", "0.25", "0.25"],
    ]
    assert [name.split(",")[0] for name in table.header] == ["machine", "r", "r", "r²", "r²"]


def test_the_table_s_quantiles_are_multiples_of_a_step_that_no_processor_moves():
    table = prediction.agreement_table({"machine": torch.tensor([0.971, 0.972, 0.9695])})
    assert table.rows == [["machine", "0.97", "0.95", "0.94", "0.95"]]

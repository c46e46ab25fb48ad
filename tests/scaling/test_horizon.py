"""The horizon: units, published values, and the fit against brute force."""

import pytest
import torch

from oraledu.scaling import laws

PARAMETERS = 1000 * 2 ** torch.arange(8, dtype=torch.float64)


def curves(model, parameters=PARAMETERS, points=400):
    """Loss curves of a two-term model that see every size from far before to far after its horizon."""
    best = model.horizon().tokens(parameters)
    tokens = best[:, None] * torch.logspace(-3, 3, points, dtype=torch.float64)
    return 6 * tokens * parameters[:, None], model.loss(tokens, parameters[:, None])


def test_tokens_and_compute_are_power_laws_of_the_parameters():
    horizon = laws.Horizon(scale=2.0, exponent=1.5)
    assert horizon.tokens(8.0) == pytest.approx(8.0)
    assert horizon.compute(8.0) == pytest.approx(6 * 8 * 8)
    assert horizon.compute_exponent == 2.5
    assert torch.allclose(horizon.compute(PARAMETERS), 1e15 * (PARAMETERS / horizon.compute_scale) ** 2.5)


def test_the_published_horizon_gives_the_authors_number_of_steps():
    horizon = laws.Horizon.from_compute(1346251.612836, 2.040882)
    assert horizon.compute_scale == pytest.approx(1346251.612836)
    assert horizon.compute_exponent == pytest.approx(2.040882)
    assert horizon.compute(1346251.612836) == pytest.approx(1e15)
    assert horizon.tokens(1_478_016) / 4096 == pytest.approx(33_308, rel=1e-4)  # at width 384


def test_a_horizon_through_a_point_goes_through_it():
    horizon = laws.Horizon.through(4192, 192_000, 0.7)
    assert horizon.exponent == 0.7
    assert horizon.tokens(4192) == pytest.approx(192_000)


@pytest.mark.parametrize("keywords", [{"scale": 0.0, "exponent": 1.0}, {"scale": torch.inf, "exponent": 1.0}])
def test_a_horizon_without_a_scale_is_refused(keywords):
    with pytest.raises(ValueError, match="scale must be positive and finite"):
        laws.Horizon(**keywords)


@pytest.mark.parametrize(("mu", "nu"), [(0.4, 0.4), (0.3, 0.5), (0.6, 0.35)])
def test_the_horizon_of_two_terms_is_found(mu, nu):
    model = laws.TwoTerm(mu, nu, time_coefficient=5.0, size_coefficient=2.0, offset=0.3)
    found = laws.optimal_horizon(*curves(model), PARAMETERS)
    assert found.exponent == pytest.approx(nu / mu, rel=0.03)
    inner = PARAMETERS[3:5]
    assert torch.allclose(found.tokens(inner), model.horizon().tokens(inner), rtol=0.1)


def test_dropping_the_ends_brings_the_fit_nearer():
    model = laws.TwoTerm(0.35, 0.45)
    compute, loss = curves(model)
    seen = laws.envelope(compute, loss)
    x, y = PARAMETERS[seen.best].log(), seen.compute.log()
    whole = (((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()).item() - 1
    true = model.horizon().exponent
    dropped = laws.optimal_horizon(compute, loss, PARAMETERS).exponent
    assert abs(dropped - true) < abs(whole - true) / 2


def test_the_envelope_is_the_brute_force_minimum(generator):
    compute = torch.rand(3, 20, generator=generator, dtype=torch.float64).sort(dim=1).values + 0.01
    loss = torch.rand(3, 20, generator=generator, dtype=torch.float64) + 0.1
    found = laws.envelope(compute, loss, points=50)
    for c, lowest, best in zip(found.compute.tolist(), found.loss.tolist(), found.best.tolist(), strict=True):
        values = []
        for row, height in zip(compute.log(), loss.log(), strict=True):
            x = torch.tensor(c, dtype=torch.float64).log()
            after = int((row < x - 1e-12).sum())
            if x < row[0] - 1e-12 or x > row[-1] + 1e-12:
                values.append(torch.inf)
                continue
            after = max(after, 1)
            share = (x - row[after - 1]) / (row[after] - row[after - 1])
            values.append((height[after - 1] + share * (height[after] - height[after - 1])).exp().item())
        assert lowest == pytest.approx(min(values), rel=1e-9)
        assert values[best] == pytest.approx(min(values), rel=1e-9)


def test_the_envelope_reaches_both_ends(generator):
    compute, loss = curves(laws.TwoTerm(0.4, 0.4))
    found = laws.envelope(compute, loss)
    assert found.compute[0] == pytest.approx(compute.min().item())
    assert found.compute[-1] == pytest.approx(compute.max().item())
    assert found.loss.isfinite().all()


def test_a_size_that_is_still_the_best_where_its_curve_ends_is_refused():
    model = laws.TwoTerm(0.4, 0.4)
    tokens = model.horizon().tokens(PARAMETERS)[:, None] * torch.logspace(-3, 0, 100, dtype=torch.float64)
    with pytest.raises(
        ValueError, match="the curve of 1000 parameters ends while no larger size is better: train it"
    ):
        laws.optimal_horizon(
            6 * tokens * PARAMETERS[:, None], model.loss(tokens, PARAMETERS[:, None]), PARAMETERS
        )


def test_three_sizes_are_too_few_for_a_horizon():
    few = PARAMETERS[:3]
    with pytest.raises(ValueError, match="at least four sizes are the best in turn, got 3"):
        laws.optimal_horizon(*curves(laws.TwoTerm(0.4, 0.4), few), few)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c, x, p: (c, x[1:], p), "one shape"),
        (lambda c, x, p: (c.flip(1), x, p), "compute must increase along each row"),
        (lambda c, x, p: (c[:, [0, 0, 1]], x[:, :3], p), "compute must increase along each row"),
        (lambda c, x, p: (c * 0, x, p), "compute must be positive and finite: leave out step 0"),
        (lambda c, x, p: (c, x * torch.nan, p), "loss must be positive and finite"),
        (lambda c, x, p: (c, x, p.flip(0)), "parameters must hold 8 increasing sizes"),
        (lambda c, x, p: (c, x, p[1:]), "parameters must hold 8 increasing sizes"),
    ],
)
def test_unfit_curves_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        laws.optimal_horizon(*change(*curves(laws.TwoTerm(0.4, 0.4)), PARAMETERS))

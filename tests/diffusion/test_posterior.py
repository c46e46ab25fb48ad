"""Streaming posteriors against a softmax over everything at once."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.diffusion.posterior import FLOOR, HEADROOM, LOG2_E, SAFE, Heaviest, Mean


def softmax(log_weights, dim):
    """The softmax of logarithms to base 2."""
    return torch.softmax(log_weights / LOG2_E, dim=dim)


def stream(posterior, log_weights, combines, cuts):
    """Show log-weights (*, n) to a posterior in tiles that end at the cuts."""
    ends = sorted({*cuts, log_weights.shape[-1]} - {0})
    for start, end, combine in zip([0, *ends], ends, combines(ends), strict=False):
        tile = log_weights[..., start:end].clone()
        if posterior.reference is not None:
            tile -= posterior.reference[..., None]
        posterior.add(tile, combine)
    return posterior


def sums_of(values):
    """How to sum parts of values (n, V)."""

    def cut(ends):
        return [
            partial(torch.matmul, other=values[start:end])
            for start, end in zip([0, *ends], ends, strict=False)
        ]

    return cut


@st.composite
def beliefs(draw):
    queries, count = draw(st.integers(1, 5)), draw(st.integers(1, 30))
    scale = draw(st.sampled_from([0.0, 1.0, 30.0, 1e3, 1e5]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    log_weights = scale * torch.randn(queries, count, generator=generator, dtype=torch.float64)
    log_weights -= draw(st.sampled_from([0.0, 1e4]))
    values = torch.rand(count, 3, generator=generator, dtype=torch.float64)
    return log_weights, values, draw(st.lists(st.integers(1, count), max_size=6))


@given(beliefs())
@settings(deadline=None, max_examples=200)
def test_the_mean_is_that_of_the_softmax_however_the_candidates_are_cut(belief):
    log_weights, values, cuts = belief
    mean = stream(Mean(), log_weights, sums_of(values), cuts).mean
    torch.testing.assert_close(mean, softmax(log_weights, dim=1) @ values, rtol=0, atol=1e-10)


@given(beliefs())
@settings(deadline=None, max_examples=200)
def test_the_heaviest_is_that_of_the_softmax_however_the_candidates_are_cut(belief):
    log_weights, values, cuts = belief
    heaviest = stream(Heaviest(), log_weights, sums_of(values), cuts)
    weight, index = softmax(log_weights, dim=1).max(dim=1)
    torch.testing.assert_close(heaviest.weight, weight, rtol=1e-9, atol=1e-12)
    assert torch.equal(log_weights.gather(1, heaviest.index[:, None])[:, 0], log_weights.amax(dim=1))
    assert (heaviest.index == index).all() or log_weights.unique().numel() < log_weights.numel()


def test_of_equal_weights_the_first_is_the_heaviest():
    log_weights = torch.tensor([[1.0, 2.0, 2.0, 0.0, 2.0]])
    heaviest = stream(Heaviest(), log_weights, sums_of(torch.ones(5, 1)), [2, 4])
    assert heaviest.index.item() == 1


def test_queries_and_values_of_any_shape():
    log_weights = torch.randn(2, 3, 7, dtype=torch.float64)
    values = torch.randn(4, 5, 7, dtype=torch.float64)

    def combines(ends):
        starts = [0, *ends]
        return [
            lambda weights, part=values[..., start:end]: torch.einsum("abn,cdn->abcd", weights, part)
            for start, end in zip(starts, ends, strict=False)
        ]

    mean = stream(Mean(), 50 * log_weights, combines, [2, 3]).mean
    expected = torch.einsum("abn,cdn->abcd", softmax(50 * log_weights, dim=-1), values)
    torch.testing.assert_close(mean, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bounded", [False, True])
def test_no_weight_is_ever_denormal(dtype, bounded):
    posterior = Mean((torch.tensor([-1000.0]), torch.zeros(1)) if bounded else None)
    first = torch.zeros(1, 1, dtype=dtype)
    posterior.add(first, sums_of(torch.ones(1, 1, dtype=dtype))([1])[0])
    tile = torch.linspace(-1000, 0, 5000, dtype=dtype)[None]
    posterior.add(tile, partial(torch.matmul, other=torch.ones(5000, 1, dtype=dtype)))
    assert tile.min() >= 0.99 * torch.tensor(FLOOR, dtype=dtype).exp2()  # the tile now holds weights
    assert tile.min() > torch.finfo(dtype).tiny


@pytest.mark.parametrize("posterior", [Mean, Heaviest])
def test_a_larger_log_weight_raises_the_reference_of_its_query_alone(posterior):
    tiles = torch.tensor([[0.0, 500.0], [0.0, HEADROOM - 1]])
    found = stream(posterior(), tiles, sums_of(torch.tensor([[1.0], [2.0]])), [1])
    assert found.reference.tolist() == [500.0, 0.0]
    if posterior is Mean:
        expected = softmax(tiles, dim=1) @ torch.tensor([[1.0], [2.0]])
        torch.testing.assert_close(found.mean, expected)
    else:
        assert found.index.tolist() == [1, 1]


def test_large_log_weights_keep_their_digits_in_float32():
    # Near 1e5 numbers are 0.008 apart, and so are references. The rest of a log-weight must not be lost.
    posterior, log_weights = Mean(), torch.tensor([1e5, 1e5 + 45.003, 1e5 + 45.001], dtype=torch.float64)
    for value, log_weight in enumerate(log_weights):
        reference = 0 if posterior.reference is None else posterior.reference.double()
        tile = (log_weight - reference).float().view(1, 1)
        posterior.add(tile, partial(torch.matmul, other=torch.tensor([[float(value)]])))
    expected = softmax(log_weights, dim=0) @ torch.arange(3, dtype=torch.float64)
    assert posterior.mean.item() == pytest.approx(expected.item(), abs=1e-6)


@given(beliefs(), st.floats(0, 300), st.floats(0, 300))
@settings(deadline=None, max_examples=200)
def test_bounds_that_hold_change_no_mean(belief, above, below):
    log_weights, values, cuts = belief
    within = log_weights.amin(dim=1) - below, log_weights.amax(dim=1) + above
    mean = stream(Mean(within), log_weights, sums_of(values), cuts).mean
    torch.testing.assert_close(mean, softmax(log_weights, dim=1) @ values, rtol=0, atol=1e-10)


@pytest.mark.parametrize("above", [SAFE - 1, SAFE + 1, 1e4])
def test_a_log_weight_just_below_its_bound_does_not_overflow(above):
    log_weights = torch.tensor([[0.0, above, above - 2]])
    within = torch.zeros(1), torch.tensor([above])
    values = torch.tensor([[1.0], [2.0], [3.0]])
    mean = stream(Mean(within), log_weights, sums_of(values), [1, 2]).mean
    torch.testing.assert_close(mean, softmax(log_weights, dim=1) @ values)

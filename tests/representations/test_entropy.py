"""Matrix entropy: closed forms, invariances, bounds, orders, and the theorem that is printed the wrong way round."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.representations import entropy
from oraledu.representations.gram import gram
from tests.representations.samples import normal, rotation, with_singular_values

ORDERS = (0.3, 0.5, 0.9, 1.0, 1.1, 1.5, 2.0, 3.0, 10.0, math.inf)
SIZES = given(rows=st.integers(1, 9), columns=st.integers(1, 9), seed=st.integers(0, 1000))
FLAT = torch.full((8,), 0.125, dtype=torch.float64)


def naive_entropy(z, alpha):
    """The definition for one matrix, by a double loop over tokens and a sum over eigenvalues."""
    gram_matrix = torch.tensor([[float(a @ b) for b in z] for a in z], dtype=torch.float64)
    values = [max(value, 0) for value in torch.linalg.eigvalsh(gram_matrix).tolist()]
    shares = [value / sum(values) for value in values if value > 1e-12 * sum(values)]
    if alpha == 1:
        return -sum(p * math.log(p) for p in shares)
    if alpha == math.inf:
        return -math.log(max(shares))
    return math.log(sum(p**alpha for p in shares)) / (1 - alpha)


@settings(max_examples=30)
@SIZES
@pytest.mark.parametrize("alpha", ORDERS)
def test_the_entropy_is_that_of_the_shares_of_the_eigenvalues(alpha, rows, columns, seed):
    z = normal(rows, columns, seed=seed)
    expected = naive_entropy(z, alpha)
    assert entropy.matrix_entropy(z, alpha).item() == pytest.approx(expected, abs=1e-9)
    assert entropy.from_gram(gram(z), alpha).item() == pytest.approx(expected, abs=1e-9)
    assert entropy.renyi(entropy.spectrum(z), alpha).item() == pytest.approx(expected, abs=1e-9)
    assert entropy.renyi(entropy.spectrum_from_gram(gram(z)), alpha).item() == pytest.approx(
        expected, abs=1e-9
    )


@pytest.mark.parametrize("alpha", ORDERS)
@pytest.mark.parametrize("shape", [(2, 3, 6, 4), (2, 3, 4, 6)])
def test_a_batch_is_its_matrices_one_by_one(alpha, shape):
    z = normal(*shape)
    alone = torch.stack([entropy.matrix_entropy(each, alpha) for each in z.flatten(0, 1)]).reshape(2, 3)
    assert torch.allclose(entropy.matrix_entropy(z, alpha), alone, atol=1e-12)
    assert torch.allclose(entropy.from_gram(gram(z), alpha), alone, atol=1e-9)
    assert entropy.effective_rank(z).shape == (2, 3)


@pytest.mark.parametrize("alpha", ORDERS)
def test_single_precision_agrees_with_double(alpha):
    z = normal(4, 24, 64, dtype=torch.float32)
    single = entropy.matrix_entropy(z, alpha)
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), entropy.matrix_entropy(z.double(), alpha), atol=5e-6)


@pytest.mark.parametrize("shape", [(3, 5, 60), (3, 60, 5)])
def test_only_the_smaller_gram_matrix_is_ever_made(monkeypatch, shape):
    seen, eigvalsh = set(), torch.linalg.eigvalsh
    monkeypatch.setattr(torch.linalg, "eigvalsh", lambda k: seen.add(k.shape) or eigvalsh(k))
    for alpha in (0.5, 1.0):
        entropy.matrix_entropy(torch.ones(shape), alpha)
    entropy.effective_rank(torch.ones(shape))
    assert seen == {(3, 5, 5)}


def test_order_two_needs_no_eigenvalues(monkeypatch):
    z = normal(3, 7, 5)
    expected = torch.tensor([naive_entropy(each, 2) for each in z], dtype=torch.float64)
    for name in ("eigvalsh", "eigh", "eigvals", "eig", "svd", "svdvals"):
        monkeypatch.delattr(torch.linalg, name)
    assert torch.allclose(entropy.matrix_entropy(z, 2), expected, atol=1e-10)
    assert torch.allclose(entropy.from_gram(gram(z), 2), expected, atol=1e-10)


@settings(max_examples=30)
@SIZES
@pytest.mark.parametrize("alpha", ORDERS)
def test_scale_rotation_order_and_repetition_change_nothing(alpha, rows, columns, seed):
    z = normal(rows, columns, seed=seed)
    before = entropy.matrix_entropy(z, alpha)
    for same in (
        -1e5 * z,
        1e-5 * z,
        z @ rotation(columns, seed),
        z.flip(0),
        torch.cat([z, z]),
        z.repeat_interleave(3, dim=0),
        z.T,
    ):
        assert torch.allclose(entropy.matrix_entropy(same, alpha), before, atol=1e-9)


@settings(max_examples=30)
@SIZES
def test_the_entropy_lies_between_zero_and_log_rank_and_falls_with_the_order(rows, columns, seed):
    rank = 1 + seed % min(rows, columns)
    z = normal(rows, rank, seed=seed) @ normal(rank, columns, seed=seed + 1)
    values = [entropy.matrix_entropy(z, alpha).item() for alpha in ORDERS]
    assert values[0] <= math.log(rank) + 1e-9
    assert values[-1] >= 0
    assert all(low <= high + 1e-9 for high, low in pairwise(values))


@pytest.mark.parametrize("alpha", ORDERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_direction_has_no_entropy_and_equal_ones_have_all(alpha, dtype):
    direction = torch.outer(normal(9), normal(20)).to(dtype)
    assert entropy.matrix_entropy(direction, alpha).item() == pytest.approx(0, abs=5e-6)
    equal = 7 * rotation(20)[:9].to(dtype)
    assert entropy.matrix_entropy(equal, alpha).item() == pytest.approx(math.log(9), abs=5e-6)


@pytest.mark.parametrize("alpha", ORDERS)
@pytest.mark.parametrize("z", [torch.zeros(4, 6), torch.ones(4, 6), torch.ones(1, 6), torch.zeros(4, 1)])
def test_tokens_that_are_all_alike_have_entropy_zero(alpha, z):
    for found in (entropy.matrix_entropy(z, alpha), entropy.from_gram(gram(z), alpha)):
        assert found.item() == pytest.approx(0, abs=1e-5)
        assert math.copysign(1, found.item()) == 1, "a printed -0 puzzles"
    assert entropy.effective_rank(z).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("alpha", ORDERS)
def test_one_collapsed_matrix_leaves_the_rest_of_its_batch_alone(alpha):
    z = normal(3, 5, 4)
    z[1] = 0
    expected = [entropy.matrix_entropy(z[0], alpha), torch.tensor(0.0), entropy.matrix_entropy(z[2], alpha)]
    assert torch.allclose(entropy.matrix_entropy(z, alpha), torch.stack(expected).double())


@pytest.mark.parametrize("step", [1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_order_one_is_the_limit_of_the_orders_beside_it(step, dtype):
    z = normal(12, 30, dtype=dtype)
    limit = entropy.matrix_entropy(z).item()
    rounding = 50 * torch.finfo(dtype).eps
    assert entropy.matrix_entropy(z, 1 - step).item() == pytest.approx(limit, abs=step + rounding)
    assert entropy.matrix_entropy(z, 1 + step).item() == pytest.approx(limit, abs=step + rounding)


@pytest.mark.parametrize("alpha", ORDERS)
def test_entropies_of_a_product_add(alpha):
    z, w = normal(5, 4), normal(3, 6, seed=1)
    both = entropy.matrix_entropy(torch.kron(z, w), alpha)
    assert torch.isclose(both, entropy.matrix_entropy(z, alpha) + entropy.matrix_entropy(w, alpha))


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), mix=st.floats(0, 1), size=st.integers(2, 10))
@pytest.mark.parametrize("alpha", ORDERS)
def test_mixing_shares_never_lowers_the_entropy(alpha, seed, mix, size):
    shares = normal(size, seed=seed).square()
    order = torch.randperm(size, generator=torch.Generator().manual_seed(seed))
    mixed = mix * shares + (1 - mix) * shares[order]  # a doubly stochastic matrix takes one to the other
    assert entropy.renyi(mixed, alpha) >= entropy.renyi(shares, alpha) - 1e-12


@settings(max_examples=30)
@given(seed=st.integers(0, 1000))
@pytest.mark.parametrize("alpha", ORDERS)
def test_deleting_the_entries_between_two_groups_of_tokens_never_lowers_the_entropy(alpha, seed):
    k = gram(normal(7, 5, seed=seed))
    apart = k.clone()
    apart[:3, 3:] = apart[3:, :3] = 0
    assert entropy.from_gram(apart, alpha) >= entropy.from_gram(k, alpha) - 1e-9


def test_the_entropy_of_two_known_eigenvalues():
    z = torch.diag(torch.tensor([2.0, 1.0], dtype=torch.float64))
    assert entropy.matrix_entropy(z).item() == pytest.approx(0.500402, abs=1e-6)
    assert entropy.matrix_entropy(z, 2).item() == pytest.approx(-math.log(17 / 25))
    assert entropy.effective_rank(z).item() == pytest.approx(1.889882, abs=1e-6)
    assert torch.allclose(entropy.spectrum(z), torch.tensor([0.8, 0.2], dtype=torch.float64))


def test_points_on_a_circle_have_the_entropy_of_two_directions_however_many_they_are():
    angles = torch.arange(256, dtype=torch.float64) * (2 * torch.pi / 256)
    circle = torch.stack([angles.cos(), angles.sin()], dim=1)
    assert entropy.matrix_entropy(circle).item() == pytest.approx(math.log(2))


@settings(max_examples=30)
@SIZES
def test_the_effective_rank_lies_between_exp_of_the_entropy_and_the_rank(rows, columns, seed):
    rank = 1 + seed % min(rows, columns)
    z = normal(rows, rank, seed=seed) @ normal(rank, columns, seed=seed + 1)
    found = entropy.effective_rank(z)
    assert entropy.matrix_entropy(z).exp() <= found + 1e-9
    assert found <= rank + 1e-9
    values = torch.linalg.svdvals(z)[:rank]
    assert found.item() == pytest.approx(
        torch.special.entr(values / values.sum()).sum().exp().item(), rel=1e-6
    )


def test_the_inequality_as_printed_fails_for_every_random_matrix_and_the_corrected_one_holds():
    z = normal(2000, 6, 10)
    printed = entropy.effective_rank(z) <= entropy.matrix_entropy(z).exp()
    assert printed.sum() == 0
    assert (entropy.matrix_entropy(z).exp() <= entropy.effective_rank(z)).all()


def test_both_ranks_agree_where_all_singular_values_are_equal():
    z = with_singular_values(torch.full((4,), 3.0, dtype=torch.float64), 7, 9)
    assert entropy.effective_rank(z).item() == pytest.approx(4)
    assert entropy.matrix_entropy(z).exp().item() == pytest.approx(4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rounding_adds_no_direction_to_a_matrix_of_low_rank(dtype):
    z = normal(24, 10)[:, :2].to(dtype) @ normal(2, 300, seed=1).to(dtype)
    z = torch.cat([z, z])  # exact copies: at most 24 directions, two of them above rounding
    assert entropy.spectrum(z)[24:].max() == 0
    tiny = torch.ones(24, 300, dtype=dtype) / 3
    assert entropy.matrix_entropy(tiny, 0.1).item() == pytest.approx(0, abs=1e-6)
    assert entropy.from_gram(gram(tiny), 0.1).item() == pytest.approx(0, abs=1e-6)
    assert entropy.effective_rank(tiny).item() == pytest.approx(1, abs=1e-6)


def test_the_spectrum_sums_to_one_and_falls():
    p = entropy.spectrum(normal(3, 6, 4))
    assert p.shape == (3, 4)
    assert torch.allclose(p.sum(dim=-1), torch.ones(3, dtype=torch.float64))
    assert (p.diff(dim=-1) <= 0).all()
    assert entropy.spectrum_from_gram(gram(normal(3, 6, 4))).shape == (3, 6)


def test_weights_need_not_sum_to_one():
    assert torch.equal(entropy.renyi(2 * FLAT), entropy.renyi(FLAT))
    assert entropy.renyi(FLAT).item() == pytest.approx(math.log(8))
    assert entropy.renyi(0 * FLAT) == 0
    power_law = torch.arange(1, 101, dtype=torch.float64) ** -1.5
    p = (power_law / power_law.sum()).tolist()
    assert entropy.renyi(power_law).item() == pytest.approx(-sum(x * math.log(x) for x in p))


@pytest.mark.parametrize("alpha", [0, -1, float("nan"), -math.inf])
def test_an_order_not_above_zero_is_refused(alpha):
    for call in (entropy.matrix_entropy, entropy.from_gram, entropy.renyi):
        with pytest.raises(ValueError, match="alpha must be above 0"):
            call(torch.eye(3), alpha)


@pytest.mark.parametrize(
    ("z", "error", "words"),
    [
        (torch.full((3, 4), float("nan")), ValueError, "z must be finite"),
        (torch.tensor([[1.0, float("inf")]]), ValueError, "z must be finite"),
        (torch.full((3, 4), 1e30), ValueError, "small enough to square"),
        (torch.ones(3), ValueError, "z must have shape"),
        (torch.ones(3, 0), ValueError, "z must have shape"),
        (torch.ones(0, 3), ValueError, "z must have at least 1 token"),
        (torch.ones(3, 4, dtype=torch.float16), TypeError, r"convert with \.float\(\)"),
        (torch.ones(3, 4, dtype=torch.int64), TypeError, "z must be float32 or float64"),
        ([[1.0, 2.0]], TypeError, "z must be one tensor, got list"),
    ],
)
def test_unfit_states_are_refused(z, error, words):
    for call in (entropy.matrix_entropy, entropy.effective_rank, entropy.spectrum, gram):
        with pytest.raises(error, match=words):
            call(z)


@pytest.mark.parametrize(
    ("k", "words"),
    [
        (torch.ones(3, 4), "k must be a Gram matrix"),
        (torch.tensor([[1.0, 0.5], [0.0, 1.0]]), "k must be symmetric"),
        (torch.diag(torch.tensor([1.0, -1.0])), "k must have squared lengths on its diagonal"),
        (torch.full((2, 2), float("nan")), "k must be finite"),
    ],
)
def test_what_is_no_gram_matrix_is_refused(k, words):
    for call in (entropy.from_gram, entropy.spectrum_from_gram):
        with pytest.raises(ValueError, match=words):
            call(k)


def test_a_matrix_with_an_eigenvalue_far_below_zero_is_refused():
    cosines = gram(
        torch.stack([torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.75**0.5]), -torch.ones(2) / 2**0.5])
    )
    k = torch.tensor([[1.0, 0.9, 0.0], [0.9, 1.0, 0.9], [0.0, 0.9, 1.0]])
    assert cosines.min() < 0, "the angles of three unit vectors"
    assert entropy.from_gram(cosines) > 0
    with pytest.raises(ValueError, match="k must be positive semi-definite"):
        entropy.from_gram(k)


@pytest.mark.parametrize("weights", [torch.tensor([1.0, -0.1]), torch.tensor([1.0, float("nan")])])
def test_unfit_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be finite and at least 0"):
        entropy.renyi(weights)

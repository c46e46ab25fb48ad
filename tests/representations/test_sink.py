"""What one massive token does to the entropy of all: a bound that holds always, and says almost everything."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.representations import entropy, sink
from oraledu.representations.gram import gram
from tests.representations.samples import normal, rotation

PROMPTS = given(
    tokens=st.integers(2, 12), width=st.integers(1, 12), size=st.floats(0.01, 100), seed=st.integers(0, 1000)
)


@settings(max_examples=30)
@PROMPTS
def test_no_entropy_lies_above_the_bound(tokens, width, size, seed):
    z = normal(tokens, width, seed=seed)
    z[0] *= size
    for token in (0, tokens - 1):
        share = sink.share(gram(z), token)
        rest = torch.cat([z[:token], z[token + 1 :]])
        found, bound = entropy.matrix_entropy(z), sink.entropy_bound(share, tokens)
        tighter = sink.entropy_bound(share, tokens, others=entropy.matrix_entropy(rest))
        assert found <= tighter + 1e-9
        assert tighter <= bound + 1e-9


@pytest.mark.parametrize("size", [0.1, 1.0, 10.0, 100.0, 1000.0])
def test_the_bound_is_met_by_orthogonal_tokens_of_one_length(size):
    z = rotation(24)
    z[0] *= size
    share = sink.share(gram(z))
    assert share.item() == pytest.approx(size**2 / (size**2 + 23))
    assert torch.isclose(entropy.matrix_entropy(z), sink.entropy_bound(share, 24), rtol=1e-6)


@pytest.mark.parametrize(("size", "expected"), [(10, 0.3361), (100, 0.00737), (1000, 0.000107)])
def test_the_closed_form_predicts_random_tokens(size, expected):
    z = torch.nn.functional.normalize(normal(24, 576), dim=1)
    z[0] *= size
    bound = sink.entropy_bound(sink.share(gram(z)), 24).item() / math.log(24)
    assert bound == pytest.approx(expected, rel=5e-3)
    assert entropy.matrix_entropy(z).item() / math.log(24) == pytest.approx(expected, abs=2e-3)
    assert entropy.matrix_entropy(z[1:]) > 0.9 * math.log(24)


def test_the_bound_is_met_whatever_the_others_are_if_the_token_is_orthogonal_to_them():
    z = torch.zeros(9, 7, dtype=torch.float64)
    z[0, 0], z[1:, 1:] = 5, normal(8, 6)
    bound = sink.entropy_bound(sink.share(gram(z)), 9, others=entropy.matrix_entropy(z[1:]))
    assert torch.isclose(entropy.matrix_entropy(z), bound)


def test_a_share_is_a_part_of_the_trace():
    k = gram(normal(3, 5, 4))
    shares = torch.stack([sink.share(k, token) for token in range(5)])
    assert shares.shape == (5, 3)
    assert torch.allclose(shares.sum(dim=0), torch.ones(3).double())
    assert torch.equal(sink.share(k, -1), shares[4])
    assert sink.share(torch.zeros(4, 4)) == 0.25


@pytest.mark.parametrize("token", [5, -6])
def test_a_token_that_is_not_there_is_refused(token):
    with pytest.raises(ValueError, match="token must be one of the 5 tokens"):
        sink.share(torch.eye(5), token)


def test_unfit_shares_and_counts_are_refused():
    with pytest.raises(ValueError, match=r"share must lie in \[0, 1\]"):
        sink.entropy_bound(torch.tensor([0.5, 1.1]), 5)
    with pytest.raises(ValueError, match="tokens must be at least 2"):
        sink.entropy_bound(torch.tensor(1.0), 1)

"""Everything that is done to tokens through their Gram matrix is what is done to the tokens themselves."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.representations import entropy, gram
from tests.representations.samples import normal

SIZES = given(tokens=st.integers(2, 9), width=st.integers(1, 9), seed=st.integers(0, 1000))


def centre(z):
    return z - z.mean(dim=-2, keepdim=True)


def unit(z):
    return z / z.norm(dim=-1, keepdim=True)


@settings(max_examples=30)
@SIZES
def test_the_gram_matrix_holds_the_inner_products_of_tokens(tokens, width, seed):
    z = normal(2, tokens, width, seed=seed)
    k = gram.gram(z)
    for layer in range(2):
        for i in range(tokens):
            for j in range(tokens):
                assert k[layer, i, j].item() == pytest.approx(float(z[layer, i] @ z[layer, j]))


@settings(max_examples=30)
@SIZES
def test_centring_and_unit_length_go_through_the_gram_matrix(tokens, width, seed):
    z = normal(2, tokens, width, seed=seed) + 3
    k = gram.gram(z)
    assert torch.allclose(gram.centred(k), gram.gram(centre(z)), atol=1e-10)
    assert torch.allclose(gram.unit(k), gram.gram(unit(z)), atol=1e-10)
    assert torch.allclose(gram.centred(k).sum(dim=-1), torch.zeros(2, tokens).double(), atol=1e-9)


@pytest.mark.parametrize(
    ("convention", "prepare"),
    [
        ("raw", lambda z: z),
        ("unit", unit),
        ("centred", centre),
        ("centred-unit", lambda z: unit(centre(z))),
    ],
)
@pytest.mark.parametrize("first_token", [True, False])
def test_a_convention_is_what_it_says(convention, prepare, first_token):
    z = normal(4, 9, 20) + 1
    z[:, 0] *= 100
    expected = gram.gram(prepare(z if first_token else z[:, 1:]))
    found = gram.under(gram.gram(z), convention, first_token=first_token)
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-8)
    assert torch.allclose(entropy.from_gram(found), entropy.from_gram(expected), atol=1e-11)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_tokens_that_are_all_alike_are_exactly_zero_once_centred(dtype, size):
    z = size * normal(1, 300, dtype=dtype).expand(24, -1)
    k = gram.gram(z)
    assert not gram.centred(k).any()
    assert not gram.under(k, "centred-unit").any()
    assert entropy.from_gram(gram.under(k, "centred-unit")) == 0
    assert entropy.matrix_entropy(unit_or_zero(centre(z))).item() == pytest.approx(0, abs=1e-5)


def unit_or_zero(z):
    return torch.nn.functional.normalize(z, dim=-1)


def test_a_token_at_the_mean_is_zero_once_centred_and_the_others_are_not():
    z = torch.cat([normal(6, 40), torch.zeros(1, 40).double()])
    z[-1] = z[:-1].mean(dim=0)
    k = gram.under(gram.gram(z), "centred-unit")
    assert not k[-1].any()
    assert not k[:, -1].any()
    assert torch.allclose(k[:-1, :-1].diagonal(), torch.ones(6).double())
    others = gram.under(gram.gram(z[:-1]), "centred-unit")
    assert torch.isclose(entropy.from_gram(k), entropy.from_gram(others))


def test_entries_below_zero_are_taken_as_they_are():
    z = normal(24, 500)
    k = gram.under(gram.gram(z), "centred-unit")
    assert (k < 0).double().mean() > 0.4
    expected = entropy.matrix_entropy(unit(centre(z)))
    assert torch.isclose(entropy.from_gram(k), expected)
    assert not torch.isclose(entropy.from_gram(k.clamp(min=0)), expected, atol=0.01), (
        "what the authors' code does"
    )


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_single_precision_is_enough_beside_a_token_that_is_a_thousand_times_as_long(alpha):
    z = normal(24, 576)
    z[0] *= 1000
    for convention in gram.CONVENTIONS:
        for first_token in (True, False):
            exact = entropy.from_gram(gram.under(gram.gram(z), convention, first_token=first_token), alpha)
            k = gram.gram(z.float())
            single = entropy.from_gram(gram.under(k, convention, first_token=first_token), alpha)
            assert single.item() == pytest.approx(exact.item(), abs=1e-4)


@pytest.mark.parametrize("name", ["Raw", "", "centered", None])
def test_an_unknown_convention_is_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match="convention must be one of raw, unit, centred, centred-unit"):
        gram.under(torch.eye(3), name)


def test_no_token_is_left_without_the_only_one():
    with pytest.raises(ValueError, match="k must have at least 2 tokens"):
        gram.under(torch.eye(1), first_token=False)


@pytest.mark.parametrize("call", [gram.centred, gram.unit, gram.under])
def test_what_is_no_gram_matrix_cannot_be_prepared(call):
    with pytest.raises(ValueError, match=r"gram\(z\) makes one"):
        call(torch.ones(3, 4))
    with pytest.raises(ValueError, match="k must be symmetric"):
        call(torch.tensor([[1.0, 0.5], [0.0, 1.0]]))


def test_asymmetry_of_rounding_size_is_let_through():
    k = gram.gram(normal(5, 5))
    k[0, 1] *= 1 + 1e-15
    assert entropy.from_gram(k).isfinite()

"""Fourier multiplication, the circulant machines of theorem 5.1, and what the paper misses off the grid."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.grokking import circulant, fourier
from oraledu.grokking.arithmetic import modular_table

MODULI = st.sampled_from([3, 5, 7, 8, 11, 13])


def one_hot(digits, p):
    return torch.eye(p, dtype=torch.float64)[digits]


def dft_matrix(p):
    """F, unitary and symmetric: (p, p)."""
    return torch.fft.fft(torch.eye(p, dtype=torch.complex128), norm="ortho")


def closed_form(x1, x2):
    """What the kernel machines of theorem 5.1 compute for any real input: (..., p), (..., p) -> (..., p).

    Output l is x1' C^(-l) x2 - term / (2p + 2), with the shift C (C_i,i+1 = 1).
    """
    extra = fourier.off_grid_term(x1, x2)[..., None] / (2 * x1.shape[-1] + 2)
    return fourier.multiplication(x1, fourier.reverse(x2)) - extra


def random_inputs(p, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 5, p, generator=generator, dtype=torch.float64)


@given(MODULI, st.integers(0, 1000))
def test_multiplication_is_its_definition_and_a_cyclic_convolution(p, seed):
    x1, x2 = random_inputs(p, seed)
    matrix = dft_matrix(p)
    product = (x1.to(matrix.dtype) @ matrix) * (x2.to(matrix.dtype) @ matrix)
    definition = p**0.5 * product @ matrix.conj()
    assert definition.imag.abs().max() < 1e-12
    result = fourier.multiplication(x1, x2)
    assert torch.allclose(result, definition.real)
    for label in range(p):
        summed = sum(x1[:, k] * x2[:, (label - k) % p] for k in range(p))
        assert torch.allclose(result[:, label], summed)


@given(st.integers(2, 40))
def test_multiplication_adds_one_hot_digits(p):
    a, b = torch.cartesian_prod(torch.arange(p), torch.arange(p)).T
    result = fourier.multiplication(one_hot(a, p), one_hot(b, p))
    assert torch.allclose(result, one_hot((a + b) % p, p), atol=1e-12)


@given(MODULI, st.integers(0, 1000))
def test_reversing_conjugates_the_transform_and_subtracts(p, seed):
    x, _ = random_inputs(p, seed)
    assert torch.allclose(torch.fft.fft(fourier.reverse(x)), torch.fft.fft(x).conj())
    pairs, differences = modular_table("-", p)
    result = fourier.multiplication(one_hot(pairs[:, 0], p), fourier.reverse(one_hot(pairs[:, 1], p)))
    assert torch.allclose(result, one_hot(differences, p), atol=1e-12)


@given(MODULI)
def test_the_printed_index_of_equation_14_is_off_by_one(p):
    pairs, differences = modular_table("-", p)
    result = fourier.multiplication(fourier.reverse(one_hot(pairs[:, 0], p)), one_hot(pairs[:, 1], p))
    label = torch.arange(p)
    assert torch.allclose(result[:, (p - label) % p], one_hot(differences, p), atol=1e-12)
    printed = result[:, (p - label - 1) % p] - one_hot(differences, p)
    assert printed.abs().max() == pytest.approx(1.0)


@given(MODULI, st.integers(0, 1000))
def test_a_circulant_block_is_diagonal_in_the_fourier_basis(p, seed):
    row = random_inputs(p, seed)[0, 0]
    matrix = dft_matrix(p)
    eigenvalues = p**0.5 * matrix @ row.to(matrix.dtype)
    rebuilt = matrix @ torch.diag(eigenvalues) @ matrix.conj().T  # lemma J.2
    assert torch.allclose(rebuilt.real, circulant.circulant_matrix(row, "toeplitz"))
    assert rebuilt.imag.abs().max() < 1e-12


@pytest.mark.parametrize("p", [5, 7, 13])
@pytest.mark.parametrize("label", [0, 1, 3])
def test_the_coefficients_of_theorem_5_1_have_their_closed_form(p, label):
    solved = fourier.solved_coefficients(p, label)
    closed = fourier.shift_power(p, 3 * label) / 2 - 1 / (2 * p + 2)
    assert torch.allclose(solved, closed, atol=1e-12)


@pytest.mark.parametrize("p", [5, 7, 13])
def test_the_gram_matrix_of_theorem_5_1_is_indefinite_with_five_eigenvalues(p):
    found = torch.linalg.eigvalsh(fourier.class_gram(p, 2))
    distinct = torch.tensor([-(p + 2), -2, 2, p + 2, 2 * p + 2], dtype=torch.float64)
    distances = (found[:, None] - distinct).abs()
    assert distances.min(dim=1).values.max() < 1e-10
    assert distances.min(dim=0).values.max() < 1e-10


@pytest.mark.parametrize("p", [5, 7])
def test_the_metric_is_made_of_shifts(p):
    metric = fourier.class_metric(p, 2)
    assert torch.equal(metric, metric.T)
    once = fourier.shift_power(p, 1)
    assert once[0, 1] == 1
    assert torch.equal(metric[:p, p:], once @ once)


@pytest.mark.parametrize("p", [3, 7, 13])
def test_on_the_grid_the_machines_subtract(p):
    pairs, differences = modular_table("-", p)
    x1, x2 = one_hot(pairs[:, 0], p), one_hot(pairs[:, 1], p)
    assert fourier.off_grid_term(x1, x2).abs().max() == 0
    for machine in (closed_form, fourier.solved_machines):
        assert torch.allclose(machine(x1, x2), one_hot(differences, p), atol=1e-10)


@given(p=st.sampled_from([3, 5, 7, 11]), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_off_the_grid_the_extra_term_makes_the_difference(p, seed):
    x1, x2 = random_inputs(p, seed)
    solved = fourier.solved_machines(x1, x2)
    assert torch.allclose(closed_form(x1, x2), solved, atol=1e-9)
    without_term = fourier.multiplication(x1, fourier.reverse(x2))
    assert (without_term - solved).abs().max() > 1e-3


@pytest.mark.parametrize(
    "function",
    [fourier.multiplication, fourier.off_grid_term, fourier.solved_machines],
)
def test_vectors_of_two_lengths_are_refused(function):
    with pytest.raises(ValueError, match="x1 and x2 must have one length p"):
        function(torch.ones(2, 5), torch.ones(2, 7))

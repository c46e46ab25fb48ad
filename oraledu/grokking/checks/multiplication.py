"""Exercise 7: adding digits by multiplying phases."""

import torch
from torch import Tensor
from torch.fft import fft, ifft

from oraledu.course.exercise import Case, Exercise, Function
from oraledu.course.slips import slips
from oraledu.grokking import fourier


def cases(generator: torch.Generator) -> list[Case]:
    """Return a pair of digits, random vectors of odd and even length, stacks, small ones and float32."""
    digits = torch.eye(7, dtype=torch.float64)
    return [
        Case("the digits 2 and 6 modulo 7", (digits[2], digits[6])),
        Case("random vectors", (_vectors(generator, 11), _vectors(generator, 11))),
        Case("a stack of vectors", (_vectors(generator, 4, 3, 5), _vectors(generator, 4, 3, 5))),
        Case("one vector against a stack", (_vectors(generator, 13), _vectors(generator, 6, 13))),
        Case("random vectors in float32", (_vectors(generator, 11).float(), _vectors(generator, 11).float())),
        Case("vectors of even length", (_vectors(generator, 6), _vectors(generator, 3, 6))),
        Case("vectors of length 1", (_vectors(generator, 1), _vectors(generator, 1))),
        Case("small vectors", (1e-4 * _vectors(generator, 11), 1e-4 * _vectors(generator, 11))),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return as many vectors as there are pairs of digits at p = 61."""
    return Case("p = 61", (_vectors(generator, 61**2, 61), _vectors(generator, 61**2, 61)))


def _vectors(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def adds_all_digits(function: Function, generator: torch.Generator) -> str | None:
    """Ask for e_(a+b) from e_a and e_b, for all pairs at once."""
    p = 11
    digits = torch.eye(p, dtype=torch.float64)
    place = torch.arange(p)
    found = function(digits[:, None], digits[None])
    expected = digits[(place[:, None] + place) % p]
    if found.shape != expected.shape:
        return (
            f"for vectors of shape ({p}, 1, {p}) and (1, {p}, {p}) the result has shape {tuple(found.shape)}"
        )
    wrong = (found - expected).abs().amax(-1) > 1e-10
    if not wrong.any():
        return None
    a, b = wrong.nonzero()[0].tolist()
    return f"{a} + {b} modulo {p} should give 1 at {(a + b) % p} and 0 elsewhere"


def is_the_cyclic_convolution(function: Function, generator: torch.Generator) -> str | None:
    """Ask for y_l = Σ_k x1[k] x2[l - k] on vectors that are not digits, in which x1 and x2 can be exchanged."""
    for p in (7, 10):
        x1, x2 = _vectors(generator, p), _vectors(generator, p)
        k = torch.arange(p)
        expected = torch.stack([x1 @ x2[(place - k) % p] for place in range(p)])
        found = function(x1, x2)
        if not (found - function(x2, x1)).abs().max() < 1e-10:
            return "exchanging the two vectors should change nothing: addition commutes"
        if not (found - expected).abs().max() < 1e-10:
            return "off the digits it should be the sum over k of x1[k] x2[l - k]"
    return None


def product(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the inverse transform of the product of the transforms."""
    phases = fft(x1) * fft(x2)
    return ifft(phases).real


WRONG = r"""
(x2) => (x2).conj() :: A conjugate on the second factor subtracts its phases: it gives a - b
) * fft(x2) =>  + x2) :: Multiply the two transforms; you transform the sum of the vectors
fft(x1) * fft(x2) => fft(x1, norm="ortho") * fft(x2, norm="ortho")
phases) => phases, norm="ortho") :: With three unitary transforms a factor sqrt(p) is missing
ifft(phases).real => fft(phases).real / x1.shape[-1]
  :: To compare with F e_l the transform has to go back: ifft, not fft
phases) => phases, norm="forward") :: The sum over the frequencies needs the factor 1/p
.real => :: The result is real for real inputs: return its real part
.real => .abs() :: Take the real part, not the absolute value: negative entries are lost
fft(x1) * fft(x2) => fft(x1, dim=0) * fft(x2, dim=0)
phases) => phases, dim=0) :: The transform runs along the last dimension; others are a stack
fft(x1) * fft(x2) => fft(x1).real * fft(x2).real :: Keep the transforms complex: the phases are what is added
ifft(phases).real => x1 * x2 :: Multiply the transforms, not the vectors themselves
fft(x1) * fft(x2) => torch.fft.rfft(x1) * torch.fft.rfft(x2)
ifft(phases).real => torch.fft.irfft(phases) :: Without n=p, irfft takes the length to be even
fft(x1) * fft(x2) => torch.fft.rfft(x1) * torch.fft.rfft(x2)
ifft(phases).real => torch.fft.irfft(phases, n=2 * phases.shape[-1] - 1)
  :: The length p may be even too: give it to irfft as it is
ifft(phases).real => (y := ifft(phases).real).where(y.abs() > 1e-6, 0)
  :: A small value is a value: set nothing to 0
"""

multiplication = Exercise(
    id="grokking.multiplication",
    title="Fourier multiplication",
    reference=fourier.multiplication,
    cases=cases,
    properties=[adds_all_digits, is_the_cyclic_convolution],
    wrong_answers=slips(product, WRONG),
    hints=[
        "`torch.fft.fft(x)` is $\\sqrt p\\, F x$. What is the transform of $e_a$, and what does the product of two of "
        "them look like?",
        "The inner products with all $F e_l$ at once are the conjugate transform of the product, which is "
        "`torch.fft.ifft` up to a factor. Count the powers of $\\sqrt p$ on one example.",
    ],
    full_size=full_size,
)

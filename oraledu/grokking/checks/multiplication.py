"""Exercise 7: adding digits by multiplying phases."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.grokking import fourier


def cases(generator: torch.Generator) -> list[Case]:
    """Return a pair of digits, random vectors, a stack of them, and vectors in float32."""
    digits = torch.eye(7, dtype=torch.float64)
    return [
        Case("the digits 2 and 6 modulo 7", (digits[2], digits[6])),
        Case("random vectors", (_vectors(generator, 11), _vectors(generator, 11))),
        Case("a stack of vectors", (_vectors(generator, 4, 3, 5), _vectors(generator, 4, 3, 5))),
        Case("one vector against a stack", (_vectors(generator, 13), _vectors(generator, 6, 13))),
        Case("random vectors in float32", (_vectors(generator, 11).float(), _vectors(generator, 11).float())),
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
    """Ask for y_l = Σ_k x1[k] x2[l - k] on vectors that are not digits."""
    p = 7
    x1, x2 = _vectors(generator, p), _vectors(generator, p)
    k = torch.arange(p)
    expected = torch.stack([x1 @ x2[(place - k) % p] for place in range(p)])
    close = (function(x1, x2) - expected).abs().max() < 1e-10
    return None if close else "off the digits it should be the sum over k of x1[k] x2[l - k]"


def its_factors_can_be_exchanged(function: Function, generator: torch.Generator) -> str | None:
    """Ask for x1 · x2 = x2 · x1."""
    x1, x2 = _vectors(generator, 9), _vectors(generator, 9)
    close = (function(x1, x2) - function(x2, x1)).abs().max() < 1e-10
    return None if close else "exchanging the two vectors should change nothing: addition commutes"


def _conjugate(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.fft.ifft(torch.fft.fft(x1) * torch.fft.fft(x2).conj()).real


def _of_the_sum(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.fft.ifft(torch.fft.fft(x1 + x2)).real


def _unitary_throughout(x1: Tensor, x2: Tensor) -> Tensor:
    product = torch.fft.fft(x1, norm="ortho") * torch.fft.fft(x2, norm="ortho")
    return torch.fft.ifft(product, norm="ortho").real


def _forward_again(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.fft.fft(torch.fft.fft(x1) * torch.fft.fft(x2)).real / x1.shape[-1]


def _no_factor(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.fft.ifft(torch.fft.fft(x1) * torch.fft.fft(x2), norm="forward").real


def _complex(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.fft.ifft(torch.fft.fft(x1) * torch.fft.fft(x2))


def _absolute(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.fft.ifft(torch.fft.fft(x1) * torch.fft.fft(x2)).abs()


def _over_the_first_dimension(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.fft.ifft(torch.fft.fft(x1, dim=0) * torch.fft.fft(x2, dim=0), dim=0).real


def _real_parts(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.fft.ifft(torch.fft.fft(x1).real * torch.fft.fft(x2).real).real


def _without_a_transform(x1: Tensor, x2: Tensor) -> Tensor:
    return x1 * x2


multiplication = Exercise(
    id="grokking.multiplication",
    title="Fourier multiplication",
    reference=fourier.multiplication,
    cases=cases,
    properties=[
        Property("adds all digits", adds_all_digits),
        Property("the cyclic convolution", is_the_cyclic_convolution),
        Property("its factors can be exchanged", its_factors_can_be_exchanged),
    ],
    wrong_answers=[
        WrongAnswer(_conjugate, "A conjugate on the second factor subtracts its phases: it gives a - b"),
        WrongAnswer(_of_the_sum, "Multiply the two transforms; you transform the sum of the vectors"),
        WrongAnswer(_unitary_throughout, "With three unitary transforms a factor sqrt(p) is missing"),
        WrongAnswer(_forward_again, "To compare with F e_l the transform has to go back: ifft, not fft"),
        WrongAnswer(_no_factor, "The sum over the frequencies needs the factor 1/p"),
        WrongAnswer(_complex, "The result is real for real inputs: return its real part"),
        WrongAnswer(_absolute, "Take the real part, not the absolute value: negative entries are lost"),
        WrongAnswer(
            _over_the_first_dimension, "The transform runs along the last dimension; others are a stack"
        ),
        WrongAnswer(_real_parts, "Keep the transforms complex: the phases are what is added"),
        WrongAnswer(_without_a_transform, "Multiply the transforms, not the vectors themselves"),
    ],
    hints=[
        "`torch.fft.fft(x)` is $\\sqrt p\\, F x$. What is the transform of $e_a$, and what does the product of two of "
        "them look like?",
        "The inner products with all $F e_l$ at once are the conjugate transform of the product, which is "
        "`torch.fft.ifft` up to a factor. Count the powers of $\\sqrt p$ on one example.",
    ],
    full_size=full_size,
)

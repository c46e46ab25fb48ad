"""Exercise 11: what one massive token leaves of the entropy."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.representations import entropy, sink
from oraledu.representations.checks.inputs import LAYERS, TOKENS, largest_difference, normal, states


def cases(generator: torch.Generator) -> list[Case]:
    """Return shares of many layers, a single one, shares 0 and 1, two tokens, and float32."""
    shares = torch.rand(6, generator=generator, dtype=torch.float64)
    return [
        Case("six shares, 24 tokens", (shares, 24)),
        Case("a single share", (shares[0].clone(), 10)),
        Case("two tokens", (shares, 2)),
        Case("shares of prompts and layers", (shares.reshape(2, 3), 7)),
        Case("shares near 1", (1 - 1e-3 * shares, 24)),
        Case("the shares 0 and 1", (torch.tensor([0.0, 1.0, 0.5]).double(), 24)),
        Case("shares in float32", (shares.float(), 24)),
        Case("the shares 0 and 1 in float32", (torch.tensor([0.0, 1.0, 0.5]), 24)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the shares of the first token in 200 prompts at all layers."""
    return Case("200 prompts, 32 layers", (torch.rand(200, LAYERS, generator=generator), TOKENS))


def no_entropy_lies_above_it(function: Function, generator: torch.Generator) -> str | None:
    """Compare with the entropies of random tokens, the first of them stretched more and more."""
    for tokens, width in ((2, 3), (6, 20), (9, 4)):
        for stretch in (0.1, 1.0, 3.0, 30.0):
            z = states(generator, tokens, width)
            z[0] *= stretch
            share = z[0].square().sum() / z.square().sum()
            if not float(entropy.matrix_entropy(z)) < float(function(share, tokens)) + 1e-6:
                return f"for {tokens} tokens with a first one of share {float(share):.3f}, S_1 lies above the bound"
    return None


def orthogonal_tokens_reach_it(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the entropy itself if the others are orthogonal and of one length, and nearly so in many dimensions."""
    tokens = 24
    for length in (0.5, 3.0, 10.0, 100.0):
        share = torch.tensor(length**2 / (length**2 + tokens - 1), dtype=torch.float64)
        z = torch.eye(tokens, dtype=torch.float64)
        z[0] *= length
        if not largest_difference(function(share, tokens), entropy.matrix_entropy(z)) < 1e-6:
            return f"for orthogonal tokens of length 1, and {length:g} for the first, it should be S_1 itself"
        z = torch.nn.functional.normalize(normal(generator, tokens, 512))
        z[0] *= length
        if not largest_difference(function(share, tokens), entropy.matrix_entropy(z)) < 0.02 * math.log(
            tokens
        ):
            return f"for random tokens of length 1, and {length:g} for the first, it should be near S_1"
    return None


def is_largest_at_an_equal_share(function: Function, generator: torch.Generator) -> str | None:
    """Ask for log(T - 1) at share 0, log T at 1/T, 0 at share 1, and a fall after the top."""
    for tokens in (2, 5, 25):
        for share, expected in ((0.0, math.log(tokens - 1)), (1 / tokens, math.log(tokens)), (1.0, 0.0)):
            if not largest_difference(function(torch.tensor(share).double(), tokens), expected) < 1e-6:
                return f"for {tokens} tokens and the share {share:g} it should be {expected:.4g}"
        falling = function(torch.linspace(1 / tokens, 1, 20, dtype=torch.float64), tokens)
        if not (falling.diff() < 0).all():
            return f"for {tokens} tokens it should fall as the share grows from 1/{tokens} to 1"
    return None


def _h(f: Tensor) -> Tensor:
    return torch.special.entr(f) + torch.special.entr(1 - f)


def _changed(
    *,
    mix: Callable[[Tensor], Tensor] = _h,
    weight: Callable[[Tensor], Tensor] = lambda f: 1 - f,
    rest: Callable[[int], float] = lambda tokens: math.log(tokens - 1),
    finish: Callable[[Tensor, int], Tensor] = lambda result, tokens: result,
) -> Function:
    """Return the bound with one thing changed."""

    def entropy_bound(share: Tensor, tokens: int) -> Tensor:
        return finish(mix(share) + weight(share) * rest(tokens), tokens)

    return entropy_bound


def _squared_again(share: Tensor, tokens: int) -> Tensor:
    f = share.square() / (share.square() + tokens - 1)
    return _h(f) + (1 - f) * math.log(tokens - 1)


entropy_bound = Exercise(
    id="representations.entropy_bound",
    title="The bound that one massive token sets",
    reference=sink.entropy_bound,
    cases=cases,
    properties=[
        Property("no entropy lies above it", no_entropy_lies_above_it),
        Property("orthogonal tokens reach it", orthogonal_tokens_reach_it),
        Property("largest at an equal share", is_largest_at_an_equal_share),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(rest=lambda tokens: math.log(tokens)),
            "The massive token is not among the others: they are T - 1",
        ),
        WrongAnswer(
            _changed(weight=lambda f: torch.ones_like(f)),
            "The others carry the share 1 - f: weigh their entropy with it",
        ),
        WrongAnswer(
            _changed(weight=lambda f: f), "The entropy of the others is weighed with 1 - f, not with f"
        ),
        WrongAnswer(
            _changed(mix=torch.zeros_like), "h(f), the entropy of the split into f and 1 - f, is left out"
        ),
        WrongAnswer(_changed(mix=torch.special.entr), "h(f) has two terms: -(1 - f) log(1 - f) is left out"),
        WrongAnswer(
            _changed(mix=lambda f: torch.special.entr(1 - f)), "h(f) has two terms: -f log f is left out"
        ),
        WrongAnswer(
            _changed(mix=lambda f: -_h(f)), "h(f) is an entropy, so it is not negative: the sign is wrong"
        ),
        WrongAnswer(
            _changed(mix=lambda f: -f * f.log() - (1 - f) * (1 - f).log()),
            "At f = 0 and f = 1 this is 0 times minus infinity: `torch.special.entr` gives its limit, 0",
        ),
        WrongAnswer(
            _squared_again,
            "The share is one of squared lengths already: s²/(s² + T - 1) is how one gets it from a length s",
        ),
        WrongAnswer(
            _changed(finish=lambda result, tokens: result / math.log(tokens)),
            "Return the bound itself in nats, not its share of log T",
        ),
        WrongAnswer(
            _changed(finish=lambda result, tokens: result / math.log(2)),
            "Your bound is in bits: take natural logarithms",
        ),
        WrongAnswer(
            _changed(finish=lambda result, tokens: result.exp()),
            "This is exp of the bound: return the bound in nats",
        ),
    ],
    hints=[
        "First decide whether a direction is the massive token's or another: shares $f$ and $1 - f$, entropy $h(f)$. "
        "Then, with weight $1 - f$, which of the $T - 1$ others. When is that entropy largest?",
        "$h(f) + (1 - f) \\log(T - 1)$; `torch.special.entr(f)` is $-f \\log f$, and 0 at $f = 0$.",
    ],
    core=False,
    # log(T - 1) as a tensor in float32 is good enough.
    tolerance=1e-6,
    full_size=full_size,
)

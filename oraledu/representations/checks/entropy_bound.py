"""Exercise 11: what one massive token leaves of the entropy."""

import math

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.representations import entropy, sink
from oraledu.representations.checks.inputs import LAYERS, TOKENS, Rows, normal, states, within


def cases(generator: torch.Generator) -> list[Case]:
    """Return shares of many layers, a single one, those of the valley, shares 0 and 1, two tokens, and float32."""
    shares = torch.rand(6, generator=generator, dtype=torch.float64)
    return [
        Case("six shares, 24 tokens", (shares, 24)),
        Case("a single share", (shares[0].clone(), 10)),
        Case("two tokens", (shares, 2)),
        Case("shares of prompts and layers", (shares.reshape(2, 3), 7)),
        Case("shares near 1", (1 - 1e-3 * shares, 24)),
        Case("shares as near to 1 as in the valley", (1 - 1e-7 * shares, 24)),
        Case("the shares 0 and 1", (torch.tensor([0.0, 1.0, 0.5]).double(), 24)),
        Case("shares in float32", (shares.float(), 24)),
        Case("the shares 0 and 1 in float32", (torch.tensor([0.0, 1.0, 0.5]), 24)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the shares of the first token in a prime number of prompts at all layers."""
    return Case("199 prompts, 32 layers", (torch.rand(199, LAYERS, generator=generator), TOKENS))


def lies_above_every_entropy(function: Function, generator: torch.Generator) -> str | None:
    """Compare with the entropies of random tokens, the first of them stretched more and more."""
    for tokens, width in ((2, 3), (6, 20), (9, 4)):
        for stretch in (0.1, 1.0, 3.0, 30.0):
            z = states(generator, tokens, width)
            z[0] *= stretch
            share = z[0].square().sum() / z.square().sum()
            if not float(entropy.matrix_entropy(z)) < float(function(share, tokens)) + 1e-6:
                return f"for {tokens} tokens with a first one of share {float(share):.3f}, S_1 lies above the bound"
    return None


@within(1e-6)
def is_reached_by_orthogonal_tokens(function: Function, generator: torch.Generator) -> Rows:
    """Ask for the entropy itself if the others are orthogonal and of one length, and nearly so in many dimensions."""
    tokens = 24
    for length in (0.5, 3.0, 10.0, 100.0):
        share = torch.tensor(length**2 / (length**2 + tokens - 1), dtype=torch.float64)
        z = torch.eye(tokens, dtype=torch.float64)
        nearly = torch.nn.functional.normalize(normal(generator, tokens, 512))
        z[0] *= length
        nearly[0] *= length
        bound, told = (
            function(share, tokens),
            f"tokens of length 1, and {length:g} for the first, it should be",
        )
        yield bound, entropy.matrix_entropy(z), f"for orthogonal {told} S_1 itself"
        near = abs(float(bound - entropy.matrix_entropy(nearly))) < 0.02 * math.log(tokens)
        yield near, True, f"for random {told} near S_1"


@within(1e-6)
def is_largest_at_an_equal_share(function: Function, generator: torch.Generator) -> Rows:
    """Ask for log(T - 1) at share 0, log T at 1/T, 0 at share 1, and a fall after the top."""
    for tokens in (2, 5, 25):
        for share, expected in ((0.0, math.log(tokens - 1)), (1 / tokens, math.log(tokens)), (1.0, 0.0)):
            told = f"for {tokens} tokens and the share {share:g} it should be {expected:.4g}"
            yield function(torch.tensor(share).double(), tokens), expected, told
        falling = function(torch.linspace(1 / tokens, 1, 20, dtype=torch.float64), tokens)
        told = f"for {tokens} tokens it should fall as the share grows from 1/{tokens} to 1"
        yield bool((falling.diff() < 0).all()), True, told


def plain(share: Tensor, tokens: int) -> Tensor:
    """Add h(f) and the largest entropy of the other tokens, weighed by their share."""
    h = torch.special.entr(share) + torch.special.entr(1 - share)
    return h + (1 - share) * math.log(tokens - 1)


WRONG = r"""
math.log(tokens - 1) => math.log(tokens) :: The massive token is not among the others: they are T - 1
h + (1 - share) * => h + :: The others carry the share 1 - f: weigh their entropy with it
h + (1 - share) => h + share :: The entropy of the others is weighed with 1 - f, not with f
h + (1 - share) => (1 - share) :: h(f), the entropy of the split into f and 1 - f, is left out
entr(share) + torch.special.entr(1 - share) \
=> entr(share) :: h(f) has two terms: -(1 - f) log(1 - f) is left out
torch.special.entr(share) + => :: h(f) has two terms: -f log f is left out
return h => return -h :: h(f) is an entropy, so it is not negative: the sign is wrong
torch.special.entr(share) + torch.special.entr(1 - share) \
=> -share * share.log() - (1 - share) * (1 - share).log()
  :: At f = 0 and f = 1 this is 0 times minus infinity: `torch.special.entr` gives its limit, 0
h = torch => share = share.square() / (share.square() + tokens - 1)\n    h = torch
  :: The share is one of squared lengths already: s²/(s² + T - 1) is how one gets it from a length s
return h => total = h
(tokens - 1) => (tokens - 1)\n    return total / math.log(tokens)
  :: Return the bound itself in nats, not its share of log T
return h => total = h
(tokens - 1) => (tokens - 1)\n    return total / math.log(2) :: Your bound is in bits: take natural logarithms
return h => total = h
(tokens - 1) => (tokens - 1)\n    return total.exp() :: This is exp of the bound: return the bound in nats
h = torch => share = share.clamp(1e-6, 1 - 1e-6)\n    h = torch
  :: In the valley the share is nearer to 1 than that: leave it as it is, `entr` knows both ends
"""

entropy_bound = Exercise(
    id="representations.entropy_bound",
    title="The bound that one massive token sets",
    reference=sink.entropy_bound,
    cases=cases,
    properties=[lies_above_every_entropy, is_reached_by_orthogonal_tokens, is_largest_at_an_equal_share],
    wrong_answers=slips(plain, WRONG),
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

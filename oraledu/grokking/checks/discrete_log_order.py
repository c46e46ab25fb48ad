"""Exercise 5: the order in which multiplication looks like addition."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function
from oraledu.course.slips import slips
from oraledu.grokking import arithmetic


def cases(generator: torch.Generator) -> list[Case]:
    """Return primes whose smallest generator is 2, 3, 6 and 19, and one with a generator drawn at random."""
    roots = arithmetic.primitive_roots(23)
    drawn = roots[int(torch.randint(1, len(roots), (1,), generator=generator))]
    return [
        Case("p = 5, the smallest generator", (5,)),
        Case("p = 31, the smallest generator", (31,)),
        Case("p = 41, the smallest generator", (41,)),
        Case("p = 13, g = 7", (13, 7)),
        Case(f"p = 23, g = {drawn}", (23, drawn)),
        Case("p = 191, the smallest generator", (191,)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the prime of the large run."""
    return Case("p = 61", (61,))


def makes_multiplication_a_table_of_sums(function: Function, generator: torch.Generator) -> str | None:
    """Ask for all nonzero digits, and for a table that depends on (i + j) mod (p - 1) alone, for every generator."""
    p = 37
    if sorted(function(p).tolist()) != list(range(1, p)):
        return f"for p = {p} it does not list 1, …, {p - 1} once"
    place = torch.arange(p - 1)
    for g in arithmetic.primitive_roots(p):
        order = function(p, g)
        if not torch.equal(order[:, None] * order % p, order[(place[:, None] + place) % (p - 1)]):
            return f"with p = {p} and g = {g}, entry i times entry j is not entry (i + j) mod (p - 1)"
    return None


def refuses_what_is_no_generator(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a ValueError for every digit whose powers stop short, whatever their number."""
    for p in (7, 13, 31, 3):
        roots = arithmetic.primitive_roots(p)
        for g in (g for g in range(2 * p) if g % p not in roots):
            try:
                function(p, g)
            except ValueError:
                continue
            return f"{g} does not generate the nonzero digits modulo {p}; raise a ValueError for it"
    return None


def powers(p: int, g: int | None = None) -> Tensor:
    """Return the powers of g, or of the first base that reaches every nonzero digit."""
    for base in range(2, p) if g is None else [g]:
        order = [pow(base, i, p) for i in range(p - 1)]
        reached = len(set(order)) == p - 1 and 0 not in order
        if reached:
            return torch.tensor(order)
    raise ValueError(f"{g} is not a generator modulo {p}")


WRONG = r"""
range(p - 1) => range(1, p) :: Your list starts with g: the first power is the zeroth, which is 1
range(p - 1) => range(p) :: There are p - 1 powers; the next one is 1 again
reached: => reached or g is not None: :: A g that is not a generator has to raise a ValueError
range(2, p) => [2]
if reached => if reached or g is None :: 2 is not a generator for every prime: look for the smallest one
if reached => if pow(base, p - 1, p) == 1 if g is not None else reached
  :: Every nonzero digit has g^(p-1) = 1: this does not tell a generator from the rest
if reached => if pow(base, (p - 1) // 2, p) > 1 if g is not None else reached
  :: The powers of g can come back to 1 before the end without doing so halfway
pow(base, i, p) => 1 + base * i % (p - 1) :: It is powers of g that you need, not multiples
torch.tensor(order) => torch.tensor(order).argsort()
  :: You return the logarithm of every digit; the powers in order are its inverse
torch.tensor(order) => torch.tensor([base**i % 2**62 for i in range(p - 1)])
  :: Reduce every power modulo p, best at each step: large powers overflow
torch.tensor(order) => torch.tensor(order) if g is None else powers(p)
  :: Use the g that is given; the smallest generator is for when there is none
range(2, p) => [2, 3, 5, 7, 11] :: The smallest generator may be large, and no prime
 and 0 not in order => :: 0 is no generator for p = 3 either, where 1 and 0 are p - 1 powers
"""

discrete_log_order = Exercise(
    id="grokking.discrete_log_order",
    title="The order of the discrete logarithm",
    reference=arithmetic.discrete_log_order,
    cases=cases,
    properties=[makes_multiplication_a_table_of_sums, refuses_what_is_no_generator],
    wrong_answers=slips(powers, WRONG),
    hints=[
        "Begin with the list `[1]` and multiply by $g$ modulo $p$ until there are $p - 1$ entries.",
        "$g$ is a generator exactly if these $p - 1$ entries are all different and none of them is 0. What does "
        "`len(set(powers))` say?",
        "Without $g$, try 2, 3, … and take the first one that passes the test. Your function may call itself.",
    ],
    core=False,
    full_size=full_size,
)

"""Exercise 5: the order in which multiplication looks like addition."""

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.grokking import arithmetic


def cases(generator: torch.Generator) -> list[Case]:
    """Return primes with the smallest generator, one of them not 2, and one with a generator drawn at random."""
    roots = arithmetic.primitive_roots(23)
    drawn = roots[int(torch.randint(1, len(roots), (1,), generator=generator))]
    return [
        Case("p = 5, the smallest generator", (5,)),
        Case("p = 31, the smallest generator", (31,)),
        Case("p = 41, the smallest generator", (41,)),
        Case("p = 13, g = 7", (13, 7)),
        Case(f"p = 23, g = {drawn}", (23, drawn)),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the prime of the large run."""
    return Case("p = 61", (61,))


def lists_every_nonzero_digit_once(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a permutation of 1, …, p - 1."""
    p = 37
    order = function(p)
    return (
        None
        if sorted(order.tolist()) == list(range(1, p))
        else f"for p = {p} it does not list 1, …, {p - 1} once"
    )


def makes_multiplication_a_table_of_sums(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a multiplication table that depends on (i + j) mod (p - 1) alone, for every generator."""
    p = 19
    place = torch.arange(p - 1)
    for g in arithmetic.primitive_roots(p):
        order = function(p, g)
        table = order[:, None] * order % p
        if not torch.equal(table, order[(place[:, None] + place) % (p - 1)]):
            return f"with p = {p} and g = {g}, entry i times entry j is not entry (i + j) mod (p - 1)"
    return None


def refuses_what_is_no_generator(function: Function, generator: torch.Generator) -> str | None:
    """Ask for a ValueError for every digit whose powers stop short, whatever their number."""
    for p in (7, 13, 31):
        roots = arithmetic.primitive_roots(p)
        for g in (g for g in range(p) if g not in roots):
            try:
                function(p, g)
            except ValueError:
                continue
            return f"{g} does not generate the nonzero digits modulo {p}; raise a ValueError for it"
    return None


def _powers(p: int, g: int, first: int = 0, length: int | None = None) -> Tensor:
    return torch.tensor([pow(g, first + i, p) for i in range(p - 1 if length is None else length)])


def _generates(p: int, g: int) -> bool:
    return len(set(_powers(p, g).tolist())) == p - 1 and g % p != 0


def _checked(p: int, g: int | None) -> int:
    if g is None:
        return next(base for base in range(2, p) if _generates(p, base))
    if not _generates(p, g):
        raise ValueError(f"{g} is no generator")
    return g


def _starts_with_g(p: int, g: int | None = None) -> Tensor:
    return _powers(p, _checked(p, g), first=1)


def _one_too_many(p: int, g: int | None = None) -> Tensor:
    return _powers(p, _checked(p, g), length=p)


def _not_tested(p: int, g: int | None = None) -> Tensor:
    return _powers(p, _checked(p, None) if g is None else g)


def _always_two(p: int, g: int | None = None) -> Tensor:
    return _powers(p, 2 if g is None else _checked(p, g))


def _tested_by_fermat(p: int, g: int | None = None) -> Tensor:
    if g is not None and pow(g, p - 1, p) != 1:
        raise ValueError(f"{g} is no generator")
    return _not_tested(p, g)


def _tested_halfway(p: int, g: int | None = None) -> Tensor:
    if g is not None and pow(g, (p - 1) // 2, p) in (0, 1):
        raise ValueError(f"{g} is no generator")
    return _not_tested(p, g)


def _multiples(p: int, g: int | None = None) -> Tensor:
    return 1 + _checked(p, g) * torch.arange(p - 1) % (p - 1)


def _logarithms(p: int, g: int | None = None) -> Tensor:
    return _powers(p, _checked(p, g)).argsort()


def _not_reduced(p: int, g: int | None = None) -> Tensor:
    base = _checked(p, g)
    return torch.tensor([base**i % 2**62 for i in range(p - 1)])


def _g_ignored(p: int, g: int | None = None) -> Tensor:
    _checked(p, g)
    return _powers(p, _checked(p, None))


discrete_log_order = Exercise(
    id="grokking.discrete_log_order",
    title="The order of the discrete logarithm",
    reference=arithmetic.discrete_log_order,
    cases=cases,
    properties=[
        Property("every nonzero digit once", lists_every_nonzero_digit_once),
        Property("multiplication becomes a table of sums", makes_multiplication_a_table_of_sums),
        Property("refuses what is no generator", refuses_what_is_no_generator),
    ],
    wrong_answers=[
        WrongAnswer(_starts_with_g, "Your list starts with g: the first power is the zeroth, which is 1"),
        WrongAnswer(_one_too_many, "There are p - 1 powers; the next one is 1 again"),
        WrongAnswer(_not_tested, "A g that is not a generator has to raise a ValueError"),
        WrongAnswer(_always_two, "2 is not a generator for every prime: look for the smallest one"),
        WrongAnswer(
            _tested_by_fermat,
            "Every nonzero digit has g^(p-1) = 1: this does not tell a generator from the rest",
        ),
        WrongAnswer(
            _tested_halfway, "The powers of g can come back to 1 before the end without doing so halfway"
        ),
        WrongAnswer(_multiples, "It is powers of g that you need, not multiples"),
        WrongAnswer(
            _logarithms, "You return the logarithm of every digit; the powers in order are its inverse"
        ),
        WrongAnswer(_not_reduced, "Reduce every power modulo p, best at each step: large powers overflow"),
        WrongAnswer(_g_ignored, "Use the g that is given; the smallest generator is for when there is none"),
    ],
    hints=[
        "Begin with the list `[1]` and multiply by $g$ modulo $p$ until there are $p - 1$ entries.",
        "$g$ is a generator exactly if these $p - 1$ entries are all different and none of them is 0. What does "
        "`len(set(powers))` say?",
        "Without $g$, try 2, 3, … and take the first one that passes the test. Your function may call itself.",
    ],
    core=False,
    full_size=full_size,
    guarded=(arithmetic.primitive_roots,),
)

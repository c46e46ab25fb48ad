"""Exercise 7: the one thing that is fitted, a patch size for each noise level."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Property, WrongAnswer
from oraledu.course.sandbox import Function
from oraledu.diffusion import calibrate, machines, schedule
from oraledu.diffusion.checks import fakes
from oraledu.diffusion.checks.inputs import random_images, smooth_images
from oraledu.diffusion.sampling import Denoiser, sample

CANDIDATES = [3, 5, 1]

#: What four seeds say of four steps. Lower median, upper median, mean and mode differ; the first is the answer.
VOTES = [[1, 5, 1, 3], [3, 3, 1, 5], [5, 1, 3, 5], [5, 1, 5, 1]]
ELECTED = [3, 1, 1, 3]


def _set_up(generator: torch.Generator, seeds: int) -> tuple[Tensor, Tensor]:
    """Draw training images (5, 1, 5, 5), and noise for some seeds."""
    noise = torch.randn(seeds, 1, 5, 5, generator=generator, dtype=torch.float64)
    return random_images(5, 5, generator), noise


def cases(generator: torch.Generator) -> list[Case]:
    """Return networks that are machines with a known schedule, several at once, and machines with an error."""
    images, noise = _set_up(generator, 4)
    known, divided = fakes.machine(images, [5, 1, 3]), fakes.divided(images, noise, VOTES)
    strong = fakes.Faulty(fakes.machine(images, [3, 5, 3, 5]), 1.5, 0.8)
    dull = fakes.Faulty(fakes.machine(images, [5, 5, 5, 5]), 0.5, 0.0)
    padded = fakes.Faulty(fakes.machine(images, [3, 5, 3, 1], "zeros"), 0.8, 0.2)
    wrapped = {"noise": noise, "padding": "circular", "steps": 4}
    return [
        Case("a machine with a known schedule", (known, images, CANDIDATES), wrapped | {"steps": 3}),
        Case("a network that treats every noise differently", (divided, images, CANDIDATES), wrapped),
        Case("a network with zero padding", (padded, images, CANDIDATES), {"noise": noise, "steps": 4}),
        Case("a machine with too much contrast", (strong, images, CANDIDATES), wrapped),
        Case("a machine with too little contrast", (dull, images, CANDIDATES), wrapped),
    ]


def full_size(generator: torch.Generator) -> Case:
    """Return the lesson's steps and image size with fewer training images, for they cost everybody the same."""
    images = smooth_images(5, generator).double()
    noise = torch.randn(2, 1, 14, 14, generator=generator, dtype=torch.float64)
    network = fakes.machine(images, [7] * 5 + [5] * 5 + [3] * 10)
    return Case("20 steps", (network, images, [3, 5, 7]), {"noise": noise, "padding": "circular"})


def recovers_the_schedule_of_a_machine(function: Function, generator: torch.Generator) -> str | None:
    """Hand over machines with schedules of any order, and ask for these."""
    images, noise = _set_up(generator, 2)
    drawn = [CANDIDATES[place] for place in torch.randint(3, (4,), generator=generator).tolist()]
    for expected in ([5, 5, 3, 1], [1, 3, 3, 5], drawn):
        network = fakes.machine(images, expected)
        found = function(network, images, CANDIDATES, noise=noise, padding="circular", steps=4)
        if found != expected:
            return f"a machine that uses the patches {expected} is taken for one with {found}"
    return None


def every_seed_has_one_vote(function: Function, generator: torch.Generator) -> str | None:
    """Hand over a network in which each seed has its own schedule, and ask for the lower median of every step."""
    images, noise = _set_up(generator, 4)
    network = fakes.divided(images, noise, VOTES)
    found = function(network, images, CANDIDATES, noise=noise, padding="circular", steps=4)
    if found == ELECTED:
        return None
    return f"where the noises have the schedules {VOTES}, the lower median of each step is {ELECTED}, not {found}"


def the_order_of_the_candidates_does_not_count(function: Function, generator: torch.Generator) -> str | None:
    """Ask for the same schedule from the candidates in another order."""
    images, noise = _set_up(generator, 3)
    network = fakes.Faulty(fakes.machine(images, [5, 3, 1]), 0.8, 0.3)
    options = {"noise": noise, "padding": "circular", "steps": 3}
    same = function(network, images, [1, 3, 5], **options) == function(network, images, [5, 1, 3], **options)
    return None if same else "the candidates in another order should give the same patches"


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    one, other = one.flatten(1), other.flatten(1)
    return (one * other).sum(1) / (one.norm(dim=1) * other.norm(dim=1))


def _votes(agreement: Tensor, sizes: Tensor) -> Tensor:
    return sizes[agreement.argmax(0)].double()


def _changed(
    *,
    compared: Callable[[Tensor, Tensor, float], Tensor] = machines.score,
    agree: Callable[[Tensor, Tensor], Tensor] = _cosine,
    collect: Callable[[Tensor, Tensor], Tensor] = lambda agreement, sizes: _votes(agreement, sizes).median(),
    finish: Callable[[list[int]], Sequence[int] | Tensor] = lambda found: found,
    visit: Callable[[Tensor, Tensor, int], Tensor] | None = None,
    machine: str = "equivariant-local",
    wrap: Callable[[str], str] = lambda padding: padding,
    count: Callable[[int], int] = lambda steps: steps,
) -> Function:
    """Return the plain method with one thing changed."""

    def patch_schedule(
        network: Denoiser,
        images: Tensor,
        candidates: Sequence[int],
        *,
        noise: Tensor,
        padding: str = "zeros",
        steps: int = 20,
    ) -> Sequence[int] | Tensor:
        run = sample(network, noise, steps=count(steps))
        sizes = torch.tensor(list(candidates))
        found = []
        for step, t in enumerate(run.times[:-1]):
            x, theirs, alpha_bar = run.noisy[step], run.denoised[step], schedule.alpha_bar(t)
            if visit:
                x = visit(run.noisy, noise, step)
                theirs = network(x, t)
            agreement = []
            for patch in candidates:
                ours = machines.denoise(
                    x, images, alpha_bar, machine=machine, patch=patch, padding=wrap(padding)
                )
                agreement.append(agree(compared(x, theirs, alpha_bar), compared(x, ours, alpha_bar)))
            found.append(int(collect(torch.stack(agreement), sizes)))
        return finish(found)

    return patch_schedule


def _centred_score(x: Tensor, denoised: Tensor, alpha_bar: float) -> Tensor:
    score = machines.score(x, denoised, alpha_bar)
    return score - score.mean((1, 2, 3), keepdim=True)


patch_schedule = Exercise(
    id="diffusion.patch_schedule",
    title="The patch size of each noise level",
    reference=calibrate.patch_schedule,
    cases=cases,
    properties=[
        Property("recovers a machine's schedule", recovers_the_schedule_of_a_machine),
        Property("every noise has one vote", every_seed_has_one_vote),
        Property("candidates have no order", the_order_of_the_candidates_does_not_count),
    ],
    wrong_answers=[
        WrongAnswer(
            _changed(collect=lambda agreement, sizes: _votes(-agreement, sizes).median()),
            "Take the candidate of the largest cosine; yours has the smallest",
        ),
        WrongAnswer(
            _changed(collect=lambda agreement, sizes: agreement.argmax(0).median()),
            "Return the patch size, not its place among the candidates",
        ),
        WrongAnswer(
            _changed(collect=lambda agreement, sizes: sizes[agreement.argmax(0).median()]),
            "Take the median of the patch sizes, not of their places among the candidates",
        ),
        WrongAnswer(
            _changed(
                collect=lambda agreement, sizes: _votes(agreement, sizes).quantile(
                    0.5, interpolation="higher"
                )
            ),
            "For an even number of noises take the lower median, which is what `torch.median` gives",
        ),
        WrongAnswer(
            _changed(collect=lambda agreement, sizes: _votes(agreement, sizes).mean().round()),
            "Take the median over the noises, not the mean",
        ),
        WrongAnswer(
            _changed(collect=lambda agreement, sizes: _votes(agreement, sizes).mode().values),
            "Take the median over the noises, not the most frequent size",
        ),
        WrongAnswer(
            _changed(collect=lambda agreement, sizes: sizes[agreement.mean(1).argmax()]),
            "Choose for each noise first, then take the median; yours averages the cosines over the noises",
        ),
        WrongAnswer(
            _changed(collect=lambda agreement, sizes: sizes[agreement[:, 0].argmax()]),
            "All noises have a vote, not the first one alone",
        ),
        WrongAnswer(
            _changed(compared=lambda x, denoised, alpha_bar: denoised),
            "Compare the scores (a x̂₀ - x)/b², not the estimates x̂₀",
        ),
        WrongAnswer(
            _changed(agree=lambda one, other: -(one - other).flatten(1).norm(dim=1)),
            "Compare the directions of the scores by their cosine, not by a distance",
        ),
        WrongAnswer(_changed(compared=_centred_score), "This cosine is plain: the scores keep their mean"),
        WrongAnswer(
            _changed(agree=lambda one, other: (one * other).flatten(1).sum(1)),
            "Divide by both norms: the product alone favours the longer score",
        ),
        WrongAnswer(
            _changed(finish=lambda found: found[::-1]),
            "The list is in the sampler's order: its first entry belongs to t = 1",
        ),
        WrongAnswer(
            _changed(finish=lambda found: sorted(found, reverse=True)),
            "Do not sort the result: that it falls with t is a finding",
        ),
        WrongAnswer(_changed(finish=torch.tensor), "Return a list of whole numbers, not a tensor"),
        WrongAnswer(
            _changed(visit=lambda noisy, noise, step: noise),
            "Compare along the network's own trajectory, not on pure noise at every step",
        ),
        WrongAnswer(
            _changed(visit=lambda noisy, noise, step: noisy[step + 1]),
            "Off by one: the noisy images of a step belong to the time before it",
        ),
        WrongAnswer(
            _changed(machine="local"), "Compare with the equivariant-local machine, not with the local one"
        ),
        WrongAnswer(
            _changed(wrap=lambda padding: "zeros"), "The machine needs the padding that the network has"
        ),
        WrongAnswer(
            _changed(wrap=lambda padding: "circular"),
            "The padding is an argument, and it is not always circular",
        ),
        WrongAnswer(
            _changed(count=lambda steps: 20), "The number of steps is an argument, and it is not always 20"
        ),
    ],
    hints=[
        "`way = sampling.sample(network, noise, steps=steps)` has all that the network did: at `way.times[j]` it was "
        "given `way.noisy[j]` and answered `way.denoised[j]`. There is one time more than there are answers.",
        "At each step compute the score of the network once, and that of the machine for every candidate: "
        '`machines.score(x, machines.denoise(x, images, alpha_bar(t), machine="equivariant-local", patch=k, '
        "padding=padding), alpha_bar(t))` with `schedule.alpha_bar`. Their cosine is one number for each noise: "
        "flatten, multiply, sum, divide by both norms.",
        "Stack the cosines to a (candidates × noises) tensor. `torch.tensor(candidates)[cosines.argmax(0)]` is the "
        "best patch of every noise, and `.median()` the lower median. At $t = 1$ the cosines differ after the sixth "
        "digit: compute them in `double()`.",
    ],
    full_size=full_size,
    slow_factor=8,
    time_limit=30,
)

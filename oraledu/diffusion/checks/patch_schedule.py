"""Exercise 7: the one thing that is fitted, a patch size for each noise level."""

from collections.abc import Sequence

import torch
from torch import Tensor

from oraledu.course.exercise import Case, Exercise, Function, slips
from oraledu.diffusion import calibrate, machines, schedule
from oraledu.diffusion.checks import fakes
from oraledu.diffusion.checks.inputs import normal, random_images, smooth_images
from oraledu.diffusion.sampling import Denoiser, sample

CANDIDATES = [3, 5, 1]

#: What four seeds say of four steps. Lower median, upper median, mean and mode differ; the first is the answer.
VOTES = [[1, 5, 1, 3], [3, 3, 1, 5], [5, 1, 3, 5], [5, 1, 5, 1]]
#: The lower median of all four, and that of the first three.
ELECTED = {4: [3, 1, 1, 3], 3: [3, 3, 1, 5]}


def cases(generator: torch.Generator) -> list[Case]:
    """Return networks that are machines with a known schedule, several at once, and machines with an error."""
    images, noise = random_images(5, 5, generator), normal(generator, 4, 1, 5, 5)
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
    network = fakes.machine(images, [7] * 5 + [5] * 5 + [3] * 10)
    options = {"noise": normal(generator, 2, 1, 14, 14), "padding": "circular"}
    return Case("20 steps", (network, images, [3, 5, 7]), options)


def recovers_the_schedule_of_a_machine(function: Function, generator: torch.Generator) -> str | None:
    """Hand over machines with schedules of any order, and ask for these, whatever the order of the candidates."""
    images, noise = random_images(5, 5, generator), normal(generator, 2, 1, 5, 5)
    drawn = [CANDIDATES[place] for place in torch.randint(3, (4,), generator=generator).tolist()]
    for expected in ([5, 5, 3, 1], [1, 3, 3, 5], drawn):
        network = fakes.machine(images, expected)
        found = function(network, images, CANDIDATES, noise=noise, padding="circular", steps=4)
        if found != expected:
            return f"a machine that uses the patches {expected} is taken for one with {found}"
    if function(network, images, [5, 1, 3], noise=noise, padding="circular", steps=4) != found:
        return "the candidates in another order should give the same patches"
    if function(fakes.machine(images, [3] * 20, "zeros"), images, [3], noise=noise[:1]) != [3] * 20:
        return "where neither padding nor steps are given, these are zeros and 20"
    # The lesson's numbers have 32 bits, and faint images leave the cosines at t = 1 the more alike.
    faint, start = (0.3 * images).float(), normal(generator, 3, 1, 5, 5).float()
    for patch in (5, 1, 1):
        network = fakes.machine(faint, [patch])
        found = function(network, faint, CANDIDATES, noise=start, padding="circular", steps=1)
        if found != [patch]:
            return f"in float32 at t = 1, the patch {patch} is taken for {found}: the cosines need `double()`"
    return None


def every_noise_has_one_vote(function: Function, generator: torch.Generator) -> str | None:
    """Hand over a network in which each seed has its own schedule, and ask for the lower median of every step."""
    images, noise = random_images(5, 5, generator), normal(generator, 4, 1, 5, 5)
    network = fakes.divided(images, noise, VOTES)
    for count, elected in ELECTED.items():
        options = {"noise": noise[:count], "padding": "circular", "steps": 4}
        found = function(network, images, CANDIDATES, **options)
        if found != elected:
            median = f"the lower median of each step is {elected}, not {found}"
            return f"where the noises have the schedules {VOTES[:count]}, {median}"
    return None


def plain(
    network: Denoiser,
    images: Tensor,
    candidates: Sequence[int],
    *,
    noise: Tensor,
    padding: str = "zeros",
    steps: int = 20,
) -> list[int]:
    """Follow the network, and compare its score at each step with that of every candidate."""
    way, sizes, found = sample(network, noise, steps=steps), torch.tensor(candidates), []
    for step in range(steps):
        t, cosines = way.times[step], []
        x, theirs, level = way.noisy[step], way.denoised[step], schedule.alpha_bar(t)
        y = machines.score(x, theirs, level).flatten(1).double()
        for patch in candidates:
            ours = machines.denoise(
                x, images, level, machine="equivariant-local", patch=patch, padding=padding
            )
            z = machines.score(x, ours, level).flatten(1).double()
            product, norms = (y * z).sum(1), y.norm(dim=1) * z.norm(dim=1)
            cosines.append(product / norms)
        best = torch.stack(cosines).argmax(0)
        found.append(int(sizes[best].median()))
    return found


WRONG = r"""
argmax => argmin :: Take the candidate of the largest cosine; yours has the smallest
sizes[best] => best :: Return the patch size, not its place among the candidates
[best].median() => [best.median()]
  :: Take the median of the patch sizes, not of their places among the candidates
median() => double().quantile(0.5, interpolation="higher")
  :: For an even number of noises take the lower median, which is what `torch.median` gives
median() => double().mean().round() :: Take the median over the noises, not the mean
median() => mode().values :: Take the median over the noises, not the most frequent size
argmax(0) => mean(1).argmax(0)
  :: Choose for each noise first, then take the median; yours averages the cosines over the noises
best] => best[0]] :: All noises have a vote, not the first one alone
            product, =>             y, z = theirs.flatten(1), ours.flatten(1)\n            product,
  :: Compare the scores (a x̂₀ - x)/b², not the estimates x̂₀
product / norms => -(y - z).norm(dim=1)
  :: Compare the directions of the scores by their cosine, not by a distance
            product, \
=>             y, z = (each - each.mean(1, keepdim=True) for each in (y, z))\n            product,
  :: This cosine is plain: the scores keep their mean
 / norms => :: Divide by both norms: the product alone favours the longer score
return found => return found[::-1] :: The list is in the sampler's order: its first entry belongs to t = 1
return found => return sorted(found, reverse=True)
  :: Do not sort the result: that it falls with t is a finding
return found => return torch.tensor(found) :: Return a list of whole numbers, not a tensor
way.noisy[step], way.denoised[step] => noise, network(noise, t)
  :: Compare along the network's own trajectory, not on pure noise at every step
way.noisy[step], way.denoised[step] => way.noisy[step + 1], network(way.noisy[step + 1], t)
  :: Off by one: the noisy images of a step belong to the time before it
equivariant-local => local :: Compare with the equivariant-local machine, not with the local one
padding=padding => padding="zeros" :: The machine needs the padding that the network has
padding=padding => padding="circular" :: The padding is an argument, and it is not always circular
    way, =>     steps = 20\n    way, :: The number of steps is an argument, and it is not always 20
median() => sort().values[max(len(noise) // 2 - 1, 0)]
  :: For an odd number of noises the median is the one in the middle, at place n // 2
            product, =>             y, z = y.to(x), z.to(x)\n            product,
  :: In 32 bits the cosines at t = 1 cannot be told apart: compute them in `double()`
"""

patch_schedule = Exercise(
    id="diffusion.patch_schedule",
    title="The patch size of each noise level",
    reference=calibrate.patch_schedule,
    cases=cases,
    properties=[recovers_the_schedule_of_a_machine, every_noise_has_one_vote],
    wrong_answers=slips(plain, WRONG),
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
    opens=(sample, machines.denoise, machines.score, schedule.alpha_bar),
)

"""Each exercise of the lesson on creativity accepts what is right and rejects every listed mistake."""

import dataclasses
import math

import pytest
import torch
from torch.nn import functional

from oraledu.course.examine import examine
from oraledu.course.proof import rejections
from oraledu.course.quiz import Quiz
from oraledu.diffusion import calibrate, checks, machines, mosaic, schedule, windows
from oraledu.diffusion.sampling import sample


def exercises(*values):
    return pytest.mark.parametrize("exercise", values or checks.ALL, ids=lambda exercise: exercise.name)


@exercises()
def test_every_listed_mistake_is_rejected_and_most_are_told_by_name(exercise):
    lines = rejections(exercise, attempts=2)
    assert len(lines) >= 6
    for mistake, line in lines.items():
        assert line.startswith(f"{exercise.name}: not yet right."), (mistake, line)
    unnamed = [mistake for mistake, line in lines.items() if mistake not in line]
    assert len(unnamed) <= len(lines) / 4, unnamed


@pytest.mark.parametrize(
    ("exercise", "promise"),
    [(exercise, promise) for exercise in checks.ALL for promise in exercise.properties],
    ids=lambda value: value.name.replace(" ", "-"),
)
def test_every_property_rejects_a_listed_mistake_by_itself(exercise, promise):
    alone = dataclasses.replace(exercise, cases=lambda generator: (), properties=[promise], full_size=None)
    statuses = [
        examine(alone, wrong.function, attempt=1, guard=False).status for wrong in alone.wrong_answers
    ]
    assert "wrong" in statuses


@exercises()
def test_every_exercise_has_two_or_three_hints_and_a_full_size(exercise):
    assert 2 <= len(exercise.hints) <= 3
    assert exercise.full_size is not None


def test_each_exercise_stands_under_the_name_of_its_function():
    for exercise in checks.ALL:
        assert getattr(checks, exercise.name) is exercise
        assert exercise.id == f"diffusion.{exercise.name}"
        assert exercise.reference.__name__ == exercise.name


def test_five_exercises_are_core():
    assert [exercise.name for exercise in checks.ALL if exercise.core] == [
        "ideal_denoiser",
        "ddim_step",
        "local_denoiser",
        "equivariant_local_denoiser",
        "patch_schedule",
    ]


def test_every_question_has_one_right_answer():
    quizzes = [value for value in vars(checks.questions).values() if isinstance(value, Quiz)]
    assert len(quizzes) == 8
    for each in quizzes:
        assert [option.right for option in each.options].count(True) == 1, each.question


def ideal_denoiser(x, images, alpha_bar):
    rows = images.flatten(1)
    squares = torch.cdist(x.flatten(1), math.sqrt(alpha_bar) * rows) ** 2
    return (torch.softmax(-squares / (2 - 2 * alpha_bar), dim=1) @ rows).reshape(x.shape)


def ddim_step(x, denoised, alpha_bar_now, alpha_bar_next):
    ratio = math.sqrt((1 - alpha_bar_next) / (1 - alpha_bar_now))
    return ratio * x + (math.sqrt(alpha_bar_next) - ratio * math.sqrt(alpha_bar_now)) * denoised


def local_denoiser(x, images, alpha_bar, patch, padding="zeros"):
    ones, mode = (
        torch.ones(1, 1, patch, patch, dtype=x.dtype),
        "circular" if padding == "circular" else "constant",
    )
    estimates = []
    for noisy in x:
        squares = ((noisy - math.sqrt(alpha_bar) * images) ** 2).sum(1, keepdim=True)
        sums = functional.conv2d(functional.pad(squares, [patch // 2] * 4, mode=mode), ones)
        weights = torch.softmax(-sums / (2 * (1 - alpha_bar)), dim=0)
        estimates.append((weights * images).sum(0))
    return torch.stack(estimates)


def equivariant_local_denoiser(x, images, alpha_bar, patch):
    a, variance = math.sqrt(alpha_bar), 1 - alpha_bar
    bank = windows.windows(images, patch, "circular").flatten(0, 2)
    centres = images.permute(0, 2, 3, 1).flatten(0, 2)
    lengths = bank.square().sum(1)
    estimates = []
    for queries in windows.windows(x, patch, "circular").flatten(0, 2).split(28):
        logits = (a * queries @ bank.T - a**2 / 2 * lengths) / variance
        estimates.append(torch.softmax(logits, 1) @ centres)
    return torch.cat(estimates).view(len(x), -1, images.shape[1]).mT.reshape(x.shape)


def log_marginal(queries, patches, alpha_bar):
    exponents = torch.stack(
        [-((query - math.sqrt(alpha_bar) * patches) ** 2).sum(1) / 2 / (1 - alpha_bar) for query in queries]
    )
    largest = exponents.max(dim=1, keepdim=True).values
    return largest[:, 0] + torch.log(torch.exp(exponents - largest).mean(1))


def same_border(size, patch, row, column):
    def sees(place):
        return min(place, patch // 2), min(size - 1 - place, patch // 2)

    return torch.tensor(
        [[sees(i) == sees(row) and sees(j) == sees(column) for j in range(size)] for i in range(size)]
    )


def patch_schedule(network, images, candidates, *, noise, padding="zeros", steps=20):
    run, found = sample(network, noise, steps=steps), []
    for step in range(steps):
        kept = schedule.alpha_bar(run.times[step])
        x, votes = run.noisy[step], []
        network_score = machines.score(x, run.denoised[step], kept).flatten(1)
        cosines = {}
        for patch in candidates:
            machine = machines.Machine(images, "equivariant-local", patch, padding)
            machine_score = machines.score(x, machine(x, run.times[step]), kept).flatten(1)
            cosines[patch] = functional.cosine_similarity(network_score, machine_score)
        for seed in range(len(noise)):
            votes.append(max(candidates, key=lambda patch: cosines[patch][seed].item()))
        found.append(sorted(votes)[(len(votes) - 1) // 2])
    return found


def pearson_r(a, b):
    def standardised(images):
        rows = images.flatten(1)
        return (rows - rows.mean(1, keepdim=True)) / rows.std(1, keepdim=True, correction=0)

    return (standardised(a) * standardised(b)).mean(1)


def nearest_centres(image, images, patch):
    bank = windows.windows(images, patch, "circular").flatten(0, 2)
    centres, lengths = images.permute(0, 2, 3, 1).flatten(0, 2), bank.square().sum(1) / 2
    queries = windows.windows(image, patch, "circular").flatten(1, 2)
    nearest = torch.stack([(query @ bank.T - lengths).argmax(1) for query in queries])
    return centres[nearest].mT.reshape(image.shape)


def two_image_denoiser(x, alpha_bar, patch=3):
    reach = range(-(patch // 2), patch // 2 + 1)
    total = sum(x.roll((i, j), (2, 3)) for i in reach for j in reach)
    return 2 * torch.sigmoid(2 * math.sqrt(alpha_bar) * total / (1 - alpha_bar)) - 1


@pytest.mark.parametrize(
    "function",
    [
        ideal_denoiser,
        ddim_step,
        local_denoiser,
        equivariant_local_denoiser,
        log_marginal,
        same_border,
        patch_schedule,
        pearson_r,
        nearest_centres,
        two_image_denoiser,
    ],
    ids=lambda function: function.__name__,
)
def test_a_right_function_that_is_written_in_another_way_is_accepted(function):
    exercise = getattr(checks, function.__name__)
    outcome = examine(exercise, function, attempt=1)
    # How fast it is depends on the machine that runs this test.
    assert outcome.status == "correct" or "times slower than the reference" in outcome.line, outcome.line


@exercises()
def test_handing_over_the_reference_is_borrowed(exercise):
    assert examine(exercise, exercise.reference, attempt=1).status == "borrowed"


def by_machine(x, images, alpha_bar, **options):
    machine = machines.Machine(images, **options)
    time = math.acos(math.sqrt(alpha_bar)) * 2 * schedule.STRETCH / math.pi
    return machine(x, time)


BORROWED = {
    "ideal_denoiser": {
        "denoise": lambda x, images, alpha_bar: machines.denoise(x, images, alpha_bar, machine="ideal"),
        "Machine": lambda x, images, alpha_bar: by_machine(x, images, alpha_bar, machine="ideal"),
        "provenance": lambda x, images, alpha_bar: images[
            machines.provenance(x, images, alpha_bar, machine="ideal").image[:, 0, 0]
        ],
    },
    "ddim_step": {"alias": lambda *arguments: schedule.ddim_step(*arguments)},
    "local_denoiser": {
        "denoise": lambda x, images, alpha_bar, patch, padding="zeros": machines.denoise(
            x, images, alpha_bar, machine="local", patch=patch, padding=padding
        ),
        "Machine": lambda x, images, alpha_bar, patch, padding="zeros": by_machine(
            x, images, alpha_bar, machine="local", patches=patch, padding=padding
        ),
    },
    "equivariant_local_denoiser": {
        "denoise": lambda x, images, alpha_bar, patch: machines.denoise(
            x, images, alpha_bar, machine="equivariant-local", patch=patch, padding="circular"
        ),
        "Machine": lambda x, images, alpha_bar, patch: by_machine(
            x, images, alpha_bar, machine="equivariant-local", patches=patch, padding="circular"
        ),
    },
    "same_border": {"alias": lambda *arguments: windows.same_border(*arguments)},
    "patch_schedule": {
        "alias": lambda *arguments, **options: calibrate.patch_schedule(*arguments, **options)
    },
    "pearson_r": {"by its square": lambda a, b: calibrate.r_squared(a, b).sqrt()},
    "nearest_centres": {"alias": lambda *arguments: mosaic.nearest_centres(*arguments, padding="circular")},
    "two_image_denoiser": {
        "alias": lambda *arguments: mosaic.two_image_denoiser(*arguments),
        "denoise": lambda x, alpha_bar, patch=3: machines.denoise(
            x,
            torch.stack([-torch.ones_like(x[0]), torch.ones_like(x[0])]),
            alpha_bar,
            machine="local",
            patch=patch,
            padding="circular",
        ),
    },
}


@pytest.mark.parametrize(
    ("name", "road"),
    [(name, road) for name, roads in BORROWED.items() for road in roads],
    ids=lambda value: value,
)
def test_calling_the_library_is_borrowed(name, road):
    assert examine(getattr(checks, name), BORROWED[name][road], attempt=1).status == "borrowed"

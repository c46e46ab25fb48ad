"""What is special to the checks of lesson 1."""

import dataclasses
import importlib

import pytest
import torch

from oraledu.course.examine import examine
from oraledu.course.exercise import Reference
from oraledu.course.quiz import Quiz
from oraledu.diffusion import checks, windows

exercises = pytest.mark.parametrize("exercise", checks.ALL, ids=lambda exercise: exercise.name)


def verdict(exercise, function, *, attempt=1):
    return examine(exercise, function, attempt=attempt)


def test_each_exercise_stands_under_the_name_of_its_function():
    for exercise in checks.ALL:
        assert getattr(checks, exercise.name) is exercise


def test_five_exercises_are_core():
    assert [exercise.name for exercise in checks.ALL if exercise.core] == [
        "ideal_denoiser",
        "ddim_step",
        "local_denoiser",
        "equivariant_local_denoiser",
        "patch_schedule",
    ]


def test_there_are_eight_questions():
    assert len([each for each in vars(checks.questions).values() if isinstance(each, Quiz)]) == 8


@exercises
def test_the_plain_answer_whose_edits_are_the_slips_is_right(exercise):
    plain = importlib.import_module(f"oraledu.diffusion.checks.{exercise.name}").plain
    # At full size the plain equivariant-local one would fill the memory.
    small = dataclasses.replace(exercise, full_size=None)
    assert examine(small, plain, attempt=1, guard=False).status == "correct"


def test_a_correlation_may_come_in_float32():
    def pearson_r(a, b):
        rows = (images.flatten(1) - images.mean((1, 2, 3))[:, None] for images in (a, b))
        return torch.cosine_similarity(*rows, dim=1)

    assert verdict(checks.pearson_r, pearson_r).status == "correct"


def test_exercise_1_on_patches_solves_exercise_4_whether_or_not_it_is_solved():
    ideal_denoiser = Reference(checks.ideal_denoiser.reference, "ideal_denoiser", lambda *arguments: None)

    def equivariant_local_denoiser(x, images, alpha_bar, patch):
        bank, queries = (windows.windows(each, patch, "circular").flatten(0, 2) for each in (images, x))
        estimate = ideal_denoiser(queries[..., None, None], bank[..., None, None], alpha_bar)
        pixels = estimate.view(len(x), *x.shape[2:], x.shape[1], -1)[..., patch**2 // 2]
        return pixels.permute(0, 3, 1, 2)

    # At full size it takes twenty times as long as the reference.
    small = dataclasses.replace(checks.equivariant_local_denoiser, full_size=None)
    assert verdict(small, equivariant_local_denoiser).status == "correct"


def test_a_bank_of_patches_that_is_kept_for_the_next_call_is_noticed():
    kept = {}

    def equivariant_local_denoiser(x, images, alpha_bar, patch):
        if (images.data_ptr(), images.shape, patch) not in kept:
            kept[images.data_ptr(), images.shape, patch] = windows.windows(images, patch, "circular")
        bank = kept[images.data_ptr(), images.shape, patch].flatten(0, 2)
        asked = windows.windows(x, patch, "circular")
        squares = (asked.flatten(0, 2)[:, None] - alpha_bar**0.5 * bank).square().sum(2)
        weights = (-squares / (2 * (1 - alpha_bar))).softmax(1)
        values = bank.unflatten(1, (images.shape[1], -1))[..., patch**2 // 2]
        return (weights @ values).view(*asked.shape[:3], -1).permute(0, 3, 1, 2)

    small = dataclasses.replace(checks.equivariant_local_denoiser, full_size=None)
    assert verdict(small, equivariant_local_denoiser).status == "wrong"


def test_one_result_for_all_calls_is_noticed():
    results = {}

    def ddim_step(x, denoised, alpha_bar_now, alpha_bar_next):
        result = results.setdefault((x.shape, x.dtype), torch.empty_like(x))
        noise = (x - alpha_bar_now**0.5 * denoised) / (1 - alpha_bar_now) ** 0.5
        return torch.add(alpha_bar_next**0.5 * denoised, noise, alpha=(1 - alpha_bar_next) ** 0.5, out=result)

    line = verdict(checks.ddim_step, ddim_step).line
    assert "it changes the result of the call before" in line


def test_a_levels_tensor_in_float32_is_told_what_it_loses():
    def ddim_step(x, denoised, alpha_bar_now, alpha_bar_next):
        now, following = torch.tensor(alpha_bar_now), torch.tensor(alpha_bar_next)
        noise = (x - now.sqrt() * denoised) / (1 - now).sqrt()
        return following.sqrt() * denoised + (1 - following).sqrt() * noise

    line = verdict(checks.ddim_step, ddim_step).line
    assert "the precision of float32" in line
    assert "instead of" in line

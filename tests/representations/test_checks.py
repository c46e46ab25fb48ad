"""What is special about the checks of the lesson on layers; tests/test_checks.py has what holds for all checks."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from numpy.linalg import eigvalsh as numpys_own
from scipy.linalg import eigvalsh as scipys_own

from oraledu.course.examine import examine
from oraledu.course.quiz import Quiz
from oraledu.representations import checks, geometry, models
from oraledu.representations.checks import references
from oraledu.representations.checks.inputs import Decompositions, within


def test_each_of_five_questions_has_one_right_answer():
    quizzes = [value for value in vars(checks.questions).values() if isinstance(value, Quiz)]
    assert len(quizzes) == 5
    for each in quizzes:
        assert [option.right for option in each.options].count(True) == 1, each.question


def test_five_exercises_are_core():
    assert [exercise.name for exercise in checks.ALL if exercise.core] == [
        "matrix_entropy",
        "collision_entropy",
        "effective_rank",
        "curvature",
        "honest_gain",
    ]


def line(exercise, function):
    outcome = examine(exercise, function, attempt=1, guard=False)
    assert outcome.status == "wrong"
    return outcome.line


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ([1.0, 1.0], "equal singular values make them equal"),
        ([1.0, 0.9], "too nearly equal"),
        ([1.0, 0.0], "with one singular value above zero both are 1"),
        ([1.0, 1e-3], "one singular value dwarfs all others"),
        ([0.0, 0.0], "all singular values are zero"),
        ([1.0, math.nan], "contains NaN or infinity"),
        ([2e30, 1e30], "entries too large to square"),
    ],
)
def test_a_matrix_that_does_not_refute_is_told_why(sizes, told):
    def attempt(rows, columns):
        z = torch.zeros(rows, columns)
        z[[0, 1], [0, 1]] = torch.tensor(sizes)
        return z

    assert told in line(checks.refute, attempt)


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (None, "it returns nothing"),
        (3.0, "returns a `float`"),
        (torch.ones(2, 2, dtype=torch.int64), "torch.int64"),
        (torch.ones(2, 2, dtype=torch.float16), "torch.float16"),
    ],
)
def test_what_is_no_matrix_is_told(returned, told):
    assert told in line(checks.refute, lambda rows, columns: returned)


@pytest.mark.parametrize("draw", [torch.rand, np.random.rand])
def test_a_matrix_drawn_anew_is_told_by_whatever_generator(draw):
    def attempt(rows, columns):
        z = torch.eye(rows, columns)
        z[0, 0] = 2 + float(draw(1)[0])
        return z

    assert "two calls of refute(2, 2) give two matrices" in line(checks.refute, attempt)


def test_a_decomposition_is_seen_whatever_it_is_called():
    z = torch.eye(3, 5)
    with Decompositions() as seen:
        z @ z.mT
        torch.linalg.cholesky(z @ z.mT)
        torch.linalg.matrix_norm(z)
        np.linalg.solve(np.eye(3), z.numpy())
        np.linalg.norm(z.numpy())
    assert seen.sizes == []
    with Decompositions() as seen:
        torch.linalg.eigvalsh(z @ z.mT)
        torch.linalg.eigh(z.mT @ z)
        torch.linalg.svdvals(z)
        torch.svd(z)
        z.svd()
        torch.svd(input=z.expand(2, 3, 5))
    assert seen.sizes == [3, 5, 3, 3, 3, 3]


@pytest.mark.parametrize(
    "decompose",
    [
        lambda k: np.linalg.svd(k, compute_uv=False),
        lambda k: np.linalg.eigvalsh(a=k),
        lambda k: np.linalg.norm(k, "nuc"),
        lambda k: scipy.linalg.eigh(k, np.eye(4)),
        lambda k: scipy.linalg.svdvals(k),
        lambda k: scipy.linalg.sqrtm(k),
        lambda k: numpys_own(k),
        lambda k: scipys_own(k),
        lambda k: np.linalg.eigh.__wrapped__(k),
        lambda k: torch.linalg.matrix_norm(torch.from_numpy(k), ord="nuc"),
        lambda k: torch.linalg.norm(torch.from_numpy(k), "nuc"),
    ],
)
def test_a_decomposition_by_numpy_or_scipy_or_a_norm_is_seen(decompose):
    with Decompositions() as seen:
        decompose(2 * np.eye(4))
    assert 4 in seen.sizes


def test_a_property_of_rows_tells_the_first_that_is_off():
    @within(0.1)
    def is_one(function, generator):
        yield function(1.0), 1.0, "first"
        yield function(torch.nan), 1.0, "second"
        yield 1 / 0, 1.0, "third"

    assert is_one.__name__ == "is_one"
    assert is_one(lambda x: x, None) == "second"
    assert is_one(lambda x: x + 1, None) == "first"


def test_by_the_rule_of_the_text_the_curvatures_of_the_lesson_are_those_of_the_library():
    for name in ("smollm2-135m", "minilm-l6"):
        for k in models.states(name).grams:
            for each in (k, k[..., 1:, 1:]):
                assert torch.equal(references.curvature_from_gram(each), geometry.curvature_from_gram(each))


def test_a_step_of_a_millionth_counts_as_none_in_both_types():
    path = torch.tensor([[1.0, 0, 0], [1, 1, 0], [1, 1, 1.2e-3], [2, 1, 1.2e-3]]).double()
    k = path @ path.mT
    for each in (k, k.float()):
        assert references.curvature_from_gram(each) == 0
    assert geometry.curvature_from_gram(k) > 1.5

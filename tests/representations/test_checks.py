"""Each exercise of the lesson on layers accepts what is right and rejects every listed mistake."""

import dataclasses
import math

import pytest
import torch

from oraledu.course.examine import examine
from oraledu.course.proof import rejections
from oraledu.course.quiz import Quiz
from oraledu.representations import checks, entropy, geometry, invariance, selection, sink
from oraledu.representations.checks.inputs import Decompositions

#: The one exercise whose answers are compared with nothing: its properties say what is wrong.
BY_PROPERTY = checks.refute


def exercises(*values):
    return pytest.mark.parametrize("exercise", values or checks.ALL, ids=lambda exercise: exercise.name)


@exercises()
def test_every_listed_mistake_is_rejected_and_most_are_told_by_name(exercise):
    lines = rejections(exercise, attempts=2)
    assert len(lines) >= 8
    for mistake, line in lines.items():
        assert line.startswith(f"{exercise.name}: not yet right."), (mistake, line)
    unnamed = [mistake for mistake, line in lines.items() if mistake not in line]
    assert exercise is BY_PROPERTY or len(unnamed) <= len(lines) / 4, unnamed


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
    assert exercise is BY_PROPERTY or exercise.full_size is not None


def test_each_exercise_stands_under_the_name_of_its_function():
    for exercise in checks.ALL:
        assert getattr(checks, exercise.name) is exercise
        assert exercise.id == f"representations.{exercise.name}"
        assert exercise.reference.__name__ == exercise.name


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


def matrix_entropy(z, alpha=1.0):
    k = z @ z.mT if z.shape[-2] <= z.shape[-1] else z.mT @ z
    values = torch.linalg.eigvalsh(k).clamp(min=0)
    total = values.sum(-1, keepdim=True)
    p = values / torch.where(total > 0, total, 1)
    if alpha == 1:
        return torch.special.entr(p).sum(-1)
    return torch.log((p**alpha).sum(-1) + (total[..., 0] == 0)) / (1 - alpha)


def matrix_entropy_by_singular_values(z, alpha=1.0):
    sizes = torch.linalg.svdvals(z.double())
    p = (sizes / sizes.norm(dim=-1, keepdim=True).clamp(min=1e-30)).square()
    if alpha == 1:
        return -torch.xlogy(p, p).sum(-1).to(z.dtype)
    size = p.norm(p=alpha, dim=-1)
    return (torch.where(size > 0, size, 1).log() * alpha / (1 - alpha)).to(z.dtype)


def collision_entropy(z):
    k = torch.einsum("...td,...sd->...ts", z, z)
    trace = torch.einsum("...tt->...", k)
    return -2 * torch.where(trace > 0, torch.linalg.matrix_norm(k) / trace, 1).log()


def effective_rank(z):
    sizes = torch.linalg.svdvals(z)
    p = sizes / sizes.sum(-1, keepdim=True).clamp(min=1e-30)
    return torch.exp(-torch.xlogy(p, p).sum(-1))


def effective_rank_by_eigenvalues(z):
    sizes = torch.linalg.eigvalsh((z @ z.mT).double()).clamp(min=0).sqrt()
    p = sizes / sizes.sum(-1, keepdim=True).clamp(min=1e-30)
    return torch.special.entr(p).sum(-1).exp().to(z.dtype)


def refute(rows, columns):
    smaller = min(rows, columns)
    z = torch.zeros(rows, columns)
    z[range(smaller), range(smaller)] = torch.arange(1.0, smaller + 1)
    return z


def refute_by_halves(rows, columns):
    smaller = min(rows, columns)
    draws = [
        torch.randn(size, smaller, generator=torch.Generator().manual_seed(0)) for size in (rows, columns)
    ]
    left, right = (torch.linalg.qr(draw)[0] for draw in draws)
    return left * 0.5 ** torch.arange(smaller) @ right.T


def curvature(z):
    steps = z[..., 1:, :] - z[..., :-1, :]
    lengths = steps.norm(dim=-1, keepdim=True)
    directions = steps / lengths.clamp(min=1e-30)
    cosines = torch.einsum("...kd,...kd->...k", directions[..., 1:, :], directions[..., :-1, :])
    turns = ((lengths[..., 1:, 0] > 0) & (lengths[..., :-1, 0] > 0)).to(z.dtype)
    return (cosines.clamp(-1, 1).acos() * turns).sum(-1) / turns.sum(-1).clamp(min=1)


def curvature_from_gram(k):
    difference = torch.eye(k.shape[-1], dtype=torch.float64).diff(
        dim=0
    )  # D Z are the steps, D K D' their products
    products = difference @ k.double() @ difference.mT
    squares = products.diagonal(dim1=-2, dim2=-1)
    seen = squares > 1e-6 * (difference.abs() @ k.double().diagonal(dim1=-2, dim2=-1)[..., None])[..., 0]
    lengths = torch.where(seen, squares, 1).sqrt()
    cosines = products.diagonal(1, dim1=-2, dim2=-1) / (lengths[..., 1:] * lengths[..., :-1])
    turns = (seen[..., 1:] & seen[..., :-1]).double()
    return ((cosines.clamp(-1, 1).acos() * turns).sum(-1) / turns.sum(-1).clamp(min=1)).to(k.dtype)


def info_nce(a, b, temperature=0.1):
    count = len(a)
    z = torch.nn.functional.normalize(torch.cat([a, b]))
    logits = (z @ z.T / temperature).fill_diagonal_(-math.inf)
    return torch.nn.functional.cross_entropy(logits, torch.arange(2 * count).roll(count))


def info_nce_by_blocks(a, b, temperature=0.1):
    a, b = (view / torch.linalg.vector_norm(view, dim=-1, keepdim=True) for view in (a, b))
    alike, own_a, own_b = (one @ other.mT / temperature for one, other in ((a, b), (a, a), (b, b)))
    for own in (own_a, own_b):
        own.diagonal().fill_(-math.inf)
    normaliser = torch.logsumexp(torch.cat([alike, own_a], 1), 1) + torch.logsumexp(
        torch.cat([alike.T, own_b], 1), 1
    )
    return (normaliser / 2 - alike.diagonal()).mean()


def dime_collision(a, b):
    def off(k):
        return k.square().sum() - len(k)

    k, m = (torch.nn.functional.cosine_similarity(view[:, None], view[None], dim=-1) for view in (a, b))
    count = len(a)
    broken = 1 / count + off(k) * off(m) / (count**3 * (count - 1))
    return torch.log((k * m).square().mean() / broken)


def lidar(views, delta=1e-4):
    means = views.mean(dim=1)
    within = (views - means[:, None]).flatten(0, 1)
    scatter = within.T @ within / len(within) + delta * torch.eye(views.shape[-1], dtype=views.dtype)
    centred = means - means.mean(dim=0)
    values = torch.linalg.eigvalsh(centred @ torch.linalg.solve(scatter, centred.T)).clamp(min=0)
    return torch.special.entr(values / values.sum()).sum()


def lidar_by_woodbury(views, delta=1e-4):
    prompts, count, _ = views.shape
    means = views.mean(1)
    within = (views - means[:, None]).flatten(0, 1) / math.sqrt(prompts * count)
    centred = means - means.mean(0)
    mixed = centred @ within.T
    system = delta * torch.eye(len(within), dtype=views.dtype) + within @ within.T
    small = centred @ centred.T - mixed @ torch.linalg.solve(system, mixed.T)
    p = torch.linalg.svdvals(small)
    p = p / p.sum()
    return -torch.xlogy(p, p).sum()


def entropy_bound(share, tokens):
    split = -torch.xlogy(share, share) - torch.xlogy(1 - share, 1 - share)
    return split + (1 - share) * torch.log(torch.tensor(tokens - 1))


def entropy_bound_by_shares(share, tokens):
    others = ((1 - share) / (tokens - 1))[..., None].expand(*share.shape, tokens - 1)
    return torch.special.entr(torch.cat([share[..., None], others], -1)).sum(-1)


def honest_gain(on_a, on_b):
    gains = []
    for mine, other in zip(on_a, on_b, strict=True):
        gains.append(other[mine.argmax()] - other[-1])
    return torch.stack(gains)


def honest_gain_by_looking_up(on_a, on_b):
    return (on_b - on_b[:, -1:])[torch.arange(len(on_a)), on_a.max(1).indices]


RIGHT = [
    info_nce,
    info_nce_by_blocks,
    dime_collision,
    lidar,
    lidar_by_woodbury,
    entropy_bound,
    entropy_bound_by_shares,
    honest_gain,
    honest_gain_by_looking_up,
    matrix_entropy,
    matrix_entropy_by_singular_values,
    collision_entropy,
    effective_rank,
    effective_rank_by_eigenvalues,
    refute,
    refute_by_halves,
    curvature,
    curvature_from_gram,
]


@pytest.mark.parametrize("function", RIGHT, ids=lambda function: function.__name__)
def test_a_right_function_that_is_written_in_another_way_is_accepted(function):
    exercise = getattr(checks, function.__name__.partition("_by_")[0])
    for attempt in (1, 2, 3):
        outcome = examine(exercise, function, attempt=attempt)
        # How fast it is depends on the machine that runs this test.
        assert outcome.status == "correct" or "times slower than the reference" in outcome.line, outcome.line


def test_there_is_another_way_for_every_exercise():
    assert {function.__name__.partition("_by_")[0] for function in RIGHT} == {
        exercise.name for exercise in checks.ALL
    }


@exercises()
def test_handing_over_the_reference_is_borrowed(exercise):
    assert examine(exercise, exercise.reference, attempt=1).status == "borrowed"


BORROWED = {
    "matrix_entropy": {
        "from_gram": lambda z, alpha=1.0: entropy.from_gram(z @ z.mT, alpha),
        "spectrum": lambda z, alpha=1.0: entropy.renyi(entropy.spectrum(z), alpha),
    },
    "collision_entropy": {"matrix_entropy": lambda z: entropy.matrix_entropy(z, 2.0)},
    "effective_rank": {"from_gram": lambda z: entropy.effective_rank_from_gram(z @ z.mT)},
    "curvature": {"from_gram": lambda z: geometry.curvature_from_gram(z @ z.mT)},
    "curvature_from_gram": {"curvature": lambda k: geometry.curvature(torch.linalg.cholesky(k))},
    "info_nce": {"alias": lambda *arguments: invariance.info_nce(*arguments)},
    "dime_collision": {"dime": lambda a, b: invariance.dime(a, b, alpha=2)},
    "lidar": {"alias": lambda *arguments: invariance.lidar(*arguments)},
    "entropy_bound": {"others": lambda share, tokens: sink.entropy_bound(share, tokens, others=None)},
    "honest_gain": {"choose": lambda on_a, on_b: selection.choose(on_a, on_a, on_b).honest},
}


@pytest.mark.parametrize(
    ("name", "road"),
    [(name, road) for name, roads in BORROWED.items() for road in roads],
    ids=lambda value: value,
)
def test_calling_the_library_is_borrowed(name, road):
    assert examine(getattr(checks, name), BORROWED[name][road], attempt=1).status == "borrowed"


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
    ],
)
def test_what_is_no_matrix_is_told(returned, told):
    assert told in line(checks.refute, lambda rows, columns: returned)


def test_a_decomposition_is_seen_whatever_it_is_called():
    z = torch.eye(3, 5)
    with Decompositions() as seen:
        z @ z.mT
        torch.linalg.cholesky(z @ z.mT)
    assert seen.sizes == []
    with Decompositions() as seen:
        torch.linalg.eigvalsh(z @ z.mT)
        torch.linalg.eigh(z.mT @ z)
        torch.linalg.svdvals(z)
        torch.svd(z)
        z.svd()
        torch.svd(input=z.expand(2, 3, 5))
    assert seen.sizes == [3, 5, 3, 3, 3, 3]

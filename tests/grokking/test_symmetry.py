"""The reflections of the operations, splits that keep one, and what a machine does on such a split."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.grokking import arithmetic, rfm, symmetry

OPERATIONS = pytest.mark.parametrize("op", arithmetic.OPERATIONS)
KERNELS = pytest.mark.parametrize("kernel", ["quadratic", "gaussian"])


def reflection_matrix(op, p):
    """Build P one coordinate at a time: e_a of the first half goes to e_σ(a) of the second, and the other way."""
    matrix = torch.zeros(2 * p, 2 * p, dtype=torch.float64)
    for digit in range(p):
        match op:
            case "-":
                image = (p - digit) % p
            case "/":
                image = next((d for d in range(p) if digit * d % p == 1), 0)
            case _:
                image = digit
        matrix[p + image, digit] = matrix[image, p + digit] = 1
    return matrix


def fixed_points(image):
    return image == torch.arange(len(image))


def fitted(op, p, held, kernel, iterations=6, **options):
    pairs, labels, _ = symmetry.reflected_table(op, p)
    parts = pairs[~held], labels[~held], pairs[held], labels[held]
    return rfm.fit(*parts, p, kernel=kernel, iterations=iterations, **options)


@OPERATIONS
def test_the_image_of_a_pair_has_its_answer_and_is_what_the_permutation_of_coordinates_makes_of_it(op):
    p = 11
    pairs, labels, image = symmetry.reflected_table(op, p)
    x = arithmetic.one_hot_pairs(pairs, p)
    assert torch.equal(labels[image], labels)
    assert torch.equal(x[image], x @ reflection_matrix(op, p).T)
    assert torch.equal(image[image], torch.arange(len(pairs)))


@OPERATIONS
def test_one_pair_in_each_row_is_its_own_image(op):
    p = 11
    pairs, _, image = symmetry.reflected_table(op, p)
    own = pairs[fixed_points(image)]
    assert own[:, 0].tolist() == list(range(1 if op in "*/" else 0, p))
    assert len(pairs) == (p - 1 if op in "*/" else p) ** 2


@settings(deadline=None, max_examples=60)
@given(size=st.integers(1, 40), seed=st.integers(0, 999), share=st.floats(0, 1))
def test_a_split_is_made_of_whole_orbits_in_their_order_and_stops_as_early_as_it_may(size, seed, share):
    generator = torch.Generator().manual_seed(seed)
    image, order = (torch.randperm(size, generator=generator) for _ in range(2))
    count = round(share * size)
    held = symmetry.symmetric_split(image, order, count)
    orbits = []
    for place in order.tolist():
        orbit = {place}
        while len(orbit) < len(orbit := orbit | {int(image[each]) for each in orbit}):
            pass
        if orbit not in orbits:
            orbits.append(orbit)
    expected = set()
    for orbit in orbits:
        expected = expected if len(expected) >= count else expected | orbit
    assert set(held.nonzero()[:, 0].tolist()) == expected


def test_what_is_no_permutation_is_refused():
    with pytest.raises(ValueError, match="a permutation"):
        symmetry.symmetric_split(torch.tensor([0, 0, 1]), torch.arange(3), 1)
    with pytest.raises(TypeError, match="image must be a torch tensor"):
        symmetry.symmetric_split([1, 0], torch.arange(2), 1)


@OPERATIONS
def test_the_commutator_is_the_distance_to_the_reflected_metric(op):
    root = torch.randn(14, 14, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    metric, p = root @ root.T, reflection_matrix(op, 7)
    expected = (p @ metric @ p.T - metric).norm() / metric.norm()
    assert symmetry.commutator(metric, op) == pytest.approx(float(expected))
    assert symmetry.commutator(metric + p @ metric @ p.T, op) < 1e-15


@KERNELS
@OPERATIONS
def test_on_a_symmetric_split_metric_and_outputs_keep_the_symmetry(op, kernel):
    p = 11
    pairs, labels, image = symmetry.reflected_table(op, p)
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(1))
    held = symmetry.symmetric_split(image, order, len(pairs) // 4)
    # A power 1, so that rounding in null directions is not lifted from 1e-16 to 1e-8.
    metric = fitted(op, p, held, kernel, iterations=3, power=1.0, ridge=1e-6).metrics[-1]
    outputs = rfm.regress(pairs[~held], labels[~held], pairs, metric, kernel=kernel, ridge=1e-6)
    assert symmetry.commutator(metric, op) < 1e-9
    assert (outputs[image] - outputs).abs().max() < 1e-9
    held[(held & ~fixed_points(image)).nonzero()[0]] = (
        False  # one pair, without its image, is shown after all
    )
    broken = fitted(op, p, held, kernel, iterations=3, power=1.0, ridge=1e-6).metrics[-1]
    assert symmetry.commutator(broken, op) > 1e-3


@KERNELS
def test_without_the_fixed_points_a_block_has_two_values_and_a_question_two_scores(kernel):
    """The affine maps d ↦ ud + v keep this split too: no stripe but the swap itself is left."""
    p = 11
    pairs, labels, image = symmetry.reflected_table("+", p)
    held = fixed_points(image)
    metric = fitted("+", p, held, kernel, iterations=4, ridge=1e-6).metrics[-1]
    for block in (metric[:p, :p], metric[p:, :p]):
        assert block.diagonal().std() < 1e-6
        assert block[~torch.eye(p, dtype=torch.bool)].std() < 1e-6
    outputs = rfm.regress(pairs[~held], labels[~held], pairs[held], metric, kernel=kernel, ridge=1e-6)
    others = outputs[torch.nn.functional.one_hot(labels[held], p) == 0].reshape(p, p - 1)
    assert others.std(1).max() < 1e-6
    assert (outputs.argmax(1) != labels[held]).all()

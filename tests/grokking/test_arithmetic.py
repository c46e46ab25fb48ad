"""The task: tables, splits, one-hot inputs and the order of discrete logarithms."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oraledu.grokking import arithmetic

PRIMES = st.sampled_from([3, 5, 7, 11, 13, 17, 29, 31])


@given(PRIMES)
def test_every_answer_undoes_into_its_digits(p):
    a, b = arithmetic.modular_table("+", p)[0].unbind(1)
    assert torch.equal((arithmetic.modular_table("+", p)[1] - b) % p, a)
    assert torch.equal((arithmetic.modular_table("-", p)[1] + b) % p, a)
    assert torch.equal(arithmetic.modular_table("*", p)[1], a * b % p)
    pairs, quotients = arithmetic.modular_table("/", p)
    assert torch.equal(quotients * pairs[:, 1] % p, pairs[:, 0])


@given(PRIMES)
def test_a_table_holds_each_pair_once_and_division_leaves_out_zero(p):
    for op in "+-*":
        pairs, labels = arithmetic.modular_table(op, p)
        assert pairs.tolist() == [[a, b] for a in range(p) for b in range(p)]
        assert labels.dtype == pairs.dtype == torch.int64
    pairs, labels = arithmetic.modular_table("/", p)
    assert pairs.tolist() == [[a, b] for a in range(p) for b in range(1, p)]
    assert len(labels) == p * (p - 1)


def test_addition_and_subtraction_need_no_prime():
    pairs, labels = arithmetic.modular_table("-", 10)
    assert labels[(pairs == torch.tensor([3, 7])).all(1)].item() == 6


@pytest.mark.parametrize("op", ["*", "/"])
@pytest.mark.parametrize("p", [9, 10, 91])
def test_multiplication_and_division_refuse_a_composite_modulus(op, p):
    with pytest.raises(ValueError, match="p must be an odd prime"):
        arithmetic.modular_table(op, p)


@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
@pytest.mark.parametrize("p", [2, 1, 0, -7])
def test_a_modulus_below_three_is_refused(op, p):
    with pytest.raises(ValueError, match="p must be at least 3"):
        arithmetic.modular_table(op, p)


@pytest.mark.parametrize("p", [31.0, "31", True, None])
def test_a_modulus_that_is_no_whole_number_is_refused(p):
    with pytest.raises(TypeError, match="p must be a whole number"):
        arithmetic.modular_table("+", p)


@pytest.mark.parametrize("op", ["^", "", "plus", "+-", None])
def test_an_unknown_operation_is_named_with_the_known_ones(op):
    with pytest.raises(ValueError, match=r"op must be one of \+ - \* /"):
        arithmetic.modular_table(op, 7)


@given(PRIMES.filter(lambda p: p > 3), st.floats(0.1, 0.9), st.integers(0, 1000))
def test_a_split_parts_the_table_in_two(p, fraction, seed):
    pairs, labels = arithmetic.modular_table("+", p)
    train_pairs, train_labels, test_pairs, test_labels = arithmetic.split(
        pairs, labels, fraction, generator=torch.Generator().manual_seed(seed)
    )
    assert len(train_pairs) == int(fraction * p * p + 1e-9)
    both = torch.cat([train_pairs, test_pairs]).tolist()
    assert sorted(both) == pairs.tolist()
    assert torch.equal(train_pairs.sum(1) % p, train_labels)
    assert torch.equal(test_pairs.sum(1) % p, test_labels)


def test_the_generator_decides_the_split():
    table = arithmetic.modular_table("+", 7)
    first, again, other = (
        arithmetic.split(*table, 0.5, generator=torch.Generator().manual_seed(seed))[0] for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_every_pair_is_drawn_equally_often(generator):
    table = arithmetic.modular_table("+", 3)
    draws = [arithmetic.split(*table, 0.34, generator=generator)[0] for _ in range(3000)]
    counts = torch.zeros(3, 3)
    for pairs in draws:
        counts[pairs[:, 0], pairs[:, 1]] += 1
    # 3 of 9 pairs: 1000 expected, standard deviation 26
    assert (counts - 1000).abs().max() < 130


def test_a_fraction_takes_its_floor_despite_rounding(generator):
    table = torch.zeros(100, 2, dtype=torch.int64), torch.zeros(100, dtype=torch.int64)
    assert len(arithmetic.split(*table, 0.29, generator=generator)[0]) == 29  # 0.29 * 100 < 29 in binary
    assert len(arithmetic.split(*table, 0.299, generator=generator)[0]) == 29


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, 1.5, float("nan")])
def test_a_fraction_outside_the_open_unit_interval_is_refused(fraction, generator):
    with pytest.raises(ValueError, match="fraction must lie strictly between 0 and 1"):
        arithmetic.split(*arithmetic.modular_table("+", 5), fraction, generator=generator)


def test_a_fraction_that_empties_a_part_is_refused(generator):
    with pytest.raises(ValueError, match=r"fraction=0\.01 leaves a part empty"):
        arithmetic.split(*arithmetic.modular_table("+", 5), 0.01, generator=generator)


def test_labels_of_another_length_are_refused(generator):
    pairs, labels = arithmetic.modular_table("+", 5)
    with pytest.raises(ValueError, match="labels must have one entry for each of the 25 pairs"):
        arithmetic.split(pairs, labels[1:], 0.5, generator=generator)


@given(PRIMES)
def test_a_one_hot_row_says_its_two_digits(p):
    pairs = arithmetic.modular_table("+", p)[0]
    vectors = arithmetic.one_hot_pairs(pairs, p)
    assert vectors.shape == (p * p, 2 * p)
    assert torch.equal(vectors[:, :p].argmax(1), pairs[:, 0])
    assert torch.equal(vectors[:, p:].argmax(1), pairs[:, 1])
    assert torch.equal(vectors.sum(1), torch.full((p * p,), 2.0, dtype=torch.float64))
    ones = vectors.gather(1, arithmetic.hot_columns(pairs, p))
    assert torch.equal(ones, torch.ones_like(ones))


def test_one_hot_takes_the_asked_type():
    assert arithmetic.one_hot_pairs(torch.tensor([[0, 1]]), 3, torch.float32).dtype == torch.float32


@pytest.mark.parametrize(
    ("pairs", "error", "words"),
    [
        (torch.tensor([[0, 5]]), ValueError, "pairs must hold digits from 0 to 4, got 0 to 5"),
        (torch.tensor([[-1, 2]]), ValueError, "pairs must hold digits from 0 to 4"),
        (torch.tensor([0, 1]), ValueError, r"pairs must have shape \(n, 2\)"),
        (torch.tensor([[0, 1, 2]]), ValueError, r"pairs must have shape \(n, 2\)"),
        (torch.tensor([[0.0, 1.0]]), TypeError, "pairs must hold integer digits"),
        (torch.tensor([[True, False]]), TypeError, "pairs must hold integer digits"),
    ],
)
def test_unfit_pairs_are_refused(pairs, error, words):
    with pytest.raises(error, match=words):
        arithmetic.one_hot_pairs(pairs, 5)


@given(PRIMES)
def test_the_order_visits_every_digit_but_zero_once(p):
    for g in arithmetic.primitive_roots(p):
        order = arithmetic.discrete_log_order(p, g)
        assert order[0] == 1
        assert sorted(order.tolist()) == list(range(1, p))


@given(PRIMES)
def test_every_generator_turns_multiplication_into_addition(p):
    products = arithmetic.modular_table("*", p)[1]
    table = products.reshape(p, p)
    steps = torch.arange(p - 1)
    for g in arithmetic.primitive_roots(p):
        order = arithmetic.discrete_log_order(p, g)
        reordered = table[order][:, order]
        assert torch.equal(reordered, order[(steps[:, None] + steps) % (p - 1)])


@pytest.mark.parametrize(("p", "smallest"), [(29, 2), (31, 3), (37, 2), (61, 2), (97, 5), (113, 3)])
def test_the_smallest_generator_is_the_default(p, smallest):
    assert arithmetic.primitive_roots(p)[0] == smallest
    assert torch.equal(arithmetic.discrete_log_order(p), arithmetic.discrete_log_order(p, smallest))


def test_there_are_as_many_generators_as_numbers_coprime_to_the_group_order():
    assert len(arithmetic.primitive_roots(31)) == 8  # Euler's phi of 30
    assert len(arithmetic.primitive_roots(61)) == 16  # of 60


@pytest.mark.parametrize("g", [0, 1, 2, 30, 31, -1])
def test_a_number_that_generates_too_little_is_refused(g):
    with pytest.raises(ValueError, match=rf"g={g} does not generate the non-zero digits modulo 31"):
        arithmetic.discrete_log_order(31, g)


@pytest.mark.parametrize("p", [9, 10, 2])
def test_a_discrete_logarithm_needs_an_odd_prime(p):
    with pytest.raises(ValueError, match="p must be"):
        arithmetic.discrete_log_order(p)

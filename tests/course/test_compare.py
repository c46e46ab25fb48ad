"""How two results differ."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from oraledu.course.compare import as_number, check_form, check_values, equal, share_memory, unlike
from oraledu.course.verdict import Complaint

NAN, INF = float("nan"), float("inf")
Pair = namedtuple("Pair", "left right")


@dataclass
class Point:
    x: float
    y: torch.Tensor


@pytest.mark.parametrize(
    ("actual", "expected", "told"),
    [
        (None, 1.0, "it returns nothing"),
        (np.ones(2), torch.ones(2), "the result is a NumPy array; a tensor is expected"),
        (torch.tensor(1.0), 1.0, "the result is a tensor; a number is expected"),
        (True, 1, "the result is a truth value; an integer is expected"),
        (2.0, 2, "the result is a number; an integer is expected"),
        (len, 2, "the result is a function; an integer is expected"),
        ([1, 2], (1, 2), "the result is a list; a tuple is expected"),
        ((1,), (1, 2), "the result has the entries `[0]`; expected are `[0]`, `[1]`"),
        ((1, None), (1, 2), "`result[1]` is None; an integer is expected"),
        ({"a": 1}, {"b": 1}, "the result has the entries `['a']`; expected are `['b']`"),
        (Point(1.0, torch.ones(1)), Pair(1, 2), "the result is a `Point`; a `Pair` is expected"),
        (torch.ones(2).to_sparse(), torch.ones(2), "the result has layout sparse_coo; strided is expected"),
        (torch.ones(2, 3), torch.ones(3, 2), "the result has shape (2, 3); (3, 2) is expected"),
        (np.ones(2), np.ones((2, 1)), "the result has shape (2,); (2, 1) is expected"),
        (torch.ones(2), torch.ones(2).double(), "the result has dtype float32; float64 is expected"),
        (np.ones(2, "f4"), np.ones(2), "the result has dtype float32; float64 is expected"),
        (torch.ones(2, device="meta"), torch.ones(2), "the result has device meta; cpu is expected"),
        (torch.ones(1, requires_grad=True), torch.ones(1), "still records gradients"),
        (torch.tensor([1.0, NAN]), torch.ones(2), "the result contains NaN or infinity"),
        ((1.0, INF), (1.0, 1.0), "`result[1]` contains NaN or infinity"),
        (Pair(1, {"k": NAN}), Pair(1, {"k": 1.0}), "`result.right['k']` contains NaN or infinity"),
    ],
)
def test_a_difference_in_form_is_told(actual, expected, told):
    with pytest.raises(Complaint) as complaint:
        check_form(actual, expected)
    assert told in str(complaint.value)


def test_types_are_told_before_shapes_shapes_before_dtypes_and_dtypes_before_infinities():
    expected = (torch.ones(2), torch.ones(2), torch.ones(2))
    nan, wide, long = torch.full((2,), NAN), torch.ones(2).double(), torch.ones(3)
    for actual, told in [
        ((nan, long, 1.0), r"result\[2\]` is a number"),
        ((nan, wide, long), r"result\[2\]` has shape"),
        ((nan, nan, wide), r"result\[2\]` has dtype"),
        ((wide - wide + 1, nan, long), r"result\[2\]` has shape"),
    ]:
        with pytest.raises(Complaint, match=told):
            check_form(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1, 1.0),
        (np.float64(1.0), 1.0),
        (np.int64(2), 2),
        (np.bool_(True), True),
        (2**80, 2**80),
        (1j, 1j),
        ("a", "a"),
        (None, None),
        (torch.tensor([NAN, INF]), torch.tensor([NAN, INF])),
        (np.ones(3)[::-1], np.ones(3)),
        (torch.ones(0), torch.ones(0)),
        ((), ()),
        (Point(1.0, torch.ones(1)), Point(1.0, torch.ones(1))),
        (len, max),
        (torch.tensor([1 + 1e-6]), torch.tensor([1.0])),
        (torch.tensor([0.0, 1.0]), torch.tensor([1e-6, 1.0])),
        (torch.tensor([1000.005]), torch.tensor([1000.0])),
        (1.0 + 1e-10, 1.0),
        (0.0, 1e-16),
        (torch.zeros(2, dtype=torch.bfloat16), torch.zeros(2, dtype=torch.bfloat16)),
    ],
)
def test_what_agrees_passes(actual, expected):
    check_form(actual, expected)
    check_values(actual, expected, 1e-9)


@pytest.mark.parametrize(
    ("actual", "expected", "told"),
    [
        (torch.tensor([[1.0, 5.0]]), torch.tensor([[1.0, 2.0]]), "is 3 at `[0, 1]` (5 instead of 2)"),
        (3, 4, "the largest error of the result is 1 (3 instead of 4)"),
        (12345678, 12345679, "(12345678 instead of 12345679)"),
        (False, True, "(False instead of True)"),
        (torch.tensor([1, 2]), torch.tensor([1, 3]), "is 1 at `[1]` (2 instead of 3)"),
        (np.array([1.0, -1.0]), np.array([1.0, 1.0]), "is 2 at `[1]` (-1 instead of 1)"),
        ("a", "b", "the result is 'a'; 'b' is expected"),
        (torch.tensor([1.0]), torch.tensor([NAN]), "is inf at `[0]` (1 instead of nan)"),
        (-INF, INF, "is inf (-inf instead of inf)"),
        (1j, 1.0 + 0j, "the largest error of the result is 1.4"),
        ({"a": [1.0, 2.0]}, {"a": [1.0, 2.5]}, "the largest error of `result['a'][1]` is 0.5"),
        (1.0 + 1e-8, 1.0, "the largest error of the result is 1e-08"),
        (torch.tensor([1.001]), torch.tensor([1.0]), "is 0.001"),
        (1e-12, 0.0, "is 1e-12"),
    ],
)
def test_a_difference_in_values_is_told(actual, expected, told):
    check_form(actual, expected)
    with pytest.raises(Complaint) as complaint:
        check_values(actual, expected, 1e-9)
    assert told in str(complaint.value)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (torch.ones(2), torch.ones(2), True),
        (torch.ones(2), torch.ones(3), False),
        (torch.ones(2), torch.ones(2).double(), False),
        (torch.tensor([1.0]), torch.tensor([1.0 + 1e-7]), False),
        (np.array([NAN]), np.array([NAN]), True),
        ([1, "a"], [1, "a"], True),
        ([1, "a"], [1, "b"], False),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": 1.0}, False),
        (torch.Generator().manual_seed(1), torch.Generator().manual_seed(2), True),
    ],
)
def test_equality_is_exact_and_looks_at_data_only(first, second, same):
    assert equal(first, second) is same


def test_shared_memory_is_found_inside_structures_and_across_libraries():
    x, y = torch.arange(6.0), np.arange(6.0)
    assert share_memory({"a": [x.view(2, 3).T]}, (x,))
    assert share_memory(x.numpy(), (x,))
    assert share_memory(y[::-2], (y,))
    assert share_memory(torch.from_numpy(y), ((y,), {}))
    assert not share_memory((x.clone(), y.copy(), 3), (x, y))
    assert not share_memory(y[:3], (y[3:],))
    assert not share_memory(torch.ones(0), (torch.ones(0),))


def test_a_named_tuple_is_a_tuple():
    check_form(Pair(1.0, 2.0), (1.0, 2.0))
    check_values(Pair(1.0, 2.0), (1.0, 2.0), 1e-9)
    with pytest.raises(Complaint, match=r"`result\[1\]` is 1"):
        check_values(Pair(1.0, 3.0), (1.0, 2.0), 1e-9)


class Hostile(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError("do not touch")


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (10**400, 1.0),
        (torch.ones(2).as_subclass(Hostile), torch.ones(2)),
    ],
    ids=["huge", "hostile"],
)
def test_what_cannot_be_compared_is_a_complaint_too(actual, expected):
    with pytest.raises(Complaint):  # noqa: PT012
        check_form(actual, expected)
        check_values(actual, expected, 1e-9)


@pytest.mark.parametrize(
    ("mine", "theirs", "written"),
    [
        (1.5, 2.0, "1.5 instead of 2"),
        (3.0910001, 3.0910002, "3.0910001 instead of 3.0910002"),
        (2.5, 2.5 + 4.5e-16, "2.5 instead of 2.500000000000000"),
        (0.1 + 0.2, 0.3, "0.3000000000000000"),
    ],
)
def test_two_numbers_are_written_with_as_many_digits_as_it_takes_to_tell_them_apart(mine, theirs, written):
    assert unlike(mine, theirs).startswith(written)
    first, second = unlike(mine, theirs).split(" instead of ")
    assert first != second


def test_an_error_of_float32_s_size_in_float64_is_told_as_such():
    expected = torch.tensor([0.3, 1.0], dtype=torch.float64)
    with pytest.raises(Complaint, match=r"that is the precision of float32"):
        check_values(torch.tensor([0.3, 1.0]).double(), expected, 1e-9)
    for error in (1e-3, 1e-12):
        with pytest.raises(Complaint) as complaint:
            check_values(expected + error, expected, 1e-15)
        assert "float32" not in str(complaint.value)


def test_a_tensor_without_dimensions_can_count_as_the_number_in_it():
    assert as_number(torch.tensor(2.0)) == as_number(np.array(2.0)) == as_number(2.0) == 2.0
    assert as_number(torch.ones(1)).shape == (1,)

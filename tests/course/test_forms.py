"""The other forms of an input hold the same numbers."""

import pytest
import torch

from oraledu.course.forms import other_float, refilled, strided, tensors

VALUE = (torch.arange(6.0).view(2, 3), {"a": [torch.ones(2, dtype=torch.int64), 3]}, "text")


def test_tensors_are_found_wherever_they_stand():
    assert [tuple(tensor.shape) for tensor in tensors(VALUE)] == [(2, 3), (2,)]


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 3, 4)])
def test_a_slice_of_a_larger_tensor_is_equal_and_not_contiguous(shape):
    (tensor,) = strided((torch.randn(shape),))
    assert not tensor.is_contiguous()
    first = torch.randn(shape)
    assert torch.equal(strided(first), first)
    if len(shape) > 1:
        with pytest.raises(RuntimeError, match="view"):
            tensor.view(-1)


def test_what_repeats_itself_is_expanded():
    rows = torch.randn(3).expand(2, 3).clone()
    assert strided(rows).stride() == (0, 1)
    assert torch.equal(strided(rows), rows)


@pytest.mark.parametrize("tensor", [torch.tensor(1.0), torch.ones(0, 2)])
def test_what_has_one_form_alone_stays(tensor):
    assert strided(tensor) is tensor


def test_the_other_float_type_leaves_all_else_as_it_is():
    first, second = tensors(other_float(VALUE))
    assert (first.dtype, second.dtype) == (torch.float64, torch.int64)
    assert next(tensors(other_float((first,)))).dtype == torch.float32


def test_other_values_come_in_the_same_memory():
    mine = (torch.zeros(2), {"a": 1})
    found = refilled(mine, (torch.ones(2), {"a": 2}))
    assert found[0] is mine[0]
    assert found[0].tolist() == [1, 1]
    assert found[1] == {"a": 2}


@pytest.mark.parametrize(
    "other", [(torch.ones(3), {}), (torch.ones(2).double(), {}), (torch.ones(2), torch.ones(2)), ()]
)
def test_values_of_another_form_do_not_fit(other):
    mine = (torch.zeros(2), {})
    assert refilled(mine, other) is None
    assert mine[0].tolist() == [0, 0]


def test_a_value_without_tensors_and_one_that_is_expanded_cannot_be_refilled():
    assert refilled((1,), (2,)) is None
    assert refilled((torch.zeros(1).expand(2),), (torch.ones(2),)) is None

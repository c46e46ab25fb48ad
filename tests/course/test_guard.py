"""A closed function cannot be called, by whatever road, and is open again afterwards."""

import functools
import threading

import pytest
import torch

from oraledu.course.guard import Borrowed, closable, closed


def square(x, y=1, *, z=1):
    return x * x


@torch.no_grad()
def decorated(x):
    return x * x


@functools.lru_cache
def cached(x):
    return x * x


def make_closure():
    factor = 2
    return lambda x: factor * x


ALIAS = square


@pytest.mark.parametrize(
    "call",
    [
        lambda: square(3),
        lambda: ALIAS(3, 4, z=5),
        lambda: square(),
        lambda: square(no_such_argument=1),
        lambda: functools.partial(square, 3)(),
        lambda: list(map(square, [1, 2])),
    ],
)
def test_every_road_to_a_closed_function_is_refused_and_noted(call):
    with closed([square]) as was_called:
        assert not was_called()
        with pytest.raises(Borrowed, match="this is the reference; write your own"):
            call()
        assert was_called()
    assert square(3) == 9


def test_a_call_from_another_thread_is_noted():
    def call():
        with pytest.raises(Borrowed):
            square(1)

    with closed([square]) as was_called:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        assert was_called()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_function_is_open_again_after_any_exception(error):
    with pytest.raises(error), closed([square]):
        raise error
    assert square(3) == 9


def test_an_earlier_use_is_forgotten():
    with closed([square]), pytest.raises(Borrowed):
        square(1)
    with closed([square]) as was_called:
        assert not was_called()


def test_the_heart_of_a_decorated_function_is_closed():
    with closed([closable(decorated)]), pytest.raises(Borrowed):
        decorated(3)
    assert decorated(3) == 9


@pytest.mark.parametrize("function", [torch.exp, cached, functools.partial(square, 1), dict])
def test_what_is_no_plain_function_cannot_be_closed(function):
    with pytest.raises(TypeError, match="must be a plain function"):
        closable(function)


def test_a_closure_cannot_be_closed():
    with pytest.raises(TypeError, match="must not use variables of an enclosing function"):
        closable(make_closure())

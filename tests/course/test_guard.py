"""A closed function cannot be called from a learner's function, by whatever road; everybody else may."""

import functools
import sys
import threading
from types import ModuleType

import pytest
import torch

from oraledu.course.guard import Borrowed, Guard, closable, functions_of, lend


def square(x, y=1, *, z=1):
    return x * x


def fourth(x):
    return square(x) * square(x)


@torch.no_grad()
def decorated(x):
    return x * x


@functools.lru_cache
def cached(x):
    return x * x


class Machine:
    def run(self, x):
        return square(x)

    @property
    def two(self):
        return square(2)


def make_closure():
    factor = 2
    return lambda x: factor * x


ALIAS = square


def in_a_thread(call):
    caught = []

    def run():
        try:
            caught.append(call())
        except Exception as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return caught[0]


@pytest.mark.parametrize(
    "call",
    [
        lambda: square(3),
        lambda: ALIAS(3, 4, z=5),
        lambda: square(),
        lambda: square(no_such_argument=1),
        lambda: functools.partial(square, 3)(),
        lambda: list(map(square, [1, 2])),
        lambda: fourth(2),
    ],
)
def test_every_road_to_a_closed_function_is_refused_and_noted(call):
    with Guard([square]) as guard, guard.watching() as was_called:
        assert not was_called()
        with pytest.raises(Borrowed, match="this is the reference; write your own"):
            call()
        assert was_called()
    assert square(3) == 9


def test_outside_a_learners_call_the_door_lets_everybody_through():
    with Guard([square]) as guard:
        assert square(3, z=2) == 9
        with guard.watching():
            pass
        assert fourth(2) == 16


def test_a_thread_that_a_learner_starts_is_refused_too():
    with Guard([square]) as guard, guard.watching() as was_called:
        assert isinstance(in_a_thread(lambda: square(1)), Borrowed)
        assert was_called()


def test_a_thread_that_was_there_before_is_let_through():
    begin, found = threading.Event(), []
    other = threading.Thread(target=lambda: (begin.wait(), found.append(square(3))))
    other.start()
    with Guard([square]) as guard, guard.watching() as was_called:
        begin.set()
        other.join()
        assert not was_called()
    assert found == [9]


def test_two_threads_examine_at_once_and_the_last_one_leaves_the_function_as_it_was():
    code = square.__code__
    with Guard([square]):
        assert in_a_thread(lambda: Guard([square]).__enter__().__exit__()) is None
        assert square.__code__ is not code
    assert square.__code__ == code


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_function_is_open_again_after_any_exception(error):
    with pytest.raises(error), Guard([square]) as guard, guard.watching():
        raise error
    assert square(3) == 9


def test_an_earlier_use_is_forgotten():
    with Guard([square]) as guard:
        with guard.watching(), pytest.raises(Borrowed):
            square(1)
        with guard.watching() as was_called:
            assert not was_called()


def test_the_heart_of_a_decorated_function_is_closed():
    with Guard([closable(decorated)]) as guard, guard.watching(), pytest.raises(Borrowed):
        decorated(3)
    assert decorated(3) == 9


def test_the_whole_package_is_closed_but_for_what_is_named():
    with Guard([square], __name__, [fourth]) as guard:
        for call in (lambda: square(1), lambda: decorated(1), lambda: cached(7), lambda: Machine().two):
            with guard.watching() as was_called:
                with pytest.raises(Borrowed):
                    call()
                assert was_called()
        with guard.watching() as was_called:
            assert fourth(2) == 16  # what is open may call what is closed
            assert not was_called()


def test_a_named_class_is_open_with_all_its_methods():
    with Guard([square], __name__, [Machine]) as guard, guard.watching() as was_called:
        assert Machine().run(3) == 9
        assert Machine().two == 4
        assert not was_called()


def test_what_is_handed_over_as_an_argument_may_be_called():
    with Guard([square], __name__) as guard:
        with guard.watching(([Machine()], {"how": fourth})) as was_called:
            assert Machine().run(3) == 9
            assert fourth(2) == 16
            assert not was_called()
        with guard.watching(([square], {})), pytest.raises(Borrowed):
            square(2)


def test_a_lent_reference_is_open_but_in_its_own_examination():
    with Guard([square], __name__) as guard:
        with guard.watching() as was_called:
            assert lend(fourth, 2) == 16
            assert not was_called()
        with guard.watching(), pytest.raises(Borrowed):
            lend(square, 2)


def test_a_part_of_the_package_that_is_loaded_meanwhile_is_noted(monkeypatch):
    late = ModuleType("oraledu_late.science")
    exec("def answer(): return 1", vars(late))
    late.answer.__module__ = late.__name__
    with Guard([square], "oraledu_late") as guard, guard.watching() as was_called:
        assert not was_called()
        monkeypatch.setitem(sys.modules, late.__name__, late)
        assert was_called()


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (decorated, ["decorated"]),
        (cached, ["cached"]),
        (functools.partial(square, 1), ["square"]),
        (Machine().run, ["run"]),
        (Machine, ["run", "two"]),
        (torch.exp, []),
        (3, []),
    ],
)
def test_the_functions_behind_a_value_are_found(value, names):
    assert [function.__name__ for function in functions_of(value)] == names


@pytest.mark.parametrize("function", [torch.exp, cached, functools.partial(square, 1), dict])
def test_what_is_no_plain_function_cannot_be_a_reference(function):
    with pytest.raises(TypeError, match="must be a plain function"):
        closable(function)


def test_a_closure_cannot_be_a_reference():
    with pytest.raises(TypeError, match="must not use variables of an enclosing function"):
        closable(make_closure())

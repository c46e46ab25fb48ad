"""Whatever a call does, the notebook goes on as if it had not been called."""

import random
import sys
import warnings

import numpy as np
import pytest
import torch

from oraledu.course.guard import Borrowed
from oraledu.course.sandbox import Sandbox, Todo, told, undisturbed
from oraledu.course.verdict import Complaint


def reference(x):
    return x


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox([reference], seconds=20.0)


def state():
    return [
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.get_rng_state().tolist(),
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
    ]


def disturb(fail=False):
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.set_grad_enabled(False)
    if fail:
        raise ValueError


@pytest.mark.parametrize("fail", [False, True])
def test_random_states_and_settings_are_as_before(sandbox, fail):
    before = state()
    try:
        sandbox.call(disturb, (fail,))
    except Complaint:
        assert fail
    assert state() == before


def test_each_of_the_states_would_be_noticed():
    before = state()
    with undisturbed():
        disturb()
        assert all(now != then for now, then in zip(state(), before, strict=True))


def test_a_call_starts_from_the_same_random_state_as_the_one_before(sandbox):
    assert torch.equal(sandbox.call(torch.rand, (3,)), sandbox.call(torch.rand, (3,)))


def test_arguments_are_handed_on_and_the_result_comes_back(sandbox):
    x = torch.ones(2)
    assert sandbox.call(lambda a, *, b: (a, b), (x,), {"b": 2})[0] is x


def test_a_flood_is_shortened_and_counted(sandbox):
    def flood():
        for number in range(10_000):
            print("line", number)

    sandbox.call(flood, ())
    lines = sandbox.printed.splitlines()
    assert lines[:2] == ["line 0", "line 1"]
    assert lines[20:] == ["… (your function printed more than this; lines left out: 9980)"]


def test_one_endless_line_is_shortened_too(sandbox):
    sandbox.call(lambda: [print("x" * 1000, end="") for _ in range(1000)], ())
    start, note = sandbox.printed.splitlines()
    assert len(start) == 4000
    assert note == "… (your function printed more than this)"


def test_a_little_is_kept_as_it_is(sandbox, capsys):
    sandbox.call(print, ("one\ntwo",))
    sandbox.call(lambda: print("three", file=sys.stderr), ())
    assert sandbox.printed == "one\ntwo\nthree"
    assert capsys.readouterr() == ("", "")


def test_a_silent_function_leaves_nothing(sandbox):
    sandbox.call(int, ())
    assert sandbox.printed == ""


@pytest.mark.parametrize("fail", [False, True])
def test_a_warning_is_told_among_what_was_printed(sandbox, fail):
    def warn():
        warnings.warn("careful", stacklevel=1)
        return 1 / (not fail)

    try:
        assert sandbox.call(warn, ()) == 1
    except Complaint:
        assert fail
    assert sandbox.printed == "UserWarning: careful"


def test_an_unwritten_function_stays_unwritten(sandbox):
    def unwritten():
        raise Todo

    with pytest.raises(Todo):
        sandbox.call(unwritten, ())


def test_a_function_that_borrows_and_then_fails_is_borrowed(sandbox):
    def fails():
        try:
            reference(1)
        finally:
            raise ValueError

    with pytest.raises(Borrowed):
        sandbox.call(fails, ())
    assert reference(1) == 1


def test_a_watched_function_works_on_copies_and_raises_its_own_errors(sandbox):
    def appends(items):
        items.append(1)
        return items[5]

    items = []
    with pytest.raises(IndexError):
        sandbox.watched(appends)(items)
    assert items == []


def test_a_function_from_a_watched_function_is_watched_too(sandbox):
    inner = sandbox.watched(lambda: lambda x: reference(x))()
    with pytest.raises(Borrowed):
        inner(1)


def test_a_watched_function_that_runs_too_long_is_a_complaint():
    def endless():
        while True:
            pass

    with pytest.raises(Complaint, match=r"runs for more than 0.1 seconds"):
        Sandbox([], seconds=0.1).watched(endless)()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("", "it raises ValueError: no message"),
        ("short.", "it raises ValueError: short"),
        ("first\nsecond", "it raises ValueError: first"),
        ("word " * 100, "it raises ValueError: " + "word " * 39 + "…"),
    ],
)
def test_an_error_is_told_in_one_short_line(message, expected):
    assert told(ValueError(message), reference) == expected


def test_the_place_of_an_error_is_where_the_function_itself_was():
    def helper():
        raise ValueError("deep")

    @torch.no_grad()
    def calls(x):
        y = x
        helper()
        return y

    with pytest.raises(ValueError, match="deep") as caught:
        calls(1)
    expected = "it raises ValueError: deep, in line 4 of your function: `helper()`"
    assert told(caught.value, calls) == expected

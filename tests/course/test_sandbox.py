"""Whatever a call does, the notebook goes on as if it had not been called."""

import asyncio
import os
import random
import signal
import sys
import threading
import warnings

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib import pyplot

from oraledu.course.guard import Borrowed, Guard
from oraledu.course.sandbox import Sandbox, Todo, told
from oraledu.course.verdict import Complaint


def reference(x):
    return x


def entered():
    """Enter a sandbox in the test itself: between a fixture and its test, pytest replaces the streams."""
    return Sandbox(Guard([reference]), seconds=20.0)


@pytest.fixture
def sandbox():
    with entered() as made:
        yield made


def state():
    return [
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.get_rng_state().tolist(),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_anomaly_enabled(),
        torch.get_float32_matmul_precision(),
        repr(torch.tensor(1 / 3)),
        repr(np.float64(1) / np.array([3.0])),
        np.geterr(),
        dict(matplotlib.rcParams),
        pyplot.get_fignums(),
        os.getcwd(),
        dict(os.environ),
        list(sys.path),
        sys.getrecursionlimit(),
        sys.stdout,
    ]


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    torch.use_deterministic_algorithms(
        False
    )  # loads torch's compiler: on a busy machine in more than 20 seconds


def disturb(fail=False):
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.set_grad_enabled(False)
    torch.set_autocast_enabled("cpu", True)
    torch.use_deterministic_algorithms(True)
    torch.autograd.set_detect_anomaly(True)
    torch.set_float32_matmul_precision("medium")
    torch.set_printoptions(precision=1)
    np.set_printoptions(precision=1)
    np.seterr(all="raise")
    matplotlib.rcParams["figure.figsize"] = (20, 20)
    pyplot.plot([1, 2])
    os.chdir("/")
    os.environ["ORALEDU_TEST"] = "changed"
    sys.path.insert(0, "/nowhere")
    sys.setrecursionlimit(sys.getrecursionlimit() + 100)
    sys.stdout = sys.__stderr__
    if fail:
        raise ValueError


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("fail", [False, True])
def test_random_states_and_settings_are_as_before_the_examination(fail):
    before = state()
    with Sandbox(Guard(), seconds=20.0) as sandbox:
        try:
            sandbox.call(disturb, (fail,))
        except Complaint:
            assert fail
    for now, then in zip(state(), before, strict=True):
        assert now == then


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_each_of_these_would_be_noticed():
    before = state()
    with Sandbox(Guard(), seconds=20.0):
        disturb()
        torch.set_default_device("cpu")  # so that a tensor can be printed
        after = state()
        same = [place for place, (now, then) in enumerate(zip(after, before, strict=True)) if now == then]
        assert same == [4]


def test_what_the_next_computation_depends_on_is_as_before_after_each_call(sandbox):
    sandbox.call(disturb, ())
    assert torch.ones(2).dtype == torch.float32
    assert torch.ones(2).device.type == "cpu"
    assert np.geterr()["invalid"] == "warn"


def test_chance_goes_on_from_call_to_call_and_begins_at_the_same_place(sandbox):
    first, second = (sandbox.call(torch.rand, (3,)) for _ in range(2))
    assert not torch.equal(first, second)
    with Sandbox(Guard(), seconds=20.0) as another:
        assert torch.equal(another.call(torch.rand, (3,)), first)


def test_arguments_are_handed_on_and_the_result_comes_back(sandbox):
    x = torch.ones(2)
    assert sandbox.call(lambda a, *, b: (a, b), (x,), {"b": 2})[0] is x


def test_a_flood_is_shortened_and_counted():
    with entered() as sandbox:

        def flood():
            for number in range(10_000):
                print("line", number)

        sandbox.call(flood, ())
        lines = sandbox.printed.splitlines()
        assert lines[:2] == ["line 0", "line 1"]
        assert lines[20:] == ["… (your function printed more than this; lines left out: 9980)"]


def test_one_endless_line_is_shortened_too():
    with entered() as sandbox:
        sandbox.call(lambda: [print("x" * 1000, end="") for _ in range(1000)], ())
        start, note = sandbox.printed.splitlines()
        assert len(start) == 4000
        assert note == "… (your function printed more than this)"


def test_a_little_is_kept_as_it_is(capsys):
    with entered() as sandbox:
        sandbox.call(print, ("one\ntwo",))
        sandbox.call(lambda: print("three", file=sys.stderr), ())
        assert sandbox.printed == "one\ntwo\nthree"
        assert capsys.readouterr() == ("", "")


def test_a_silent_function_leaves_nothing(sandbox):
    sandbox.call(int, ())
    assert sandbox.printed == ""


@pytest.mark.parametrize("fail", [False, True])
def test_a_warning_is_told_once_among_what_was_printed(sandbox, fail):
    def warn():
        warnings.warn("careful", stacklevel=1)
        return 1 / (not fail)

    for _ in range(2):
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


def test_what_other_courses_write_there_is_unwritten_too(sandbox):
    def unwritten(x):
        raise NotImplementedError

    with pytest.raises(Todo):
        sandbox.call(unwritten, (1,))


def test_what_a_library_has_not_implemented_is_the_functions_fault(sandbox):
    def calls_torch():
        return torch.empty(3, device="meta").item()

    def calls_another():
        return calls_torch()

    for function in (calls_torch, calls_another):
        with pytest.raises(Complaint, match="it raises"):
            sandbox.call(function, ())
    with pytest.raises(Complaint, match="it raises NotImplementedError"):
        sandbox.call(lambda: raise_(NotImplementedError("of another function")), ())


def test_a_function_that_waits_for_an_answer_is_told_where_to_be_debugged(sandbox):
    def waits():
        import pdb

        pdb.Pdb(nosigint=True).set_trace()
        return 1

    for function in (input, waits):
        with pytest.raises(Complaint, match="as at a breakpoint: to debug it, call it in a cell of your own"):
            sandbox.call(function, ())


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

    late = pytest.raises(Complaint, match=r"runs for more than 0.1 seconds")
    with Sandbox(Guard(), seconds=0.1) as sandbox, late:
        sandbox.watched(endless)()


def raise_(error):
    raise error


class Mute(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    "error", [GeneratorExit(), SystemExit(), asyncio.CancelledError(), BaseException("odd"), Mute()]
)
def test_whatever_is_raised_ends_as_a_complaint(sandbox, error):
    with pytest.raises(Complaint, match=f"it raises {type(error).__name__}"):
        sandbox.call(raise_, (error,))


def test_a_keyboard_interrupt_that_the_function_raises_is_no_interrupt(sandbox):
    with pytest.raises(Complaint, match="it raises KeyboardInterrupt"):
        sandbox.call(raise_, (KeyboardInterrupt(),))


def test_an_interrupt_by_the_user_stays_one(sandbox):
    with pytest.raises(KeyboardInterrupt):
        sandbox.call(lambda: signal.raise_signal(signal.SIGINT), ())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
@pytest.mark.parametrize("take", [lambda: torch.zeros(2**30), lambda: np.ones(2**29), lambda: [0] * 2**29])
def test_a_call_that_takes_too_much_memory_is_stopped_and_the_next_one_is_not(take):
    with Sandbox(Guard(), seconds=20.0, memory=0.5) as sandbox:
        with pytest.raises(Complaint, match=r"it takes more than 0\.5 GiB of memory"):
            sandbox.call(take, ())
        assert sandbox.call(lambda: torch.zeros(1000).sum().item(), ()) == 0


def test_another_thread_prints_as_ever_meanwhile(capsys):
    begin, done = threading.Event(), threading.Event()
    other = threading.Thread(target=lambda: (begin.wait(), sys.stdout.write("from a slider\n"), done.set()))

    def call():
        begin.set()
        done.wait()
        print("from the function")

    other.start()
    with Sandbox(Guard(), seconds=20.0) as sandbox:
        sandbox.call(call, ())
    other.join()
    assert sandbox.printed == "from the function"
    assert capsys.readouterr().out == "from a slider\n"


def test_a_thread_that_the_function_starts_is_held_back_with_it():
    with entered() as sandbox:

        def call():
            thread = threading.Thread(target=print, args=("from within",))
            thread.start()
            thread.join()

        sandbox.call(call, ())
        assert sandbox.printed == "from within"


def test_what_others_print_during_an_examination_is_dropped(capsys):
    with entered() as sandbox:
        print("the reference's progress")
        assert sandbox.printed == ""
        assert capsys.readouterr().out == ""


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

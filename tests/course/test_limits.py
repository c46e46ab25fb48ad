"""A call that does not end is stopped, in every thread; nobody else's timer or interrupt is lost."""

import signal
import threading
import time

import pytest

from oraledu.course.limits import TimeUp, run_within

SHORT, LONG = 0.1, 60.0


def spin():
    end = time.monotonic() + 5  # so that a broken limit is a failure and not a test without end
    while time.monotonic() < end:
        pass


def sleep():
    time.sleep(LONG)


def turn_it_into_an_error():
    try:
        spin()
    except BaseException as error:
        raise ValueError from error


def in_thread(call):
    outcome = []

    def run():
        try:
            outcome.append(call())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(LONG)
    return outcome[0]


def in_main_thread(call):
    try:
        return call()
    except BaseException as error:
        return error


@pytest.fixture(params=[in_main_thread, in_thread])
def run(request):
    return request.param


def test_a_quick_call_returns_its_result(run):
    assert run(lambda: run_within(LONG, lambda: 3)) == 3


def test_an_endless_loop_is_stopped(run):
    assert isinstance(run(lambda: run_within(SHORT, spin)), TimeUp)


def test_an_endless_sleep_is_stopped_in_the_main_thread():
    with pytest.raises(TimeUp):
        run_within(SHORT, sleep)


def test_a_call_that_swallows_the_interruption_is_interrupted_again_and_still_too_late(run):
    swallowed = []

    def swallow():
        for _ in range(3):
            try:
                spin()
            except BaseException as error:
                swallowed.append(error)

    assert isinstance(run(lambda: run_within(SHORT, swallow)), TimeUp)
    assert len(swallowed) == 3


def test_a_call_that_turns_the_interruption_into_an_error_is_still_too_late(run):
    assert isinstance(run(lambda: run_within(SHORT, turn_it_into_an_error)), TimeUp)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_a_call_raises_in_time_passes_through(run, error):
    def fail():
        raise error

    assert isinstance(run(lambda: run_within(LONG, fail)), error)


def test_nothing_rings_after_the_call(run):
    def twice():
        with pytest.raises(TimeUp):
            run_within(SHORT, spin)
        time.sleep(4 * SHORT)
        return "quiet"

    assert run(twice) == "quiet"


def test_no_timer_is_left_behind():
    others = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        run_within(LONG, lambda: 3)
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *others)


def test_no_thread_is_left_behind():
    before = threading.active_count()
    in_thread(lambda: run_within(LONG, lambda: 3))
    assert threading.active_count() == before


def test_somebody_elses_timer_still_rings():
    rung = []
    handler = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    earlier = signal.setitimer(signal.ITIMER_REAL, 3 * SHORT)
    try:
        run_within(LONG, lambda: 3)
        for _ in range(100):
            if not rung:
                time.sleep(SHORT)
        assert rung == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, *earlier)
        signal.signal(signal.SIGALRM, handler)


def test_a_loop_with_a_bare_except_is_stopped_all_the_same(run):
    def stubborn():
        stubbornly = 0
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                sum(range(1000))
            except:  # noqa: E722
                stubbornly += 1

    begun = time.monotonic()
    assert isinstance(run(lambda: run_within(SHORT, stubborn)), TimeUp)
    assert time.monotonic() - begun < 20

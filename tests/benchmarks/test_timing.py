import time

import pytest

from benchmarks import timing


@pytest.fixture
def spend(monkeypatch):
    """A clock of the processor that calls move on by so many seconds each."""
    clock = [0.0]
    monkeypatch.setattr(time, "process_time", lambda: clock[0])

    def make(*durations):
        left = list(durations)

        def call():
            clock[0] += left.pop(0) if len(left) > 1 else left[0]

        return call

    return make


def test_a_ratio_is_the_median_with_the_extremes_and_without_the_first_round(spend):
    slow, fast = spend(900, 2, 4, 6, 8, 12), spend(1, 1, 2, 2, 2, 2)
    assert timing.ratio(slow, fast, 5) == "3 (2 to 6)"


def test_fewer_than_five_rounds_have_no_spread(spend):
    with pytest.raises(ValueError, match="at least 5"):
        timing.ratio(spend(1), spend(1), 4)


def test_the_exponent_of_growth_is_that_of_the_times(spend):
    assert timing.growth(lambda n: spend(1e-3 * n**1.5), (10, 20, 80), "n") == "n^1.5, n = 10 to 80"


def large(count):
    return lambda: bytearray(count * 2**20).count(1)


def test_the_peak_is_what_the_call_alone_adds_however_large_its_parent_was():
    bytearray(400 * 2**20).count(1)
    found = timing.peak(large, 100)
    assert found == "–" or found.endswith(" MB")
    assert found == "–" or 95 < int(found.split()[0]) < 130


def test_a_row_is_a_line_of_markdown():
    assert str(timing.Row("1", "a / b", "n = 3", "2")) == "| 1 | a / b | n = 3 | 2 | – | – |"

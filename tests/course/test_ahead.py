import os
import signal

import pytest

from oraledu.course import ahead as module
from oraledu.course.ahead import ahead
from oraledu.course.cache import cached


def where(number: int) -> tuple[int, int, str | None]:
    return number**2, os.getpid(), os.environ.get("CI")


def fatal(parent: int) -> int:
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return 7


def refused(number: int) -> None:
    raise ValueError(f"no {number}")


@pytest.fixture(autouse=True)
def own_process(tmp_path, monkeypatch):
    monkeypatch.setenv("ORALEDU_CACHE", str(tmp_path / "cache"))
    module._beside.cache_clear()
    yield
    module._beside().shutdown(wait=False, kill_workers=True)
    module._beside.cache_clear()


def test_a_run_begins_in_another_process_without_a_bar_and_is_kept(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    found = ahead(2, where)(3)()
    assert found[0] == 9
    assert found[1] != os.getpid()
    assert found[2] == "true"
    assert cached(where)(3) == found


def test_with_one_worker_it_runs_here_when_it_is_asked_for(monkeypatch):
    seen = []
    monkeypatch.setattr(module, "cached", lambda function: lambda *args: seen.append(args) or function(*args))
    later = ahead(1, where)(number := 3)
    assert seen == []
    assert later()[1] == os.getpid()
    assert seen == [(number,)]


def test_an_error_comes_where_the_result_is_asked_for():
    later = ahead(2, refused)(5)
    with pytest.raises(ValueError, match="no 5"):
        later()


def test_a_process_that_dies_is_stood_in_for_then_and_later():
    for _ in range(2):
        assert ahead(2, fatal)(os.getpid())() == 7

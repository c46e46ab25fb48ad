"""At larger scales an assertion of a cell is reported, and the cell goes on."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from oraledu.course import assertions
from oraledu.course.runtime import start


@pytest.fixture
def shell(monkeypatch):
    made = InteractiveShell()
    monkeypatch.setattr("IPython.get_ipython", lambda: made)
    yield made
    made.history_manager.end_session()


@pytest.mark.parametrize("scale", ["middle", "full"])
def test_what_does_not_hold_is_printed_and_the_cell_goes_on(shell, monkeypatch, capsys, scale):
    monkeypatch.setenv("ORALEDU_SCALE", scale)
    start("04_grokking")
    capsys.readouterr()
    done = shell.run_cell("x = 2\nassert x == 2\nif True:\n    assert x > 5 and x\nx = 3")
    assert done.success
    assert capsys.readouterr().out == "Does not hold at this scale: x > 5 and x\n"
    assert shell.user_ns["x"] == 3


def test_at_the_quick_scale_an_assertion_ends_its_cell(shell, capsys):
    start("04_grokking")
    assert isinstance(shell.run_cell("assert 1 > 2").error_in_exec, AssertionError)


@pytest.mark.parametrize(
    "body", ["def f():\n    assert 1 > 2\nf()", "class A:\n    def f(self):\n        assert 1 > 2\nA().f()"]
)
def test_a_function_of_the_reader_keeps_its_assertions(shell, monkeypatch, capsys, body):
    monkeypatch.setenv("ORALEDU_SCALE", "full")
    start("04_grokking")
    assert isinstance(shell.run_cell(body).error_in_exec, AssertionError)


def test_a_condition_that_cannot_be_told_ends_the_cell(shell, monkeypatch, capsys):
    monkeypatch.setenv("ORALEDU_SCALE", "full")
    start("04_grokking")
    assert isinstance(shell.run_cell("assert nowhere > 2").error_in_exec, NameError)


def test_a_second_start_reports_once(shell, monkeypatch, capsys):
    monkeypatch.setenv("ORALEDU_SCALE", "full")
    start("04_grokking")
    start("04_grokking")
    capsys.readouterr()
    shell.run_cell("assert False")
    assert capsys.readouterr().out.count(assertions.WORDS) == 1


def test_outside_a_kernel_nothing_changes(monkeypatch, capsys):
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    assertions.report()
    with pytest.raises(AssertionError):
        exec("assert False", {})

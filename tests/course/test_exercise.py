"""What an exercise hands out, repeats, remembers and says about who drew a figure."""

import inspect
import json
import linecache
import re
import signal
from functools import partial
from pathlib import Path

import pytest
import torch

from oraledu.course.examine import examine
from oraledu.course.exercise import Case, Exercise, Reference, Todo, credit, long_run
from oraledu.course.guard import Guard
from tests.course.synthetic import columns_softmax, compute_for, good_softmax, softmax, softmax_exercise
from tests.proof import rejections


def unwritten(scores):
    raise Todo


def slow_softmax(scores):
    if len(scores) > 5:
        compute_for(0.3)
    return good_softmax(scores)


def borrowing(scores):
    return softmax(scores)


def large(generator):
    return Case("large", (torch.randn(6, 2, generator=generator),))


SCORES = torch.tensor([[0.0, 1.0], [2.0, 0.0]])

ANSWERS = {
    "not attempted": unwritten,
    "wrong": columns_softmax,
    "borrowed": borrowing,
    "correct": good_softmax,
    "slow": slow_softmax,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / ".oraledu").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".oraledu"


@pytest.fixture
def exercise() -> Exercise:
    return softmax_exercise(full_size=large)


@pytest.mark.parametrize("status", ANSWERS)
def test_each_outcome_has_its_status_and_hands_out_what_the_lesson_goes_on_with(exercise, status):
    answer = ANSWERS[status]
    handed_out = exercise(answer)
    assert exercise.status == status
    if status in ("correct", "slow"):
        assert handed_out is answer
    else:
        assert repr(handed_out) == "<the reference for softmax, in use until your own function is right>"
        assert torch.equal(handed_out(SCORES), softmax(SCORES))


@pytest.mark.parametrize("status", ANSWERS)
def test_a_second_run_of_the_cell_repeats_the_verdict_and_records_nothing(exercise, status, folder, capsys):
    handed_out = exercise(ANSWERS[status])
    first = capsys.readouterr().out
    recorded = (folder / "results.json").read_text()
    assert exercise(handed_out) is handed_out
    assert capsys.readouterr().out == first
    assert exercise.status == status
    assert (folder / "results.json").read_text() == recorded


def test_a_new_definition_is_checked_anew(exercise, folder):
    exercise(exercise(columns_softmax))
    exercise(good_softmax)
    entry = json.loads((folder / "results.json").read_text())["exercises"]["test.softmax"]
    assert exercise.status == entry["status"] == "correct"
    assert entry["attempts"] == 2


def test_the_lines_of_an_unsolved_and_a_solved_exercise_are_fixed(exercise, capsys):
    exercise(unwritten)
    exercise(good_softmax)
    assert capsys.readouterr().out.splitlines() == [
        "softmax: not attempted yet. The lesson goes on with the reference.",
        "softmax: correct. The lesson goes on with your function.",
    ]


@pytest.mark.parametrize("handed_over", [softmax, partial(softmax), lambda scores: softmax(scores)])
def test_the_reference_handed_over_is_borrowed_in_every_disguise(exercise, handed_over, capsys):
    assert isinstance(exercise(handed_over), Reference)
    assert exercise.status == "borrowed"
    assert "write your own" in capsys.readouterr().out


def test_the_reference_keeps_the_help_that_the_learner_reads_and_says_whose_it_is(exercise):
    def mine(scores, *, base=2):
        """Turn scores into probabilities."""
        raise Todo

    lent = exercise(mine)
    assert lent.__name__ == "the_reference_for_softmax"
    assert lent.__doc__ == (
        "The course's reference, in use until your own `softmax` is right.\n\nTurn scores into probabilities."
    )
    assert str(inspect.signature(lent)) == "(scores, *, base=2)"
    assert "max" not in inspect.getsource(type(lent))


def test_the_reference_that_was_lent_is_borrowed_in_its_own_exercise(exercise):
    lent = exercise(unwritten)
    assert examine(exercise, lent, attempt=1).status == "borrowed"
    assert examine(exercise, lambda scores: lent(scores), attempt=1).status == "borrowed"


def test_the_reference_that_was_lent_may_be_called_in_another_exercise(exercise):
    lent = exercise(unwritten)
    another = softmax_exercise(id="test.another", reference=library_softmax)
    another.guard = lambda: Guard([library_softmax], softmax.__module__)
    assert examine(another, softmax, attempt=1).status == "borrowed"
    assert examine(another, lambda scores: lent(scores), attempt=1).status == "correct"


def test_neither_what_an_exercise_prints_nor_what_the_tab_key_offers_gives_an_answer_away(exercise):
    assert repr(exercise) == "<exercise softmax: not attempted>"
    assert dir(exercise) == ["hints", "name", "status", "title"]


def test_an_interrupt_by_the_user_passes_through_and_leaves_the_exercise_as_it_was(exercise):
    exercise(good_softmax)

    def interrupted(scores):
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        exercise(interrupted)
    assert exercise.status == "correct"
    assert softmax(torch.zeros(1, 2)).tolist() == [[0.5, 0.5]]


def test_each_check_in_a_session_draws_fresh_inputs_and_a_new_session_draws_the_same(capsys):
    seen = []

    def curious(scores):
        seen.append(scores.clone())
        return scores

    for _ in range(2):
        session = softmax_exercise()
        session(curious)
        session(lambda scores: curious(scores))
    first, second, first_again, second_again = seen
    assert not torch.equal(first, second)
    assert torch.equal(first, first_again)
    assert torch.equal(second, second_again)


def test_what_a_function_prints_comes_before_its_verdict_and_only_once(exercise, capsys):
    def talkative(scores):
        print("hello")
        return good_softmax(scores)

    handed_out = exercise(talkative)
    assert capsys.readouterr().out.splitlines()[0] == "hello"
    exercise(handed_out)
    assert "hello" not in capsys.readouterr().out


def test_a_damaged_file_of_results_is_told_in_one_line(exercise, folder, capsys):
    (folder / "results.json").write_text("{")
    exercise(good_softmax)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "Your file of results was damaged; it is kept as results.damaged-1.json, and a new one begins."
    ]


def gram(x):
    return x @ x.T


def other_gram(x):
    return torch.einsum("ik,jk->ij", x, x)


@pytest.fixture
def gram_exercise() -> Exercise:
    return softmax_exercise(
        id="test.gram",
        reference=gram,
        properties=[],
        wrong_answers=[],
        cases=lambda generator: [Case("a matrix", (torch.randn(3, 3, generator=generator),))],
    )


def test_a_figure_tells_whose_functions_drew_it(exercise, gram_exercise):
    theirs, their_gram = exercise(unwritten), gram_exercise(unwritten)
    assert credit(theirs) == "Drawn by the reference softmax."
    assert credit(theirs, their_gram) == "Drawn by the reference functions."
    mine = exercise(good_softmax)
    assert credit(mine) == "Drawn by your softmax."
    assert credit(their_gram, mine) == "Drawn by your softmax and the reference gram."
    assert credit(mine, gram_exercise(other_gram)) == "Drawn by your softmax and gram."


def library_softmax(scores):
    return torch.softmax(scores, dim=1)


def test_a_long_run_takes_the_learners_function_only_where_it_is_fast():
    exercise = softmax_exercise(full_size=large, reference=library_softmax)
    assert long_run(exercise(good_softmax)) is good_softmax
    assert long_run(exercise(slow_softmax)) is library_softmax
    assert credit(long_run(slow_softmax)) == "Drawn by the reference softmax."
    lent = exercise(unwritten)
    assert long_run(lent) is lent


@pytest.mark.parametrize("ask", [credit, long_run])
def test_a_function_that_has_not_been_checked_is_refused(ask):
    def fresh(x):
        return x

    with pytest.raises(ValueError, match=r"fresh has not been through its check"):
        ask(fresh)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"id": "softmax"}, "id must name topic and function"),
        ({"tolerance": 0.0}, "tolerance must be greater than 0"),
        ({"slow_factor": 1.0}, "slow_factor must be greater than 1"),
        ({"time_limit": -1.0}, "time_limit must be greater than 0"),
    ],
)
def test_an_impossible_setting_is_refused_at_once(settings, told):
    with pytest.raises(ValueError, match=told):
        softmax_exercise(**settings)


@pytest.mark.parametrize("where", ["reference", "guarded"])
def test_a_function_that_cannot_be_closed_is_refused_at_once(where):
    with pytest.raises(TypeError, match="must be a plain function"):
        softmax_exercise(**{where: torch.exp if where == "reference" else [torch.exp]})


def test_the_example_of_the_contributing_page_is_an_exercise_that_proves_itself():
    page = (Path(__file__).resolve().parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    linecache.cache["<example>"] = (len(example), None, example.splitlines(keepends=True), "<example>")
    made = {"__name__": "example"}
    exec(compile(example, "<example>", "exec"), made)
    assert len(rejections(made["exercise"])) == 4

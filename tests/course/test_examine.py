"""What a learner hears, and in which order."""

import contextlib
import time
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from oraledu.course.examine import examine
from oraledu.course.exercise import Case, Todo, WrongAnswer
from tests.course.synthetic import (
    COLUMNS,
    UNSTABLE,
    columns_softmax,
    compute_for,
    exercise_of,
    good_softmax,
    softmax,
    softmax_exercise,
    unstable_softmax,
)


def line(exercise, function):
    outcome = examine(exercise, function, attempt=1)
    assert outcome.status == "wrong"
    return outcome.line


def status(exercise, function):
    return examine(exercise, function, attempt=1).status


def test_an_error_is_told_with_its_line_in_the_learners_function():
    def broken(scores):
        rows = len(scores)
        return scores[rows]

    said = line(softmax_exercise(), broken)
    assert "On 'a tall input' it raises IndexError: index 5 is out of bounds" in said
    assert "in line 3 of your function: `return scores[rows]`" in said


def test_a_wrong_number_of_arguments_is_told():
    assert "it raises TypeError" in line(softmax_exercise(), lambda: None)


def test_leaving_the_program_is_told_as_an_error():
    assert "it raises SystemExit" in line(softmax_exercise(), lambda scores: exit())


def test_something_that_is_no_function_is_told():
    assert "takes a function, and got an object of type `int`" in line(softmax_exercise(), 3)


def test_an_endless_loop_is_stopped_and_told():
    def endless(scores):
        while True:
            pass

    assert "it runs for more than 0.2 seconds" in line(softmax_exercise(time_limit=0.2), endless)


def test_a_function_without_return_is_told():
    assert "it returns nothing" in line(softmax_exercise(), lambda scores: None)


def test_a_function_that_changes_its_inputs_is_told_although_its_values_are_right():
    def in_place(scores):
        scores -= scores.max(dim=1, keepdim=True).values
        return good_softmax(scores)

    assert "it changes its inputs" in line(softmax_exercise(), in_place)


def test_inputs_that_are_changed_before_the_values_go_wrong_are_told_first():
    def in_place(scores):
        scores += 1.0
        return columns_softmax(scores)

    assert "it changes its inputs" in line(softmax_exercise(), in_place)


def double(x):
    return x + x


def first_column(x):
    return x[:, :1]


def plus_nothing(x):
    return x + 0.0


def test_a_view_of_an_input_is_told():
    exercise = exercise_of(plus_nothing, torch.ones(2, 2))
    assert "is a view of an input" in line(exercise, lambda x: x.view(2, 2))
    assert status(exercise, lambda x: x.clone()) == "correct"


def test_a_view_is_allowed_where_the_reference_returns_one():
    assert status(exercise_of(first_column, torch.ones(2, 2)), lambda x: x[:, 0:1]) == "correct"


def test_an_array_view_of_a_numpy_input_is_told():
    exercise = exercise_of(plus_nothing, np.ones((2, 2)))
    assert "is a view of an input" in line(exercise, lambda x: x[::1])


def test_the_form_is_told_before_the_manners_and_these_before_the_values():
    def all_wrong(x):
        x += 1
        return x.view(1, 4)

    def both_wrong(x):
        x += 1
        return x.view(2, 2)

    exercise = exercise_of(double, torch.ones(2, 2))
    assert "has shape (1, 4); (2, 2) is expected" in line(exercise, all_wrong)
    assert "it changes its inputs" in line(exercise, both_wrong)
    assert "is a view" in line(exercise, lambda x: x.view(2, 2))


def test_a_wrong_value_names_its_case_its_error_and_the_likely_slip():
    said = line(softmax_exercise(), columns_softmax)
    assert "On 'a tall input' the largest error of the result is " in said
    assert said.endswith(f"{COLUMNS} The lesson goes on with the reference.")


def test_the_likely_slip_is_told_for_a_wrong_form_too():
    assert f"contains NaN or infinity. {UNSTABLE} The" in line(softmax_exercise(), unstable_softmax)


def test_another_mistake_gets_no_slip_that_is_not_its_own():
    said = line(softmax_exercise(), lambda scores: 2 * good_softmax(scores))
    assert COLUMNS not in said
    assert UNSTABLE not in said


def test_a_wrong_answer_that_fails_itself_does_not_get_in_the_way():
    def failing(scores):
        raise RuntimeError

    wrong = [WrongAnswer(failing, "Never."), WrongAnswer(columns_softmax, COLUMNS)]
    assert COLUMNS in line(softmax_exercise(wrong_answers=wrong), columns_softmax)


def test_a_broken_property_is_told_after_the_cases():
    def shy(scores):
        return good_softmax(scores) if scores.shape != (3, 3) else scores

    said = line(softmax_exercise(), shy)
    assert (
        "The property 'shift changes nothing' fails: adding one number to all scores changes the result. The"
        in said
    )
    assert "a tall input" in line(softmax_exercise(), lambda scores: scores + 1.0)


def test_an_error_inside_a_property_is_told_as_the_learners():
    def fails_at_three(scores):
        if scores.shape == (3, 3):
            raise ValueError("three")
        return good_softmax(scores)

    assert "The property 'shift changes nothing' fails: it raises ValueError: three, in line 3" in line(
        softmax_exercise(), fails_at_three
    )


def test_a_property_may_ask_for_an_exception():
    def refuses_vectors(function, generator):
        try:
            function(torch.ones(3))
        except IndexError:
            return None
        return "a vector is accepted"

    exercise = softmax_exercise(properties=[refuses_vectors])
    assert status(exercise, good_softmax) == "correct"
    assert "a vector is accepted" in line(
        exercise, lambda scores: good_softmax(scores) if scores.ndim == 2 else scores
    )


def test_a_property_may_call_the_reference_and_the_learner_still_may_not():
    def as_the_reference(function, generator):
        scores = torch.randn(2, 2, generator=generator)
        return None if torch.allclose(function(scores), softmax(scores)) else "it differs"

    exercise = softmax_exercise(properties=[as_the_reference])
    assert status(exercise, good_softmax) == "correct"

    def borrows_on_squares(scores):
        return softmax(scores) if scores.shape == (2, 2) else good_softmax(scores)

    assert status(exercise, borrows_on_squares) == "borrowed"


def test_a_property_cannot_see_or_suffer_from_changed_inputs():
    def inputs_stay(function, generator):
        scores = torch.zeros(2, 2)
        function(scores)
        return None if not scores.any() else "changed"

    def changes_squares(scores):
        if scores.shape == (2, 2):
            scores += 1
        return good_softmax(scores)

    exercise = softmax_exercise(properties=[inputs_stay])
    assert status(exercise, changes_squares) == "correct"


def test_a_swallowed_refusal_is_still_borrowed():
    def peeks(scores):
        with contextlib.suppress(Exception):
            softmax(scores)
        return good_softmax(scores)

    assert status(softmax_exercise(), peeks) == "borrowed"


def test_a_further_guarded_function_is_borrowed_too():
    exercise = softmax_exercise(guarded=[double])
    assert status(exercise, lambda scores: good_softmax(double(scores) / 2)) == "borrowed"
    assert double(1) == 2


def test_an_unwritten_function_is_not_attempted_even_from_a_property():
    def half_written(scores):
        if scores.shape == (3, 3):
            raise Todo
        return good_softmax(scores)

    assert status(softmax_exercise(), half_written) == "not attempted"


def adder(amount):
    def add(x):
        return x + amount

    return add


def test_a_function_as_answer_is_compared_on_its_probe():
    exercise = exercise_of(adder, 2.0, probe=(torch.arange(3.0),))
    assert status(exercise, lambda amount: lambda x: amount + x) == "correct"
    assert "`[0]` (-2 instead of 2)" in line(exercise, lambda amount: lambda x: x - amount)
    assert "the result is a number; a function is expected" in line(exercise, lambda amount: amount)
    assert "it returns nothing" in line(exercise, lambda amount: None)
    assert status(exercise, lambda amount: lambda x: adder(amount)(x)) == "borrowed"
    assert "ZeroDivisionError" in line(exercise, lambda amount: lambda x: 1 / 0)


@dataclass
class Moments:
    mean: torch.Tensor
    count: int


def moments(x):
    return Moments(x.mean(dim=0), len(x))


def test_a_dataclass_is_compared_field_by_field():
    exercise = exercise_of(moments, torch.arange(6.0).view(3, 2))
    assert status(exercise, lambda x: Moments(x.sum(dim=0) / 3, 3)) == "correct"
    assert "`result.mean` has shape (3,); (2,) is expected" in line(
        exercise, lambda x: Moments(x.mean(dim=1), 3)
    )
    assert "the largest error of `result.count` is 1 (2 instead of 3)" in line(
        exercise, lambda x: Moments(x.mean(dim=0), 2)
    )


def drawn(count, generator):
    return torch.rand(count, generator=generator)


def test_a_generator_is_handed_to_both_in_the_same_state():
    exercise = exercise_of(drawn, 3, torch.Generator().manual_seed(5))
    assert status(exercise, lambda count, generator: torch.rand(count, generator=generator)) == "correct"
    assert status(exercise, lambda count, generator: torch.rand(count)) == "wrong"


def at_full_size(generator):
    return Case("large", (torch.randn(50, 4, generator=generator),))


def test_a_slow_function_is_right_but_not_for_the_long_runs():
    def slow(scores):
        if len(scores) == 50:
            compute_for(0.3)
        return good_softmax(scores)

    outcome = examine(softmax_exercise(full_size=at_full_size, slow_factor=7.0), slow, attempt=1)
    assert outcome.status == "slow"
    assert outcome.line == (
        "softmax: correct, but more than 7 times slower than the reference at the lesson's full size. "
        "The small figures use your function, the long runs the reference."
    )


def test_waiting_for_a_busy_machine_makes_no_function_slow():
    def delayed(scores):
        if len(scores) == 50:
            time.sleep(0.3)
        return good_softmax(scores)

    assert status(softmax_exercise(full_size=at_full_size, slow_factor=7.0), delayed) == "correct"


def test_a_function_as_fast_as_the_reference_is_not_slow():
    assert status(softmax_exercise(full_size=at_full_size), good_softmax) == "correct"


def test_a_failure_at_full_size_falls_back_with_one_line():
    def hungry(scores):
        if len(scores) == 50:
            torch.zeros(2**28)
        return good_softmax(scores)

    outcome = examine(softmax_exercise(full_size=at_full_size, memory_limit=0.5), hungry, attempt=1)
    assert outcome.status == "slow"
    assert "correct, but at the lesson's full size it takes more than 0.5 GiB of memory" in outcome.line


def test_an_endless_run_at_full_size_falls_back_too():
    def endless(scores):
        if len(scores) == 50:
            time.sleep(60)
        return good_softmax(scores)

    outcome = examine(softmax_exercise(full_size=at_full_size, time_limit=1.0), endless, attempt=1)
    assert outcome.status == "slow"
    assert "runs for more than 1 seconds" in outcome.line


def test_a_wrong_value_at_full_size_is_wrong():
    said = line(
        softmax_exercise(full_size=at_full_size),
        lambda scores: good_softmax(scores) if len(scores) < 50 else columns_softmax(scores),
    )
    assert "At the lesson's full size the largest error of the result is" in said


def test_a_borrowed_answer_at_full_size_is_borrowed():
    exercise = softmax_exercise(full_size=at_full_size)
    assert (
        status(exercise, lambda scores: softmax(scores) if len(scores) == 50 else good_softmax(scores))
        == "borrowed"
    )


def test_an_error_in_the_reference_is_not_blamed_on_the_learner():
    with pytest.raises(TypeError):
        examine(exercise_of(first_column, 3), lambda x: x, attempt=1)


def test_the_random_numbers_after_a_check_do_not_depend_on_it():
    def disturbing(scores):
        torch.manual_seed(1)
        return good_softmax(scores)

    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    examine(softmax_exercise(cases=lambda _: [Case("drawn", (torch.randn(2, 2),))]), disturbing, attempt=1)
    assert torch.equal(torch.rand(1), expected)


def test_a_view_of_a_slice_is_told():
    def views(x):
        return x.view(-1).reshape(x.shape) * 2

    said = line(exercise_of(double, torch.randn(3, 2)), views)
    assert (
        "On 'the only case' as a slice of a larger tensor, which is not contiguous, it raises RuntimeError"
        in said
    )
    assert "in line 2 of your function: `return x.view(-1).reshape(x.shape) * 2`" in said


@pytest.mark.parametrize(
    ("dtype", "function"),
    [
        (torch.float64, lambda x: x + torch.ones(2, dtype=torch.float64)),
        (torch.float32, lambda x: (x + x).to(torch.float32)),
    ],
)
def test_a_function_that_bears_one_float_type_alone_is_told(dtype, function):
    exercise = exercise_of(double, torch.ones(2, dtype=dtype))
    assert "On 'the only case' in the other float type the result has dtype" in line(exercise, function)
    lenient = exercise_of(double, torch.ones(2, dtype=dtype), float32=False)
    assert status(lenient, function) == "correct"


def inverse(x):
    return torch.linalg.inv(x)


def test_a_case_that_float32_does_not_bear_is_judged_in_its_own_type_alone():
    nearly_singular = torch.tensor([[1.0, 1.0], [1.0, 1.0 + 1e-9]], dtype=torch.float64)

    def by_adjugate(x):
        (a, b), (c, d) = x
        return torch.stack([torch.stack([d, -b]), torch.stack([-c, a])]) / (a * d - b * c)

    assert status(exercise_of(inverse, nearly_singular, tolerance=1e-4), by_adjugate) == "correct"


def test_a_result_that_a_later_call_changes_is_told():
    buffer = torch.empty(2, 2)

    def reuses(x):
        return torch.add(x, x, out=buffer)

    exercise = softmax_exercise(
        reference=double, properties=[], wrong_answers=[], float32=False, cases=two_draws
    )
    assert "called once more with other values, it changes the result of the call before" in line(
        exercise, reuses
    )


def two_draws(generator):
    return [Case("a square", (torch.randn(2, 2, generator=generator),))]


def test_a_memory_of_what_was_seen_under_the_same_address_is_told():
    seen = {}

    def remembers(x):
        return seen.setdefault((x.data_ptr(), x.stride()), x + x).clone()

    exercise = softmax_exercise(
        reference=double, properties=[], wrong_answers=[], float32=False, cases=two_draws
    )
    assert "On 'a square', called once more with other values, the largest error" in line(exercise, remembers)


def test_numbers_from_the_global_generator_differ_from_call_to_call():
    def is_the_same_each_time(function, generator):
        return None if torch.equal(function(), function()) else "it differs from call to call"

    exercise = softmax_exercise(
        reference=three_ones, cases=lambda generator: [], properties=[is_the_same_each_time]
    )
    assert status(exercise, lambda: torch.ones(3)) == "correct"
    assert "it differs from call to call" in line(exercise, lambda: torch.randn(3))


def three_ones():
    return torch.ones(3)


def total(x):
    return x.sum()


def test_one_number_may_be_a_float_or_a_tensor_without_dimensions():
    exercise = exercise_of(total, torch.ones(3), number=True)
    assert status(exercise, lambda x: x.sum() * 1) == "correct"
    assert status(exercise, lambda x: float(x.sum())) == "correct"
    assert status(exercise, lambda x: x.sum()[None]) == "wrong"
    assert "a tensor is expected" in line(exercise_of(total, torch.ones(3)), lambda x: float(x.sum()))


def test_the_likely_slip_agrees_with_every_case_so_far():
    def right_on_tall(scores):
        return good_softmax(scores) if len(scores) > 2 else columns_softmax(scores)

    said = line(softmax_exercise(), right_on_tall)
    assert "On 'large scores'" in said
    assert COLUMNS not in said


class Odd:
    def __eq__(self, other):
        raise RuntimeError


@pytest.mark.parametrize(
    "result",
    [
        torch.ones(5, 3).to_sparse(),
        torch.ones(5, 3).to_mkldnn(),
        np.longdouble(1),
        10**400,
        Odd(),
        len,
        object,
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_returned_ends_as_a_verdict(result):
    assert status(softmax_exercise(), lambda scores: result) == "wrong"


@pytest.mark.parametrize("error", [GeneratorExit, KeyboardInterrupt, SystemExit, BaseException])
def test_whatever_is_raised_ends_as_a_verdict(error):
    def fails(scores):
        raise error

    assert f"it raises {error.__name__}" in line(softmax_exercise(), fails)


def test_a_warning_of_every_call_is_told_once(recwarn):
    def warns(scores):
        warnings.warn("careful", stacklevel=1)
        return good_softmax(scores)

    assert examine(softmax_exercise(), warns, attempt=1).printed == "UserWarning: careful"
    assert not recwarn.list

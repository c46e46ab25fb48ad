"""Every right answer beside the reference, on what a lesson really hands over.

The kernels of the tests run this at their start. In a lesson, where nothing is solved, each call of a reference in a
form not seen before (types, dimensions, strides, words) is answered by the published solution
and by all other right answers too. One that raises, or answers otherwise, stops the cell: "correct" means that the
rest of the lesson runs on it.
"""

import copy
import json
import os
import sys
from pathlib import Path

#: Where a lesson leaves how many answers of each exercise were compared.
LOG = "ORALEDU_REPLAYED"
#: One form may come this often, and one answer may take this many seconds: what takes longer is "slow" in a lesson.
TIMES, SECONDS = 2, 2.0
#: How far two right answers may be apart, where the numbers of a lesson leave room for more than one.
APART = {"find_offset": 0.1}  # criteria differ on ends that are noisy


def watch(shell):
    """Begin with the first cell after which the course is loaded."""

    def begin(result):
        if "oraledu.course.exercise" in sys.modules and LOG in os.environ:
            shell.events.unregister("post_run_cell", begin)
            Replay(shell.user_ns, Path.cwd()).install()

    if Path.cwd().name == "lessons":
        shell.events.register("post_run_cell", begin)


class Replay:
    """The answers to compare, by exercise, and how often each form has come."""

    def __init__(self, names, folder):
        from oraledu.app import catalogue

        self.names = names
        self.lessons = {
            each.name: (lesson, each) for lesson in catalogue.LESSONS for each in catalogue.exercises(lesson)
        }
        self.seen, self.answers, self.counts, self.busy = {}, {}, {}, False

    def install(self):
        from oraledu.course.exercise import Reference

        plainly = Reference.__call__

        def replaying(reference, *args, **kwargs):
            form = None if self.busy else (reference.name, self.form(args), self.form(kwargs))
            if form is None or self.seen.get(form, 0) >= TIMES:
                return plainly(reference, *args, **kwargs)
            self.seen[form] = self.seen.get(form, 0) + 1
            inputs = copy.deepcopy((args, kwargs))
            self.busy = True
            try:
                result = plainly(reference, *args, **kwargs)
                self.compare(reference.name, inputs, result)
            finally:
                self.busy = False
            return result

        Reference.__call__ = replaying

    def compare(self, name, inputs, expected):
        from oraledu.course.compare import as_number, check_form, check_values
        from oraledu.course.limits import TimeUp, run_within

        lesson, exercise = self.lessons[name]
        # An exercise without cases has many right answers, and nothing to compare them with.
        for answer in self.answers_to(name) if exercise.full_size else ():
            args, kwargs = copy.deepcopy(inputs)
            try:
                actual = run_within(SECONDS, lambda: answer(*args, **kwargs))  # noqa: B023
            except TimeUp:
                continue
            if exercise.number:
                actual, expected = as_number(actual), as_number(expected)
            check_form(actual, expected)
            # Beside a rounding error another one is as right.
            if not (isinstance(expected, float) and abs(expected) < 1e-9):
                check_values(actual, expected, APART.get(name, max(exercise.tolerance, 1e-3)))
            self.counts[name] = self.counts.get(name, 0) + 1
        path = Path(os.environ[LOG]) / f"{lesson.name}.json"
        path.write_text(json.dumps(self.counts), encoding="utf-8")

    def answers_to(self, name):
        from tests.published import published, right_answers

        if name not in self.answers:
            lesson, _ = self.lessons[name]
            self.answers[name] = [published(lesson, name, self.names), *right_answers(lesson).RIGHT[name]]
        return self.answers[name]

    def form(self, value):
        import torch

        if isinstance(value, torch.Tensor):
            one, expanded = 1 in value.shape, 0 in value.stride()
            return str(value.dtype), value.ndim, one, expanded, value.is_contiguous(), value.requires_grad
        if isinstance(value, dict):
            return tuple((key, self.form(part)) for key, part in value.items())
        if isinstance(value, tuple | list):
            return tuple(self.form(part) for part in value)
        return value if isinstance(value, str | bool | None) else type(value).__name__

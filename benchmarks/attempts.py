"""No verdict by chance: every right answer through its check, on many sets of random inputs.

    python benchmarks/attempts.py [--attempts 200] [--exercises psd_power,deviation]

Prints a line for each exercise, and each right answer that was refused with the attempt and the verdict; exits with 1
if there was one. How fast an answer is does not count here.
"""

import argparse
import dataclasses
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oraledu.course.examine import examine
from tests.published import EXERCISES, published, right_answers


def refused(exercise, function, attempts):
    """Return the line of the first attempt at which a right answer was not called correct, or None."""
    untimed = dataclasses.replace(exercise, full_size=None)
    for attempt in range(1, attempts + 1):
        # At full size the reference is slow; the first attempts have tried it.
        outcome = examine(exercise if attempt <= 3 else untimed, function, attempt=attempt)
        if outcome.status not in ("correct", "slow"):
            return f"attempt {attempt}: {outcome.line}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attempts", type=int, default=200)
    parser.add_argument("--exercises", default="")
    options = parser.parse_args()
    wanted = [name for name in options.exercises.split(",") if name]
    bad = 0
    for lesson, exercise in EXERCISES:
        if wanted and exercise.name not in wanted:
            continue
        answers = [published(lesson, exercise.name), *right_answers(lesson).RIGHT[exercise.name]]
        begun = time.process_time()
        lines = {answer.__name__: refused(exercise, answer, options.attempts) for answer in answers}
        bad += sum(line is not None for line in lines.values())
        seconds = (time.process_time() - begun) / len(answers) / options.attempts
        print(
            f"{exercise.id}: {len(answers)} right answers, {seconds:.3f} s of processor time a check",
            flush=True,
        )
        for name, line in lines.items():
            if line:
                print(f"  {name}: {line}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

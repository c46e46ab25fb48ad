"""Which faults do the checks let pass? Every published solution, with one small change at a time.

    python benchmarks/mutants.py [--lessons 04] [--exercises deviation,psd_power] [--update]

A mutant is the solution of an exercise with one operator, constant, call, argument, index or name changed. It goes
through the exercise's check with the first random inputs; all but "wrong" means that it survives. A mutant that no
input of the lesson can tell from the solution is listed in `equivalent_mutants.toml`, with the reason. The score is
the share of the others that the checks reject.

The run fails where a surviving mutant is not listed, and where a listed one is rejected or no longer made.
`--update` drops the latter from the list and adds the former without a reason, which is for the author to write: an
empty one counts as not listed.
"""

import argparse
import ast
import importlib
import json
import os
import sys
import time
import tomllib
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jupytext
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mutations import mutations

from oraledu.course.examine import examine
from oraledu.course.exercise import Exercise

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"
LISTED = Path(__file__).with_name("equivalent_mutants.toml")
TOPICS = {"01": "diffusion", "02": "representations", "03": "scaling", "04": "grokking"}
SECONDS = 3.0  # for one call; a solution takes far less, and some mutants never end

Change = tuple[str, str]  # a line of the solution, and what becomes of it
Reasons = dict[str, dict[Change, str]]  # by the exercise's id


def solutions(lesson: str) -> tuple[dict[str, ast.FunctionDef], dict[str, Any]]:
    """Return the published functions by name, and a namespace with all that the lesson imports."""
    (path,) = SOLUTIONS.glob(f"{lesson}_*.py")
    functions, namespace = {}, {}
    for cell in jupytext.read(path).cells:
        if cell.cell_type != "code":
            continue
        statements = ast.parse(cell.source).body
        imports = [each for each in statements if isinstance(each, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(imports, []), str(path), "exec"), namespace)
        if "exercise" in cell.metadata.get("tags", ()):
            functions |= {each.name: each for each in statements if isinstance(each, ast.FunctionDef)}
    return functions, namespace


def variants(function: ast.FunctionDef) -> dict[str, Change]:
    """Return the sources of all mutants, each with the line that differs."""
    plain = ast.unparse(function)
    found = {}
    for source in mutations(function):
        pairs = zip(plain.splitlines(), source.splitlines(), strict=True)
        changes = [(before.strip(), after.strip()) for before, after in pairs if before != after]
        if changes:
            (found[source],) = changes
    return found


def outcome(exercise: Exercise, source: str, namespace: dict[str, Any]) -> str:
    """Return the status of a function given by its source."""
    inside = dict(namespace)
    exec(compile(source, f"<{exercise.name}>", "exec"), inside)
    return examine(exercise, inside[exercise.name], attempt=1, guard=False).status


def survivors(
    exercise: Exercise, function: ast.FunctionDef, namespace: dict[str, Any]
) -> tuple[int, list[Change]]:
    """Return the number of mutants of an exercise, and the changes that its check lets pass.

    Raises:
        RuntimeError: the published solution itself does not pass.
    """
    # The known wrong answers are left out: they only choose the words of a complaint.
    quick = replace(exercise, time_limit=SECONDS, wrong_answers=())
    plain = ast.unparse(function)
    if outcome(quick, plain, namespace) == "wrong":
        raise RuntimeError(f"the published solution of {exercise.id} does not pass its check")
    made = variants(function)
    passed = [change for source, change in made.items() if outcome(quick, source, namespace) != "wrong"]
    lines = [line.strip() for line in plain.splitlines()]
    return len(made), sorted(passed, key=lambda change: lines.index(change[0]))


def read() -> Reasons:
    """Return the reasons in the list, by exercise and change."""
    data = tomllib.loads(LISTED.read_text()) if LISTED.exists() else {}
    return {
        f"{topic}.{name}": {
            (entry["line"], after): entry["because"] for entry in entries for after in entry["becomes"]
        }
        for topic, exercises in data.items()
        for name, entries in exercises.items()
    }


def write(reasons: Reasons) -> None:
    """Write the list: one entry for each line of a solution and each reason."""
    text = "# Mutants that no input of the lesson can tell from the solution; see mutants.py.\n"
    for identifier, changes in reasons.items():
        entries: dict[tuple[str, str], list[str]] = {}
        for (before, after), because in changes.items():
            entries.setdefault((before, because), []).append(after)
        for (before, because), afters in entries.items():
            becomes = ",\n  ".join(_quoted(after) for after in afters)
            becomes = f"\n  {becomes},\n" if len(afters) > 1 else becomes
            text += f"\n[[{identifier}]]\nline = {_quoted(before)}\nbecomes = [{becomes}]\n"
            text += f"because = {_quoted(because)}\n"
    LISTED.write_text(text)


def _quoted(text: str) -> str:
    return f"'{text}'" if "'" not in text else json.dumps(text, ensure_ascii=False)


def picked(lessons: str, names: str) -> Iterator[tuple[Exercise, ast.FunctionDef, dict[str, Any]]]:
    """Yield the chosen exercises, in the order of the lessons, with what `survivors` needs besides."""
    for lesson in lessons.split(","):
        checks = importlib.import_module(f"oraledu.{TOPICS[lesson]}.checks")
        functions, namespace = solutions(lesson)
        namespace |= {exercise.name: exercise.reference for exercise in checks.ALL}
        for exercise in checks.ALL:
            if not names or exercise.name in names.split(","):
                yield exercise, functions[exercise.name], namespace


def show(title: str, made: int, passed: int, equivalent: int, seconds: float) -> None:
    """Print a line of the table."""
    numbers = (made, made - passed, equivalent, passed - equivalent)
    score = (made - passed) / max(made - equivalent, 1)
    print(f"{title:44}", *(f"{number:10}" for number in numbers), f"{score:9.1%}{seconds:8.0f}", flush=True)


def main() -> None:
    """Print a line for each exercise, the mutants that survive, and the score."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lessons", default=",".join(TOPICS), help="their numbers (default: all)")
    parser.add_argument("--exercises", default="", help="the names of some functions (default: all)")
    parser.add_argument("--update", action="store_true", help="bring the list up to date")
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["CI"] = "1"  # no progress bars
    warnings.simplefilter("ignore", SyntaxWarning)  # some mutants call a number
    reasons, totals, failed, seen = read(), [0, 0, 0, 0.0], False, set()
    columns = ("mutants", "rejected", "equivalent", "surviving")
    print(" " * 44, *(f"{column:>10}" for column in columns), "    score seconds")
    for exercise, function, namespace in picked(options.lessons, options.exercises):
        begun = time.process_time()
        made, passed = survivors(exercise, function, namespace)
        listed = reasons.get(exercise.id, {})
        surviving = [change for change in passed if not listed.get(change)]
        row = made, len(passed), len(passed) - len(surviving), time.process_time() - begun
        show(exercise.id, *row)
        totals = [total + number for total, number in zip(totals, row, strict=True)]
        for before, after in surviving:
            print(f"    - {before}\n    + {after}")
        gone = [change for change in listed if change not in passed]
        for before, after in gone:
            print(f"    listed, but rejected or no longer made:\n      {before}\n      {after}")
        failed = failed or bool(surviving or gone)
        reasons[exercise.id] = {change: listed.get(change, "") for change in passed}
        seen.add(exercise.id)
    show("all", *totals)
    if not seen:
        parser.error("no such exercise in these lessons")
    if not options.exercises and options.lessons == parser.get_default("lessons"):
        for identifier in reasons.keys() - seen:
            failed = True
            print(f"listed, but no exercise any more: {identifier}")
            del reasons[identifier]
    if options.update:
        write({identifier: changes for identifier, changes in reasons.items() if changes})
    sys.exit(failed)


if __name__ == "__main__":
    main()

"""Grade a class: collect what was handed in, examine every function again, and write tables and reports.

The folder of grades holds all that is needed to go on: a second start examines only what it has not yet. Nothing that
a submission says of itself is believed.
"""

import csv
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import joblib
from tqdm.auto import tqdm

import oraledu
from oraledu.app import catalogue
from oraledu.app.errors import UserError
from oraledu.course.cache import source_digest
from oraledu.teach import report, rules
from oraledu.teach.examined import VERSIONS, Outcome, examined
from oraledu.teach.functions import likeness
from oraledu.teach.handout import read_roster
from oraledu.teach.remote import Limits, protection
from oraledu.teach.rules import Rules
from oraledu.teach.submissions import Submission, collect

STATE, ROWS = "grading.json", "rows"
VERSION = 1


@dataclass(frozen=True)
class Row:
    """One student and exercise: what the examination found, and the points for it."""

    student: str
    lesson: str
    exercise: str
    status: str
    points: float
    of: float
    line: str


def grade(
    paths: Sequence[Path],
    out: Path,
    *,
    roster: Path | None = None,
    jobs: int | None = None,
    seconds: int = 300,
    regrade: bool = False,
    run_notebooks: bool = False,
) -> int:
    """Grade submissions; return the exit code.

    Args:
        paths: notebooks, scripts, receipts, zips, and folders of these.
        out: the folder of grades.
        roster: a file with one student a line; who is missing gets a row, and who is not in it a line.
        jobs: how many processes examine; None takes every core.
        seconds: the processor time that one function may take.
        regrade: examine again what earlier checks have examined, and show what changed.
        run_notebooks: run the students' own cells before their functions.

    Raises:
        UserError: nothing was found to grade, the folder holds something else, or a file cannot be understood.
        OSError: the folder cannot be written.
    """
    if not hasattr(os, "fork"):
        raise UserError(
            "grading needs Linux or macOS, where each function gets a process; on Windows use WSL"
        )
    listed = read_roster(roster) if roster else []
    submissions, problems = collect(paths, listed)
    if not submissions:
        print("\n".join(problems))
        raise UserError("nothing to grade: name notebooks, receipts, zips, or folders of these")
    state = _state(out)
    settings = rules.read(out / rules.FILE)
    outcomes, changes = _outcomes(submissions, out, state["seed"], seconds, jobs, regrade, run_notebooks)
    table = [row for each in submissions for row in _rows(each, outcomes[_name(each)], settings)]
    known = {each.student for each in submissions}
    problems += [f"{student}: nothing was handed in" for student in listed if student not in known]
    problems += [
        f"{student}: is not in the roster" for student in sorted(known) if listed and student not in listed
    ]
    problems += [
        f"{each.student}: {len(found)} versions of {name}; the first {VERSIONS} count"
        for each in submissions
        for name, found in each.found.items()
        if len(found) > VERSIONS
    ]
    problems += [
        f"{each.student}: marked as late by the platform ({each.lesson.number})"
        for each in submissions
        if each.late
    ]
    _write(out / "grades.csv", [asdict(row) for row in table])
    _write(out / "totals.csv", report.totals(table, settings, listed))
    if changes:
        _write(out / "changes.csv", changes)
    report.write(out, table, settings, similar(submissions), problems, protection())
    for line in problems:
        print(line)
    print(protection())
    print(f"{len(known)} students, {len(table)} exercises: {out / 'grades.csv'}, {out / 'class.html'}")
    if changes:
        print(f"{len(changes)} outcomes have changed: {out / 'changes.csv'}")
    return 0


def similar(submissions: Iterable[Submission]) -> list[tuple[str, list[str]]]:
    """Return groups of students whose functions read alike once names and spaces are left out: a hint, no more."""
    groups: dict[tuple[str, str], set[str]] = {}
    for each in submissions:
        for name, found in each.found.items():
            for definition in found:
                if (shape := likeness(definition)) is not None:
                    groups.setdefault((name, shape), set()).add(each.student)
    return sorted((name, sorted(students)) for (name, _), students in groups.items() if len(students) > 1)


def _outcomes(
    submissions: list[Submission],
    out: Path,
    seed: int,
    seconds: int,
    jobs: int | None,
    regrade: bool,
    run_notebooks: bool,
) -> tuple[dict[str, dict[str, Outcome]], list[dict[str, str]]]:
    """Examine what no row holds yet; return the outcomes by submission, and what differs from earlier checks."""
    folder = out / ROWS
    folder.mkdir(exist_ok=True)
    done: dict[str, dict[str, Outcome]] = {}
    earlier: dict[str, dict[str, Outcome]] = {}
    todo = []
    for each in submissions:
        stored = _stored(folder / f"{_name(each)}.json")
        if stored and stored["handed in"] == _digest(each, run_notebooks):
            found = {name: Outcome(**entry) for name, entry in stored["outcomes"].items()}
            if not regrade or stored["checks"] == source_digest():
                done[_name(each)] = found
                continue
            earlier[_name(each)] = found
        todo.append(each)
    calls = (
        joblib.delayed(_examined)(each, seed, seconds, each.own if run_notebooks else ()) for each in todo
    )
    parallel = joblib.Parallel(n_jobs=jobs or -1, return_as="generator_unordered")
    by_name = {_name(each): each for each in todo}
    quiet = bool(os.environ.get("CI"))
    for name, found in tqdm(parallel(calls), total=len(todo), unit="submission", disable=quiet):
        done[name] = found
        content = {
            "version": VERSION,
            "student": by_name[name].student,
            "lesson": by_name[name].lesson.name,
            "handed in": _digest(by_name[name], run_notebooks),
            "checks": source_digest(),
            "course": oraledu.__version__,
            "outcomes": {exercise: asdict(outcome) for exercise, outcome in found.items()},
        }
        _replace(folder / f"{name}.json", json.dumps(content, indent=1))
    changes = [
        {
            "student": by_name[name].student,
            "exercise": exercise,
            "before": old.status,
            "now": done[name][exercise].status,
            "line before": old.line,
            "line now": done[name][exercise].line,
        }
        for name, entries in earlier.items()
        for exercise, old in entries.items()
        if exercise in done[name] and old != done[name][exercise]
    ]
    return done, changes


def _examined(
    each: Submission, seed: int, seconds: int, before: Sequence[str]
) -> tuple[str, dict[str, Outcome]]:
    limits = Limits(seconds=seconds)
    return _name(each), examined(each.lesson.name, each.found, seed=seed, limits=limits, before=before)


def _rows(each: Submission, outcomes: dict[str, Outcome], settings: Rules) -> list[Row]:
    rows = []
    for exercise in catalogue.exercises(each.lesson):
        found = outcomes[exercise.name]
        points = settings.earned(exercise, found.status)
        rows.append(
            Row(
                each.student,
                each.lesson.number,
                exercise.name,
                found.status,
                points,
                settings.full(exercise),
                found.line,
            )
        )
    return rows


def _name(each: Submission) -> str:
    """Return a name for a file: a student's may hold anything."""
    return hashlib.sha256(f"{each.student}\n{each.lesson.name}".encode()).hexdigest()[:24]


def _digest(each: Submission, run_notebooks: bool) -> str:
    functions = {name: sorted(one.digest for one in found) for name, found in each.found.items()}
    own = each.own if run_notebooks else ()
    return hashlib.sha256(json.dumps([functions, list(own)], sort_keys=True).encode()).hexdigest()


def _state(out: Path) -> dict[str, Any]:
    """Return what the folder of grades knows of itself: above all the seed, which no student knows."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / STATE
    if not path.exists():
        if any(out.iterdir()):
            raise UserError(f"{out} holds something else; give grades a folder of their own")
        _replace(path, json.dumps({"version": VERSION, "seed": secrets.randbelow(2**31)}))
    stored = _stored(path)
    if not stored or not isinstance(stored.get("seed"), int):
        raise UserError(f"{path} cannot be read; delete it to grade anew, with other random inputs")
    return stored


def _stored(path: Path) -> dict[str, Any] | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return stored if isinstance(stored, dict) and stored.get("version") == VERSION else None


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
    os.replace(draft, path)

"""Points, partial credit and late days: one small TOML file that a teacher edits."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oraledu.app.errors import UserError
from oraledu.course.exercise import Exercise
from oraledu.teach.examined import STATUSES

FILE = "rules.toml"
#: What `read` writes where there are no rules yet.
DEFAULT = (Path(__file__).parent / "templates" / FILE).read_text("utf-8")


@dataclass(frozen=True)
class Rules:
    """How outcomes become points.

    Attributes:
        points: what a "core" and a "further" exercise give, and single ones by their identifiers.
        share: the part of these that each status earns, 0 to 1.
        per_day: the part that a late day takes off, 0 to 1; `at_most`: all of them together.
        days: days late by student, or by "student/NN".
    """

    points: dict[str, float] = field(default_factory=dict)
    share: dict[str, float] = field(default_factory=dict)
    per_day: float = 0.0
    at_most: float = 1.0
    days: dict[str, float] = field(default_factory=dict)

    def full(self, exercise: Exercise) -> float:
        """Return what an exercise gives at most."""
        return self.points.get(exercise.id, self.points["core" if exercise.core else "further"])

    def earned(self, exercise: Exercise, status: str) -> float:
        """Return what an outcome earns, before late days."""
        return self.full(exercise) * self.share.get(status, 0.0)

    def kept(self, student: str, number: str) -> float:
        """Return the share of a lesson's points that the late days leave."""
        days = self.days.get(f"{student}/{number}", self.days.get(student, 0))
        return 1 - min(self.at_most, self.per_day * days)


def read(path: Path) -> Rules:
    """Read the rules; where there is no file, write the usual ones.

    Raises:
        UserError: the file is no TOML, or says something that means nothing.
        OSError: it cannot be written.
    """
    if not path.exists():
        path.write_text(DEFAULT, encoding="utf-8")
    try:
        stored = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} is no TOML ({error}); mend it, or delete it to get the usual rules"
        ) from None
    usual = tomllib.loads(DEFAULT)
    late = usual["late"] | _table(stored, "late", path)
    share = usual["share"] | _table(stored, "share", path)
    points = usual["points"] | _table(stored, "points", path)
    if unknown := set(share) - set(STATUSES):
        raise UserError(
            f"{path}: [share] has no status {sorted(unknown)[0]!r}; there are: {', '.join(STATUSES)}"
        )
    for table, most in ((points, None), (share, 1), ({key: late[key] for key in ("per_day", "at_most")}, 1)):
        for name, value in table.items():
            _number(path, name, value, most)
    days = {str(name): _number(path, name, value, None) for name, value in late.get("days", {}).items()}
    return Rules(points, share, late["per_day"], late["at_most"], days)


def _table(stored: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    table = stored.get(name, {})
    if not isinstance(table, dict):
        raise UserError(f"{path}: [{name}] must be a table")
    return table


def _number(path: Path, name: str, value: object, most: float | None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or (most and value > most):
        span = "a number from 0 up" if most is None else f"a number from 0 to {most:g}"
        raise UserError(f"{path}: {name} is {value!r}; it must be {span}")
    return float(value)

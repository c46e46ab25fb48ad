"""What Canvas and Moodle take and refuse when a file of grades is imported, as far as our files touch it.

Written from the rules of their importers (Canvas: `lib/gradebook_importer.rb`; Moodle: `grade/import/csv`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence


class Refused(ValueError):
    """The importer stops."""


def canvas(text: str, users: Mapping[int, str], assignments: Mapping[int, str]) -> dict[tuple[int, str], str]:
    """Return the grades that Canvas would take, by its number of the user and the title of the assignment.

    Args:
        text: the file.
        users: names by number.
        assignments: titles of published assignments by number.
    """
    separator = max(",;", key="\n".join(text.splitlines()[:3]).count)
    rows = list(
        csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator, strict=True)
    )
    header = rows[0]
    if len(header) < 4 or "Student" not in header[0] or "ID" not in header[1] or "Section" not in header:
        raise Refused("Invalid header row")
    section = header.index("Section")
    if header[2:section] and not set(header[2:section]) <= {
        "SIS User ID",
        "SIS Login ID",
        "Integration ID",
        "Root Account",
    }:
        raise Refused("Invalid header row")
    columns = {}
    for place in range(section + 1, len(header)):
        title = header[place]
        if re.search(r"(Current|Final) (Score|Points|Grade)|^Override ", title):
            continue
        number = re.search(r"\((\d+)\)$", title)
        if number and int(number[1]) in assignments:
            columns[place] = assignments[int(number[1])]
        elif title in assignments.values():
            columns[place] = title
        else:
            raise Refused(f"a new assignment {title!r}")
    taken = {}
    for row in rows[1:]:
        if "Points Possible" in row[0]:
            columns = {place: title for place, title in columns.items() if "(read only)" not in row[place]}
            continue
        if not any(cell.strip() for cell in row[:section]):
            continue
        identity = int(re.match(r"\d*", row[1])[0] or 0)
        if identity not in users:
            identity = next((number for number, name in users.items() if name == row[0]), 0)
        if not identity:
            raise Refused(f"no student {row[0]!r}")
        for place, title in columns.items():
            cell = row[place]
            if re.fullmatch(r"-?[0-9.,]+%?", cell):
                whole, _, rest = re.sub(r"[,.]", ".", cell).rpartition(".")
                cell = f"{whole.replace('.', '')}.{rest}" if whole else rest
            taken[identity, title] = cell
    return taken


def moodle(
    text: str, users: Sequence[str], identity: str, items: Sequence[str]
) -> dict[tuple[str, str], float | None]:
    """Return the grades that Moodle would take, by user and item.

    Args:
        text: the file.
        users: how the site knows its users.
        identity: the column that the teacher maps to a user.
        items: the columns that the teacher maps to items; the others are ignored.
    """
    separator = max(",;\t", key=text.splitlines()[0].count)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator))
    header = [title.strip() for title in rows[0]]
    if any(len(row) != len(header) for row in rows):
        raise Refused("csvweirdcolumns")
    taken: dict[tuple[str, str], float | None] = {}
    user = ""
    for row in rows[1:]:
        values = dict(zip(header, row, strict=True))
        if values[identity]:
            user = values[identity]
            if user not in users:
                raise Refused("usermappingerror")
        for item in items:
            value = values[item]
            if value in ("", "-"):
                taken[user, item] = None
            elif not re.fullmatch(r"-?\d+([.,]\d+)?", value):
                raise Refused("badgrade")
            else:
                taken[user, item] = float(value.replace(",", "."))
                if taken[user, item] > 100:
                    raise Refused("gradevaluetoobig")
    return taken

"""A CSV in which single fields are replaced and every other byte stays as it is."""

from dataclasses import dataclass
from pathlib import Path

from oraledu.app.errors import UserError


@dataclass(frozen=True)
class Field:
    """One field: its value, and from where to where it stands in the text, quotes included."""

    value: str
    start: int
    end: int


class Sheet:
    """The rows of a CSV.

    Args:
        path: a text in UTF-8, with or without a mark at its beginning.
        separators: those that may stand between fields; the one that is most frequent in the first line does.

    Attributes:
        rows: its fields, without empty lines.

    Raises:
        UserError: it is no text or empty, or its quotes do not close.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path, separators: str) -> None:
        self.path = path
        try:
            self.text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise UserError(f"{path} is no text in UTF-8; export it again, as CSV in UTF-8") from None
        start = len("\ufeff") if self.text.startswith("\ufeff") else 0
        first = self.text[start:].splitlines()[0] if self.text[start:].strip() else ""
        if not any(separator in first for separator in separators):
            raise UserError(f"{path} is no table; export the gradebook as CSV")
        self.separator = max(separators, key=first.count)
        self.rows = [row for row in self._rows(start) if len(row) > 1 or row[0].value.strip()]
        self._new: dict[Field, str] = {}

    def replace(self, field: Field, value: str) -> None:
        """Have another value stand in a field; quotes stay where there are some."""
        quoted = self.text[field.start : field.end].startswith('"')
        self._new[field] = f'"{value}"' if quoted else value

    def write(self, path: Path) -> None:
        """Write the text with what was replaced.

        Raises:
            OSError: the file cannot be written.
        """
        parts, last = [], 0
        for field in sorted(self._new, key=lambda each: each.start):
            parts += [self.text[last : field.start], self._new[field]]
            last = field.end
        path.write_bytes("".join([*parts, self.text[last:]]).encode("utf-8"))

    def _rows(self, place: int) -> list[list[Field]]:
        rows: list[list[Field]] = []
        row: list[Field] = []
        while place < len(self.text):
            field = self._field(place)
            row.append(field)
            place = field.end
            ending = (
                self.text[place : place + 2]
                if self.text[place : place + 2] == "\r\n"
                else self.text[place : place + 1]
            )
            if ending != self.separator:
                rows.append(row)
                row = []
            place += len(ending)
            if ending == self.separator and place == len(self.text):
                row.append(Field("", place, place))
        return [*rows, row] if row else rows

    def _field(self, start: int) -> Field:
        place = start
        if self.text.startswith('"', place):
            while True:
                place = self.text.find('"', place + 1)
                if place < 0:
                    raise self._complaint(start, "a quote that opens there is not closed")
                if not self.text.startswith('"', place + 1):
                    break
                place += 1
            place += 1
            if place < len(self.text) and self.text[place] not in f"{self.separator}\r\n":
                raise self._complaint(start, "a quote closes within a field")
            return Field(self.text[start + 1 : place - 1].replace('""', '"'), start, place)
        while place < len(self.text) and self.text[place] not in f"{self.separator}\r\n":
            place += 1
        value = self.text[start:place]
        if '"' in value:
            raise self._complaint(start, "a quote stands within a field without quotes")
        return Field(value, start, place)

    def _complaint(self, place: int, what: str) -> UserError:
        return UserError(
            f"{self.path}, line {self.text.count(chr(10), 0, place) + 1}: {what}; export the gradebook again"
        )

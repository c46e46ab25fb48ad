"""Names of students, as they may stand in tables, pages, terminals and spreadsheets."""

import unicodedata

_LETTERS = 100
#: A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@")


def plain(name: str) -> str:
    """Return a name without letters that steer a terminal, that cannot be written, or that begin a formula.

    One name has one form, however a system spells its accents.
    """
    letters = unicodedata.normalize("NFC", name).strip()[:_LETTERS]
    name = shown(letters)
    return f"'{name}" if name.startswith(FORMULA) else name


def shown(line: str) -> str:
    """Return a line in which each letter can be written, and none steers a terminal."""
    return "".join(each if each.isprintable() else "_" for each in line)

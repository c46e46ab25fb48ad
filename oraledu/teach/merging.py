"""A new version of a lesson with a student's own cells in it. Pure: notebooks in, a notebook and lines out.

Three texts meet: what was handed out, what the student has made of it, and what the course has now. A cell that the
student has left as it was is the course's, and becomes the new one. Every other cell is the student's, and stays.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher

import nbformat
from nbformat import NotebookNode

_CHECK = re.compile(r"^(\w+) = checks\.\1\(\1\)$", re.MULTILINE)


def merge(base: NotebookNode, mine: NotebookNode, new: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """Return the new lesson with the student's cells in it, and a line for each conflict.

    An exercise's cell goes to its exercise, wherever that stands now. Another cell that the student has changed
    replaces its own, one that was added follows the one that it stood behind. Where the course has changed the same
    cell, code of an exercise still stays and the course's text is shown below it; of any other cell the course's
    stays and the student's is shown below.

    Args:
        base: what was handed out; without cells if that is not known.
        mine: the student's.
        new: what the course has now; it is not changed.
    """
    return _Merge(base, mine, new).result()


class _Merge:
    def __init__(self, base: NotebookNode, mine: NotebookNode, new: NotebookNode) -> None:
        self.base, self.mine, self.new = base.cells, mine.cells, nbformat.from_dict(new)
        self.below: defaultdict[int, list[NotebookNode]] = defaultdict(list)  # by the place in the new lesson
        self.conflicts: list[str] = []
        self.solved: set[str] = set()
        self.places = dict(_equal(base.cells, new.cells))
        self.exercises = _exercises(new.cells)
        self.handed_out = _exercises(base.cells)
        self.places |= {
            at: self.exercises[name] for name, at in self.handed_out.items() if name in self.exercises
        }

    def result(self) -> tuple[NotebookNode, list[str]]:
        matcher = SequenceMatcher(None, _texts(self.base), _texts(self.mine), autojunk=False)
        for kind, start, end, first, last in matcher.get_opcodes():
            if kind in ("replace", "insert"):
                self._changed(list(range(start, end)), self.mine[first:last], start)
        cells = list(self.below[-1])
        for place, cell in enumerate(self.new.cells):
            cells += [cell, *self.below[place]]
        seen: set[str] = set()
        for number, cell in enumerate(cells):
            if cell.get("id") in seen or not cell.get("id"):
                cell["id"] = f"yours-{number}"
            seen.add(cell["id"])
        self.new.cells = cells
        return self.new, self.conflicts

    def _changed(self, gone: list[int], cells: Sequence[NotebookNode], start: int) -> None:
        """Place cells of the student that stand where cells of the base stood."""
        own, anchor = [], self._anchor(start)
        for cell in cells:
            name = self._exercise(cell, gone)
            if name is None:
                own.append((cell, anchor))
            elif name in self.exercises:
                anchor = self.exercises[name]
                self._solve(name, cell)
            else:
                self._add(cell, anchor)
                self.conflicts.append(
                    f"exercise {name} is no longer in the lesson; your function stands in it still"
                )
        gone = [place for place in gone if place not in self.handed_out.values()]
        for number, (cell, behind) in enumerate(own):
            at = gone[number] if len(gone) == len(own) else None
            if at is None:
                self._add(cell, behind)
            elif at in self.places:
                self.new.cells[self.places[at]] = _own(cell)
            else:
                self._show(cell, behind, "a cell of yours, which the course has changed too")

    def _add(self, cell: NotebookNode, behind: int) -> None:
        if cell.source.strip() and cell.source not in _texts(self.new.cells):
            self.below[behind].append(_own(cell))

    def _solve(self, name: str, cell: NotebookNode) -> None:
        place = self.exercises[name]
        self.solved.add(name)
        before = self.base[self.handed_out[name]].source if name in self.handed_out else None
        now = self.new.cells[place].source
        if cell.source == now:
            return
        if before != now and before is not None:
            self.below[place].append(
                _shown(now, "The course has changed this exercise's cell. The new one reads:")
            )
            self.conflicts.append(
                f"exercise {name}: the course has changed its cell; yours stays, the new one is below it"
            )
        self.new.cells[place] = _own(cell)

    def _show(self, cell: NotebookNode, behind: int, what: str) -> None:
        self.below[behind].append(
            _shown(cell.source, "Your cell from the earlier version, which is not run:")
        )
        self.conflicts.append(f"{what}, stands below it as a text: {_first_line(cell.source)}")

    def _exercise(self, cell: NotebookNode, gone: Sequence[int]) -> str | None:
        """Return the exercise that a cell of the student answers, if any: by what it defines, or where it stands."""
        tagged = "exercise" in cell.metadata.get("tags", [])
        here = [name for name, place in self.handed_out.items() if place in gone]
        asked = [
            name
            for name in ({**self.exercises, **self.handed_out} if tagged else here)
            if name not in self.solved
        ]
        if cell.cell_type != "code":
            return None
        binding = (
            name for name in asked if re.search(rf"^(def {name}\b|{name}\s*=)", cell.source, re.MULTILINE)
        )
        standing = (name for name in here if tagged and name in asked)
        return next(binding, next(standing, None))

    def _anchor(self, start: int) -> int:
        return next((self.places[place] for place in range(start - 1, -1, -1) if place in self.places), -1)


def _texts(cells: Sequence[NotebookNode]) -> list[str]:
    return [cell.source for cell in cells]


def _equal(one: Sequence[NotebookNode], other: Sequence[NotebookNode]) -> list[tuple[int, int]]:
    blocks = SequenceMatcher(None, _texts(one), _texts(other), autojunk=False).get_matching_blocks()
    return [(a + step, b + step) for a, b, size in blocks for step in range(size)]


def _exercises(cells: Sequence[NotebookNode]) -> dict[str, int]:
    """Return where each exercise's cell stands: before its check."""
    checks = ((place, _CHECK.search(cell.source)) for place, cell in enumerate(cells))
    return {found.group(1): place - 1 for place, found in checks if found and place}


def _own(cell: NotebookNode) -> NotebookNode:
    """Return a student's cell without its output, which comes from the earlier lesson."""
    copy = nbformat.from_dict(cell)
    if copy.cell_type == "code":
        copy.outputs, copy.execution_count = [], None
    return copy


def _shown(source: str, why: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(f"{why}\n\n````python\n{source}\n````")


def _first_line(source: str) -> str:
    return next((line.strip()[:60] for line in source.splitlines() if line.strip()), "(empty)")

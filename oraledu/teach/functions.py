"""What of a notebook defines a function: its own text, and the helpers, imports and constants that it needs.

Nothing is run here; the text is read. So it does not matter what else the notebook does.
"""

import ast
import contextlib
import functools
import hashlib
import io
import symtable
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_BINDS = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
)
_MAY_BIND = (ast.Try, ast.If, ast.With)
#: Two functions of fewer nodes may well be equal by themselves.
_SHORT = 45


@dataclass(frozen=True)
class Definition:
    """What defines one function.

    Attributes:
        name: the function's.
        statements: in the order of the notebook; the last one binds the name.
        needs: names of other exercises that it uses.
    """

    name: str
    statements: tuple[str, ...]
    needs: frozenset[str]

    @functools.cached_property
    def digest(self) -> str:
        """A name for the definition: equal for equal statements, whatever their spaces and comments."""
        plain = "\n".join(_plain(statement) for statement in self.statements)
        return hashlib.sha256(plain.encode()).hexdigest()


def _plain(statement: str) -> str:
    try:
        return ast.unparse(ast.parse(statement))
    except (RecursionError, ValueError):  # a sum of hundreds of terms, a number of thousands of digits
        return statement


def likeness(definition: Definition) -> str | None:
    """Return a name that functions share which differ in names, spaces and comments alone; None for very short ones."""
    try:
        return _likeness(ast.parse("\n".join(definition.statements)))
    except RecursionError:
        return None


def _likeness(tree: ast.AST) -> str | None:
    if sum(1 for _ in ast.walk(tree)) < _SHORT:
        return None
    numbers: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        for attribute in ("id", "arg", "name"):
            if isinstance(name := getattr(node, attribute, None), str):
                setattr(node, attribute, numbers.setdefault(name, f"v{len(numbers)}"))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


@dataclass(frozen=True)
class _Statement:
    text: str
    binds: frozenset[str]
    uses: frozenset[str]


def definitions(cells: Iterable[str], exercises: Sequence[str]) -> dict[str, Definition]:
    """Return what defines each exercise's function, for those that are there.

    Of several definitions the last one before the check counts, `f = checks.f(f)`; where there is no check, the last
    one. A cell that is no Python is read without its magics, or else passed over.

    Args:
        cells: the texts of a notebook's code cells, in order.
        exercises: the names of the exercises' functions.
    """
    statements = [statement for cell in cells for statement in _statements(cell)]
    found = {}
    for name in exercises:
        places = [place for place, each in enumerate(statements) if name in each.binds]
        checks = [place for place in places if _is_check(statements[place].text, name)]
        own = [place for place in places if place not in checks]
        before = [place for place in own if checks and place < checks[-1]] or own
        if before:
            found[name] = _definition(name, statements, before[-1], frozenset(exercises))
    return found


def _definition(name: str, statements: list[_Statement], place: int, exercises: frozenset[str]) -> Definition:
    """Collect backwards what a statement needs, and what that needs."""
    kept = {place}
    wanted = set(statements[place].uses) - {name}
    needs = wanted & exercises
    open_names = wanted - exercises
    seen = set(open_names)
    while open_names:
        one = open_names.pop()
        # A helper may stand below the function: it is looked up when that is called.
        for number, each in enumerate(statements):
            if one in each.binds and not (each.binds & exercises) and number not in kept:
                kept.add(number)
                needs |= each.uses & exercises
                fresh = each.uses - exercises - seen
                seen |= fresh
                open_names |= fresh
    # What stands below comes first: the last statement binds the name.
    order = [*sorted(kept - {place}), place]
    return Definition(name, tuple(statements[number].text for number in order), frozenset(needs - {name}))


@functools.lru_cache(maxsize=2**14)  # most cells of a class are the lesson's own
def _statements(cell: str) -> tuple[_Statement, ...]:
    return tuple(_read(cell))


def _read(cell: str) -> Iterator[_Statement]:
    for text in (cell, _without_magics(cell)):
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        lines = io.StringIO(text, newline=None).readlines()  # what Python takes for lines
        for node in tree.body:
            # What parses may still not compile, as a function with two arguments of one name.
            with contextlib.suppress(SyntaxError, ValueError, RecursionError):
                if isinstance(node, _BINDS) or (isinstance(node, _MAY_BIND) and _bound(node)):
                    start = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
                    statement = "".join(lines[start - 1 : node.end_lineno]).rstrip()
                    yield _Statement(statement, _bound(node), _used(statement))
        return


def _without_magics(cell: str) -> str:
    kept = ["" if line.lstrip().startswith(("%", "!")) else line for line in cell.splitlines()]
    return "\n".join(kept)


def _bound(node: ast.AST) -> frozenset[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return frozenset({node.name})
    if isinstance(node, ast.Import | ast.ImportFrom):
        return frozenset((alias.asname or alias.name.partition(".")[0]) for alias in node.names)
    if isinstance(node, ast.Name):
        return frozenset({node.id} if isinstance(node.ctx, ast.Store) else ())
    return frozenset().union(*(_bound(child) for child in ast.iter_child_nodes(node)))


def _used(text: str) -> frozenset[str]:
    """Return the names that a statement, or a function in it, looks up outside of itself."""

    def within(table: symtable.SymbolTable, top: bool) -> Iterator[str]:
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (top or symbol.is_global()):
                yield symbol.get_name()
        for child in table.get_children():
            yield from within(child, False)

    return frozenset(within(symtable.symtable(text, "<cell>", "exec"), True))


def _is_check(text: str, name: str) -> bool:
    """Tell whether a statement hands the function to its check, under whatever name that goes."""
    tree = ast.parse(text).body[0]
    value = getattr(tree, "value", None)
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return False
    return value.func.attr == name and any(
        isinstance(each, ast.Name) and each.id == name for each in value.args
    )

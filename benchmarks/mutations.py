"""The faults of `mutants.py`: one small change of a function at a time.

Changes that can only end in an exception are mostly left out; they would make every score look good.
"""

import ast
from collections.abc import Callable, Iterator

_OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_PAIRS = (
    "sum mean, min max, amin amax, argmin argmax, minimum maximum, std var, zeros ones, log exp, rows columns"
)
_NAMES = {
    name: other for pair in _PAIRS.split(", ") for name, other in (pair.split(), reversed(pair.split()))
}


def mutations(function: ast.FunctionDef) -> Iterator[str]:
    """Yield the source of every mutant, some of them twice. The function is left as it was."""
    messages = {part for node in ast.walk(function) if isinstance(node, ast.Raise) for part in ast.walk(node)}
    nodes = [node for node in ast.walk(function) if node not in messages]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    arguments = [node.arg for node in nodes if isinstance(node, ast.arg)]
    stored = arguments + [
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    for put, node in _places(nodes):
        changed = list(_changes(node))
        match node:
            case ast.Constant(value=str(text)):
                changed += [ast.Constant(other) for other in sorted(texts - {text}) or [f"{text}?"]]
            case ast.Name(id=name, ctx=ast.Load()) if name in stored:
                changed += [ast.Name(other) for other in dict.fromkeys(stored) if other not in (name, "_")]
            case ast.Attribute(value=value) if node not in called:
                changed += [value]
            case ast.Assign(targets=[ast.Name(id=name)]) if stored.count(name) > 1:
                changed += [ast.Pass()]
        for new in changed:
            put(new)
            yield ast.unparse(function)
        put(node)


def _places(nodes: list[ast.AST]) -> Iterator[tuple[Callable[[ast.AST], None], ast.AST]]:
    """Yield every part of the nodes, each after a function that puts another into its place."""
    for parent in nodes:
        for field, value in ast.iter_fields(parent):
            if isinstance(value, ast.AST):
                yield lambda new, parent=parent, field=field: setattr(parent, field, new), value
            for place, part in enumerate(value) if isinstance(value, list) else ():
                if isinstance(part, ast.AST):
                    yield lambda new, parts=value, place=place: parts.__setitem__(place, new), part


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node, by its kind alone."""
    for other in _OPERATORS.get(type(node), ()):
        yield other()
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            yield from (left, right)
            if not isinstance(op, ast.Add | ast.Mult | ast.BitAnd | ast.BitOr):
                yield ast.BinOp(right, op, left)
        case ast.BoolOp(values=values):
            yield from values
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.If(body=body, orelse=orelse):
            yield from (ast.If(ast.Constant(value), body, orelse) for value in (True, False))
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(value=float(value)):
            yield from (ast.Constant(2 * value), ast.Constant(value / 2)) if value else (ast.Constant(1.0),)
        case ast.Attribute(value=value, attr=name) if name in _NAMES:
            yield ast.Attribute(value, _NAMES[name])
        case ast.keyword(arg=name, value=value) if name in _NAMES:
            yield ast.keyword(_NAMES[name], value)
        case ast.Subscript(value=value):
            yield value
        case ast.Slice(lower=lower, upper=upper):
            yield from (ast.Slice(None, upper), ast.Slice(lower, None))
        case ast.Tuple(elts=[first, second], ctx=ast.Load()):
            yield ast.Tuple([second, first])
        case ast.AugAssign() | ast.Expr() | ast.Raise() | ast.Continue():
            yield ast.Pass()
        case ast.Call():
            yield from _calls(node)


def _calls(call: ast.Call) -> Iterator[ast.expr]:
    """Yield a call without itself, without one of its arguments, and with two of them exchanged."""
    if isinstance(call.func, ast.Attribute):
        yield call.func.value
    yield from call.args[:1]
    for place in range(len(call.keywords)):
        yield ast.Call(call.func, call.args, call.keywords[:place] + call.keywords[place + 1 :])
    for place in range(len(call.args)):
        rest = call.args[:place], call.args[place + 1 :]
        yield ast.Call(call.func, [*rest[0], *rest[1]], call.keywords)
        if rest[1]:
            yield ast.Call(call.func, [*rest[0], rest[1][0], call.args[place], *rest[1][1:]], call.keywords)

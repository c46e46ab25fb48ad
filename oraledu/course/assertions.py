"""What becomes of a lesson's assertions at a scale for which they were not made."""

import ast

WORDS = "Does not hold at this scale: "


def report() -> None:
    """Let the cells of this kernel say which assertions do not hold, and go on: outside a kernel nothing changes.

    What a lesson asserts was found at the quick scale. At another it is a finding, and no reason to end a long run.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None and not any(isinstance(each, Reported) for each in shell.ast_transformers):
        shell.ast_transformers.append(Reported())


class Reported(ast.NodeTransformer):
    """Make of ``assert condition`` a line that is printed where the condition is false.

    Those inside of functions and classes stay: a reader's own function may count on them.
    """

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Leave a function as it is."""
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Leave a class as it is."""
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.If:
        """Return the statement that stands in for an assertion."""
        said = ast.Constant(WORDS + ast.unparse(node.test))
        printed = ast.Expr(ast.Call(ast.Name("print", ast.Load()), [said], []))
        instead = ast.If(ast.UnaryOp(ast.Not(), node.test), [printed], [])
        return ast.fix_missing_locations(ast.copy_location(instead, node))

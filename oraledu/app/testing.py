"""Run the tests: one call of pytest, under the variables that make two runs comparable."""

import subprocess
import sys
from collections.abc import Sequence

from oraledu.app import catalogue
from oraledu.app.errors import UserError
from oraledu.app.execute import CELL_TIMEOUT, comparable_run

NOTEBOOKS = (
    "--nbval",
    "--nbval-current-env",
    f"--nbval-cell-timeout={CELL_TIMEOUT}",
    "--nbval-sanitize-with=tests/sanitize.cfg",
)
#: A worker for each core, and each module or notebook with one of them: a kernel computes in one thread. In the order
#: of their names a lesson and its solution, which share long runs by the cache, do not run at the same time.
EVERY_CORE = ("--numprocesses=auto", "--dist=loadscope", "--no-loadscope-reorder")
FAST = ("-m", "not browser and not slow")


def run(*, fast: bool = False, every_browser_test: bool = False, arguments: Sequence[str] = ()) -> int:
    """Run pytest in the checkout; return its exit code.

    Args:
        fast: leave out the notebooks, the browser tests and those marked slow.
        every_browser_test: a browser test that would be skipped fails.
        arguments: further arguments, for pytest.

    Raises:
        UserError: there is no checkout, and so there are no tests.
    """
    root = catalogue.PACKAGE.parent
    if not (root / "tests" / "conftest.py").is_file():
        raise UserError("the tests are not in the installed package; run 'oraledu test' in a checkout")
    extra = {"ORALEDU_REQUIRE_BROWSER": "1"} if every_browser_test else {}
    with comparable_run(extra) as environment:
        command = [sys.executable, "-m", "pytest", *EVERY_CORE, *(FAST if fast else NOTEBOOKS), *arguments]
        return subprocess.run(command, cwd=root, env=environment).returncode

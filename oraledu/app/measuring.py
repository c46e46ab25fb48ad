"""Measure how fast the course is: one call of the checkout's benchmarks."""

import subprocess
import sys
from collections.abc import Sequence

from oraledu.app import catalogue
from oraledu.app.errors import UserError
from oraledu.app.execute import comparable_run


def run(arguments: Sequence[str] = ()) -> int:
    """Run the benchmarks in the checkout, each on one thread; return their exit code.

    Args:
        arguments: for `python -m benchmarks`.

    Raises:
        UserError: there is no checkout, and so there are no benchmarks.
    """
    root = catalogue.PACKAGE.parent
    if not (root / "benchmarks" / "__main__.py").is_file():
        raise UserError("the benchmarks are not in the installed package; run 'oraledu bench' in a checkout")
    with comparable_run() as environment:
        command = [sys.executable, "-m", "benchmarks", *arguments]
        return subprocess.run(command, cwd=root, env=environment).returncode

"""Going back in a lesson: each cell, run once more after all others, gives what it gave.

The kernels of the tests run this at their start. After a lesson's last cell it runs the quick cells once more, from the
last to the first, and compares what they print with what is stored. A name that means two things fails here: the cell
stops, or silently shows other numbers. The difference is printed below the last cell, where nbval finds it.
"""

import os
import re
import time
from contextlib import contextmanager
from pathlib import Path

from IPython.display import display
from IPython.utils.capture import capture_output

#: A cell that takes longer is not run again, so that going back costs seconds.
SECONDS = 1.0


def watch(shell):
    """Follow a lesson from its first cell to its last."""
    if Path.cwd().name == "lessons":
        reading = Reading(shell)
        shell.events.register("pre_run_cell", reading.begin)
        shell.events.register("post_run_cell", reading.end)


def texts(outputs):
    """Return the words of stored outputs: what was printed, then the plain text of each display."""
    printed = "".join(output.get("text", "") for output in outputs)
    shown = [output["data"].get("text/plain", "") for output in outputs if "data" in output]
    return [text for text in (printed, *shown) if text]


@contextmanager
def quiet(shell):
    """Have results and errors of a cell captured: the kernel's own ways send them past what captures the rest."""
    hook, traceback = shell.display_trap.hook, shell._showtraceback
    shell.display_trap.hook = lambda value: None if value is None else display(value)
    shell._showtraceback = lambda *_: None
    try:
        yield
    finally:
        shell.display_trap.hook, shell._showtraceback = hook, traceback


class Reading:
    """What has been run, how long it took, and what it should give."""

    def __init__(self, shell):
        self.shell, self.stored, self.seconds, self.lesson, self.back = shell, {}, {}, "", False

    def begin(self, info):
        self.began = time.perf_counter()

    def end(self, result):
        if self.back:
            return
        source = result.info.raw_cell
        self.seconds[source] = time.perf_counter() - self.began
        if found := re.search(r'start\("(\d\d_\w+)"\)', source):
            self.open(found[1])
        if self.stored and source == list(self.stored)[-1]:
            self.go_back()

    def open(self, lesson):
        import nbformat

        path = Path(f"{lesson}.ipynb")
        if path.exists():
            cells = nbformat.read(path, as_version=4).cells
            self.stored = {each.source: texts(each.outputs) for each in cells if each.cell_type == "code"}
            self.lesson = lesson

    def go_back(self):
        self.back, different, count = True, [], 0
        for source, before in reversed(self.stored.items()):
            if self.seconds.get(source, SECONDS) < SECONDS:
                with capture_output() as again, quiet(self.shell):
                    result = self.shell.run_cell(source, store_history=False)
                shown = [each.data.get("text/plain", "") for each in again.outputs]
                now = [text for text in (again.stdout + again.stderr, *shown) if text]
                count += 1
                if now != before or not result.success:
                    error = "" if result.success else repr(result.error_in_exec)
                    different.append(f"{source}\n    gave {before}\n    and gives {now} {error}")
        if "ORALEDU_REPLAYED" in os.environ:
            Path(os.environ["ORALEDU_REPLAYED"], f"{self.lesson}.cells").write_text(str(count), "utf-8")
        if different:
            print(
                "Run once more after the last cell, these cells give something else:", *different, sep="\n\n"
            )

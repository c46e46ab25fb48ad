"""Build the notebooks: `solutions/NN.py` → `lessons/NN.py`, and both executed into `.ipynb`.

`main` has one mode a flag: build, `check` (has anything drifted? executes nothing), `robust` (do the printed
lines hold with other threads and vector instructions?) and `restore` (store outputs anew, and show what changed).
"""

import base64
import difflib
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from oraledu.app import catalogue, generate
from oraledu.app.catalogue import Lesson
from oraledu.app.execute import comparable_run, execute, never_executed, pictures, printed

MAX_BYTES = 2_000_000
#: Where README finds the picture of each lesson's result.
RESULTS = Path(".github", "results")
#: What `--robust` runs beside the stored run. A result that moves under these is printed with too many digits.
VARIANTS = {
    "two threads": {"ORALEDU_THREADS": "2", "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"},
    # The kernels of the libraries that multiply matrices: torch's own, MKL's, and the OpenBLAS of NumPy.
    "ATen without AVX": {"ATEN_CPU_CAPABILITY": "default"},
    "MKL with AVX2": {"MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "MKL compatible": {"MKL_CBWR": "COMPATIBLE"},
    "an old processor": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
}


def main(
    names: Sequence[str] = (),
    *,
    check: bool = False,
    robust: bool = False,
    restore: bool = False,
    root: Path | None = None,
) -> int:
    """Build lessons, or check them; return the exit code (0 all well, 1 something is wrong).

    Args:
        names: numbers or names of lessons; none means all.
        check: report drift between source and notebooks; execute nothing.
        robust: run the solution with other threads and vector instructions and compare what it prints.
        restore: execute unchanged inputs again, store the outputs and show which texts and pictures changed.
        root: the checkout; None is the one that holds this package.

    Raises:
        ValueError: an unknown lesson, more than one mode, or a root without `solutions/`.
    """
    if check + robust + restore > 1:
        raise ValueError("choose one of --check, --robust and --restore")
    root = root or catalogue.PACKAGE.parent
    if not (root / "solutions").is_dir():
        raise ValueError(f"{root} has no folder 'solutions'; build works in a checkout of the repository")
    problems: list[str] = []
    for lesson in [catalogue.lesson(name) for name in names] or catalogue.LESSONS:
        if check:
            problems += drift(root, lesson)
        elif robust:
            problems += fragile_lines(root, lesson)
        elif restore and (found := drift(root, lesson)):
            problems += [*found, f"{lesson.name}: not restored; run 'oraledu build {lesson.number}' first"]
        else:
            problems += build(root, lesson, show=restore)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def generated(root: Path, lesson: Lesson) -> tuple[NotebookNode, NotebookNode]:
    """Return a lesson's two notebooks, solution and lesson, as the source gives them; without outputs."""
    solution = generate.parse((root / "solutions" / f"{lesson.name}.py").read_text("utf-8"))
    exercises = {exercise.name: exercise for exercise in catalogue.exercises(lesson)}
    link = f"../solutions/{lesson.name}.ipynb"
    return solution, generate.lesson_from_solution(solution, exercises, solution_link=link)


def build(root: Path, lesson: Lesson, *, show: bool = False) -> list[str]:
    """Write a lesson's four files; return what went wrong. Nothing is written unless every cell ran."""
    try:
        solution, learner = generated(root, lesson)
    except generate.SourceError as error:
        return [f"{lesson.name}: {error}"]
    done: dict[str, NotebookNode] = {}
    for kind, notebook in (("solutions", solution), ("lessons", learner)):
        began = time.monotonic()
        try:
            with comparable_run() as environment:
                done[kind] = execute(notebook, root / kind, environment)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            return [f"{kind}/{lesson.name}: a cell failed; nothing was written\n{error}"]
        print(f"{kind}/{lesson.name}: {len(notebook.cells)} cells in {time.monotonic() - began:.0f} s")
        target = root / kind / f"{lesson.name}.ipynb"
        if show and target.exists():
            for line in changes(nbformat.read(target, as_version=4), done[kind]):
                print(f"  {line}")
    problems = [
        f"{lesson.name}: a line of a solution stands in the lesson: {line}"
        for line in generate.leaks(*done.values())
    ]
    if problems:
        return problems
    for kind, executed in done.items():
        (root / kind / f"{lesson.name}.py").write_text(generate.render(executed), "utf-8")
        (root / kind / f"{lesson.name}.ipynb").write_text(notebook_text(executed), "utf-8")
    if lesson.result:
        (root / RESULTS).mkdir(parents=True, exist_ok=True)
        (root / RESULTS / f"{lesson.name}.png").write_bytes(result_picture(lesson, done["solutions"]))
    return []


def result_picture(lesson: Lesson, notebook: NotebookNode) -> bytes:
    """Return the picture of a lesson's result from its executed notebook.

    Raises:
        ValueError: no cell draws it.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []) if lesson.result in cell.source else ():
            if png := output.get("data", {}).get("image/png"):
                return base64.b64decode(png)
    raise ValueError(f"{lesson.name}: no cell draws {lesson.result}; name another in the catalogue")


def notebook_text(notebook: NotebookNode) -> str:
    """Return the bytes-to-be of an `.ipynb`: one form, whoever writes it."""
    return nbformat.writes(notebook, version=4) + "\n"


def drift(root: Path, lesson: Lesson) -> list[str]:
    """Return what no longer follows from the source: inputs, tags, texts. Executes nothing, reads no picture."""
    try:
        solution, learner = generated(root, lesson)
    except (generate.SourceError, FileNotFoundError) as error:
        return [f"{lesson.name}: {error}"]
    problems: list[str] = []
    stored: dict[str, NotebookNode] = {}
    for kind, notebook in (("solutions", solution), ("lessons", learner)):
        script, pair = (root / kind / f"{lesson.name}{ending}" for ending in (".py", ".ipynb"))
        if not script.exists() or not pair.exists():
            problems.append(f"{kind}/{lesson.name}: the .py or the .ipynb is missing; run 'oraledu build'")
            continue
        if script.read_text("utf-8") != generate.render(notebook):
            problems.append(f"{kind}/{script.name}: not what the source gives; run 'oraledu build'")
        stored[kind] = nbformat.read(pair, as_version=4)
        problems += [
            f"{kind}/{pair.name}: {problem}" for problem in _pair_problems(pair, stored[kind], notebook)
        ]
    if len(stored) == 2:
        problems += [
            f"lessons/{lesson.name}: a line of a solution stands here: {line}"
            for line in generate.leaks(*stored.values())
        ]
    return problems


def _pair_problems(path: Path, stored: NotebookNode, expected: NotebookNode) -> list[str]:
    problems = []
    parts = {"cells": ("cell_type", "source"), "cell ids": ("id",), "metadata": ("metadata",)}
    for name, keys in parts.items():
        there, wanted = ([[cell[key] for key in keys] for cell in each.cells] for each in (stored, expected))
        if there != wanted or (name == "metadata" and stored.metadata != expected.metadata):
            problems.append(f"its {name} are not the generated ones; run 'oraledu build'")
    problems += [f"the cell {line!r} was never executed" for line in never_executed(stored)]
    if notebook_text(stored) != path.read_text("utf-8"):
        problems.append("not in the stored form; run 'oraledu build'")
    if path.stat().st_size > MAX_BYTES:
        problems.append(f"{path.stat().st_size} bytes; a stored notebook stays under {MAX_BYTES}")
    return problems


def fragile_lines(root: Path, lesson: Lesson) -> list[str]:
    """Run the solution under each of VARIANTS; return the printed lines that differ from the stored ones."""
    stored = nbformat.read(root / "solutions" / f"{lesson.name}.ipynb", as_version=4)
    problems = []
    for variant, extra in VARIANTS.items():
        try:
            with comparable_run(extra) as environment:
                again = execute(generated(root, lesson)[0], root / "solutions", environment)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            problems.append(f"{lesson.name}, {variant}: a cell failed\n{error}")
            continue
        found = [line for line in changes(stored, again) if not line.endswith("picture")]
        problems += [f"{lesson.name}, {variant}: {line}" for line in found]
        print(f"{lesson.name}, {variant}: {len(found)} printed lines differ")
    return problems


def changes(before: NotebookNode, after: NotebookNode) -> list[str]:
    """Return one line for each printed line that differs between two runs of the same inputs, and for each picture."""
    lines: list[str] = []
    for number, (old, new) in enumerate(zip(before.cells, after.cells, strict=True), start=1):
        then, now = ("\n".join(printed(cell)).splitlines() for cell in (old, new))
        differing = difflib.unified_diff(then, now, lineterm="", n=0)
        lines += [f"cell {number}: {line}" for line in differing if not line.startswith(("---", "+++", "@@"))]
        if pictures(old) != pictures(new):
            lines.append(f"cell {number}: another picture")
    return lines

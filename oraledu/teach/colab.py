"""The lessons for a notebook server that does not have the course, such as Colab: a first cell brings it."""

from collections.abc import Sequence
from pathlib import Path

import nbformat

from oraledu.app import catalogue, workspace
from oraledu.app.catalogue import Lesson
from oraledu.app.errors import UserError
from oraledu.teach import handout

#: What such a server has loaded before the first cell stays as it was until the kernel is started anew.
FIRST = """\
# This installs the course into the machine that runs this notebook; it takes a few minutes.
%pip install --quiet "oraledu @ {wheel}"
import sys

if "numpy" in sys.modules:
    print("Restart the session (menu Runtime), then go on with the next cell.")
else:
    print("The course is here; go on with the next cell.")"""


def export(folder: Path, wheel: str, lessons: Sequence[Lesson] = ()) -> list[Path]:
    """Write lessons with the cell that installs the course; return the notebooks.

    Args:
        folder: where to; a lesson of an earlier export is replaced.
        wheel: an address, or the path of a file.
        lessons: which; none means all.

    Raises:
        UserError: the folder belongs to the course, a lesson is missing, or `wheel` is neither.
        OSError: the folder cannot be written.
    """
    workspace.refuse_the_checkout(folder)
    if not wheel.endswith(".whl") or ("://" not in wheel and not Path(wheel).is_file()):
        raise UserError(f"{wheel} is no wheel; name its address, or build it: python -m build --wheel")
    address = wheel if "://" in wheel else Path(wheel).resolve().as_uri()
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for lesson in lessons or catalogue.LESSONS:
        source = catalogue.source_folder("lessons") / f"{lesson.name}.ipynb"
        if not source.is_file():
            raise UserError(f"{source} is missing; in a checkout, 'oraledu build' makes it")
        notebook = nbformat.read(source, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":  # there is no solution beside it
                cell.source = handout.without_links(cell.source)
        first = nbformat.v4.new_code_cell(
            FIRST.format(wheel=address), id="install", metadata={"tags": ["install"]}
        )
        notebook.cells.insert(0, first)
        made.append(folder / source.name)
        nbformat.write(notebook, made[-1])
    return made

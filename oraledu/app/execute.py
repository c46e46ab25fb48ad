"""Run a notebook in a fresh kernel and keep of its outputs only what the next run will give again."""

import base64
import contextlib
import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image
from traitlets.config import Config

from oraledu.app.kernels import manager_options, prepare_environment

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
CELL_TIMEOUT = 900
#: A picture with more is no drawing.
MANY_COLOURS = 5000


def comparable_environment(cache: str) -> dict[str, str]:
    """Return the variables under which a run can be compared with a stored one.

    One thread and one scale; no progress bars; nothing read from an earlier run's cache.
    """
    return {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "ORALEDU_SCALE": "quick",
        "ORALEDU_DEVICE": "cpu",
        "ORALEDU_THREADS": "1",
        "ORALEDU_CACHE": cache,
        "CI": "true",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


@contextlib.contextmanager
def comparable_run(extra: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Yield a whole environment for a comparable run; its cache is an empty folder that goes at the end."""
    with tempfile.TemporaryDirectory(prefix="oraledu-cache-") as cache:
        yield {**os.environ, **comparable_environment(cache), **(extra or {})}


def execute(
    notebook: NotebookNode,
    folder: Path,
    environment: Mapping[str, str],
    *,
    timeout: int | None = CELL_TIMEOUT,
) -> NotebookNode:
    """Run every cell of a copy of a notebook, as if it lay in `folder`, and return the copy.

    Args:
        notebook: inputs; outputs that it holds are replaced.
        folder: the kernel's working directory.
        environment: the kernel's whole environment.
        timeout: seconds for one cell; None waits for ever.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised; the message holds the cell and its traceback.
    """
    copy = nbformat.from_dict(notebook)
    prepare_environment()
    client = NotebookClient(
        copy,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        config=Config(KernelManager=manager_options()),
    )
    client.execute(cwd=str(folder), env=dict(environment))
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs = stable_outputs(cell.outputs)
        cell.metadata.pop("execution", None)
    copy.metadata = nbformat.from_dict(notebook.metadata)
    return copy


def stable_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join what was printed in pieces, thin the pictures, and drop the live widget, whose picture and text stay."""
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1].text += output.text
            continue
        if "data" in output:
            output.data.pop(WIDGET_VIEW, None)
            if not output.data:
                continue
            if "image/png" in output.data:
                output.data["image/png"] = thinned(output.data["image/png"])
        kept.append(output)
    return kept


def thinned(png: str) -> str:
    """Give a drawing (base64) a palette of 256 colours, which halves it; a picture with many more stays as it is."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    if picture.getcolors(MANY_COLOURS) is None:
        return png
    file = io.BytesIO()
    picture.quantize(256, dither=Image.Dither.NONE).save(file, format="png", optimize=True)
    return min(png, base64.b64encode(file.getvalue()).decode(), key=len)


def never_executed(notebook: NotebookNode) -> list[str]:
    """Return the first lines of the code cells that hold no execution count: nbval would compare nothing there."""
    return [
        cell.source.splitlines()[0]
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.source.strip() and cell.get("execution_count") is None
    ]


def printed(cell: NotebookNode) -> list[str]:
    """Return the texts of a cell's outputs: what was printed, and each display's text and HTML."""
    texts: list[str] = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            texts.append(output.text)
        elif output.output_type == "error":
            texts.append(f"{output.ename}: {output.evalue}")
        else:
            texts += [value for kind, value in sorted(output.data.items()) if kind.startswith("text/")]
    return texts


def pictures(cell: NotebookNode) -> list[str]:
    """Return the PNG pictures among a cell's outputs, base64."""
    return [o.data["image/png"] for o in cell.get("outputs", []) if "data" in o and "image/png" in o.data]

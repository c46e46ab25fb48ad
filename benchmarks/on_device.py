"""What a GPU makes of the lessons: each algorithm beside the same on the processor, then the notebooks themselves.

    python -m benchmarks.on_device --out results/device

writes `device.md`, one table with card and versions, and the executed copies of the lessons at the middle scale, each
in a process of its own, all at once on the one card. A cell that fails is counted and does not end its lesson. What is
not done after `--seconds` is written as it is.
"""

import argparse
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import joblib
import nbformat
import torch
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from torch import Tensor
from traitlets.config import Config

import oraledu
from benchmarks.bench_diffusion import LEVEL, inputs
from oraledu import data
from oraledu.app.kernels import manager_options, prepare_environment
from oraledu.app.running import unheld
from oraledu.diffusion import experiments, machines
from oraledu.diffusion import settings as diffusion
from oraledu.grokking import arithmetic, rfm
from oraledu.grokking import settings as grokking
from oraledu.representations import settings as representations
from oraledu.representations.vision import recipe
from oraledu.scaling import settings as scaling

LESSONS = ("01_creativity", "02_layer_by_layer", "03_scaling_collapse", "04_grokking")
ROUNDS = 5
#: Returns a call for a device; what it returns is compared between devices.
Work = Callable[[torch.device], Callable[[], Tensor]]


def machine(device: torch.device) -> Callable[[], Tensor]:
    """Return a call of lesson 1's equivariant-local machine at a patch size of 9."""
    x, images = inputs(500, 28)
    x, images = x.repeat(2, 1, 1, 1).to(device), images.to(device)
    return lambda: machines.denoise(
        x, images, LEVEL, machine="equivariant-local", patch=9, padding="circular"
    )


def convolutions(device: torch.device) -> Callable[[], Tensor]:
    """Return a call of two training steps of lesson 1's ResNet at the paper's width."""
    chosen = replace(diffusion.FULL.fashion, count=64, steps=2, batch_size=32)
    images = experiments.training_images(chosen).to(device)
    return lambda: experiments.learn(chosen, images, torch.Generator().manual_seed(0))[1]


def transformers(device: torch.device) -> Callable[[], Tensor]:
    """Return a call of four training steps of lesson 2's vision transformer at the middle scale."""
    chosen = replace(representations.MIDDLE.live, steps=4)
    training = data.fashion_mnist(chosen.train)
    there = data.Images(training.pixels.to(device), training.labels.to(device), training.classes)
    return lambda: recipe.learn(chosen, "supervised", there, torch.Generator().manual_seed(0))[1]


def ladder(device: torch.device) -> Callable[[], Tensor]:
    """Return a call of two steps of lesson 3's networks of width 512, five seeds in one pass, at the full scale."""
    chosen = replace(scaling.FULL.mlp.ladder, widths=(512,), tests=1024, device=str(device))

    def steps() -> Tensor:
        stack = chosen.begin(512, range(5), 100 * chosen.batch)
        for _ in range(2):
            stack.step(0.1)
        return torch.stack([weight.detach().norm() for weight in stack.weights.values()])

    return steps


def recursion(device: torch.device) -> Callable[[], Tensor]:
    """Return a call of three iterations of lesson 4's machine at p = 97, in float64."""
    chosen = grokking.FULL.paper
    table = arithmetic.modular_table("+", chosen.p)
    split = arithmetic.split(*table, chosen.fraction, generator=torch.Generator().manual_seed(0))
    parts = [part.to(device) for part in split]
    return lambda: rfm.fit(*parts, chosen.p, kernel=chosen.kernel, iterations=3).metrics[-1]


WORK: dict[str, Work] = {
    "1: equivariant-local machine, k = 9, 2 noises, 500 images of 28 × 28": machine,
    "1: training steps, ResNet of width 256, batches of 32": convolutions,
    "2: training steps, vision transformer of width 256 and depth 16": transformers,
    "3: steps of five networks of width 512, batches of 4,096": ladder,
    "4: three RFM iterations, p = 97, half of the table, float64": recursion,
}


def seconds(call: Callable[[], Tensor], device: torch.device) -> float:
    """Return how long a call takes on the wall, with all that it has queued."""
    start = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def rows(device: torch.device, rounds: int) -> Iterator[str]:
    """Yield a line for each piece of work: the processor's time over the device's, and how far the results differ."""
    for name, work in WORK.items():
        here, there = work(torch.device("cpu")), work(device)
        expected, found = here(), there().cpu()  # first calls, which are not timed
        apart = float((found - expected).norm() / expected.norm())
        taken = [seconds(here, torch.device("cpu")) for _ in range(rounds)]
        least = [seconds(there, device) for _ in range(rounds)]
        ratio, low, high = (
            above / below
            for above, below in (
                (statistics.median(taken), statistics.median(least)),
                (min(taken), max(least)),
                (max(taken), min(least)),
            )
        )
        yield f"| {name} | {ratio:.3g} ({low:.3g} to {high:.3g}) | {apart:.0e} |"


def execute(name: str, scale: str, device: str, out: Path, end: float) -> None:
    """Run a lesson's notebook until a moment of the wall clock, and write it after each cell."""
    prepare_environment()
    root = Path(__file__).parents[1]
    notebook = nbformat.read(root / "lessons" / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "ORALEDU_SCALE": scale,
        "ORALEDU_DEVICE": device,
        "ORALEDU_CACHE": str(folder.resolve() / "cache"),
        "ORALEDU_THREADS": str(max(1, (joblib.cpu_count() or 4) // len(LESSONS))),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")])),
        "CI": "true",
    }
    client = NotebookClient(
        notebook, allow_errors=True, kernel_name="python3", config=Config(KernelManager=manager_options())
    )
    with client.setup_kernel(cwd=str(folder), env=environment):
        for index, cell in enumerate(notebook.cells):
            client.timeout = max(1, round(end - time.time()))
            try:
                client.execute_cell(cell, index)
            except (CellTimeoutError, DeadKernelError) as error:
                print(f"{name}: cell {index} of {len(notebook.cells)}: {type(error).__name__}", flush=True)
                break
            finally:
                nbformat.write(notebook, out / f"{name}.ipynb")
    failed = [
        (index, output.ename)
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error"
    ]
    print(f"{name}: {index + 1} of {len(notebook.cells)} cells; failed: {failed or 'none'}", flush=True)
    for number, line in unheld(notebook):
        print(f"{name}: cell {number}: {line}", flush=True)


def main() -> None:
    """Measure, then run the lessons side by side."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the table and the executed copies"
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--scale", default="middle", choices=("quick", "middle", "full"))
    parser.add_argument("--only", default=",".join(LESSONS), help="lessons, with commas between")
    parser.add_argument("--seconds", type=float, default=420, help="for the notebooks, all of them together")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="0 leaves the ratios out")
    parser.add_argument("--one", nargs=2, metavar=("LESSON", "END"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.one:
        name, end = options.one
        execute(name, options.scale, options.device, options.out, float(end))
        return
    if options.rounds:
        device = torch.device(options.device)
        card = torch.cuda.get_device_name(device) if device.type == "cuda" else "processor"
        lines = [
            f"{card} beside {joblib.cpu_count()} cores of {platform.machine()}; oraledu {oraledu.__version__}, torch "
            f"{torch.__version__}, Python {platform.python_version()}; {date.today()}; "
            f"`python -m benchmarks.on_device {shlex.join(sys.argv[1:])}`",
            "",
            "| at equal work | processor's time over the card's, median (range) | results differ by |",
            "|---|---|---|",
            *rows(device, options.rounds),
        ]
        print("\n".join(lines), flush=True)
        (options.out / "device.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    end = time.time() + options.seconds
    command = [sys.executable, "-m", "benchmarks.on_device", "--out", str(options.out)]
    command += ["--scale", options.scale, "--device", options.device]
    names = [name for name in options.only.split(",") if name]
    running = [subprocess.Popen([*command, "--one", name, str(end)]) for name in names]
    for process in running:
        process.wait()


if __name__ == "__main__":
    main()

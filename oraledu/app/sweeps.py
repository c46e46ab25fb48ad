"""Sweeps: a lesson's experiment over all its settings, one run each, on this machine or on a cluster.

What is varied and what a run is stands in `sweep.py` of the lesson's topic, how the table looks in its views. joblib
spreads the runs over processes, Dask over a cluster; each run has one thread, so that both give the same bits.
"""

import contextlib
import itertools
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import joblib
import torch
from filelock import FileLock, Timeout
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm.auto import tqdm

import oraledu
from oraledu.app import cures
from oraledu.app.errors import UserError
from oraledu.course.cache import cached, source_digest

Row = dict[str, Any]
#: The topic of each sweep; those of the lessons 1 to 4.
SWEEPS = {
    "agreement": "oraledu.diffusion",
    "scores": "oraledu.representations",
    "ladder": "oraledu.scaling",
    "accuracy": "oraledu.grokking",
}
#: Seconds that a cluster has to answer, and to have a worker.
PATIENCE = 10


def listing(scale: str) -> str:
    """Return the sweeps, how many runs each has, and its axes."""
    lines = []
    for name, topic in SWEEPS.items():
        axes = import_module(f"{topic}.sweep").axes(scale)
        lines.append(f"{name}: {len(_runs(topic, axes))} runs at scale {scale}")
        lines += [f"  {axis}={','.join(map(str, values))}" for axis, values in axes.items()]
    return "\n".join(lines)


def sweep(
    name: str,
    *,
    scale: str = "quick",
    only: Sequence[str] = (),
    out: Path | None = None,
    device: str | None = None,
    jobs: int | None = None,
    cluster: str | None = None,
    plot: bool = False,
) -> int:
    """Do the runs that the table of a sweep does not have yet, and draw it; return 1 if a run failed.

    The arguments are those of the command. Without `jobs` there are as many processes as cores, but one on a GPU.

    Raises:
        UserError: something that was asked for cannot be had; what has been run is kept.
        OSError: the folder of the table cannot be written.
    """
    if name not in SWEEPS:
        raise UserError(f"there is no sweep {name!r}; choose one of: {', '.join(SWEEPS)}")
    path = out or Path("runs") / f"sweep-{name}-{scale}.parquet"
    if path.suffix != ".parquet":
        raise UserError(f"{path} must end in .parquet: the picture beside it has another ending")
    try:
        from oraledu.app import sweep_table

        if cluster:
            import_module("distributed")
    except ImportError as error:
        raise UserError(f"this needs {error.name}; run: {cures.install('oraledu[cluster]')}") from None
    topic, device = SWEEPS[name], _device(device or ("cpu" if scale == "quick" else "auto"), cluster)
    axes = import_module(f"{topic}.sweep").axes(scale)
    chosen = _runs(topic, axes | _restricted(axes, only))
    identity = {"sweep": name, "scale": scale, "device": device, **_versions()}
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_name(f"{path.name}.lock"), timeout=0):
            rows: dict[tuple, Row] = {tuple(run.values()): {} for run in _runs(topic, axes)}  # in their order
            rows |= {tuple(row[axis] for axis in axes): row for row in sweep_table.read(path, identity)}
            tasks = [
                (topic, run, identity) for run in chosen if rows[tuple(run.values())].get("state") != "done"
            ]
            print(f"{len(chosen)} runs, {len(chosen) - len(tasks)} of them done before.")
            if not plot:
                found = _on_cluster(tasks, cluster) if cluster else _here(tasks, jobs, device)
                off = bool(os.environ.get("CI"))
                for row in tqdm(found, total=len(tasks), desc=name, unit="run", disable=off):
                    rows[tuple(row[axis] for axis in axes)] = row
                    sweep_table.write(path, [row for row in rows.values() if row])
            return _report(path, [row for row in rows.values() if row], topic)
    except Timeout:
        raise UserError(f"another sweep is writing {path}; wait for it, or choose another --out") from None


def attempt(topic: str, run: Row, identity: Mapping[str, str]) -> Row:
    """Do one run on one thread, in whatever process; return its row, which tells the error if it failed."""
    began = time.perf_counter()
    os.environ["CI"] = "true"  # bars of its own would write over that of the sweep
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic = False, True
    try:
        if (here := _versions()).items() - identity.items():
            raise RuntimeError(f"the worker has other versions: {here}")
        science = import_module(f"{topic}.sweep")
        found = science.run(identity["scale"], **run, device=identity["device"], keep=cached)
    except Exception as error:
        return _failed(run, identity, error)
    seconds = round(time.perf_counter() - began, 3)
    return {**run, **identity, "state": "done", "error": None, "seconds": seconds, **found}


def _failed(run: Row, identity: Mapping[str, str], error: BaseException | None) -> Row:
    said = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return {**run, **identity, "state": "failed", "error": said, "seconds": None}


def _here(tasks: Sequence[tuple], jobs: int | None, device: str) -> Iterator[Row]:
    """Yield rows as they are ready, from processes of this machine, or from this one if that is enough."""
    jobs = jobs or (joblib.cpu_count() if device == "cpu" else 1)
    parallel = joblib.Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")
    try:
        yield from parallel(joblib.delayed(attempt)(*task) for task in tasks)
    except TerminatedWorkerError:
        raise UserError(
            "a process died, as it does without memory; run this again with fewer --jobs"
        ) from None


def _on_cluster(tasks: Sequence[tuple], address: str) -> Iterator[Row]:
    """Yield rows as they are ready, from the workers of a Dask cluster, which runs again what a lost one had."""
    from distributed import Client, as_completed

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # a lost cluster is told in one line, below
    with contextlib.ExitStack() as stack:
        try:
            client = stack.enter_context(Client(address, timeout=PATIENCE))
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, ValueError) as error:  # a time-out is an OSError
            cure = "look at its scheduler and its workers"
            raise UserError(f"the cluster {address} has no answer or no worker ({error}); {cure}") from None
        runs = {client.submit(attempt, *task, pure=False): task for task in tasks}
        for future in as_completed(list(runs)):
            _, run, identity = runs.pop(future)
            if future.status == "cancelled":
                raise UserError(f"the cluster {address} has gone; what was done is kept: run this again")
            # An error here is none of the run's own: it could not be sent, or has killed several workers.
            lost = future.status == "error"
            yield _failed(run, identity, future.exception()) if lost else future.result()


def _runs(topic: str, axes: Mapping[str, Sequence[Any]]) -> list[Row]:
    """Return every choice of values that makes a run, the last axis fastest."""
    exists = getattr(import_module(f"{topic}.sweep"), "exists", lambda **_: True)
    rows = (dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))
    return [row for row in rows if exists(**row)]


def _restricted(axes: Mapping[str, tuple], only: Sequence[str]) -> dict[str, tuple]:
    """Return the axes that are restricted."""
    chosen = {}
    for axis, _, asked in (text.partition("=") for text in only):
        if axis not in axes:
            raise UserError(f"there is no axis {axis!r} in --only; choose one of: {', '.join(axes)}")
        named = {str(value): value for value in axes[axis]}
        if unknown := [value for value in asked.split(",") if value not in named]:
            raise UserError(f"{axis} has no {unknown[0]!r} in --only; choose from: {', '.join(named)}")
        chosen[axis] = tuple(value for name, value in named.items() if name in asked.split(","))
    return chosen


def _device(asked: str, cluster: str | None) -> str:
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if cluster and asked == "auto":
        raise UserError("what devices do the workers have? Give --device cpu or --device cuda")
    if not cluster and asked != "auto" and not here[asked]:
        raise UserError(f"torch finds no {asked} here; choose --device cpu or --device auto")
    return next(name for name in here if here[name]) if asked == "auto" else asked


def _versions() -> dict[str, str]:
    """Return what decides the numbers: a course that has been edited is another version."""
    return {"course": f"{oraledu.__version__}+{source_digest()[:8]}", "torch": torch.__version__}


def _report(path: Path, rows: Sequence[Row], topic: str) -> int:
    """Draw the runs that are done beside the table, and say what there is; return 1 if one failed."""
    done, failed = ([row for row in rows if row["state"] == state] for state in ("done", "failed"))
    if not rows:
        raise UserError(f"{path} has no runs yet to draw; the same without --plot does them")
    print(f"{path} has {len(done)} runs.")
    try:
        figure = import_module(f"{topic}.views").sweep_figure(done)
    except ValueError as error:
        print(f"There is no picture yet: {error}.")
    else:
        path.with_suffix(".png").write_bytes(figure.png())
        path.with_suffix(".txt").write_text(f"{figure.alt}\n", "utf-8")
        print(f"{path.with_suffix('.png')} is its picture, {path.with_suffix('.txt')} the same in words.")
    if failed:
        print(f"{len(failed)} runs failed and will be tried again; the first with {failed[0]['error']}")
    return 1 if failed else 0

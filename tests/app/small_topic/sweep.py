"""Tiny kernel machines that write down who ran them, and get into trouble once where a file asks for it."""

import os
import signal
from pathlib import Path
from typing import Any

import torch

from oraledu.grokking import arithmetic, rfm

#: Names the folder with the log of all runs, and with the trouble to come: files such as "0.7-2.kill".
FOLDER = "ORALEDU_TEST_SWEEP"


def axes(scale: str) -> dict[str, tuple]:
    return {"fraction": (0.7, 0.5), "seed": (0, 1, 2, 3)}


def exists(*, fraction: float, seed: int) -> bool:
    return (fraction, seed) != (0.5, 3)


def run(scale: str, *, fraction: float, seed: int, device: str, **_: Any) -> dict[str, Any]:
    folder = Path(os.environ[FOLDER])
    with (folder / "log").open("a") as log:
        log.write(f"{os.getpid()} {fraction} {seed}\n")
    for trouble in folder.glob(f"{fraction}-{seed}.*"):
        trouble.unlink()
        if trouble.suffix == ".kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise {".fail": ValueError("asked to\nfail"), ".interrupt": KeyboardInterrupt()}[trouble.suffix]
    table = arithmetic.modular_table("+", 7)
    parts = arithmetic.split(*table, fraction, generator=torch.Generator().manual_seed(seed))
    losses = rfm.fit(*parts, 7, iterations=3).test_loss.tolist()
    return {"settings": f"p 7, {scale}", "losses": losses, "threads": torch.get_num_threads()}

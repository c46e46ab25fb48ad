"""A sweep of the network ladder: loss curves by schedule, width and seed, one network a run."""

from dataclasses import replace
from typing import Any

from oraledu.scaling.settings import preset, train_study


def axes(scale: str) -> dict[str, tuple]:
    """Return what is varied at a scale: what the lesson's study of networks does."""
    study = preset(scale).mlp
    return {"schedule": study.schedules, "width": study.ladder.widths, "seed": study.seeds}


def run(scale: str, *, schedule: str, width: int, seed: int, device: str, **_: Any) -> dict[str, Any]:
    """Return the settings of a run, its steps, and the loss at its records, NaN once the network has diverged."""
    study = preset(scale).mlp
    one = replace(study, ladder=replace(study.ladder, widths=(width,)), schedules=(schedule,), seeds=(seed,))
    found = train_study(one, schedule, device)
    curve = {"steps": found.steps[0].tolist(), "losses": found.loss[0, 0].tolist()}
    return {"settings": repr(one), "loss": float(found.end), **curve}

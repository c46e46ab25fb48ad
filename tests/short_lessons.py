"""Sizes at which a whole lesson runs in a moment: enough for every cell to have something to print and to draw."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any
from unittest.mock import patch

import torch

from oraledu.diffusion import settings as diffusion
from oraledu.grokking import settings as grokking
from oraledu.representations import settings as representations
from oraledu.representations.probes.outcome import Outcome, share
from oraledu.representations.selection import Scores
from oraledu.scaling import settings as scaling
from oraledu.scaling.horizon import Horizon
from tests.representations.tiny import TINY as TINY_VISION

_G = grokking.QUICK
GROKKING = replace(
    _G,
    widget=replace(_G.widget, iterations=14),
    paper=replace(_G.paper, p=17, fraction=0.5, iterations=16),
    operations=replace(_G.operations, p=13, iterations=8),
    phase_map=replace(_G.phase_map, p=17, iterations=16, fractions=(0.4, 0.7, 0.9), seeds=1),
    random_circulants=replace(_G.random_circulants, p=13, draws=1),
    network=replace(_G.network, p=13, fraction=0.8, width=128),
    circulant_network=replace(_G.circulant_network, p=13, fraction=0.8, width=128, epochs=200),
    repeats=1,
    rival=replace(_G.rival, p=13, iterations=2),
)
_FASHION = replace(
    diffusion.QUICK.fashion,
    count=24,
    widths=(8,),
    depth=1,
    steps=6,
    batch_size=8,
    candidates=(3, 5),
    calibration_noises=3,
    noises=4,
)
DIFFUSION = replace(
    diffusion.QUICK,
    fashion=_FASHION,
    mnist=replace(_FASHION, data="mnist", padding="circular"),
    unet=replace(_FASHION, architecture="UNet", widths=(8, 8), depth=0),
    large=(replace(_FASHION, noises=2),),
)
REPRESENTATIONS = replace(representations.QUICK, splits=20, resamples=20, live=TINY_VISION)
_NETWORKS = replace(
    scaling.NETWORKS,
    widths=(8, 10, 12, 14),
    horizon=Horizon.through(800, 7000, 0.5),
    batch=64,
    modes=50,
    pool=None,
    tests=64,
    probes=2,
)
_T = scaling.QUICK.transformer
SCALING = scaling.Preset(
    replace(
        scaling.QUICK.linear,
        ladder=replace(scaling.QUICK.linear.ladder, widths=(48, 64, 96, 128)),
        seeds=(0, 1, 2),
    ),
    *(replace(study, records=16) for study in scaling._networks(_NETWORKS, seeds=2, noise_width=14)),
    replace(
        _T,
        ladder=replace(_T.ladder, widths=(8, 16, 24), horizon=Horizon.through(10_000, 20_000, 0.5), tests=16),
        seeds=(0, 1),
        records=16,
    ),
)
#: The preset of each topic.
PRESETS: dict[str, tuple[str, Any]] = {
    "01_creativity": ("diffusion", DIFFUSION),
    "02_layer_by_layer": ("representations", REPRESENTATIONS),
    "03_scaling_collapse": ("scaling", SCALING),
    "04_grokking": ("grokking", GROKKING),
}
#: What a cell has for its own size, and what it gets here; each stands in the lesson exactly once.
SHORTER: dict[str, dict[str, str]] = {
    "01_creativity": {
        "(trousers.training_images(), trousers.noises())": "(trousers.training_images()[:16], trousers.noises()[:4])",
        "rival.training_images(), rival.noises()": "rival.training_images()[:24], rival.noises()",
        # Zero padding has k² kinds of windows, each with products of its own.
        "for k in (5, 11)}": "for k in (3, 5)}",
        "patches[round(20 - 20 * t)], 11)": "patches[round(20 - 20 * t)], 5)",
        "tailored, 9)": "tailored, 3)",
        "tailored, 13)": "tailored, 5)",
        'sizes = checkpoints.load("fashion-zeros").patches': "sizes = [5] * 5 + [3] * 15",
        'tried.patches["AttentionUNet"])': "sizes)",
        'next(entry.patches for entry in further.entries if entry.architecture == "UNet")': "[5] * 20",
        "steps = images[:60], (20, 80, 320)": "steps = images[:20], (5, 10, 20)",
        "sizes = (1, 3, 5, 7, 13, 27)": "sizes = (3, 27)",
        "few, patch = images[:100].double()": "few, patch = images[:10].double()",
        "smallest, steps=200": "smallest, steps=20",
        "settle(start_noise, 2e-2, steps=800)": "settle(start_noise, 2e-2, steps=40)",
    },
    "02_layer_by_layer": {
        "cached(evaluate.embedded_scores)": "cached(short_lessons.scores)",
        "from oraledu import data": "from oraledu import data; from tests import short_lessons",
        "for _ in range(200)": "for _ in range(3)",
    },
    "03_scaling_collapse": {
        "(16, 32, 64, 128)": "(16, 32)",
        "psi[..., 54], psi[..., 60]": "psi[..., 14], psi[..., 16]",  # of 16 records
    },
    "04_grokking": {
        "iterations=50, power=power": "iterations=2, power=power",
        '"iterations": preset.widget.iterations}': '"iterations": 2}',
        "seed, 5 * sweep.iterations)": "seed, sweep.iterations)",
        "for composite in (30, 32, 36)": "for composite in (9, 10)",
    },
}


def scores(name: str, part: str) -> Scores:
    """Return what the probes might have found: they are scikit-learn's, and take a minute."""
    shown = {
        "noun": ("linear probe", "few-shot", "nearest neighbours", "clustering"),
        "verb": ("linear probe", "clustering"),
        "pairs": ("similarity",),
        "retrieval": ("retrieval",),
    }
    layers, generator = {"smollm2-135m": 32, "minilm-l6": 7}[name], torch.Generator().manual_seed(0)
    table: dict[str, dict[str, Outcome]] = {}
    for texts, probes in shown.items():
        for each in probes:
            drawn = Outcome(torch.rand(layers, 40, 1, generator=generator).double(), share)
            if (each == "clustering") == (part == "clusters"):
                table.setdefault(texts, {})[each] = drawn
    return table


@contextmanager
def sizes(name: str) -> Iterator[None]:
    """Make the full preset of a lesson a short one."""
    topic, preset = PRESETS[name]
    with patch.object(import_module(f"oraledu.{topic}.settings"), "FULL", preset):
        yield


def shortened(name: str) -> Callable[[str], str]:
    """Return what makes the text of a cell shorter."""

    def shorten(source: str) -> str:
        for old, new in SHORTER.get(name, {}).items():
            source = source.replace(old, new)
        return source

    return shorten

"""What the lesson's runs take: see `oraledu.costs`."""

from dataclasses import replace

from oraledu.costs import Part
from oraledu.scaling import fourier
from oraledu.scaling.linear import BLOCK, LinearLadder
from oraledu.scaling.mlp import MLPLadder
from oraledu.scaling.settings import L, Study, preset
from oraledu.scaling.text import ALPHABET, novel
from oraledu.scaling.training import train_steps
from oraledu.scaling.transformer import TransformerLadder


def training(study: Study[L]) -> float:
    """Return the operations of all widths and seeds of a study under one schedule, with the losses it records."""
    ladder, total = study.ladder, 0.0
    for width in ladder.widths:
        steps = train_steps(ladder, width)
        if isinstance(ladder, LinearLadder):
            total += steps * 4.0 * ladder.batch * width
            continue
        seen = forward(ladder, width)
        total += 3 * seen * steps * ladder.tokens_per_step
        probes = 3 * ladder.probes * ladder.tokens_per_step if study.trace else 0
        tests = ladder.tests * (ladder.context if isinstance(ladder, TransformerLadder) else 1)
        total += seen * (study.records + 1) * (tests + probes)
    return total * len(study.seeds)


def forward(ladder: MLPLadder | TransformerLadder, width: int) -> float:
    """Return the operations of a forward pass for one token: twice the weights that it meets, and attention."""
    weights = ladder.parameters(width)
    if isinstance(ladder, MLPLadder):
        return 2.0 * (weights + width)
    tables = (ladder.context + len(ALPHABET)) * width  # of them a token only looks up a row
    return 2.0 * (weights - tables) + 4.0 * ladder.blocks * ladder.context * width


def memory(study: Study[L]) -> float:
    """Return the bytes of weights, gradients, both averages, and what a step makes, for the widest."""
    ladder, width = study.ladder, study.ladder.widths[-1]
    seeds, size = len(study.seeds), ladder.dtype.itemsize
    if isinstance(ladder, LinearLadder):
        return float(size * seeds * BLOCK * ladder.batch * width)
    tokens = max(ladder.tokens_per_step, min(ladder.tests, 1024))
    each = 4 * ladder.parameters(width) + 5 * ladder.blocks * tokens * width
    if isinstance(ladder, TransformerLadder):
        return float(size * seeds * each + novel().nbytes)
    examples = (ladder.pool or 0) + ladder.tests + ladder.probes * ladder.batch
    target = 8 * min(fourier.BLOCK, max(examples, tokens)) * ladder.modes  # in float64
    return float(size * (seeds * each + examples * (ladder.dimension + 1)) + target)


def parts(scale: str) -> list[Part]:
    """Return what the ladders of a scale take, one row an experiment."""
    sizes = preset(scale)
    widths = sizes.linear.ladder.widths[2:3]
    single = replace(sizes.linear.ladder, widths=widths)
    many = replace(sizes.linear, ladder=single, seeds=tuple(range(128)), records=400, trace=True)
    return [
        _part("solvable", sizes.linear, len(sizes.linear.schedules) + 1),
        _part("solvable, many seeds", many, 3),
        _part("networks", sizes.mlp, len(sizes.mlp.schedules) + 1),  # and the wrong exponent
        _part("one rate for all widths", sizes.without_mup, 1),
        _part("one order and own orders", sizes.shared_data, 2),
        _part("gradient noise", sizes.noise, 2),
        _part("text", sizes.transformer, 2),
    ]


def _part(name: str, study: Study[L], schedules: int) -> Part:
    seeds, widths = len(study.seeds), study.ladder.widths
    said = f"widths {widths[0]} to {widths[-1]}" if len(widths) > 1 else f"width {widths[0]}"
    said += f", {seeds} seeds, {schedules} schedules" if schedules > 1 else f", {seeds} seeds"
    total = training(study) * schedules
    return Part(name, said, len(widths) * seeds * schedules, total, memory(study))

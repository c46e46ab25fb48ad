"""After part 7: the results beside the paper's."""

from collections.abc import Mapping, Sequence

from oraledu.course.tables import Table, results
from oraledu.scaling.views.layout import about


def paper_and_here(
    *,
    widths: Sequence[int],  # those of the network ladder
    seeds: int,
    steepness: tuple[
        float, float
    ],  # of the networks' curves at a constant rate near the end, and of their frontier
    ratio: Mapping[str, Mapping[str, float]],  # Δ / σ at x = 0.9 of "solvable", "MLP" and "text", by schedule
    rest: Mapping[str, float],  # Δ / (ℓ - 1) there, of the same under the linear schedule
    since: Mapping[
        str, float | None
    ],  # where Δ comes to lie below σ under the linear schedule; None if nowhere
    quiet: Mapping[
        str, float
    ],  # Δ / σ of networks at a constant rate and little noise, by the order of their data
    alpha: Mapping[str, tuple[float, float, float]],  # by whose trace: the best, and its 90 % interval
    slopes: Mapping[str, float],  # of log Δ near the end, under "linear" and "cosine"
    wrong_exponent: float,  # deviation between sizes at an exponent off by 0.2, over that at the right one
    differ: Mapping[str, int],  # at how many of four points F passes its limit, with "muP" and at "one rate"
) -> Table:
    """Set this run's numbers beside the paper's and those of the authors' logs, with the reason for each difference."""
    linear = {name: about(each["linear"]) for name, each in ratio.items()}
    rows = [
        (
            "residual MLPs in muP",
            "384 to 2048 wide, 5 seeds",
            f"{widths[0]} to {widths[-1]} wide, {seeds} seeds",
            "a laptop; the full scale has the paper's widths",
        ),
        (
            "horizon",
            "fitted to runs past the optimum",
            f"MLP: curves end with slope {steepness[0]:.2f}, the frontier has {steepness[1]:.2f}",
            "our length was set by this slope; the exponent 1 is assumed",
        ),
        (
            "linear decay: Δ below σ",
            "up to the last half; logs: CIFAR-5M from x = 0.2, chess 0.3, MLP 0.8",
            "; ".join(f"{name} {_since(start)}" for name, start in since.items()),
            "noise and sizes differ; the paper's MLP is as late as ours",
        ),
        (
            "the same, Δ / σ at x = 0.9",
            "logs: CIFAR-5M 0.1, chess 0.2, MLP 0.6",
            "; ".join(f"{name} {value}" for name, value in linear.items()),
            "not the whole of a collapse: see the next row",
        ),
        (
            "the same, Δ / (ℓ - 1)",
            "logs: CIFAR-5M 0.03, chess 0.04, MLP 0.06",
            "; ".join(f"{name} {about(value)}" for name, value in rest.items()),
            "small networks, small batches: the honest distance to the paper",
        ),
        (
            "constant rate, Δ / σ at x = 0.9",
            "about 1",
            "; ".join(f"{name} {each['constant']:.1f}" for name, each in ratio.items()),
            "√2 for independent fluctuations and equal floors; else more or less",
        ),
        (
            "constant rate, seeds decide the start alone",
            "no supercollapse; logs: chess, which is of this kind, 0.6",
            f"MLP {about(quiet['one order'])}; with orders of their own {about(quiet['own orders'])}",
            "ours needs little noise and little training",
        ),
        (
            "α of the schedule law",
            "the run's own trace: 0.21 (CIFAR-5M), 0.26 (MLP); logs, the constant run's: 0.26, 0.29; theory 0.25",
            "MLP, "
            + "; ".join(f"{n} {a:.2f} ({low:.2f} to {high:.2f})" for n, (a, low, high) in alpha.items()),
            "noise as large as the loss strains a law to first order",
        ),
        (
            "Δ near the end, as a power of 1 - x",
            "Δ ∝ √(η (1 - τ)): 1.5 for linear, 2.5 for cosine",
            f"solvable: linear {slopes['linear']:.1f}, cosine {slopes['cosine']:.1f}",
            "none",
        ),
        (
            "an exponent of the horizon that is off",
            "1.2 in place of 1.02 breaks the collapse",
            f"solvable, off by 0.2: Δ between sizes {wrong_exponent:.0f} times as large",
            "our MLPs do not tell 0.6 from 1: too few sizes, too much noise",
        ),
        (
            "without muP",
            "the collapse breaks",
            f"F says at {differ['one rate']} of 4 points that sizes differ; with muP at {differ['muP']}",
            "Δ / σ does not tell: without muP the floor rises too",
        ),
    ]
    return results(["", "paper, and the authors' logs", "here", "reason for the difference"], rows)


def _since(start: float | None) -> str:
    return "nowhere" if start is None else f"from x = {start:.1f}"

"""After part 7: the results beside the paper's."""

from collections.abc import Mapping, Sequence

from oraledu.course.tables import Table, results
from oraledu.scaling.views.layout import about


def paper_and_here(
    *,
    widths: Sequence[int],  # those of the network ladder
    seeds: int,
    solvable_ratio: Mapping[str, float],  # Δ / σ at x = 0.9, under "constant" and "linear"
    network_ratio: Mapping[str, float],
    solvable_from: float | None,  # where Δ comes to lie below σ under the linear schedule; None if nowhere
    network_from: float | None,
    shared_ratio: float,  # as above, of networks at a constant rate whose seeds decide the start alone
    alpha: Mapping[str, float],  # fitted, of "solvable" and "network"
    slopes: Mapping[str, float],  # of log Δ near the end, under "linear" and "cosine"
    wrong_exponent: float,  # deviation between sizes at an exponent off by 0.2, over that at the right one
    drift: Mapping[str, float],  # of ℓ(0.5) from the narrowest to the widest, with "muP" and at "one rate"
    text: tuple[float, float],  # Δ / σ and Δ / (ℓ - 1) of the transformers at x = 0.9
) -> Table:
    """Set this run's numbers beside the paper's, with the reason for each difference."""
    rows = [
        (
            "residual MLPs in muP",
            "384 to 2048 wide, 5 seeds",
            f"{widths[0]} to {widths[-1]} wide, {seeds} seeds",
            "a laptop; the full scale has the paper's widths",
        ),
        (
            "linear decay: Δ below σ",
            "over up to the last half of the run",
            f"solvable {_since(solvable_from)}; MLP {_since(network_from)}",
            "noise and sizes differ",
        ),
        (
            "the same, Δ / σ at x = 0.9",
            "below 1",
            f"solvable {about(solvable_ratio['linear'])}; MLP {about(network_ratio['linear'])}",
            "none",
        ),
        (
            "constant rate, Δ / σ at x = 0.9",
            "about 1",
            f"solvable {solvable_ratio['constant']:.1f}; MLP {network_ratio['constant']:.1f}",
            "√2 for fluctuations that are independent, more where the ends vary most",
        ),
        (
            "constant rate, seeds decide the start alone",
            "no supercollapse; its chess runs, which are of this kind, have Δ below σ",
            f"MLP {about(shared_ratio)}",
            "ours needs little gradient noise, and then a data order for each seed gives the same",
        ),
        (
            "α of the schedule law",
            "0.21 (CIFAR-5M), 0.26 (MLP); theory 0.25",
            f"solvable {alpha['solvable']:.2f}; MLP {alpha['network']:.1f}",
            "ours takes the constant run's trace, so that it predicts; the paper's the run's own",
        ),
        (
            "Δ near the end, as a power of 1 - x",
            "Δ ∝ √(η (1 - τ)): 1.5 for linear, 2.5 for cosine",
            f"linear {slopes['linear']:.1f}, cosine {slopes['cosine']:.1f}",
            "none",
        ),
        (
            "an exponent of the horizon that is off",
            "1.2 in place of 1.02 breaks the collapse",
            f"solvable, off by 0.2: Δ between sizes {wrong_exponent:.0f} times as large",
            "our MLPs do not show it: too few sizes, too much noise",
        ),
        (
            "without muP",
            "the collapse breaks",
            f"ℓ(0.5) rises by {drift['one rate']:.1f} from the narrowest to the widest; with muP by {drift['muP']:.1f}",
            "the drift is there, and the noise of small networks still covers it",
        ),
        (
            "transformers on text, Δ / σ at x = 0.9",
            "below 1 (chess, CIFAR-5M)",
            f"{about(text[0])}; but Δ is {about(text[1])} of ℓ - 1",
            "tiny networks: their curves are nearly flat, and a small Δ is cheap",
        ),
    ]
    return results(["", "paper", "here", "reason for the difference"], rows)


def _since(start: float | None) -> str:
    return "nowhere" if start is None else f"from x = {start:.1f}"

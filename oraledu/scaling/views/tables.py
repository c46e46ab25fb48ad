"""After part 7: the results beside the paper's."""

from collections.abc import Mapping, Sequence

from oraledu.course.tables import Table, beside_the_paper
from oraledu.scaling.views.layout import about


def paper_and_here(
    *,
    widths: Sequence[int],  # those of the network ladder
    seeds: int,
    steepness: tuple[
        float, float
    ],  # of the networks' curves at a constant rate near the end; of their frontier
    ratio: Mapping[str, Mapping[str, float]],  # Δ / σ at x = 0.9 of "solvable", "MLP" and "text", by schedule
    rest: Mapping[str, float],  # Δ / (ℓ - 1) there, of the same under the linear schedule
    since: Mapping[str, float | None],  # from where on Δ lies below σ, linear schedule; None if nowhere
    quiet: Mapping[
        str, float
    ],  # Δ / σ of networks at a constant rate and little noise, by their data's order
    alpha: Mapping[str, tuple[float, float, float]],  # by whose trace: the best, and its 90 % interval
    slopes: Mapping[str, float],  # of log Δ near the end, under "linear" and "cosine"
    wrong_exponent: float,  # deviation between sizes at an exponent off by 0.2, over that at the right one
    differ: Mapping[str, int],  # at how many of four points F passes its limit, with "muP" and at "one rate"
) -> Table:
    """Set this run's numbers beside the paper's and those of the authors' logs, with the reason for each difference."""
    return beside_the_paper(
        __file__,
        widths=widths,
        widest=widths[-1],
        seeds=seeds,
        steepness=steepness,
        since="; ".join(f"{name} {_since(start)}" for name, start in since.items()),
        linear="; ".join(f"{name} {about(each['linear'])}" for name, each in ratio.items()),
        rest="; ".join(f"{name} {about(value)}" for name, value in rest.items()),
        constant="; ".join(f"{name} {each['constant']:.1f}" for name, each in ratio.items()),
        quiet=(about(quiet["one order"]), about(quiet["own orders"])),
        alpha="; ".join(f"{n} {a:.2f} ({low:.2f} to {high:.2f})" for n, (a, low, high) in alpha.items()),
        slopes=slopes,
        wrong_exponent=wrong_exponent,
        differ=differ,
    )


def _since(start: float | None) -> str:
    return "nowhere" if start is None else f"from x = {start:.1f}"

"""Parts 2 and 7: exponents that are off, which the frontier hardly shows and the collapse shows at once."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure, panels
from oraledu.course.style import FAINT, GREY
from oraledu.scaling import curves
from oraledu.scaling.frontier import fit_frontier
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.two_term import TwoTerm
from oraledu.scaling.views.layout import (
    Normalize,
    about,
    cut,
    decades,
    legend_below,
    look,
    nearest,
    plain_log,
    shades,
    size_legend,
)


def horizon_explorer(
    *, parameters: Tensor, grid: Tensor, offset: float = 0.5, normalize: Normalize = curves.normalize
) -> Explorer:
    """Let a learner get the horizon's exponent and the offset wrong, on the sum of two power laws.

    The loss is L₀ + t^(-μ) + p^(-ν). The horizon goes through the optimum of the middle size, with an exponent of
    ν / μ times a factor. The offset's error is a share of the smallest reducible end loss.
    """
    sizes, x, place = parameters.double(), grid.double(), nearest(grid, 0.25)
    figure, axes = panels([["frontier", "curves"]], height=330, width_ratios=[1, 1.1])
    left, right = axes["frontier"], axes["curves"]
    colours = shades(len(sizes))
    (line,) = left.plot([], [], "k--", linewidth=1.2)
    dots = [left.plot([], [], "o", color=c, markeredgecolor="black", zorder=3)[0] for c in colours]
    lines = [right.plot(x, x, color=c)[0] for c in colours]
    left.set(xscale="log", yscale="log", xlabel="compute c = 6 t p (FLOPs)")
    left.set_ylabel("end loss less the offset")
    right.set(yscale="log", ylim=(0.94, 3), xlabel="progress x = t / t(p)", ylabel="normalised loss ℓ(x)")
    decades(left.xaxis, left.yaxis)
    plain_log(right)
    size_legend(figure, parameters)

    def draw(
        mu: float = 0.3, nu: float = 0.4, exponent_factor: float = 1.0, offset_error: float = 0.0
    ) -> Figure:
        model = TwoTerm(mu, nu, offset=offset)
        middle = sizes.log().mean().exp().item()
        horizon = Horizon.through(middle, model.horizon().tokens(middle), model.ratio * exponent_factor)
        tokens = horizon.tokens(sizes)
        loss = model.loss(tokens[:, None] * x, sizes[:, None])
        guess = offset + offset_error * float(loss[:, -1].min() - offset)
        compute, ends = 6 * tokens * sizes, loss[:, -1]
        law = fit_frontier(compute, ends, offset=guess)
        normalized = normalize(x, loss[:, None], guess, x)[:, 0]
        line.set_data(compute, law(compute) - guess)
        for row, (dot, curve) in enumerate(zip(dots, lines, strict=True)):
            dot.set_data(compute[row : row + 1], ends[row : row + 1] - guess)
            curve.set_ydata(normalized[row])
        left.set_xlim(
            float(compute.min()) / 3, float(compute.max()) * 3
        )  # all in sight, whatever the exponents
        left.set_ylim(float((ends - guess).min()) / 2, float((ends - guess).max()) * 2)
        deviation = float(curves.collapse_deviation(normalized[:, None])[place])
        explained = law.r_squared(compute, ends)
        true = model.frontier().exponent
        left.set_title(f"slope {-law.exponent:.3f} (right: {-true:.3f}), R² = {cut(explained, 4)}")
        right.set_title(f"normalised curves: Δ = {100 * deviation:.1f} % at x = {x[place]:.2f}")
        figure.alt = (
            f"The sum of two power laws with μ = {mu:.2f} and ν = {nu:.2f}; the horizon's exponent is "
            f"{model.ratio * exponent_factor:.2f}, where {model.ratio:.2f} is right, and the offset is off by "
            f"{100 * offset_error:.0f} % of the smallest reducible loss. Left: the end losses of {len(sizes)} sizes "
            f"over compute, with a fitted slope of {-law.exponent:.3f} ({-true:.3f} is right) and R² "
            f"{cut(explained, 4)}. Right: the normalised curves; at x = {x[place]:.2f} they lie between "
            f"{normalized[:, place].min():.2f} and {normalized[:, place].max():.2f}, "
            f"a deviation of {100 * deviation:.1f} %."
        )
        return figure

    exponents = [round(0.2 + 0.05 * step, 2) for step in range(9)]
    return explore(
        draw,
        labels={
            "mu": "μ, exponent of the tokens",
            "nu": "ν, exponent of the parameters",
            "exponent_factor": "exponent of the horizon / right exponent",
            "offset_error": "error of the offset (share of the smallest L - L₀)",
        },
        mu=exponents,
        nu=exponents,
        exponent_factor=[round(0.6 + 0.1 * step, 1) for step in range(9)],
        offset_error=[round(-0.3 + 0.1 * step, 1) for step in range(7)],
    )


def wrong_exponent(
    *,
    exponents: Sequence[float] | Tensor,
    deviation: Mapping[str, Tensor],
    slope: Mapping[str, Tensor],
    right: float,
) -> Figure:
    """Draw, over the horizon's exponent, the deviation between sizes and beside it the frontier's slope.

    Beside the n exponents tried: for each schedule the deviation of exact mean curves, which sizes alone make, and the
    slope of the frontier, negative, (n,).
    """
    tried = torch.as_tensor(exponents, dtype=torch.float64)
    names = list(deviation)
    figure, axes = panels([["deviation", "slope"]], height=290)
    words = []
    for name in names:
        colour, style = look(names, name)
        for panel, values in (("deviation", deviation[name]), ("slope", slope[name])):
            axes[panel].plot(tried, values, "o", color=colour, linestyle=style, markersize=4, label=name)
        best, worst = int(deviation[name].argmin()), float(deviation[name].max())
        words.append(
            f"{name}: Δ is smallest, {about(float(deviation[name][best]))}, at {tried[best]:.1f} and reaches "
            f"{about(worst)}; the slope lies between {slope[name].min():.2f} and {slope[name].max():.2f}"
        )
    for ax in axes.values():
        ax.axvline(right, color=GREY, linestyle=":", linewidth=1)
        ax.set_xlabel("exponent of the horizon")
    axes["deviation"].set(yscale="log", ylabel="Δ of the exact means", title="deviation between sizes")
    decades(axes["deviation"].yaxis)
    steepest = max(float(values.abs().max()) for values in slope.values())
    axes["slope"].set(ylim=(-1.5 * steepest, 0), ylabel="slope in log-log", title="slope of the frontier")
    axes["deviation"].annotate(
        f"theory: {right:g}", (right, 1), (3, -3), xycoords=("data", "axes fraction"),
        textcoords="offset points", color=FAINT, fontsize="small", va="top",
    )  # fmt: skip
    legend_below(figure, axes["deviation"], len(names))
    figure.alt = (
        f"Over the horizon's exponent from {tried.min():.1f} to {tried.max():.1f}, where theory gives {right:g}: "
        f"left the deviation between sizes on a logarithmic scale, right the slope of the frontier. {'; '.join(words)}."
    )
    return figure

"""Right answers to the exercises of the lesson on scaling collapse, in many styles, and roads through the library."""

import bisect
import math
from dataclasses import replace

import numpy as np
import torch
from scipy import optimize, stats

from oraledu.scaling import checks, curves, decayed, frontier, laws, mup, noise
from oraledu.scaling.checks.layer_decays import plain as edited_decays
from oraledu.scaling.checks.noise_floor import plain
from oraledu.scaling.horizon import Horizon
from oraledu.scaling.mlp import MLPLadder
from oraledu.scaling.transformer import TransformerLadder


def line_in_base_ten(compute, loss, offset):
    table = np.stack([np.ones(len(compute)), np.log10(compute.numpy())], axis=1)
    level, slope = np.linalg.lstsq(table, np.log10(loss.numpy() - offset), rcond=None)[0]
    return 10**level, -slope


def line_by_polyfit(compute, loss, offset):
    slope, level = np.polyfit(np.log(compute), np.log(loss - offset), 1)
    return float(np.exp(level)), float(-slope)


def line_by_torch(compute, loss, offset):
    table = torch.stack([torch.ones_like(compute), compute.log()], dim=1)
    level, slope = torch.linalg.lstsq(table, (loss - offset).log()[:, None]).solution[:, 0]
    return level.exp().item(), -slope.item()


def line_by_sums(compute, loss, offset):
    x = [math.log(value) for value in compute.tolist()]
    y = [math.log(value - offset) for value in loss.tolist()]
    n, sx, sy = len(x), math.fsum(x), math.fsum(y)
    sxx, sxy = math.fsum(v * v for v in x), math.fsum(v * w for v, w in zip(x, y, strict=True))
    slope = (n * sxy - sx * sy) / (n * sxx - sx * sx)
    return math.exp((sy - slope * sx) / n), -slope


def line_by_scipy(compute, loss, offset):
    found = stats.linregress(compute.log().numpy(), (loss - offset).log().numpy())
    return math.exp(found.intercept), -found.slope


def offset_by_losses(compute, loss):
    """Scan 400 offsets, and judge each by the errors in the loss itself."""
    x, losses, best = np.log(compute.numpy()), loss.numpy(), (np.inf, 0.0)
    for offset in np.linspace(0, losses.min(), 400, endpoint=False):
        line = np.polyfit(x, np.log(losses - offset), 1)
        error = np.square(losses - offset - np.exp(np.polyval(line, x))).sum()
        best = min(best, (error, offset))
    return best[1]


def offset_by_correlation(compute, loss):
    """Follow the hints: a thousand candidates, 1 - R²."""
    smallest, x, best = loss.min().item(), compute.log(), (2.0, 0.0)
    for offset in np.linspace(0, 1, 1000, endpoint=False) * smallest:
        table = torch.stack([x, (loss - offset).log()])
        best = min(best, (1 - torch.corrcoef(table)[0, 1].item() ** 2, offset))
    return float(best[1])


def offset_in_one_go(compute, loss):
    """Judge five thousand offsets, dense near the smallest loss, by the errors in log loss."""
    offsets = loss.min() * (1 - torch.logspace(-6, 0, 5000, dtype=loss.dtype))
    x = compute.log() - compute.log().mean()
    y = (loss - offsets[:, None]).log()
    slope = (y * x).sum(1, keepdim=True) / x.square().sum()
    fitted = offsets[:, None] + (y.mean(1, keepdim=True) + slope * x).exp()
    return offsets[(fitted / loss).log().square().sum(1).argmin()].item()


def offset_by_search(compute, loss):
    """Look closer and closer around the best so far."""
    x = np.log(compute.numpy())
    x = x - x.mean()

    def rest(offset):
        y = np.log(loss.numpy() - offset)
        y = y - y.mean()
        return 1 - (x @ y) ** 2 / ((x @ x) * (y @ y))

    low, high = 0.0, loss.min().item() * (1 - 1e-9)
    for _ in range(10):
        tried = np.linspace(low, high, 101)
        best = tried[np.argmin([rest(offset) for offset in tried])]
        step = (high - low) / 100
        low, high = max(0.0, best - step), min(loss.min().item() * (1 - 1e-9), best + step)
    return float(best)


def tokens_by_the_root(parameters, mu, nu, a, b):
    return ((mu * a) / (nu * b) * parameters**nu) ** (1 / mu)


def tokens_by_logarithms(parameters, mu, nu, a, b):
    return ((math.log(mu * a) - math.log(nu * b) + nu * parameters.log()) / mu).exp()


def tokens_by_the_balance(parameters, mu, nu, a, b):
    """Solve r b p^(-ν) = a t^(-μ), as the text displays it."""
    return (nu / mu * b * parameters**-nu / a) ** (-1 / mu)


def tokens_one_by_one(parameters, mu, nu, a, b):
    found = [(nu * b / (mu * a)) ** (-1 / mu) * p ** (nu / mu) for p in parameters.tolist()]
    return torch.tensor(found, dtype=torch.float64)


def tokens_by_bisection(parameters, mu, nu, a, b):
    """Find where the derivative by log p vanishes, in log t."""

    def balance(log_t, p):
        return math.log(mu * a) - mu * log_t - math.log(nu * b) + nu * math.log(p)

    logs = [
        optimize.brentq(balance, -300, 300, args=(p,), xtol=1e-13, rtol=1e-14) for p in parameters.tolist()
    ]
    return torch.tensor(logs, dtype=torch.float64).exp()


def curve_by_shares(x, mu, nu):
    return mu / (mu + nu) + nu / (mu + nu) / x**mu


def curve_by_exponentials(x, mu, nu):
    return 1 + (nu / (mu + nu)) * torch.expm1(-mu * x.log())


def curve_of_a_size(x, mu, nu):
    """Normalise the two terms of the size p = 1, with A = B = 1."""
    tokens = (nu / mu) ** (-1 / mu)
    loss = (x * tokens) ** -mu + 1
    return loss / (tokens**-mu + 1)


def curve_by_numpy(x, mu, nu):
    r = nu / mu
    return torch.from_numpy((r * np.power(x.numpy(), -mu) + 1) / (r + 1))


def curve_point_by_point(x, mu, nu):
    r = nu / mu
    flat = [(r * value**-mu + 1) / (r + 1) for value in x.flatten().tolist()]
    return torch.tensor(flat, dtype=torch.float64).reshape(x.shape)


def normalized_point_by_point(progress, loss, offset, grid):
    rows, found = progress.expand(loss.shape).tolist(), []
    for size, records in enumerate(loss.tolist()):
        found.append([])
        for seed, run in enumerate(records):
            at, values = rows[size][seed], []
            for x in grid.tolist():
                right = min(max(bisect.bisect_left(at, x), 1), len(at) - 1)
                share = (x - at[right - 1]) / (at[right] - at[right - 1])
                values.append((1 - share) * run[right - 1] + share * run[right])
            found[-1].append([(value - offset) / (run[-1] - offset) for value in values])
    return torch.tensor(found, dtype=torch.float64)


def normalized_by_interp(progress, loss, offset, grid):
    """Follow the hints: a loop over sizes and seeds."""
    rows = progress.expand_as(loss)
    found = torch.zeros(loss.shape[0], loss.shape[1], len(grid), dtype=torch.float64)
    for i in range(loss.shape[0]):
        for j in range(loss.shape[1]):
            found[i, j] = torch.from_numpy(np.interp(grid, rows[i, j], loss[i, j]))
    return (found - offset) / (found[..., -1:] - offset)


def normalized_on_the_grid(progress, loss, offset, grid):
    found = curves.on_grid(progress, loss, grid) - offset
    return found / found[:, :, -1].unsqueeze(-1)


def normalized_first(progress, loss, offset, grid):
    """Divide the records, and interpolate what has been divided: both are linear."""
    reducible = loss - offset
    return curves.on_grid(progress, reducible / loss[..., -1:].sub(offset), grid)


def normalized_by_numpy(progress, loss, offset, grid):
    table = np.broadcast_to(progress.numpy(), loss.shape)
    runs = [
        [np.interp(grid.numpy(), at, run) for at, run in zip(rows, some, strict=True)]
        for rows, some in zip(table, loss.numpy(), strict=True)
    ]
    found = np.array(runs) - offset
    return torch.from_numpy(found / found[:, :, [-1]])


def normalized_by_search(progress, loss, offset, grid):
    rows, x = progress.expand_as(loss).contiguous(), grid.expand(*loss.shape[:2], -1).contiguous()
    right = torch.searchsorted(rows, x).clamp(1, rows.shape[-1] - 1)
    x0, x1 = rows.gather(-1, right - 1), rows.gather(-1, right)
    y0, y1 = loss.gather(-1, right - 1), loss.gather(-1, right)
    found = y0 + (x - x0) * (y1 - y0) / (x1 - x0)
    return (found - offset) / (loss[..., -1:] - offset)


def deviation_by_a_loop(normalized):
    runs = normalized.numpy().reshape(-1, normalized.shape[2])
    mean = sum(runs) / len(runs)
    return torch.from_numpy(np.sqrt(sum((run - mean) ** 2 for run in runs) / len(runs)) / mean)


def deviation_by_numpy(normalized):
    table = normalized.numpy()
    return torch.from_numpy(table.std(axis=(0, 1)) / table.mean(axis=(0, 1)))


def deviation_over_both_axes(normalized):
    return normalized.std((0, 1), unbiased=False) / normalized.mean((0, 1))


def deviation_of_the_ratio(normalized):
    """Divide by the mean first: the deviation from 1 is left."""
    mean = normalized.mean(dim=(0, 1), keepdim=True)
    return (normalized / mean - 1).pow(2).mean(dim=(0, 1)).sqrt()


def deviation_by_parts(normalized):
    """Add the variance between sizes to that within."""
    size = normalized.mean(1).var(0, correction=0)
    seed = normalized.var(1, correction=0).mean(0)
    return (size + seed).sqrt() / normalized.mean((0, 1))


def parts_by_a_loop(normalized):
    sizes, seeds, points = normalized.shape
    size, seed = torch.zeros(points).double(), torch.zeros(points).double()
    whole = normalized.mean((0, 1))
    for rows in normalized:
        middle = rows.sum(0) / seeds
        size += (middle - whole) ** 2 / sizes
        for run in rows:
            seed += (run - middle) ** 2 / (sizes * seeds)
    return size, seed


def parts_by_numpy(normalized):
    table = normalized.numpy()
    return torch.from_numpy(table.mean(axis=1).var(axis=0)), torch.from_numpy(table.var(axis=1).mean(axis=0))


def parts_by_centring(normalized):
    means = normalized.mean(1, keepdim=True)
    return (means - means.mean(0)).square().mean((0, 1)), (normalized - means).square().mean((0, 1))


def parts_by_the_whole(normalized):
    """Take the size part as what the seed part leaves of the whole."""
    seed = normalized.var(1, unbiased=False).mean(0)
    return normalized.flatten(0, 1).var(0, unbiased=False) - seed, seed


def parts_by_var_mean(normalized):
    variance, mean = torch.var_mean(normalized, 1, correction=0)
    return mean.var(0, correction=0), variance.mean(0)


def floor_by_numpy(loss, offset):
    reducible = loss.numpy() - offset
    return torch.from_numpy(reducible.std(axis=1) / reducible.mean(axis=1))


def floor_as_the_text_has_it(loss, offset):
    return loss.var(1, correction=0).sqrt() / (loss.mean(1) - offset)


def floor_size_by_size(loss, offset):
    rows = []
    for runs in loss:
        above = [run - offset for run in runs]
        mean = sum(above) / len(above)
        rows.append((sum((run - mean) ** 2 for run in above) / len(above)) ** 0.5 / mean)
    return torch.stack(rows)


def floor_by_var_mean(loss, offset):
    variance, mean = torch.var_mean(loss - offset, dim=1, unbiased=False)
    return variance.sqrt() / mean


def step_by_the_covariance(moments, eigenvalues, rate, batch, noise):
    """Gradient descent on the mean, plus the covariance of one example's gradient over the batch."""
    risk = sum(float(value * moment) for value, moment in zip(eigenvalues, moments, strict=True)) + noise
    covariance = eigenvalues * risk + eigenvalues**2 * moments
    return (1 - rate * eigenvalues) ** 2 * moments + rate * rate * covariance / batch


def step_by_a_matrix(moments, eigenvalues, rate, batch, noise):
    """Write the step as a matrix and a push, both the same for all moments."""
    h, lam = rate, eigenvalues
    own = 1 - 2 * h * lam + h**2 * (1 + 1 / batch) * lam**2
    matrix = torch.diag(own) + h**2 / batch * torch.outer(lam, lam)
    return matrix @ moments + h**2 / batch * noise * lam


def step_by_numpy(moments, eigenvalues, rate, batch, noise):
    m, lam = moments.numpy(), eigenvalues.numpy()
    risk = np.dot(lam, m) + noise
    square = (lam * risk + 2 * lam**2 * m) / batch + (1 - 1 / batch) * lam**2 * m
    return torch.from_numpy(m - 2 * rate * lam * m + rate**2 * square)


def step_direction_by_direction(moments, eigenvalues, rate, batch, noise):
    m, lam = moments.tolist(), eigenvalues.tolist()
    risk = math.fsum(x * y for x, y in zip(m, lam, strict=True)) + noise
    found = []
    for x, y in zip(m, lam, strict=True):
        pairs = batch * (batch - 1) * y * y * x + batch * (y * risk + 2 * y * y * x)
        found.append(x * (1 - 2 * rate * y) + rate * rate * pairs / batch**2)
    return torch.tensor(found, dtype=torch.float64)


def predicted_step_by_step(tau, constant_loss, schedule, trace, alpha):
    times, levels, noises = tau.tolist(), constant_loss.tolist(), trace.tolist()
    found, now, share = [], 0.0, float(schedule[0])
    for rate in [0.0, *schedule.tolist()]:
        if found:
            now, share = now + rate, rate
        right = min(max(bisect.bisect_left(times, now), 1), len(times) - 1)
        part = (now - times[right - 1]) / (times[right] - times[right - 1])
        level, kept = (
            values[right - 1] + part * (values[right] - values[right - 1]) for values in (levels, noises)
        )
        found.append(level - alpha * (1 - share) * kept)
    return torch.tensor(found, dtype=torch.float64)


def predicted_by_the_hints(tau, constant_loss, schedule, trace, alpha):
    times = torch.cat([torch.zeros(1), torch.cumsum(schedule, 0)])
    level = torch.from_numpy(np.interp(times, tau, constant_loss))
    kept = torch.from_numpy(np.interp(times, tau, trace))
    return level + alpha * (torch.cat([schedule[:1], schedule]) - 1) * kept


def predicted_by_numpy(tau, constant_loss, schedule, trace, alpha):
    rates = schedule.numpy()
    times = np.concatenate([[0], np.cumsum(rates)])
    shares = np.insert(rates, 0, rates[0])
    change = alpha * (shares - 1) * np.interp(times, tau.numpy(), trace.numpy())
    return torch.tensor(np.interp(times, tau.numpy(), constant_loss.numpy()) + change)


def predicted_by_search(tau, constant_loss, schedule, trace, alpha):
    times = torch.nn.functional.pad(schedule.cumsum(0), (1, 0))
    right = torch.searchsorted(tau.contiguous(), times).clamp(1, len(tau) - 1)
    share = (times - tau[right - 1]) / (tau[right] - tau[right - 1])
    level = torch.lerp(constant_loss[right - 1], constant_loss[right], share)
    kept = torch.lerp(trace[right - 1], trace[right], share)
    return level - alpha * (1 - torch.cat([schedule[:1], schedule])) * kept


def slope_by_polyfit(grid, deviation):
    inside = [(x, d) for x, d in zip(grid.tolist(), deviation.tolist(), strict=True) if 0.975 <= x <= 0.995]
    left, height = np.log([[1 - x for x, _ in inside], [d for _, d in inside]])
    return np.polyfit(left, height, 1)[0]


def slope_by_covariance(grid, deviation):
    inside = (grid >= 0.975) & (grid <= 0.995)
    table = torch.cov(torch.stack([(1 - grid[inside]).log(), deviation[inside].log()]))
    return (table[0, 1] / table[0, 0]).item()


def slope_by_scipy(grid, deviation):
    left, d = 1 - grid.numpy(), deviation.numpy()
    near = (left <= 0.025) & (left >= 0.005)
    return float(stats.linregress(np.log(left[near]), np.log(d[near])).slope)


def slope_in_base_ten(grid, deviation):
    near = (grid >= 0.975) & (grid <= 0.995)
    table = torch.stack([torch.ones_like(grid[near]), torch.log10(1 - grid[near])], dim=1)
    return torch.linalg.lstsq(table, torch.log10(deviation[near])[:, None]).solution[1, 0].item()


def slope_by_sums(grid, deviation):
    points = [
        (math.log1p(-x), math.log(d))
        for x, d in zip(grid.tolist(), deviation.tolist(), strict=True)
        if 0.975 <= x <= 0.995
    ]
    middle = math.fsum(x for x, _ in points) / len(points)
    return math.fsum((x - middle) * y for x, y in points) / math.fsum((x - middle) ** 2 for x, _ in points)


def rates_by_the_ratio(width, base_rate, base_width):
    falling = base_rate / (width / base_width)
    return {"readout": falling, "inner": falling, "embed": base_rate}


def rates_by_the_fan_in(width, base_rate, base_width):
    fan_in = {"embed": (1, 1), "inner": (width, base_width), "readout": (width, base_width)}
    return {name: base_rate * base / n for name, (n, base) in fan_in.items()}


def rates_by_a_power(width, base_rate, base_width):
    powers = {"embed": 0, "inner": 1, "readout": 1}
    return {name: base_rate * (width / base_width) ** -power for name, power in powers.items()}


def rates_by_numpy(width, base_rate, base_width):
    found = base_rate * np.array([1.0, base_width / width, base_width / width])
    return dict(zip(["embed", "inner", "readout"], found.tolist(), strict=True))


def decays_by_the_formula(timescale, rates, tokens, batch):
    return batch / (timescale * rates * tokens[:, None])


def decays_one_by_one(timescale, rates, tokens, batch):
    found = torch.empty_like(rates)
    for size in range(rates.shape[0]):
        steps = tokens[size] / batch
        for layer in range(rates.shape[1]):
            found[size, layer] = 1 / (rates[size, layer] * timescale * steps)
    return found


def decays_by_numpy(timescale, rates, tokens, batch):
    per_step = batch / (timescale * tokens.numpy())
    return torch.from_numpy(per_step[:, np.newaxis] / rates.numpy())


def decays_by_an_outer_product(timescale, rates, tokens, batch):
    share = (timescale * tokens / batch).reciprocal()
    return torch.einsum("s,sl->sl", share, rates.reciprocal())


def decays_by_transposing(timescale, rates, tokens, batch):
    return (batch / timescale / tokens / rates.T).T


#: By the name of the exercise, what must be accepted.
RIGHT = {
    "fit_line": [line_in_base_ten, line_by_polyfit, line_by_torch, line_by_sums, line_by_scipy],
    "find_offset": [offset_by_losses, offset_by_correlation, offset_in_one_go, offset_by_search],
    "optimal_tokens": [
        tokens_by_the_root,
        tokens_by_logarithms,
        tokens_by_the_balance,
        tokens_one_by_one,
        tokens_by_bisection,
    ],
    "universal_curve": [
        curve_by_shares,
        curve_by_exponentials,
        curve_of_a_size,
        curve_by_numpy,
        curve_point_by_point,
    ],
    "normalize": [
        normalized_point_by_point,
        normalized_by_interp,
        normalized_on_the_grid,
        normalized_first,
        normalized_by_numpy,
        normalized_by_search,
    ],
    "collapse_deviation": [
        deviation_by_a_loop,
        deviation_by_numpy,
        deviation_over_both_axes,
        deviation_of_the_ratio,
        deviation_by_parts,
    ],
    "variance_parts": [
        parts_by_a_loop,
        parts_by_numpy,
        parts_by_centring,
        parts_by_the_whole,
        parts_by_var_mean,
    ],
    "noise_floor": [
        floor_by_numpy,
        floor_as_the_text_has_it,
        floor_size_by_size,
        floor_by_var_mean,
    ],
    "mean_step": [step_by_the_covariance, step_by_a_matrix, step_by_numpy, step_direction_by_direction],
    "predict_loss": [
        predicted_step_by_step,
        predicted_by_the_hints,
        predicted_by_numpy,
        predicted_by_search,
    ],
    "end_slope": [slope_by_polyfit, slope_by_covariance, slope_by_scipy, slope_in_base_ten, slope_by_sums],
    "layer_rates": [rates_by_the_ratio, rates_by_the_fan_in, rates_by_a_power, rates_by_numpy],
    "layer_decays": [
        decays_by_the_formula,
        decays_one_by_one,
        decays_by_numpy,
        decays_by_an_outer_product,
        decays_by_transposing,
    ],
}


def by_fit(compute, loss, offset):
    law = laws.fit_frontier(compute, loss, offset)
    return law.coefficient, law.exponent


def by_line(compute, loss, offset):
    (level,), (slope,) = frontier._lines(
        compute.log().numpy(), loss.numpy(), np.array([offset]), weighted=False
    )
    return float(np.exp(level)), float(-slope)


def by_scan(compute, loss):
    logs = compute.log().numpy()
    return float(frontier._scan(logs - logs.mean(), loss.numpy())[2])


def by_polish(compute, loss):
    logs = compute.log().numpy()
    start = np.array([0.0, 0.3, 0.5 * loss.min().item()])
    return float(frontier._polish(logs - logs.mean(), loss.numpy(), start)[2])


def by_horizon_and_loss(x, mu, nu):
    model = laws.TwoTerm(mu, nu)
    tokens = model.horizon().tokens(1.0)
    return model.loss(x * tokens, 1.0) / model.loss(tokens, 1.0)


def by_parts(normalized):
    parts = curves.variance_parts(normalized)
    return parts.size, parts.seed


def by_mlp(width, base_rate, base_width):
    ladder = MLPLadder((width,), Horizon(1.0, 1.0), base_rate=base_rate, base_width=base_width)
    rates = ladder.layer_rates(width)
    return {"embed": rates["embed"], "inner": rates["up.0"], "readout": rates["readout"]}


def by_transformer(width, base_rate, base_width):
    ladder = TransformerLadder((width,), Horizon(1.0, 1.0), base_rate=base_rate, base_width=base_width)
    rates = ladder.layer_rates(width)
    return {"embed": base_rate, "inner": min(rates.values()), "readout": min(rates.values())}


def by_the_ladder_of_networks(timescale, rates, tokens, batch):
    rows = []
    for row, seen in zip(rates, tokens.tolist(), strict=True):
        ladder = MLPLadder(
            (8,), Horizon.through(280, seen, 1.0), batch=batch, base_width=8, timescale=timescale
        )
        rows.append([replace(ladder, base_rate=rate).layer_decays(8)["readout"] for rate in row.tolist()])
    return torch.tensor(rows, dtype=rates.dtype)


def swallowed(compute, loss, offset):
    try:
        return by_fit(compute, loss, offset)
    except Exception:
        return line_by_polyfit(compute, loss, offset)


#: By the name of the exercise, ways to have the library do the work, which must be *borrowed*.
ROADS = {
    "fit_line": {"fit_frontier": by_fit, "its lines": by_line, "a failure that is caught": swallowed},
    "find_offset": {
        "fit_frontier": lambda compute, loss: laws.fit_frontier(compute, loss).offset,
        "its scan": by_scan,
        "its polish": by_polish,
    },
    "optimal_tokens": {
        "two_term": lambda parameters, mu, nu, a, b: (
            laws.TwoTerm(mu, nu, time_coefficient=a, size_coefficient=b).horizon().tokens(parameters)
        ),
    },
    "universal_curve": {
        "two_term": lambda x, mu, nu: laws.TwoTerm(mu, nu).universal_curve(x),
        "horizon and loss": by_horizon_and_loss,
    },
    "normalize": {"alias": lambda *given: curves.normalize(*given)},
    "collapse_deviation": {
        "alias": lambda normalized: curves.collapse_deviation(normalized),
        "variance_parts": lambda normalized: (
            curves.variance_parts(normalized).whole.sqrt() / normalized.mean((0, 1))
        ),
        "noise_floor": lambda normalized: curves.noise_floor(
            normalized.reshape(1, -1, normalized.shape[2]), 0.0
        )[0],
    },
    "variance_parts": {"alias": by_parts},
    "noise_floor": {
        "alias": lambda loss, offset: curves.noise_floor(loss, offset),
        "the answer that is edited": lambda *given: plain(*given),
        "collapse_deviation": lambda loss, offset: torch.stack(
            [curves.collapse_deviation(rows[None] - offset) for rows in loss]
        ),
    },
    "mean_step": {"alias": lambda *given: checks.mean_step.reference(*given)},
    "predict_loss": {
        "predict": lambda *given: noise.predict(*given),
        "equal_tau": lambda tau, loss, schedule, trace, alpha: noise.equal_tau(tau, loss, schedule),
    },
    "end_slope": {
        "a slope of the coordinate check": lambda grid, deviation: (
            mup.CoordinateCheck(
                *(each[(grid >= 0.975) & (grid <= 0.995)] for each in (1 - grid, deviation))
            ).slope
        ),
    },
    "layer_rates": {"MLPLadder": by_mlp, "TransformerLadder": by_transformer},
    "layer_decays": {
        "alias": lambda *given: decayed.layer_decays(*given),
        "the answer that is edited": lambda *given: edited_decays(*given),
        "MLPLadder": by_the_ladder_of_networks,
    },
}

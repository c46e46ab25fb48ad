"""What the lesson's runs take: see `oraledu.costs`. A table of p² pairs has n for training and m for testing."""

import math
from dataclasses import replace

from oraledu.costs import CHOLESKY, EIGENVECTORS, Part
from oraledu.grokking.settings import KernelRun, NetworkRun, preset


def split(p: int, fraction: float) -> tuple[int, int]:
    """Return n and m."""
    count = math.floor(fraction * p * p)
    return count, p * p - count


def solving(p: int, fraction: float) -> float:
    """Return the operations of one kernel regression with p classes and of its answers on both parts."""
    n, m = split(p, fraction)
    return CHOLESKY * n**3 + 2.0 * n * n * p + 2.0 * (n + m) * n * p


def iteration(p: int, fraction: float, kernel: str) -> float:
    """Return the operations of one RFM iteration: regression, AGOP, and the root of a matrix of size 2p."""
    n, _ = split(p, fraction)
    size = (2.0 * p) ** 3
    agop = 4.0 * p * size if kernel == "quadratic" else 4.0 * n * n * p + 2.0 * (2 * p) ** 2 * n * p
    return solving(p, fraction) + agop + (EIGENVECTORS + 10) * size


def network(run: NetworkRun, transform: bool = False) -> float:
    """Return the operations of a training of the quadratic network, and of its snapshots' AGOPs."""
    n, m = split(run.p, run.fraction)
    inputs, width = 2 * run.p, run.width
    steps = run.epochs * math.ceil(n / (run.batch_size or n))
    snapshots = run.epochs // run.record_every + 1
    turning = 2.0 * width * inputs**2 if transform else 0.0
    agop = 6.0 * width * inputs**2 + 4.0 * width**2 * inputs + 2.0 * width**2 * run.p
    each = 2.0 * (n + m) * width * run.p + agop + 3 * turning
    return 6.0 * run.epochs * n * width * run.p + 2 * turning * steps + each * snapshots


def parts(scale: str) -> list[Part]:
    """Return what the long runs of a scale take."""
    sizes = preset(scale)
    sweep, draws, operations = sizes.phase_map, sizes.random_circulants, sizes.operations
    fractions = [fraction for fraction in sweep.fractions for _ in range(sweep.seeds)]
    lengths = [sweep.iterations] * len(fractions) + [5 * sweep.iterations] * sweep.seeds
    fractions += [sweep.fractions[0]] * sweep.seeds
    mapped = zip(fractions, lengths, strict=True)
    both = [(operations.kernel, 4), *((kernel, 4 * sizes.repeats) for kernel in ("quadratic", "gaussian"))]
    times = 2 * sizes.repeats
    once = [solving(draws.p, fraction) for fraction in draws.fractions]
    return [
        _machine("machine", sizes.paper),
        Part(
            "map of fractions",
            f"p = {sweep.p}, {sweep.iterations} iterations",
            len(fractions),
            sum(count * iteration(sweep.p, fraction, sweep.kernel) for fraction, count in mapped),
            _memory(sweep.p, max(sweep.fractions)),
        ),
        Part(
            "four operations",
            f"p = {operations.p}, {operations.iterations} iterations",
            sum(count for _, count in both),
            sum(
                count * operations.iterations * iteration(operations.p, operations.fraction, kernel)
                for kernel, count in both
            ),
            _memory(operations.p, operations.fraction, operations.kernel),
        ),
        Part(
            "random circulants",
            f"p = {draws.p}",
            draws.draws * len(once),
            draws.draws * sum(once),
            _memory(draws.p, max(draws.fractions)),
        ),
        _network("networks", sizes.network, times, times * network(sizes.network)),
        _network(
            "circulant inputs and plain",
            sizes.circulant_network,
            times,
            sizes.repeats
            * (network(sizes.circulant_network) + network(sizes.circulant_network, transform=True)),
        ),
        *(_symmetric(replace(sizes.rival, kernel=kernel)) for kernel in ("quadratic", "gaussian")),
        *(_machine("larger machine", run) for run in sizes.large),
    ]


def _machine(name: str, run: KernelRun) -> Part:
    sizes = f"p = {run.p}, {run.kernel}, {run.iterations} iterations"
    total = run.iterations * iteration(run.p, run.fraction, run.kernel)
    return Part(name, sizes, 1, total, _memory(run.p, run.fraction, run.kernel, run.dtype.itemsize))


def _symmetric(run: KernelRun) -> Part:
    # Four operations: one split without the fixed points, five symmetric, five random. And the curve: seven by five.
    part, times = _machine(f"symmetric splits, {run.kernel}", run), 4 * 11 + 35
    return replace(part, runs=times, operations=times * part.operations)


def _network(name: str, run: NetworkRun, times: int, total: float) -> Part:
    n, _ = split(run.p, run.fraction)
    numbers = 4 * 3 * run.width * run.p + 3 * run.width * max(n, run.p**2 - n) + 3 * run.width**2
    sizes = f"p = {run.p}, width {run.width}, {run.epochs:,} epochs"
    return Part(name, sizes, times, total, float(numbers * run.dtype.itemsize))


def _memory(p: int, fraction: float, kernel: str = "quadratic", itemsize: int = 8) -> float:
    """Return the bytes of the Gram matrix and its factor, or of the AGOP's p matrices of size 2p, or its blocks."""
    n, m = split(p, fraction)
    agop = 3.0 * p * (2 * p) ** 2 if kernel == "quadratic" else 256.0 * (2 * p * p + n)
    return itemsize * max(2.0 * n * n, n * n + n * m, agop)

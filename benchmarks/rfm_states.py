"""Does a machine that learns its metric read more off a hidden state than a linear probe does?

    python -m benchmarks.rfm_states

runs lesson 4's machine on the embedded states of lesson 2, layer by layer, beside a linear probe, the same kernels with
the metric I, and the package xrfm where it is installed (`pip install --no-deps xrfm==0.4.5`). With `--shuffled` the
labels belong to other texts. All methods get the same inputs, standardised and turned into the span of the training
items, and 12 candidates; three folds of the training items choose one of them for all layers of a split. Then as in
lesson 2: half A of the tested items chooses each method's layer, and half B reports.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, product

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from torch import Tensor

from benchmarks import dense_rfm
from benchmarks.timing import ratio
from oraledu.data.embedded_states import layer_states
from oraledu.data.layer_states import FILES
from oraledu.data.texts import wordnet
from oraledu.representations import probes, selection
from oraledu.representations.probes.classification import encode
from oraledu.representations.probes.outcome import Outcome, share

try:
    from xrfm.rfm_src import RFM
except ImportError:
    RFM = None

LINEAR = "linear probe"
#: A penalty's inverse, or a bandwidth, a ridge and how many times the metric is learned.
Candidate = tuple[float, float, int]
#: Scores on half A and on half B, (halvings, layers) each.
Halves = tuple[Tensor, Tensor]
#: From training inputs, one-hot targets, asked inputs and a candidate to the guesses after 0, 1, ... updates.
Machine = Callable[[Tensor, Tensor, Tensor, Candidate], Sequence[Tensor]]


def linear(x: Tensor, y: Tensor, z: Tensor, candidate: Candidate) -> Sequence[Tensor]:
    """Return the guesses of a logistic regression."""
    model = LogisticRegression(C=candidate[0], max_iter=2000).fit(x.numpy(), y.argmax(1).numpy())
    return [torch.from_numpy(model.predict(z.numpy()))]


def ours(x: Tensor, y: Tensor, z: Tensor, candidate: Candidate, kernel: str = "laplace") -> Sequence[Tensor]:
    """Return the guesses of our machines."""
    steps = dense_rfm.machines(x, y, kernel=kernel, bandwidth=candidate[0], ridge=candidate[1])
    return [machine(z).argmax(1) for machine in islice(steps, candidate[2] + 1)]


def package(x: Tensor, y: Tensor, z: Tensor, candidate: Candidate) -> Sequence[Tensor]:
    """Return the guesses of the package's machines; the asked inputs stand for its validation and decide nothing."""
    guesses, shape = [], {"bandwidth": candidate[0], "bandwidth_mode": "adaptive"}
    model = RFM("l2", **shape, verbose=False, device="cpu")
    model.score = lambda *_, metrics, **__: guesses.append(model.predict(z).argmax(1)) or {metrics[0]: 0.0}
    fit = partial(model.fit, early_stop_rfm=False, return_best_params=False)
    fit((x, y), (z, y.new_zeros(len(z), y.shape[1])), iters=candidate[2], reg=candidate[1])
    return guesses


FIXED = list(product((0.5, 1.0, 2.0, 4.0), (0.01, 0.1, 1.0), (0,)))
LEARNED = list(product((0.5, 1.5), (0.1, 1.0), (1, 2, 3)))
METHODS: dict[str, tuple[Machine, list[Candidate]]] = {
    LINEAR: (linear, [(10**e, 0, 0) for e in np.linspace(-4, 1.5, 12)])
}
for each in dense_rfm.KERNELS:
    machine = partial(ours, kernel=each)
    METHODS |= {f"{each}, M = I": (machine, FIXED), f"{each}, RFM": (machine, LEARNED)}
if RFM:
    METHODS["laplace, xrfm"] = (package, LEARNED)


def inputs(train: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    """Standardise states by the training items and turn them into their span: (n, D), (m, D) -> (n, d), (m, d)."""
    centre, scale = train.double().mean(0), train.double().std(0, correction=0)
    x, z = ((states.double() - centre) / scale for states in (train, test))
    values, vectors = torch.linalg.eigh(x @ x.T)
    spanned = values > 1e-9 * values.max()
    turn = x.T @ (vectors[:, spanned] / values[spanned].sqrt())  # (D, d), orthonormal
    return (x @ turn).float(), (z @ turn).float()


def chosen(machine: Machine, candidates: list[Candidate], layers: Sequence[Tensor], y: Tensor) -> Candidate:
    """Return the candidate that three folds of the training items like best, over several layers."""
    found: dict[Candidate, float] = defaultdict(float)
    longest = {each[:2]: each for each in sorted(candidates)}  # of each bandwidth and ridge the most updates
    for x in layers:
        for fit, held in StratifiedKFold(3, shuffle=True, random_state=0).split(x, y.argmax(1)):
            runs = {key: machine(x[fit], y[fit], x[held], each) for key, each in longest.items()}
            for each in candidates:
                found[each] += (runs[each[:2]][each[2]] == y[held].argmax(1)).double().mean().item()
    return max(candidates, key=found.__getitem__)


def one_split(states: Tensor, labels: Sequence[str], seed: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the tested items, and what each method gets right of them in each layer: (layers, n)."""
    numbers, names = encode(labels)
    train, test = probes.halves(labels, generator=torch.Generator().manual_seed(seed))
    pairs = [inputs(layer[train], layer[test]) for layer in states]
    y, right = torch.nn.functional.one_hot(numbers[train], len(names)).float(), {}
    for name, (machine, candidates) in METHODS.items():
        best = chosen(machine, candidates, [x for x, _ in pairs[2 :: len(pairs) // 2]], y)
        guesses = torch.stack([machine(x, y, z, best)[-1] for x, z in pairs])
        right[name] = (guesses == numbers[test]).double()
    return test, right


def honest(chose: Tensor, reports: Tensor) -> Tensor:
    """Return what half B says of the layer that is best on half A: (halvings, layers) twice -> (halvings,)."""
    return reports.gather(1, chose.argmax(1, keepdim=True))[:, 0]


def gain(one: Halves, other: Halves, differences: Tensor) -> str:
    """Say what one method has over another, each at its own layer; in how many layers; and in its best one.

    Chance is the sign of each item's difference (layers, n) flipped at random, in all layers at once, so that
    neighbours stay as alike as they are; a layer counts if it is beyond the largest of all layers in 95 of 100 flips.
    """
    count, generator = differences.shape[1], torch.Generator().manual_seed(0)
    signs = torch.randint(2, (2000, count), generator=generator).double() * 2 - 1
    level = (signs @ differences.T / count).max(1).values.quantile(0.95)
    values, means = honest(*one) - honest(*other), differences.mean(1)
    (low, high), best = selection.interval(values), honest(one[0] - other[0], one[1] - other[1]).mean()
    beyond = f"{(means > level).sum()} above, {(means < -level).sum()} below"
    return f"{values.mean():+.3f} ({low:+.3f} to {high:+.3f}) | {beyond} | {means.max():+.3f}, {best:+.3f}"


def rows(found: Sequence[tuple[Tensor, dict[str, Tensor]]], count: int, where: str) -> Iterator[str]:
    """Yield the rows of a model and task, from what `one_split` found in several splits of `count` items."""
    halves, items = defaultdict(list), {}
    for seed, (_, right) in enumerate(found):
        outcomes = {where: {name: Outcome(each[..., None], share) for name, each in right.items()}}
        generator = torch.Generator().manual_seed(seed)
        for (_, name), pair in selection.split_scores(outcomes, generator=generator, splits=200).items():
            halves[name].append(pair)
    both = {name: tuple(map(torch.cat, zip(*pairs, strict=True))) for name, pairs in halves.items()}
    for name in both:  # of each item the mean over the splits that tested it
        seen = torch.full((len(found), len(found[0][1][name]), count), torch.nan).double()
        for of_split, (test, right) in zip(seen, found, strict=True):
            of_split[:, test] = right[name]
        items[name] = seen.nanmean(0)[:, ~seen.isnan().all(0)[0]]
    for name, pair in both.items():
        row = [where, name, f"{pair[0].argmax(1).median()}", f"{honest(*pair).mean():.3f}"]
        for rival in (LINEAR, f"{name.split(',')[0]}, M = I"):
            known = rival in both and name != rival
            row.append(gain(pair, both[rival], items[name] - items[rival]) if known else "– | – | –")
        yield f"| {' | '.join(row)} |"


def main() -> None:
    """Print the table, and how much longer than the linear probe each method takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", type=int, default=5, help="how many halves of the items train")
    parser.add_argument("--shuffled", action="store_true", help="give the labels to other texts")
    options = parser.parse_args()
    torch.set_num_threads(1)
    texts, over = wordnet(), "over {} | layers beyond chance | best layer: over all items, on half B |"
    print("| states | method | layer | accuracy |", over.format(LINEAR), over.format("M = I"))
    print("|" + 10 * "---|")
    for model, task in product(FILES, ("noun", "verb")):
        states, labels = layer_states(model).pooled[task], list(texts.labels[task])
        if options.shuffled:
            order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
            labels = [labels[place] for place in order.tolist()]
        found = [one_split(states, labels, seed) for seed in range(options.splits)]
        print(*rows(found, len(labels), f"{model}, {task}"), sep="\n", flush=True)
    x, y = inputs(states[3], states[3])[0], torch.nn.functional.one_hot(encode(labels)[0]).float()
    probe = partial(linear, x, y, x, (0.01, 0, 0))
    for name, (machine, candidates) in METHODS.items():
        print(
            f"{name} / {LINEAR}, {len(x)} items:", ratio(partial(machine, x, y, x, candidates[-1]), probe, 5)
        )


if __name__ == "__main__":
    main()

"""Parts 3 and 7: noisy texts beside the plain ones, and the results beside the paper's."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from oraledu.course.tables import Table, results
from oraledu.representations.correlation import spearman
from oraledu.representations.selection import Choice, pick
from oraledu.representations.views.layout import mean_run
from oraledu.representations.views.scores import mean_score
from oraledu.representations.views.words import Curves, Models, Name, extremes, plain


def augmentation_table(*, texts: Sequence[str], views: Sequence[Sequence[str]]) -> Table:
    """Set texts beside noisy views of them, as many of each."""
    header = ["text", *(f"view {place}" for place in range(1, len(views[0]) + 1))]
    return results(header, [(text, *each) for text, each in zip(texts, views, strict=True)])


def paper_and_here(
    *,
    scores: Models,
    choices: Mapping[Name, Choice],
    metrics: Curves,
    valley: tuple[str, str],
    picks: Sequence[str],
    vision: Models,
    vision_entropy: Tensor,
) -> Table:
    """Set this run's numbers beside the paper's, with the reason for each difference.

    Scores are those of the decoder, then of the encoder; choices and metrics are the decoder's. The valley names the
    entropy with the first token, and without; picks are metrics that choose a layer by their lowest value, as in the
    paper's table 2. The entropy of vision is the autoregressive network's.
    """
    (decoder, mine), (encoder, other) = scores.items()
    mean, best = mean_score(mine), int(mean_score(mine).argmax())
    last = len(mean) - 1
    with_first, without = (metrics[name] for name in valley)
    deep = slice(last // 3, 2 * last // 3 + 1)
    beaten = sum(bool(values[:-1].max() > values[-1]) for values in mine.values())
    kept = sum(bool(values.max() - values[-1] <= 0.01) for values in other.values())
    clear = sum(choice.interval()[0] > 0 for choice in choices.values())
    seen = {name: mean_run(mean_score(curves)) for name, curves in vision.items()}
    rows = [
        (
            "mean score: last layer, best layer",
            "Pythia-410M 45.5 %, 52.0 %; gains of 2 to 16 points",
            f"{decoder} {_percent(mean[-1])}, {_percent(mean[best])}",
            f"another model, {len(mine)} scores on dictionary texts instead of 32 tasks",
        ),
        (
            "where the best layer lies",
            "near the middle",
            f"layer {best} of {last}, at {best / last:.0%} of the depth",
            "the middle third is not the rule in the authors' stored results either",
        ),
        (
            "an earlier layer beats the last",
            "on nearly every task",
            f"on {beaten} of {len(mine)} scores; chosen honestly on "
            f"{sum(choice.gain > 0 for choice in choices.values())}, with the interval above zero on {clear}",
            "fewer items and texts; in the authors' stored results an honest choice keeps 4.9 of 5.1 points",
        ),
        (
            "an encoder trained at its last layer",
            "LLM2Vec-8B: last 63.9 %, best 66.3 %",
            f"{encoder}: last layer within a point of the best on {kept} of {len(other)} scores",
            "both were trained to compare texts there: the objective does not decide alone",
        ),
        (
            "entropy in the middle third of a decoder",
            "a valley",
            f"mean {plain(with_first[deep].mean())} of the largest with the first token, "
            f"{plain(without[deep].mean())} without",
            "here one token makes it; that of stored Pythias is less deep",
        ),
        (
            "rank correlation of metric and score",
            "entropies, LiDAR, DiME negative; InfoNCE positive",
            "; ".join(f"{name} {plain(spearman(metrics[name], mean))}" for name in metrics),
            "most are what smooth curves give by chance; the sign depends on convention and model",
        ),
        (
            "layer picked without labels",
            "lowest DiME 48.5 %, InfoNCE 46.2 %, dataset entropy 48.1 %; last 45.5 %. "
            "LLM2Vec-8B: 60.0 %, 64.3 %, 50.4 %; last 63.9 %",
            "; ".join(_picked(name, metrics[name], mean) for name in picks) + f"; last {_percent(mean[-1])}",
            "lowest is a choice too; a pick can cost more than it gains, there as here",
        ),
        (
            "vision: best layer, of all",
            "inside only for the autoregressive AIM (not for AIMv2); else near the last",
            "; ".join(f"{name} layer {int(of.argmax())} of {len(of) - 1}" for name, of in seen.items()),
            "small networks on small images; means of their probes",
        ),
        (
            "vision: entropy of the autoregressive model",
            "AIM: a valley in the middle",
            extremes(mean_run(vision_entropy)),
            "not reproduced: no sink appeared in our two seeds",
        ),
    ]
    return results(["", "paper", "here", "reason for the difference"], rows)


def _percent(value: Tensor | float) -> str:
    return f"{100 * float(value):.1f} %"


def _picked(name: str, metric: Tensor, mean: Tensor) -> str:
    chosen = pick(metric, mean, prefer="low")
    return f"lowest {name} {_percent(chosen.score)} (layer {chosen.layer})"

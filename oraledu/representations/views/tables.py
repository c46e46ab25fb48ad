"""Parts 3 and 7: noisy texts beside the plain ones, and the results beside the paper's."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from oraledu.course.tables import Table, beside_the_paper, results
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
    seen = {name: mean_run(mean_score(curves)) for name, curves in vision.items()}
    return beside_the_paper(
        __file__,
        decoder=decoder,
        encoder=encoder,
        end=_percent(mean[-1]),
        top=_percent(mean[best]),
        best=best,
        last=last,
        depth=best / last,
        scores=len(mine),
        others=len(other),
        beaten=sum(bool(values[:-1].max() > values[-1]) for values in mine.values()),
        gaining=sum(choice.gain > 0 for choice in choices.values()),
        clear=sum(choice.interval()[0] > 0 for choice in choices.values()),
        kept=sum(bool(values.max() - values[-1] <= 0.01) for values in other.values()),
        with_first=plain(with_first[deep].mean()),
        without=plain(without[deep].mean()),
        correlations="; ".join(f"{name} {plain(spearman(metrics[name], mean))}" for name in metrics),
        picked="; ".join(_picked(name, metrics[name], mean) for name in picks),
        seen="; ".join(f"{name} layer {int(of.argmax())} of {len(of) - 1}" for name, of in seen.items()),
        vision_entropy=extremes(mean_run(vision_entropy)),
    )


def _percent(value: Tensor | float) -> str:
    return f"{100 * float(value):.1f} %"


def _picked(name: str, metric: Tensor, mean: Tensor) -> str:
    chosen = pick(metric, mean, prefer="low")
    return f"lowest {name} {_percent(chosen.score)} (layer {chosen.layer})"

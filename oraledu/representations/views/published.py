"""Part 7: the larger models of the paper, told with numbers counted again from the results that its authors store.

They are the main scores of the paper's 32 tasks of MTEB, in percent, averaged, from the files that come with the
authors' code (2024, older than the final paper). Only layers that have all tasks count. Models with fewer than half of
their layers complete are left out.
"""

from oraledu.course.figures import Figure
from oraledu.course.style import BLUE, ORANGE
from oraledu.course.tables import Table, results
from oraledu.representations.views.layout import name_ends, row

#: Model, its layers with all tasks, the best one (0 is the embedding), the mean score there and at the last layer,
#: the lead; what a layer chosen on 16 tasks gains on the other 16, mean of 4000 splits and the bounds of 90 % of them;
#: tasks whose best layer is not the last.
MODELS = (
    ("Pythia-14M", "7 of 7", "0", 40.44, 34.15, 6.29, 6.27, (3.6, 8.8), 22),
    ("Pythia-70M", "7 of 7", "0", 44.41, 40.36, 4.06, 3.96, (1.4, 6.5), 24),
    ("Pythia-160M", "13 of 13", "8", 47.03, 43.50, 3.53, 3.26, (1.9, 4.5), 30),
    ("Pythia-410M", "25 of 25", "17", 51.89, 46.84, 5.06, 4.92, (3.9, 6.0), 32),
    ("Mamba-370M", "27 of 49", "12", 48.91, 33.60, 15.31, 14.94, (12.6, 17.3), 32),
    ("LLM2Vec-8B (unsup-simcse)", "28 of 33", "27", 65.93, 64.18, 1.74, 1.69, (1.1, 2.2), 29),
)
#: Training step of Pythia-410M, the best layer then, the mean score there and at the last layer. Those of the steps
#: 64 to 512 are near those of step 1, and left out.
TRAINING = (
    (1, 0, 42.5, 26.2),
    (1000, 0, 43.2, 34.7),
    (2000, 0, 44.6, 41.5),
    (4000, 22, 46.8, 44.8),
    (8000, 19, 48.8, 46.8),
    (16000, 19, 50.7, 48.2),
    (32000, 19, 51.7, 48.2),
    (64000, 19, 52.3, 47.8),
    (128000, 17, 52.0, 47.2),
)


def published_models() -> Table:
    """Say for each model with stored results which layer is best, what it promises, and what an honest choice gains."""
    header = ["model", "complete layers", "best layer", "best (%)", "last (%)", "promised (points)"]
    header += ["honest, on the other 16 tasks", "tasks best before the last layer"]
    rows = [
        (
            *model,
            f"{best:.1f}",
            f"{last:.1f}",
            f"{lead:+.1f}",
            f"{gain:+.1f} ({low} to {high})",
            f"{inside} of 32",
        )
        for *model, best, last, lead, gain, (low, high), inside in MODELS
    ]
    return results(header, rows)


def published_training() -> Figure:
    """Draw the best and the last layer of Pythia-410M over its training, with the number of the best layer."""
    figure, (ax,) = row(1, height=300, width=600)
    steps, _, best, last = zip(*TRAINING, strict=True)
    places = range(len(steps))
    ax.plot(places, best, "-o", color=BLUE)
    ax.plot(places, last, "--s", color=ORANGE)
    for place, (_, layer, score, _) in zip(places, TRAINING, strict=True):
        ax.annotate(str(layer), (place, score), (0, 6), textcoords="offset points", ha="center", color=BLUE)
    ax.set_xticks(places, [f"{step:,}" for step in steps])
    ax.set(xlim=(-0.3, len(steps) - 0.85), ylim=(24, 56), xlabel="training step", ylabel="mean score (%)")
    ax.set_title("Pythia-410M, 24 blocks; the numbers are those of the best layer")
    name_ends(ax, [(best[-1], "best layer", BLUE), (last[-1], "last layer", ORANGE)])
    words = ", ".join(
        f"step {step}: layer {layer} {top:.1f}, last {end:.1f}" for step, layer, top, end in TRAINING
    )
    figure.alt = f"Mean score in percent of Pythia-410M's best and last layer over its training. {words}."
    return figure

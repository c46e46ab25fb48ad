"""Part 4: the classes of a task in two dimensions, layer by layer, beside the score of a probe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from oraledu.course.explorer import Explorer, explore
from oraledu.course.figures import Figure
from oraledu.course.style import PALETTE
from oraledu.representations.states import unit_rows
from oraledu.representations.views.layout import depth, row, with_looks
from oraledu.representations.views.words import plain

#: Width of a letter and height of a line of a name, in units of the plane, which is two wide.
LETTER, LINE = 0.045, 0.13


@dataclass(frozen=True, eq=False)
class Task:
    """A task with classes, as a model sees it."""

    states: Tensor  # (layers, n, D), pooled
    labels: Sequence[str]  # n names of classes, three to ten different ones
    score: Tensor  # (layers,), of a probe
    score_name: str


def task_explorer(*, models: Mapping[str, Mapping[str, Task]]) -> Explorer:
    """Let a learner walk through the layers of several models, and see the classes of a task come apart.

    The plane is that in which the means of the classes lie furthest apart; it is found on every other text, and the
    texts that are drawn are the others.
    """
    tasks = list(next(iter(models.values())))
    planes = {(model, name): _planes(task) for model, of in models.items() for name, task in of.items()}
    longest = max(len(task.score) for of in models.values() for task in of.values())
    figure, (left, right) = row(2, height=360, width_ratios=[1.35, 1])
    cloud = left.scatter([], [], s=9, alpha=0.55, linewidths=0)
    names = [left.text(0, 0, "", ha="center", va="center", fontweight="bold", fontsize=8) for _ in PALETTE]
    left.set(xticks=[], yticks=[], xlim=(-1.05, 1.05), ylim=(-1.05, 1.05))
    left.set_xlabel("texts that did not choose the plane")
    for model, _, look in with_looks(models):
        right.plot([], [], **look, markersize=3, linewidth=1.3, label=model)
    lines = list(right.get_lines())
    (dot,) = right.plot([], [], "o", color="black", markersize=8, zorder=3)
    right.set(xlim=(-0.03, 1.03), xlabel="depth (0 embedding, 1 last)", ylabel="score")
    right.legend(loc="lower right", fontsize="small")
    depths = [round(float(place), 3) for place in depth(longest)]

    def draw(
        depth_share: float = depths[longest // 2], task: str = tasks[0], model: str = next(iter(models))
    ) -> Figure:
        shown = models[model][task]
        last = len(shown.score) - 1
        layer = round(depth_share * last)
        points, numbers, classes = planes[model, task]
        cloud.set_offsets(points[layer])
        cloud.set_facecolor([PALETTE[number] for number in numbers])
        places = _apart(_middles(points[layer], numbers), classes)
        for number, (name, middle) in enumerate(zip(names, places, strict=False)):
            name.set(text=classes[number], position=middle, visible=True)
            name.set_bbox({"facecolor": "white", "alpha": 0.8, "pad": 1.2, "edgecolor": PALETTE[number]})
        for name in names[len(classes) :]:
            name.set_visible(False)
        for line, of in zip(lines, models.values(), strict=True):
            line.set_data(depth(len(of[task].score)), of[task].score)
        every = torch.cat([of[task].score for of in models.values()])
        low, high = float(every.min()), float(every.max())
        room = 0.08 * (high - low) + 1e-3
        right.set_ylim(low - room, high + room)
        value = float(shown.score[layer])
        dot.set_data([layer / last], [value])
        left.set_title(f"{model}, layer {layer} of {last}: {len(classes)} classes of {task}")
        right.set_title(f"{shown.score_name}: {value:.2f}")
        figure.alt = (
            f"Left: texts of {len(classes)} classes of {task} in the plane in which their classes' means lie furthest "
            f"apart, {model} at layer {layer} of {last}; the means hold {plain(_between(points[layer], numbers))} of "
            f"the variance there. Right: {shown.score_name} over the depth, {value:.2f} here, "
            f"{float(shown.score[-1]):.2f} at the last layer, at best {float(shown.score.max()):.2f} at layer "
            f"{int(shown.score.argmax())}."
        )
        return figure

    return explore(draw, labels={"depth_share": "depth"}, depth_share=depths, task=tasks, model=list(models))


def discriminant_plane(states: Tensor, numbers: Tensor) -> Tensor:
    """Return two orthonormal directions in which the means of classes differ most: (layers, n, D) -> (layers, D, 2).

    The rows belong to classes with the numbers 0 to two or more, (n,); each occurs.
    """
    count = int(numbers.max()) + 1
    means = torch.stack([states[:, numbers == number].mean(dim=1) for number in range(count)], dim=1)
    means = means - means.mean(dim=1, keepdim=True)  # (layers, classes, D)
    return torch.linalg.svd(means, full_matrices=False).Vh[:, :2].mT


def _planes(task: Task) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the texts that are drawn in the plane of each layer, (layers, n, 2), their classes, and the names."""
    classes = sorted(set(task.labels))
    numbers = torch.tensor([classes.index(label) for label in task.labels])
    states = unit_rows(task.states - task.states.mean(dim=1, keepdim=True))
    # Every other text of each class chooses the plane.
    order = torch.argsort(numbers, stable=True)
    choosing, drawn = order[::2], order[1::2]
    directions = discriminant_plane(states[:, choosing], numbers[choosing])
    points = states[:, drawn] @ directions
    points = _steadied(points - points.mean(dim=1, keepdim=True))
    points = points / points.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    return points.numpy(), numbers[drawn].numpy(), classes


def _steadied(points: Tensor) -> Tensor:
    """Turn or mirror each layer's points (layers, n, 2) onto the layer before, since a plane has no sign."""
    steady = [points[0]]
    for here in points[1:]:
        u, _, vh = torch.linalg.svd(here.mT @ steady[-1])
        steady.append(here @ (u @ vh))
    return torch.stack(steady)


def _middles(points: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    return np.stack([points[numbers == number].mean(axis=0) for number in range(numbers.max() + 1)])


def _apart(middles: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return places for names near the middles (classes, 2) of classes, pushed up or down where they would overlap."""
    places = middles.copy()
    widths = np.array([len(name) for name in names]) * LETTER
    for _ in range(50):
        for one in range(len(names)):
            for two in range(one):
                x, y = places[one] - places[two]
                if 2 * abs(x) < widths[one] + widths[two] and abs(y) < LINE - 1e-6:
                    push = (LINE - abs(y)) / 2 * (1 if y >= 0 else -1)
                    places[one, 1] += push
                    places[two, 1] -= push
    return places


def _between(points: np.ndarray, numbers: np.ndarray) -> float:
    """Return the share of the variance of points (n, 2) that lies between the means of their classes."""
    rest = points - _middles(points, numbers)[numbers]
    return float(1 - (rest**2).sum() / max((points**2).sum(), 1e-30))

"""Definitions written out, for tests and benchmarks to compare with."""

import torch

from oraledu.representations import entropy


def lidar(views, delta=1e-4):
    """The definition in D × D, by loops over outer products."""
    prompts, count, width = views.shape
    means, grand = views.mean(dim=1), views.mean(dim=(0, 1))
    between, within = torch.zeros(width, width).double(), delta * torch.eye(width).double()
    for i in range(prompts):
        between += torch.outer(means[i] - grand, means[i] - grand) / prompts
        for j in range(count):
            within += torch.outer(views[i, j] - means[i], views[i, j] - means[i]) / (prompts * count)
    values, vectors = torch.linalg.eigh(within)
    root = vectors * values.rsqrt() @ vectors.T
    return entropy.renyi(torch.linalg.eigvalsh(root @ between @ root).clamp(min=0))

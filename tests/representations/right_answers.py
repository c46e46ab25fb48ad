"""Right functions for the exercises of lesson 2, each written in another way, and roads that borrow.

`RIGHT` holds what a learner may write who follows the hints, takes a text's second formula, or prefers NumPy or a
loop. `ROADS` holds ways to get an answer from the library.
"""

import math

import numpy as np
import scipy.linalg
import scipy.special
import torch
from torch.nn import functional

from oraledu.representations import checks, entropy, geometry, invariance, rules, selection, sink
from oraledu.representations.checks import references

RIGHT = {exercise.name: [] for exercise in checks.ALL}
ROADS = {exercise.name: {} for exercise in checks.ALL}


def right(exercise):
    """File a function under the exercise that it answers."""

    def file(function):
        RIGHT[exercise].append(function)
        return function

    return file


def road(exercise, **functions):
    """File ways to borrow under the exercise."""
    ROADS[exercise].update(functions)


# --- matrix_entropy


@right("matrix_entropy")
def entropy_by_the_hints(z, alpha=1.0):
    wide = z.double()
    values = torch.linalg.eigvalsh(wide @ wide.mT if z.shape[-2] <= z.shape[-1] else wide.mT @ wide)
    values = torch.where(values > 1e-12 * values.amax(-1, keepdim=True), values, 0)
    total = values.sum(dim=-1, keepdim=True)
    p = values / torch.where(total > 0, total, 1)
    if alpha == 1:
        return torch.special.entr(p).sum(dim=-1).to(z.dtype)
    found = (p**alpha).sum(dim=-1).log() / (1 - alpha)
    return torch.where(total[..., 0] > 0, found, 0).to(z.dtype)


@right("matrix_entropy")
def entropy_by_the_trace(z, alpha=1.0):
    wide = z.double()
    k = wide @ wide.mT if z.shape[-2] <= z.shape[-1] else wide.mT @ wide
    trace = k.diagonal(dim1=-2, dim2=-1).sum(-1)
    p = torch.linalg.eigvalsh(k / torch.where(trace > 0, trace, 1)[..., None, None])
    p = p * (p > 1e-12 * p[..., -1:])
    found = torch.special.entr(p).sum(-1)
    if alpha != 1:
        found = torch.log((p**alpha).sum(-1) + (trace == 0)) / (1 - alpha)
    return found.to(z.dtype)


@right("matrix_entropy")
def entropy_by_singular_values(z, alpha=1.0):
    sizes = torch.linalg.svdvals(z.double())
    sizes = sizes.masked_fill(sizes <= 1e-6 * sizes[..., :1], 0)  # of the squares, 1e-12
    p = (sizes / sizes.norm(dim=-1, keepdim=True).clamp(min=1e-30)).square()
    if alpha == 1:
        return -torch.xlogy(p, p).sum(-1).to(z.dtype)
    size = p.norm(p=alpha, dim=-1)
    return (torch.where(size > 0, size, 1).log() * alpha / (1 - alpha)).to(z.dtype)


@right("matrix_entropy")
def entropy_by_numpy(z, alpha=1.0):
    wide = z.double().numpy()
    if wide.shape[-2] > wide.shape[-1]:
        wide = wide.swapaxes(-1, -2)
    values = np.linalg.eigvalsh(wide @ wide.swapaxes(-1, -2))
    values = np.where(values > 1e-12 * values.max(-1, keepdims=True), values, 0)
    total = values.sum(-1, keepdims=True)
    p = values / np.where(total > 0, total, 1)
    if alpha == 1:
        found = -scipy.special.xlogy(p, p).sum(-1)
    else:
        weights = (p**alpha).sum(-1)
        found = np.log(np.where(weights > 0, weights, 1)) / (1 - alpha)
    return torch.as_tensor(found).to(z.dtype)


@right("matrix_entropy")
def entropy_layer_by_layer(z, alpha=1.0):
    found = []
    for layer in z.reshape(-1, *z.shape[-2:]):
        values = scipy.linalg.svdvals(layer.double().numpy()) ** 2
        p = [float(value / values.sum()) for value in values if value > 1e-12 * values.max()]
        if alpha == 1 or not p:
            found.append(-sum(each * math.log(each) for each in p))
        else:
            found.append(math.log(sum(each**alpha for each in p)) / (1 - alpha))
    return torch.tensor(found, dtype=torch.float64).reshape(z.shape[:-2]).to(z.dtype)


# --- collision_entropy


@right("collision_entropy")
def collision_by_the_hints(z):
    k = z @ z.mT
    norm = k.square().sum(dim=(-2, -1))
    trace = k.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
    return torch.where(trace > 0, -torch.log(norm / trace**2), 0)


@right("collision_entropy")
def collision_by_einsum(z):
    k = torch.einsum("...td,...sd->...ts", z, z)
    trace = torch.einsum("...tt->...", k)
    return -2 * torch.where(trace > 0, torch.linalg.matrix_norm(k) / trace, 1).log()


@right("collision_entropy")
def collision_by_a_product(z):
    k = (z.mT @ z).double()
    purity = (k @ k).diagonal(dim1=-2, dim2=-1).sum(-1) / z.double().square().sum((-2, -1)).square()
    return purity.nan_to_num(nan=1.0).log().neg().to(z.dtype)


@right("collision_entropy")
def collision_by_numpy(z):
    wide = z.double().numpy()
    k = np.einsum("...td,...sd->...ts", wide, wide)
    trace = np.trace(k, axis1=-2, axis2=-1)
    norm = np.linalg.norm(k, axis=(-2, -1))
    return torch.as_tensor(2 * np.log(np.where(trace > 0, trace, 1) / np.where(trace > 0, norm, 1))).to(
        z.dtype
    )


@right("collision_entropy")
def collision_layer_by_layer(z):
    found = []
    for layer in z.reshape(-1, *z.shape[-2:]):
        length, norm = float(layer.square().sum()), sum(float((layer @ row).square().sum()) for row in layer)
        found.append(2 * math.log(length) - math.log(norm) if length else 0.0)
    return torch.tensor(found, dtype=z.dtype).reshape(z.shape[:-2])


# --- effective_rank


@right("effective_rank")
def rank_by_the_hints(z):
    sizes = torch.linalg.svdvals(z)
    q = sizes / sizes.sum(dim=-1, keepdim=True).clamp(min=1e-30)
    return torch.special.entr(q).sum(dim=-1).exp()


@right("effective_rank")
def rank_by_eigenvalues(z):
    sizes = torch.linalg.eigvalsh(z.double() @ z.double().mT).clamp(min=0).sqrt()
    q = sizes / sizes.sum(-1, keepdim=True).clamp(min=1e-30)
    return torch.special.entr(q).sum(-1).exp().to(z.dtype)


@right("effective_rank")
def rank_by_the_normaliser(z):
    sizes = torch.linalg.svdvals(z.double())
    total = sizes.sum(-1)
    safe = torch.where(total > 0, total, 1)
    return (safe.log() - torch.xlogy(sizes, sizes).sum(-1) / safe).exp().to(z.dtype)


@right("effective_rank")
def rank_by_numpy(z):
    sizes = np.linalg.svd(z.numpy(), compute_uv=False)
    total = sizes.sum(-1, keepdims=True)
    q = sizes / np.where(total > 0, total, 1)
    return torch.as_tensor(np.exp(scipy.special.entr(q).sum(-1)))


@right("effective_rank")
def rank_as_a_product(z):
    sizes = torch.linalg.svd(z, full_matrices=False).S
    q = sizes / sizes.sum(-1, keepdim=True).clamp(min=1e-30)
    return (1 / q**q).prod(-1)


# --- refute


@right("refute")
def steps_on_the_diagonal(rows, columns):
    smaller = min(rows, columns)
    z = torch.zeros(rows, columns)
    z[range(smaller), range(smaller)] = torch.arange(1.0, smaller + 1)
    return z


@right("refute")
def halves_in_random_directions(rows, columns):
    smaller = min(rows, columns)
    draws = [
        torch.randn(size, smaller, generator=torch.Generator().manual_seed(0)) for size in (rows, columns)
    ]
    left, right = (torch.linalg.qr(draw)[0] for draw in draws)
    return left * 0.5 ** torch.arange(smaller) @ right.T


@right("refute")
def two_of_them_by_numpy(rows, columns):
    z = np.zeros((rows, columns))
    z[0, 0], z[1, 1] = 3, 1
    return torch.from_numpy(z)


@right("refute")
def ones_and_an_identity(rows, columns):
    return torch.eye(rows, columns, dtype=torch.float64) + 0.3 * torch.ones(rows, columns)


# --- curvature


@right("curvature")
def curvature_by_the_hints(z):
    steps = z.diff(dim=-2)
    ahead, back = steps[..., 1:, :], steps[..., :-1, :]
    norms = ahead.norm(dim=-1) * back.norm(dim=-1)
    there = norms > 0
    cosines = torch.linalg.vecdot(ahead, back) / norms
    angles = torch.where(there, cosines, 1.0).clamp(-1, 1).arccos()
    return angles.sum(-1) / there.sum(-1).clamp(min=1)


@right("curvature")
def curvature_by_directions(z):
    steps = z[..., 1:, :] - z[..., :-1, :]
    lengths = steps.norm(dim=-1, keepdim=True)
    directions = steps / lengths.clamp(min=1e-30)
    cosines = torch.einsum("...kd,...kd->...k", directions[..., 1:, :], directions[..., :-1, :])
    turns = ((lengths[..., 1:, 0] > 0) & (lengths[..., :-1, 0] > 0)).to(z.dtype)
    return (cosines.clamp(-1, 1).acos() * turns).sum(-1) / turns.sum(-1).clamp(min=1)


@right("curvature")
def curvature_by_cosine_similarity(z):
    steps = z.diff(dim=-2)
    ahead, back = steps[..., 1:, :], steps[..., :-1, :]
    there = (ahead != 0).any(-1) & (back != 0).any(-1)
    angles = torch.cosine_similarity(ahead, back, dim=-1).clamp(-1, 1).arccos()
    return torch.where(there, angles, 0).sum(-1) / there.sum(-1).clamp(min=1)


@right("curvature")
def curvature_by_half_angles(z):
    steps = functional.normalize(z.double().diff(dim=-2), dim=-1)
    ahead, back = steps[..., 1:, :], steps[..., :-1, :]
    there = (ahead != 0).any(-1) & (back != 0).any(-1)
    angles = 2 * torch.atan2((ahead - back).norm(dim=-1), (ahead + back).norm(dim=-1))
    return ((angles * there).sum(-1) / there.sum(-1).clamp(min=1)).to(z.dtype)


@right("curvature")
def curvature_turn_by_turn(z):
    found = []
    for path in z.reshape(-1, *z.shape[-2:]).double().numpy():
        angles = []
        for one, two, three in zip(path, path[1:], path[2:], strict=False):
            lengths = np.linalg.norm(two - one) * np.linalg.norm(three - two)
            if lengths > 0:
                angles.append(math.acos(max(-1.0, min(1.0, (two - one) @ (three - two) / lengths))))
        found.append(sum(angles) / max(len(angles), 1))
    return torch.tensor(found, dtype=z.dtype).reshape(z.shape[:-2])


# --- curvature_from_gram


@right("curvature_from_gram")
def gram_curvature_by_the_hints(k):
    s, n, o = (k.double().diagonal(place, dim1=-2, dim2=-1) for place in (0, 1, 2))
    products = n[..., 1:] + n[..., :-1] - s[..., 1:-1] - o
    squared = s[..., 1:] + s[..., :-1] - 2 * n
    step = squared > 1e-6 * (s[..., 1:] + s[..., :-1])
    turn = step[..., 1:] & step[..., :-1]
    cosines = products / (squared[..., 1:] * squared[..., :-1]).clamp(min=0).sqrt()
    angles = torch.where(turn, cosines, 1).clamp(-1, 1).arccos()
    return (angles.sum(-1) / turn.sum(-1).clamp(min=1)).to(k.dtype)


@right("curvature_from_gram")
def gram_curvature_by_differences(k):
    difference = torch.eye(k.shape[-1], dtype=torch.float64).diff(dim=0)
    products = difference @ k.double() @ difference.mT  # D Z are the steps, D K D' their products
    squares = products.diagonal(dim1=-2, dim2=-1)
    seen = squares > 1e-6 * (difference.abs() @ k.double().diagonal(dim1=-2, dim2=-1)[..., None])[..., 0]
    lengths = torch.where(seen, squares, 1).sqrt()
    cosines = products.diagonal(1, dim1=-2, dim2=-1) / (lengths[..., 1:] * lengths[..., :-1])
    turns = (seen[..., 1:] & seen[..., :-1]).double()
    return ((cosines.clamp(-1, 1).acos() * turns).sum(-1) / turns.sum(-1).clamp(min=1)).to(k.dtype)


@right("curvature_from_gram")
def gram_curvature_by_numpy(k):
    wide = k.double().numpy()
    s, n, o = (np.diagonal(wide, place, -2, -1) for place in (0, 1, 2))
    squared = s[..., 1:] + s[..., :-1] - 2 * n
    seen = squared > 1e-6 * (s[..., 1:] + s[..., :-1])
    turn = seen[..., 1:] & seen[..., :-1]
    lengths = np.sqrt(np.where(seen, squared, 1))
    cosines = (n[..., 1:] + n[..., :-1] - s[..., 1:-1] - o) / lengths[..., 1:] / lengths[..., :-1]
    angles = np.arccos(cosines.clip(-1, 1))
    found = (angles * turn).sum(-1) / turn.sum(-1).clip(1)
    return torch.as_tensor(found).to(k.dtype)


@right("curvature_from_gram")
def gram_curvature_turn_by_turn(k):
    found = []
    for m in k.double().reshape(-1, *k.shape[-2:]).tolist():
        both = [m[i][i] + m[i + 1][i + 1] for i in range(len(m) - 1)]
        steps = [both[i] - 2 * m[i][i + 1] for i in range(len(m) - 1)]
        angles = []
        for i in range(len(m) - 2):
            if steps[i] > 1e-6 * both[i] and steps[i + 1] > 1e-6 * both[i + 1]:
                product = m[i][i + 1] + m[i + 1][i + 2] - m[i + 1][i + 1] - m[i][i + 2]
                cosine = product / math.sqrt(steps[i] * steps[i + 1])
                angles.append(math.acos(max(-1.0, min(1.0, cosine))))
        found.append(sum(angles) / max(len(angles), 1))
    return torch.tensor(found, dtype=k.dtype).reshape(k.shape[:-2])


# --- info_nce


@right("info_nce")
def nce_by_the_hints(a, b, temperature=0.1):
    count = len(a)
    z = functional.normalize(torch.cat([a, b]))
    logits = (z @ z.T / temperature).fill_diagonal_(-math.inf)
    return functional.cross_entropy(logits, torch.arange(2 * count).roll(count))


@right("info_nce")
def nce_by_blocks(a, b, temperature=0.1):
    a, b = (view / torch.linalg.vector_norm(view, dim=-1, keepdim=True) for view in (a, b))
    alike, own_a, own_b = (one @ other.mT / temperature for one, other in ((a, b), (a, a), (b, b)))
    for own in (own_a, own_b):
        own.diagonal().fill_(-math.inf)
    from_a = torch.logsumexp(torch.cat([alike, own_a], 1), 1)
    from_b = torch.logsumexp(torch.cat([alike.T, own_b], 1), 1)
    return ((from_a + from_b) / 2 - alike.diagonal()).mean()


@right("info_nce")
def nce_by_the_formula(a, b, temperature=0.1):
    rows = [row / row.norm() for row in torch.cat([a, b]).double()]
    terms = []
    for i, row in enumerate(rows):
        others = torch.stack([row @ other / temperature for j, other in enumerate(rows) if j != i])
        partner = row @ rows[(i + len(a)) % len(rows)] / temperature
        terms.append(float((others - partner).logsumexp(0)))
    return sum(terms) / len(terms)


@right("info_nce")
def nce_by_scipy(a, b, temperature=0.1):
    z = torch.cat([a, b]).double().numpy()
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    logits = z @ z.T / temperature
    np.fill_diagonal(logits, -np.inf)
    count = len(a)
    partners = np.roll(np.arange(2 * count), count)
    losses = -scipy.special.log_softmax(logits, axis=1)[np.arange(2 * count), partners]
    return torch.tensor(losses.mean(), dtype=a.dtype)


@right("info_nce")
def nce_by_cosine_similarity(a, b, temperature=0.1):
    z = torch.cat([a, b])
    logits = torch.cosine_similarity(z[:, None], z[None], dim=-1) / temperature
    logits[range(len(z)), range(len(z))] = -torch.inf
    return -logits.log_softmax(1).roll(-len(a), 1).diagonal().mean()


# --- dime_collision


@right("dime_collision")
def dime_by_the_hints(a, b):
    count = len(a)
    k, m = (functional.normalize(view) for view in (a, b))
    k, m = k @ k.T, m @ m.T
    beside = ~torch.eye(count, dtype=torch.bool)
    broken = count + k[beside].square().sum() * m[beside].square().sum() / (count * (count - 1))
    return -(broken / count**2).log() + ((k * m).square().sum() / count**2).log()


@right("dime_collision")
def dime_by_means(a, b):
    def off(k):
        return k.square().sum() - len(k)

    k, m = (torch.nn.functional.cosine_similarity(view[:, None], view[None], dim=-1) for view in (a, b))
    count = len(a)
    broken = 1 / count + off(k) * off(m) / (count**3 * (count - 1))
    return torch.log((k * m).square().mean() / broken)


@right("dime_collision")
def dime_by_numpy(a, b):
    grams = []
    for view in (a, b):
        rows = view.double().numpy()
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        grams.append(rows @ rows.T)
    k, m = (gram**2 for gram in grams)
    count = len(k)
    beside = (k.sum() - np.trace(k)) * (m.sum() - np.trace(m))
    return float(np.log((k * m).sum()) - np.log(count + beside / (count**2 - count)))


@right("dime_collision")
def dime_entry_by_entry(a, b):
    def squares(view):
        lengths = view.norm(dim=1).tolist()
        products = (view @ view.T).tolist()
        return [
            [(p / s / t) ** 2 for p, t in zip(row, lengths, strict=True)]
            for row, s in zip(products, lengths, strict=True)
        ]

    k, m = squares(a), squares(b)
    places = [(i, j) for i in range(len(a)) for j in range(len(a)) if i != j]
    off_k, off_m = (sum(gram[i][j] for i, j in places) for gram in (k, m))
    paired = len(a) + sum(k[i][j] * m[i][j] for i, j in places)
    return torch.tensor(math.log(paired / (len(a) + off_k * off_m / len(places))), dtype=a.dtype)


# --- lidar


@right("lidar")
def lidar_by_the_hints(views, delta=1e-4):
    means = views.mean(dim=1)
    within = (views - means[:, None]).flatten(0, 1)
    s_w = within.T @ within / len(within) + delta * torch.eye(views.shape[-1], dtype=views.dtype)
    c = means - means.mean(dim=0)
    values = torch.linalg.eigvalsh(c @ torch.linalg.solve(s_w, c.T)).clamp(min=0)
    return torch.special.entr(values / values.sum()).sum()


@right("lidar")
def lidar_by_woodbury(views, delta=1e-4):
    prompts, count, _ = views.shape
    means = views.mean(1)
    within = (views - means[:, None]).flatten(0, 1) / math.sqrt(prompts * count)
    centred = means - means.mean(0)
    mixed = centred @ within.T
    system = delta * torch.eye(len(within), dtype=views.dtype) + within @ within.T
    small = centred @ centred.T - mixed @ torch.linalg.solve(system, mixed.T)
    p = torch.linalg.svdvals(small)
    p = p / p.sum()
    return -torch.xlogy(p, p).sum()


@right("lidar")
def lidar_by_cholesky(views, delta=1e-4):
    means = views.mean(1)
    within = (views - means[:, None]).reshape(-1, views.shape[-1])
    scatter = torch.cov(within.T, correction=0) + delta * torch.eye(views.shape[-1], dtype=views.dtype)
    c = means - means.mean(0)
    half = torch.linalg.solve_triangular(torch.linalg.cholesky(scatter), c.T, upper=False)
    p = torch.linalg.eigvalsh(half.T @ half).clamp(min=0)
    p = p / p.sum()
    return float(torch.special.entr(p).sum())


@right("lidar")
def lidar_by_numpy(views, delta=1e-4):
    x = views.numpy()
    means = x.mean(1)
    within = sum(np.outer(v - mean, v - mean) for mean, of in zip(means, x, strict=True) for v in of)
    s_w = within / (x.shape[0] * x.shape[1]) + delta * np.eye(x.shape[2])
    c = means - means.mean(0)
    values = np.linalg.eigvalsh(c @ np.linalg.inv(s_w) @ c.T).clip(0)
    return float(scipy.special.entr(values / values.sum()).sum())


@right("lidar")
def lidar_by_scipy(views, delta=1e-4):
    x = views.double().numpy()
    means = x.mean(1)
    within = (x - means[:, None]).reshape(-1, x.shape[2])
    s_w = within.T @ within / len(within)
    s_w[np.diag_indices_from(s_w)] += delta
    c = means - means.mean(0)
    values = scipy.linalg.eigvalsh(c @ scipy.linalg.solve(s_w, c.T, assume_a="pos")).clip(0)
    return torch.tensor(scipy.special.entr(values / values.sum()).sum())


# --- honest_gain


@right("honest_gain")
def gain_by_the_hints(on_a, on_b):
    chosen = on_a.argmax(dim=1)
    return on_b[torch.arange(len(on_b)), chosen] - on_b[:, -1]


@right("honest_gain")
def gain_split_by_split(on_a, on_b):
    return torch.stack([other[mine.argmax()] - other[-1] for mine, other in zip(on_a, on_b, strict=True)])


@right("honest_gain")
def gain_by_looking_up(on_a, on_b):
    return (on_b - on_b[:, -1:])[torch.arange(len(on_a)), on_a.max(1).indices]


@right("honest_gain")
def gain_by_numpy(on_a, on_b):
    scores = on_b.numpy()
    chosen = on_a.numpy().argmax(1)
    return torch.from_numpy(np.take_along_axis(scores, chosen[:, None], 1)[:, 0] - scores[:, -1])


@right("honest_gain")
def gain_by_lists(on_a, on_b):
    gains = [b[a.index(max(a))] - b[-1] for a, b in zip(on_a.tolist(), on_b.tolist(), strict=True)]
    return torch.tensor(gains, dtype=on_b.dtype)


# --- honest_regret


@right("honest_regret")
def regret_by_the_hints(on_a, on_b, picked):
    chosen = on_a.argmax(dim=1)
    return on_b.gather(1, chosen[:, None])[:, 0] - on_b.gather(1, picked[:, None])[:, 0]


@right("honest_regret")
def regret_split_by_split(on_a, on_b, picked):
    return torch.stack([b[a.argmax()] - b[layer] for a, b, layer in zip(on_a, on_b, picked, strict=True)])


@right("honest_regret")
def regret_by_indices(on_a, on_b, picked):
    each = torch.arange(len(on_a))
    return on_b[each, on_a.max(1).indices] - on_b[each, picked]


@right("honest_regret")
def regret_by_masks(on_a, on_b, picked):
    masks = [torch.nn.functional.one_hot(layers, on_b.shape[1]) for layers in (on_a.argmax(1), picked)]
    return (on_b * (masks[0] - masks[1])).sum(1)


@right("honest_regret")
def regret_by_numpy(on_a, on_b, picked):
    scores, layers = on_b.numpy(), np.stack([on_a.numpy().argmax(1), picked.numpy()], 1)
    return torch.from_numpy(-np.diff(np.take_along_axis(scores, layers, 1), axis=1)[:, 0])


# --- entropy_bound


@right("entropy_bound")
def bound_by_the_hints(share, tokens):
    h = torch.special.entr(share) + torch.special.entr(1 - share)
    return h + (1 - share) * torch.log(torch.tensor(tokens - 1))


@right("entropy_bound")
def bound_by_xlogy(share, tokens):
    split = -torch.xlogy(share, share) - torch.xlogy(1 - share, 1 - share)
    return split + (1 - share) * math.log(tokens - 1)


@right("entropy_bound")
def bound_by_all_shares(share, tokens):
    others = ((1 - share) / (tokens - 1))[..., None].expand(*share.shape, tokens - 1)
    return torch.special.entr(torch.cat([share[..., None], others], -1)).sum(-1)


@right("entropy_bound")
def bound_by_scipy(share, tokens):
    f = share.double().numpy()
    bound = scipy.special.entr(f) + scipy.special.entr(1 - f) + (1 - f) * np.log(tokens - 1)
    return torch.as_tensor(bound).to(share.dtype)


@right("entropy_bound")
def bound_share_by_share(share, tokens):
    def one(f):
        split = -sum(p * math.log(p) for p in (f, 1 - f) if p > 0)
        return split + (1 - f) * math.log(tokens - 1)

    return torch.tensor([one(f) for f in share.flatten().tolist()], dtype=share.dtype).reshape(share.shape)


road(
    "matrix_entropy",
    from_gram=lambda z, alpha=1.0: entropy.from_gram(z @ z.mT, alpha),
    spectrum=lambda z, alpha=1.0: entropy.renyi(entropy.spectrum(z), alpha),
    private_spectrum=lambda z, alpha=1.0: entropy._renyi(entropy._spectrum(z @ z.mT, z.dtype), alpha),
    private_entropy=lambda z, alpha=1.0: entropy._entropy(z @ z.mT, alpha),
    eigenvalues=lambda z, alpha=1.0: entropy_by_the_hints(entropy._eigenvalues(z @ z.mT).sqrt().diag_embed()),
)
road(
    "collision_entropy",
    matrix_entropy=lambda z: entropy.matrix_entropy(z, 2.0),
    from_gram=lambda z: entropy.from_gram(z @ z.mT, 2.0),
    private_entropy=lambda z: entropy._entropy(z @ z.mT, 2),
)
road(
    "effective_rank",
    roots=lambda z: entropy.matrix_entropy(torch.linalg.svdvals(z).sqrt().diag_embed()).exp(),
    renyi=lambda z: entropy.renyi(torch.linalg.svdvals(z)).exp(),
    private_renyi=lambda z: entropy._renyi(entropy._shares(torch.linalg.svdvals(z)), 1).exp(),
)
road("refute", alias=lambda rows, columns: references.refute(rows, columns))
road(
    "curvature",
    from_gram=lambda z: geometry.curvature_from_gram(z @ z.mT),
    mean_angle=lambda z: geometry._mean_angle(
        torch.linalg.vecdot(z.diff(dim=-2)[..., 1:, :], z.diff(dim=-2)[..., :-1, :]),
        z.diff(dim=-2).norm(dim=-1),
    ),
)
road(
    "curvature_from_gram",
    library=lambda k: geometry.curvature_from_gram(k),
    curvature=lambda k: geometry.curvature(torch.linalg.cholesky(k)),
)
road("info_nce", alias=lambda *arguments: invariance.info_nce(*arguments))
road(
    "dime_collision",
    dime=lambda a, b: invariance.dime(a, b, alpha=2),
    mean_purity=lambda a, b: (
        entropy.from_gram(invariance._cosines(a) * invariance._cosines(b), 2)
        - invariance._mean_purity(invariance._cosines(a), invariance._cosines(b)).log()
    ),
)
road(
    "lidar",
    alias=lambda *arguments: invariance.lidar(*arguments),
    private_lidar=lambda views, delta=1e-4: invariance._lidar(views, delta),
)
road("entropy_bound", others=lambda share, tokens: sink.entropy_bound(share, tokens, others=None))
road(
    "honest_regret",
    library=lambda *arguments: rules.honest_regret(*arguments),
    trial=lambda a, b, picked: rules.trial({"t": picked}, {("t", "s"): (a, b)}).regret,
)
road(
    "honest_gain",
    choose=lambda on_a, on_b: selection.choose(on_a, on_a, on_b).honest,
    choice=lambda on_a, on_b: selection.choose(on_a, on_b, on_b).promised,
)

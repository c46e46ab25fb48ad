"""Right answers to the exercises of the lesson on grokking that differ from the published ones, and roads to avoid.

`RIGHT` holds functions that each check has to accept at every attempt; they call nothing of the library but what
the lesson's text names. `ROADS` holds ways to get the answer from the library, which each check has to call borrowed.
"""

from collections.abc import Callable

import numpy as np
import scipy
import scipy.sparse.csgraph
import torch
from torch.nn.functional import embedding_bag, one_hot

from oraledu.grokking import (
    arithmetic,
    checks,
    circulant,
    fourier,
    gaussian,
    networks,
    quadratic,
    quadratic_net,
    rfm,
    symmetry,
)

# --- 1. quadratic_gram


def gram_by_one_hot_vectors(pairs_a, pairs_b, metric):
    p = metric.shape[0] // 2
    x, z = (arithmetic.one_hot_pairs(pairs, p).to(metric) for pairs in (pairs_a, pairs_b))
    return torch.einsum("id,de,je->ij", x, metric, z).square()


def gram_by_four_look_ups(pairs_a, pairs_b, metric):
    p = metric.shape[0] // 2
    a, b, c, d = pairs_a[:, :1], pairs_a[:, 1:] + p, pairs_b[:, 0], pairs_b[:, 1] + p
    return (metric[a, c] + metric[a, d] + metric[b, c] + metric[b, d]) ** 2


def gram_row_by_row(pairs_a, pairs_b, metric):
    p = metric.shape[0] // 2
    columns = pairs_b + torch.tensor([0, p])
    return torch.stack([(metric[a] + metric[p + b])[columns].sum(1).pow(2) for a, b in pairs_a.tolist()])


def gram_by_the_blocks(pairs_a, pairs_b, metric):
    blocks = metric.reshape(2, metric.shape[0] // 2, 2, -1)
    terms = [blocks[i, pairs_a[:, i]][:, j, pairs_b[:, j]] for i in (0, 1) for j in (0, 1)]
    return torch.stack(terms).sum(0) ** 2


def gram_in_numpy(pairs_a, pairs_b, metric):
    p = len(metric) // 2
    x, z, m = np.add(pairs_a, [0, p]), np.add(pairs_b, [0, p]), metric.numpy()
    return torch.from_numpy(sum(m[np.ix_(x[:, i], z[:, j])] for i in (0, 1) for j in (0, 1)) ** 2)


def gram_by_embedding_bags(pairs_a, pairs_b, metric):
    hot = torch.tensor([0, len(metric) // 2])
    transformed = embedding_bag(pairs_b + hot, metric.T.contiguous(), mode="sum")
    return embedding_bag(pairs_a + hot, transformed.T.contiguous(), mode="sum") ** 2


# --- 2. quadratic_agop


def agop_by_the_hints(pairs, coefficients, metric, *, centre=True):
    p = len(metric) // 2
    x = arithmetic.one_hot_pairs(pairs, p).to(metric)
    s = x @ metric @ x.T
    bracket = (coefficients @ coefficients.T) * (s.T @ s)
    agop = 4 / len(pairs) * metric @ x.T @ bracket @ x @ metric
    mean = 2 * metric @ x.T @ (s.mean(0)[:, None] * coefficients)
    return agop - mean @ mean.T if centre else agop


def _quadratic_jacobians(pairs, coefficients, metric):
    p = len(metric) // 2
    hot = pairs + torch.tensor([0, p])
    inputs = one_hot(hot, 2 * p).sum(1).to(metric)
    forms = (
        metric @ torch.stack([inputs.T @ (column[:, None] * inputs) for column in coefficients.T]) @ metric
    )
    return 2 * forms[:, :, hot].sum(-1).permute(2, 1, 0)  # (n, 2p, c): column l is 2 B_l x


def agop_by_quadratic_forms(pairs, coefficients, metric, *, centre=True):
    jacobians = _quadratic_jacobians(pairs, coefficients, metric)
    if centre:
        jacobians = jacobians - jacobians.mean(0, keepdim=True)
    return torch.einsum("ndc,nec->de", jacobians, jacobians) / len(pairs)


def agop_as_a_covariance(pairs, coefficients, metric, centre=True):
    columns = _quadratic_jacobians(pairs, coefficients, metric).permute(1, 0, 2)  # (2p, n, c)
    if centre:
        columns = columns - columns.mean(1, keepdim=True)
    flat = columns.flatten(1)
    return flat @ flat.T / len(pairs)


def agop_class_by_class(pairs, coefficients, metric, *, centre=True):
    x = torch.zeros(len(pairs), len(metric), dtype=metric.dtype)
    x.scatter_(1, pairs + torch.tensor([0, len(metric) // 2]), 1.0)
    moment = x.T @ x / len(x)
    if centre:
        moment = moment - torch.outer(x.mean(0), x.mean(0))
    total = torch.zeros(metric.shape, dtype=metric.dtype)
    for column in coefficients.T:
        form = metric @ (x.T * column) @ x @ metric
        total += 4 * form @ moment @ form.T
    return total


def agop_in_numpy(pairs, coefficients, metric, *, centre=True):
    alpha, m = coefficients.numpy(), metric.numpy()
    x = np.eye(len(m) // 2, dtype=m.dtype)[pairs.numpy()].reshape(len(pairs), -1)
    s = x @ m @ x.T
    agop = 4 * m @ x.T @ ((alpha @ alpha.T) * (s @ s)) @ x @ m / len(x)
    mean = 2 * m @ x.T @ (s.mean(0)[:, None] * alpha)
    return torch.from_numpy(agop - mean @ mean.T if centre else agop)


# --- 3. psd_power


def power_in_numpy(matrix, power):
    values, vectors = np.linalg.eigh(matrix.numpy())
    return torch.from_numpy((vectors * np.maximum(values, 0) ** power) @ vectors.T)


def power_in_scipy(matrix, power):
    values, vectors = scipy.linalg.eigh(matrix.numpy())
    return torch.from_numpy(vectors @ np.diag(values.clip(0) ** power) @ vectors.T)


def power_by_a_relative_threshold(matrix, power):
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    values[values < 1e-12 * values.max()] = 0
    return vectors @ torch.diag(values**power) @ vectors.T


def power_by_a_sum_of_outer_products(matrix, power):
    total = torch.zeros(matrix.shape, dtype=matrix.dtype)
    values, vectors = torch.linalg.eigh(matrix)
    for value, vector in zip(values, vectors.T, strict=True):
        if value > 0:
            total += value**power * torch.outer(vector, vector)
    return total


def power_by_singular_values(matrix, power):
    left, values, right = torch.linalg.svd(matrix)
    values = torch.where(
        (left * right.T).sum(0) > 0, values, 0
    )  # a negative eigenvalue turns its vector around
    return (left * values**power) @ left.T


def power_by_the_general_eigenvectors(matrix, power):
    values, vectors = torch.linalg.eig(matrix)
    return ((vectors * values.real.clamp(min=0) ** power) @ torch.linalg.inv(vectors)).real


def power_in_double(matrix, power):
    values, vectors = torch.linalg.eigh(matrix.double())
    return (vectors * torch.relu(values) ** power @ vectors.T).to(matrix.dtype)


# --- 4. deviation


def _diagonals(p, orientation):
    i, j = torch.meshgrid(torch.arange(p), torch.arange(p), indexing="ij")
    return (j - i) % p if orientation == "toeplitz" else (j + i) % p


def deviation_by_the_second_formula(block, orientation):
    p = len(block)
    k = _diagonals(p, orientation)
    means = torch.zeros(p, dtype=block.dtype).index_add(0, k.flatten(), block.flatten()) / p
    norm = (block**2).sum()
    return 1 - p * (means**2).sum() / norm if norm != 0 else torch.zeros((), dtype=block.dtype)


def deviation_by_rolled_rows(block, orientation):
    if not block.any():
        return block.new_zeros(())
    steps = range(len(block))
    rows = torch.stack(
        [row.roll(-i if orientation == "toeplitz" else i) for i, row in zip(steps, block, strict=True)]
    )
    return (rows - rows.mean(0)).norm() ** 2 / block.norm() ** 2


def deviation_in_numpy(block, orientation):
    c = block.numpy()
    i, j = np.indices(c.shape)
    k = (j - i) % len(c) if orientation == "toeplitz" else (i + j) % len(c)
    projection = sum(c[k == each].mean() * (k == each) for each in range(len(c)))
    norm = (c**2).sum()
    return torch.tensor(((c - projection) ** 2).sum() / norm if norm else 0.0, dtype=block.dtype)


def deviation_in_double(block, orientation):
    wide = block.double()
    k = _diagonals(len(wide), orientation)
    sums = torch.bincount(k.flatten(), weights=wide.flatten(), minlength=len(wide))
    norm = wide.square().sum()
    share = (wide - sums[k] / len(wide)).square().sum() / norm
    return torch.nan_to_num(share, nan=0.0).to(block.dtype)


def deviation_by_gathered_diagonals(block, orientation):
    p = len(block)
    i, k = torch.arange(p)[:, None], torch.arange(p)
    diagonals = block.gather(
        1, (k + i) % p if orientation == "toeplitz" else (k - i) % p
    )  # column k: diagonal k
    total = block.pow(2).sum()
    return p * diagonals.var(0, correction=0).sum() / total if total > 0 else total * 0


def deviation_entry_by_entry(block, orientation):
    p, sign = len(block), -1 if orientation == "toeplitz" else 1
    rest = 0.0
    for k in range(p):
        entries = torch.stack([block[i, (k - sign * i) % p] for i in range(p)])
        rest = rest + ((entries - entries.mean()) ** 2).sum()
    norm = (block * block).sum()
    return rest / norm if norm > 0 else rest


# --- 5. discrete_log_order


def order_by_the_hints(p, g=None):
    if g is None:
        for candidate in range(2, p):
            try:
                return order_by_the_hints(p, candidate)
            except ValueError:
                pass
    powers = [1]
    while len(powers) < p - 1:
        powers.append(powers[-1] * g % p)
    if len(set(powers)) != p - 1 or 0 in powers:
        raise ValueError("not a generator")
    return torch.tensor(powers)


def order_until_one_comes_back(p, g=None):
    for base in [g] if g is not None else range(2, p):
        powers, power = [1], base % p
        while power > 1:
            powers.append(power)
            power = power * base % p
        if power == 1 and len(powers) == p - 1:
            return torch.tensor(powers)
    raise ValueError(f"{g} generates less than all")


def order_by_prime_factors(p, g=None):
    primes = [q for q in range(2, p) if (p - 1) % q == 0 and all(q % r for r in range(2, q))]

    def generates(base):
        return base % p != 0 and all(pow(base, (p - 1) // q, p) != 1 for q in primes)

    if g is None:
        g = min(base for base in range(2, p) if generates(base))
    if not generates(g):
        raise ValueError("no generator")
    return torch.tensor([pow(g, i, p) for i in range(p - 1)])


def order_in_numpy(p, g=None):
    candidates = np.arange(2, p) if g is None else np.array([g])
    table = np.ones((len(candidates), p - 1), dtype=np.int64)
    for i in range(1, p - 1):
        table[:, i] = table[:, i - 1] * candidates % p
    whole = (np.sort(table, axis=1) == np.arange(1, p)).all(axis=1)
    if not whole.any():
        raise ValueError("no generator")
    return torch.from_numpy(table[whole.argmax()])


def order_in_torch(p, g=None):
    if g is None:
        g = next(base for base in range(2, p) if len({pow(base, i, p) for i in range(p - 1)}) == p - 1)
    order = torch.ones(p - 1, dtype=torch.long)
    for i in range(1, p - 1):
        order[i] = order[i - 1] * g % p
    if not torch.equal(order.sort().values, torch.arange(1, p)):
        raise ValueError(f"g = {g} does not reach every digit")
    return order


# --- 6. gaussian_agop


def gaussian_agop_by_a_loop(pairs, coefficients, metric, *, bandwidth=2.5, centre=True):
    x = arithmetic.one_hot_pairs(pairs, len(metric) // 2).to(metric)
    kernel = rfm.gaussian_gram(pairs, pairs, metric, bandwidth=bandwidth)
    total, mean = (
        torch.zeros_like(metric),
        torch.zeros(len(metric), coefficients.shape[1], dtype=metric.dtype),
    )
    for i in range(len(pairs)):
        bracket = x.T @ (kernel[i][:, None] * coefficients) - torch.outer(x[i], kernel[i] @ coefficients)
        jacobian = metric @ bracket / bandwidth**2
        total += jacobian @ jacobian.T
        mean += jacobian
    total, mean = total / len(pairs), mean / len(pairs)
    return total - mean @ mean.T if centre else total


def gaussian_agop_from_differences(pairs, coefficients, metric, *, bandwidth=2.5, centre=True):
    x = one_hot(pairs, len(metric) // 2).flatten(1).to(metric)
    jacobians = []
    for each in x:
        steps = each - x
        weights = torch.exp(-((steps @ metric) * steps).sum(1) / (2 * bandwidth**2))
        jacobians.append(-metric @ (steps * weights[:, None]).T @ coefficients / bandwidth**2)
    jacobians = torch.stack(jacobians)
    if centre:
        jacobians = jacobians - jacobians.mean(0)
    return (jacobians @ jacobians.mT).mean(0)


def gaussian_agop_in_blocks_of_100(pairs, coefficients, metric, bandwidth=2.5, centre=True):
    x = arithmetic.one_hot_pairs(pairs, len(metric) // 2).to(metric)
    kernel = rfm.gaussian_gram(pairs, pairs, metric, bandwidth=bandwidth)
    moment, total = torch.zeros_like(metric), 0
    for rows, block in zip(kernel.split(100), x.split(100), strict=True):
        terms = rows[:, None] * x.T @ coefficients - block[:, :, None] * (rows @ coefficients)[:, None]
        flat = terms.transpose(0, 1).flatten(1)
        moment, total = moment + flat @ flat.T / len(x), total + terms.sum(0) / len(x)
    moment = moment - total @ total.T if centre else moment
    return metric @ moment @ metric / bandwidth**4


def gaussian_agop_in_numpy(pairs, coefficients, metric, *, bandwidth=2.5, centre=True):
    m, alpha = metric.numpy(), coefficients.numpy()
    x = np.eye(len(m) // 2, dtype=m.dtype)[pairs.numpy()].reshape(len(pairs), -1)
    squares = np.einsum("id,de,ie->i", x, m, x)
    kernel = np.exp(-(squares[:, None] + squares - 2 * x @ m @ x.T) / (2 * bandwidth**2))
    inside = (
        np.stack([(x * row[:, None]).T @ alpha for row in kernel]) - x[:, :, None] * (kernel @ alpha)[:, None]
    )
    jacobians = m @ inside / bandwidth**2
    if centre:
        jacobians -= jacobians.mean(0)
    return torch.from_numpy(sum(each @ each.T for each in jacobians) / len(x))


def gaussian_agop_in_one_einsum(pairs, coefficients, metric, *, bandwidth=2.5, centre=True):
    x = torch.zeros(len(pairs), len(metric), dtype=metric.dtype)
    for row, (a, b) in zip(x, pairs.tolist(), strict=True):
        row[[a, len(metric) // 2 + b]] = 1
    kernel = rfm.gaussian_gram(pairs, pairs, metric, bandwidth=bandwidth).contiguous()
    terms = (
        torch.einsum("ij,jd,jc->idc", kernel, x, coefficients)
        - x[:, :, None] * (kernel @ coefficients)[:, None]
    )
    jacobians = torch.einsum("de,iec->idc", metric, terms) * bandwidth**-2
    mean = jacobians.sum(0, keepdim=True) / len(x) if centre else 0
    return torch.einsum("idc,iec->de", jacobians - mean, jacobians - mean) / len(x)


# --- 7. multiplication


def product_by_real_transforms(x1, x2):
    return torch.fft.irfft(torch.fft.rfft(x1) * torch.fft.rfft(x2), n=x1.shape[-1])


def product_by_unitary_transforms(x1, x2):
    product = torch.fft.fft(x1, norm="ortho") * torch.fft.fft(x2, norm="ortho")
    return x1.shape[-1] ** 0.5 * torch.fft.ifft(product, norm="ortho").real


def product_by_the_definition(x1, x2):
    p = x1.shape[-1]
    place = torch.arange(p, dtype=torch.float64)
    phases = torch.exp(-2j * torch.pi * torch.outer(place, place) / p) / p**0.5  # F
    first, second = (x.to(torch.complex128) @ phases.T for x in (x1, x2))
    return (p**0.5 * (first * second) @ phases.conj().T).real.to(x1.dtype)


def product_as_a_circulant_matrix(x1, x2):
    place = torch.arange(x1.shape[-1])
    shifted = x2[..., (place[:, None] - place) % len(place)]  # (..., l, k)
    return (shifted * x1[..., None, :]).sum(-1)


def product_by_rolling(x1, x2):
    return sum(x1[..., k : k + 1] * x2.roll(k, -1) for k in range(x1.shape[-1]))


def product_in_numpy(x1, x2):
    found = np.fft.ifft(np.fft.fft(x1.numpy()) * np.fft.fft(x2.numpy())).real
    return torch.from_numpy(found).to(x1.dtype)


# --- 8. random_metric


def _stripes(p, op, generator):
    row = torch.rand(p, generator=generator, dtype=torch.float64)
    row = row - row.mean()
    return torch.stack([row.roll(i if op == "+" else -i) for i in range(p)])


def metric_by_psd_power(p, op, *, generator):
    block = _stripes(p, op, generator)
    corner = torch.eye(p, dtype=torch.float64) - torch.full((p, p), 1 / p, dtype=torch.float64)
    return rfm.psd_power(torch.vstack([torch.hstack([corner, block.T]), torch.hstack([block, corner])]), 0.5)


def metric_in_numpy(p, op, *, generator):
    c = _stripes(p, op, generator).numpy()
    a = np.eye(p) - 1 / p
    values, vectors = np.linalg.eigh(np.block([[a, c.T], [c, a]]))
    return torch.from_numpy((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def metric_in_scipy(p, op, *, generator):
    row = torch.rand(p, generator=generator, dtype=torch.float64).numpy()
    row = row - row.mean()
    i, j = np.indices((p, p))
    c = scipy.linalg.circulant(row).T if op == "+" else row[(i + j) % p]
    a = np.eye(p) - np.ones((p, p)) / p
    values, vectors = scipy.linalg.eigh(np.vstack([np.hstack([a, c.T]), np.hstack([c, a])]))
    return torch.from_numpy(vectors @ np.diag(values.clip(min=0) ** 0.5) @ vectors.T)


def metric_written_into_zeros(p, op, *, generator):
    target = torch.zeros(2 * p, 2 * p, dtype=torch.float64)
    target[p:, :p] = _stripes(p, op, generator)
    target[:p, p:] = target[p:, :p].T
    target[:p, :p] = target[p:, p:] = torch.eye(p, dtype=torch.float64) - 1 / p
    values, vectors = torch.linalg.eigh(target)
    kept = values > 0
    return vectors[:, kept] * values[kept].sqrt() @ vectors[:, kept].T


def metric_entry_by_entry(p, op, *, generator):
    row = torch.rand(p, generator=generator, dtype=torch.float64)
    row -= row.sum() / p
    block = torch.empty(p, p, dtype=torch.float64)
    for i in range(p):
        for j in range(p):
            block[i, j] = row[(j - i) % p if op == "+" else (i + j) % p]
    corner = torch.diag(torch.ones(p, dtype=torch.float64)) - 1 / p
    values, vectors = torch.linalg.eigh(
        torch.cat((torch.cat((corner, block)), torch.cat((block.T, corner))), 1)
    )
    return torch.einsum("ik,k,jk->ij", vectors, torch.relu(values).sqrt(), vectors)


# --- 9. network_agop


def network_agop_by_the_hints(first, second, pairs):
    x = arithmetic.one_hot_pairs(pairs, first.shape[1] // 2).to(first)
    h = x @ first.T
    return first.T @ ((second.T @ second) * (h.T @ h)) @ first * 4 / len(x)


def network_agop_from_jacobians(first, second, pairs):
    p = first.shape[1] // 2
    hidden = first[:, pairs[:, 0]] + first[:, p + pairs[:, 1]]  # (width, n)
    total = torch.zeros(2 * p, 2 * p, dtype=first.dtype)
    for h in hidden.T:
        jacobian = 2 * first.T @ (second * h).T
        total += jacobian @ jacobian.T
    return total / len(pairs)


def network_agop_output_by_output(first, second, pairs):
    h = one_hot(pairs, first.shape[1] // 2).flatten(1).to(first) @ first.T
    total = 0
    for row in second:
        gradients = 2 * (row * h) @ first  # (n, 2p)
        total = total + gradients.T @ gradients / len(pairs)
    return total


def network_agop_by_automatic_differentiation(first, second, pairs):
    x = one_hot(pairs, first.shape[1] // 2).flatten(1).to(first)
    jacobians = torch.stack(
        [torch.func.jacfwd(lambda each: second @ (first @ each) ** 2)(each) for each in x]
    )
    return torch.einsum("ncd,nce->de", jacobians, jacobians) / len(x)


def network_agop_in_numpy(first, second, pairs):
    w1, w2 = first.numpy(), second.numpy()
    h = w1[:, pairs[:, 0].numpy()] + w1[:, pairs[:, 1].numpy() + w1.shape[1] // 2]
    return torch.from_numpy(4 * w1.T @ ((w2.T @ w2) * (h @ h.T / h.shape[1])) @ w1)


# --- 10. symmetric_split


def split_by_the_hints(image, order, count):
    held = torch.zeros(len(image), dtype=torch.bool)
    for place in order:
        if held.sum() >= count:
            return held
        while not held[place]:
            held[place] = True
            place = image[place]
    return held


def split_in_sets(image, order, count):
    out, images = set(), image.tolist()
    for place in order.tolist():
        if len(out) < count and place not in out:
            orbit = [place]
            while images[orbit[-1]] != place:
                orbit.append(images[orbit[-1]])
            out.update(orbit)
    return torch.tensor([place in out for place in range(len(images))])


def split_in_numpy(image, order, count):
    image, held = image.numpy(), np.zeros(len(image), dtype=bool)
    for place in order.numpy():
        if held.sum() < count:
            while not held[place]:
                held[place], place = True, image[place]
    return torch.from_numpy(held)


def split_by_numbered_orbits(image, order, count):
    numbers, last = torch.arange(len(image)), None
    while last is None or not torch.equal(numbers, last):  # each orbit comes to have its smallest place
        last, numbers = numbers, torch.minimum(numbers, numbers[image])
    held = torch.zeros(len(image), dtype=torch.bool)
    for place in order.tolist():
        if held.sum() < count:
            held |= numbers == numbers[place]
    return held


def split_by_connected_components(image, order, count):
    n = len(image)
    graph = scipy.sparse.coo_matrix((np.ones(n), (np.arange(n), image.numpy())), shape=(n, n))
    _, numbers = scipy.sparse.csgraph.connected_components(graph, directed=False)
    numbers, held = torch.from_numpy(numbers).long(), torch.zeros(n, dtype=torch.bool)
    for place in order.tolist():
        held = held if held.sum() >= count else held | (numbers == numbers[place])
    return held


RIGHT: dict[str, list[Callable]] = {
    "quadratic_gram": [
        gram_by_one_hot_vectors,
        gram_by_four_look_ups,
        gram_row_by_row,
        gram_by_the_blocks,
        gram_in_numpy,
        gram_by_embedding_bags,
    ],
    "quadratic_agop": [
        agop_by_the_hints,
        agop_by_quadratic_forms,
        agop_as_a_covariance,
        agop_class_by_class,
        agop_in_numpy,
    ],
    "psd_power": [
        power_in_numpy,
        power_in_scipy,
        power_by_a_relative_threshold,
        power_by_a_sum_of_outer_products,
        power_by_singular_values,
        power_by_the_general_eigenvectors,
        power_in_double,
    ],
    "deviation": [
        deviation_by_the_second_formula,
        deviation_by_rolled_rows,
        deviation_in_numpy,
        deviation_in_double,
        deviation_by_gathered_diagonals,
        deviation_entry_by_entry,
    ],
    "discrete_log_order": [
        order_by_the_hints,
        order_until_one_comes_back,
        order_by_prime_factors,
        order_in_numpy,
        order_in_torch,
    ],
    "gaussian_agop": [
        gaussian_agop_by_a_loop,
        gaussian_agop_from_differences,
        gaussian_agop_in_blocks_of_100,
        gaussian_agop_in_numpy,
        gaussian_agop_in_one_einsum,
    ],
    "multiplication": [
        product_by_real_transforms,
        product_by_unitary_transforms,
        product_by_the_definition,
        product_as_a_circulant_matrix,
        product_by_rolling,
        product_in_numpy,
    ],
    "random_metric": [
        metric_by_psd_power,
        metric_in_numpy,
        metric_in_scipy,
        metric_written_into_zeros,
        metric_entry_by_entry,
    ],
    "network_agop": [
        network_agop_by_the_hints,
        network_agop_from_jacobians,
        network_agop_output_by_output,
        network_agop_by_automatic_differentiation,
        network_agop_in_numpy,
    ],
    "symmetric_split": [
        split_by_the_hints,
        split_in_sets,
        split_in_numpy,
        split_by_numbered_orbits,
        split_by_connected_components,
    ],
}


# --- Roads through the library


def agop_of_the_equal_network(pairs, coefficients, metric, *, centre=True):
    inputs = arithmetic.one_hot_pairs(pairs, len(metric) // 2).to(metric)
    return networks.network_agop(inputs @ metric, coefficients.T, pairs)


def agop_by_outer_sums(pairs, coefficients, metric, *, centre=True):
    forms = quadratic.outer_sums(pairs, coefficients, len(metric))
    inputs = arithmetic.one_hot_pairs(pairs, len(metric) // 2).to(metric)
    moment = torch.cov(inputs.T, correction=0) if centre else inputs.T @ inputs / len(inputs)
    return 4 * sum(metric @ form @ metric @ moment @ metric @ form @ metric for form in forms)


def deviation_of_the_means(block, orientation):
    rest = block - circulant.circulant_matrix(circulant.wrapped_means(block, orientation), orientation)
    norm = block.square().sum()
    return rest.square().sum() / norm if norm > 0 else norm


def deviation_from_the_index(block, orientation):
    index = circulant._diagonals(len(block), orientation, block.device).flatten()
    means = block.new_zeros(len(block)).index_add(0, index, block.flatten()) / len(block)
    norm = block.square().sum()
    return 1 - len(block) * means.square().sum() / norm if norm > 0 else norm


ROADS: dict[str, dict[str, Callable]] = {
    "quadratic_gram": {
        "the reference": lambda a, b, metric: rfm.quadratic_gram(a, b, metric),
        "inner products": lambda a, b, metric: quadratic.inner_products(a, b, metric) ** 2,
        "a kernel by its name": lambda a, b, metric: rfm.gram(a, b, metric, kernel="quadratic"),
        "embedding bags": lambda a, b, metric: (
            embedding_bag(arithmetic.hot_columns(a, len(metric) // 2), metric, mode="sum") ** 2
        ),
    },
    "quadratic_agop": {
        "the reference": lambda *machine, **options: rfm.quadratic_agop(*machine, **options),
        "a kernel by its name": lambda *machine, **options: rfm.agop(*machine, kernel="quadratic", **options),
        "the equal network": agop_of_the_equal_network,
        "outer sums": agop_by_outer_sums,
    },
    "psd_power": {
        "the reference": lambda matrix, power: rfm.psd_power(matrix, power),
        "the lessons' circulant": lambda matrix, power: circulant.psd_power(matrix, power),
    },
    "deviation": {
        "the reference": lambda block, orientation: circulant.deviation(block, orientation),
        "wrapped means": deviation_of_the_means,
        "the index": deviation_from_the_index,
    },
    "discrete_log_order": {
        "the reference": lambda p, g=None: arithmetic.discrete_log_order(p, g),
        "powers": lambda p, g=None: torch.tensor(arithmetic._powers(g or 2, p)),
        "the smallest root": lambda p, g=None: torch.tensor(
            [pow(g or arithmetic.primitive_roots(p)[0], i, p) for i in range(p - 1)]
        ),
    },
    "gaussian_agop": {
        "the reference": lambda *machine, **options: rfm.gaussian_agop(*machine, **options),
        "its module": lambda *machine, **options: gaussian.gaussian_agop(*machine, **options),
        "a kernel by its name": lambda *machine, **options: rfm.agop(*machine, kernel="gaussian", **options),
    },
    "multiplication": {
        "the reference": lambda x1, x2: fourier.multiplication(x1, x2),
    },
    "random_metric": {
        "the reference": lambda p, op, *, generator: circulant.random_metric(p, op, generator=generator),
        "its parts": lambda p, op, *, generator: circulant.block_metric(
            circulant.random_block(p, op, generator=generator)
        ),
        "a circulant matrix": lambda p, op, *, generator: circulant.circulant_matrix(
            torch.rand(p, generator=generator, dtype=torch.float64), circulant.ORIENTATION[op]
        ),
        "the metric of a block": lambda p, op, *, generator: circulant.block_metric(
            _stripes(p, op, generator)
        ),
    },
    "network_agop": {
        "the reference": lambda first, second, pairs: networks.network_agop(first, second, pairs),
        "its module": lambda first, second, pairs: quadratic_net.network_agop(first, second, pairs),
        "the equal machine": lambda first, second, pairs: rfm.quadratic_agop(
            pairs, second.T, first.T @ first, centre=False
        ),
        "features": lambda first, second, pairs: networks.feature_matrix(first),
    },
    "symmetric_split": {
        "the reference": lambda image, order, count: symmetry.symmetric_split(image, order, count),
        "its last pairs": lambda image, order, count: symmetry.symmetric_split(
            image, order.flip(0).flip(0), count
        ),
    },
}

assert list(RIGHT) == list(ROADS) == [exercise.name for exercise in checks.ALL]

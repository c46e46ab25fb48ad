"""Right answers to the exercises of lesson 1, each written in another way, and roads to an answer that are closed."""

import math
import statistics

import numpy as np
import scipy.ndimage
import scipy.spatial
import scipy.special
import scipy.stats
import torch
from torch.nn import functional

from oraledu.diffusion import (
    belief,
    calibrate,
    checks,
    equivariant_local,
    experiments,
    local,
    machines,
    mosaic,
    sampling,
    schedule,
    whole,
    wiener,
    windows,
)


def ideal_by_distances(x, images, alpha_bar):
    rows = images.flatten(1)
    squares = torch.cdist(x.flatten(1), math.sqrt(alpha_bar) * rows) ** 2
    return (torch.softmax(-squares / (2 - 2 * alpha_bar), dim=1) @ rows).reshape(x.shape)


def ideal_by_a_loop(x, images, alpha_bar):
    a, b = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    estimates = []
    for noisy in x:
        exponents = torch.stack([-((noisy - a * image) ** 2).sum() / (2 * b**2) for image in images])
        weights = torch.exp(exponents - exponents.max())
        estimates.append(sum(w * image for w, image in zip(weights / weights.sum(), images, strict=True)))
    return torch.stack(estimates)


def ideal_in_numpy(x, images, alpha_bar):
    q, rows = x.double().flatten(1).numpy(), images.double().flatten(1).numpy()
    logits = (np.sqrt(alpha_bar) * q @ rows.T - alpha_bar / 2 * (rows**2).sum(1)) / (1 - alpha_bar)
    return torch.from_numpy(scipy.special.softmax(logits, axis=1) @ rows).reshape(x.shape).to(x)


def ideal_from_a_tensor(x, images, alpha_bar):
    alpha_bar = torch.tensor(alpha_bar)
    squares = (x[:, None] - torch.sqrt(alpha_bar) * images).square().sum((2, 3, 4))
    return torch.einsum("bn,nchw->bchw", torch.softmax(-squares / (2 * (1 - alpha_bar)), 1), images)


def ideal_in_float32(x, images, alpha_bar):
    rows = images.flatten(1).float()
    squares = (x.flatten(1).float()[:, None] - alpha_bar**0.5 * rows).square().sum(2)
    return (torch.softmax(-squares / (2 * (1 - alpha_bar)), 1) @ rows).view(x.shape).to(x)


def ideal_in_chunks(x, images, alpha_bar):
    top = x.new_full((len(x), 1), -math.inf)
    total, mass = torch.zeros_like(x.flatten(1)), torch.zeros_like(top)
    for part in images.flatten(1).split(100):
        logits = -(x.flatten(1)[:, None] - alpha_bar**0.5 * part).square().sum(2) / (2 * (1 - alpha_bar))
        before, top = top, torch.maximum(top, logits.amax(1, keepdim=True))
        weights = (logits - top).exp()
        total = total * (before - top).exp() + weights @ part
        mass = mass * (before - top).exp() + weights.sum(1, keepdim=True)
    return (total / mass).view(x.shape)


def step_by_ratio(x, denoised, alpha_bar_now, alpha_bar_next):
    ratio = math.sqrt((1 - alpha_bar_next) / (1 - alpha_bar_now))
    return ratio * x + (math.sqrt(alpha_bar_next) - ratio * math.sqrt(alpha_bar_now)) * denoised


def step_in_float64(x, denoised, alpha_bar_now, alpha_bar_next):
    a, b = np.sqrt(alpha_bar_now), np.sqrt(1 - alpha_bar_now)
    noise = (x.double().numpy() - a * denoised.double().numpy()) / b
    following = np.sqrt(alpha_bar_next) * denoised.double().numpy() + np.sqrt(1 - alpha_bar_next) * noise
    return torch.from_numpy(following).to(x)


def step_by_the_score(x, denoised, alpha_bar_now, alpha_bar_next):
    score = (alpha_bar_now**0.5 * denoised - x) / (1 - alpha_bar_now)
    noise = -((1 - alpha_bar_now) ** 0.5) * score
    return alpha_bar_next**0.5 * denoised + (1 - alpha_bar_next) ** 0.5 * noise


def step_from_double_tensors(x, denoised, alpha_bar_now, alpha_bar_next):
    now, following = (torch.tensor(each, dtype=torch.float64) for each in (alpha_bar_now, alpha_bar_next))
    noise = (x - now.sqrt() * denoised).div((1 - now).sqrt())
    return torch.add(following.sqrt() * denoised, (1 - following).sqrt() * noise)


def step_pixel_by_pixel(x, denoised, alpha_bar_now, alpha_bar_next):
    a, b = math.sqrt(alpha_bar_now), math.sqrt(1 - alpha_bar_now)
    pairs = zip(x.flatten().tolist(), denoised.flatten().tolist(), strict=True)
    a_next, b_next = math.sqrt(alpha_bar_next), math.sqrt(1 - alpha_bar_next)
    return torch.tensor([a_next * d + b_next * (y - a * d) / b for y, d in pairs], dtype=x.dtype).view(
        x.shape
    )


def local_by_convolution(x, images, alpha_bar, patch, padding="zeros"):
    ones = torch.ones(1, 1, patch, patch, dtype=x.dtype)
    mode = "circular" if padding == "circular" else "constant"
    estimates = []
    for noisy in x:
        squares = ((noisy - math.sqrt(alpha_bar) * images) ** 2).sum(1, keepdim=True)
        sums = functional.conv2d(functional.pad(squares, [patch // 2] * 4, mode=mode), ones)
        weights = torch.softmax(-sums / (2 * (1 - alpha_bar)), dim=0)
        estimates.append((weights * images).sum(0))
    return torch.stack(estimates)


def local_by_pooling(x, images, alpha_bar, patch, padding="zeros"):
    squares = (x[:, None] - alpha_bar**0.5 * images).square().sum(2)
    wide = functional.pad(
        squares, (patch // 2,) * 4, mode="circular" if padding == "circular" else "constant"
    )
    sums = patch**2 * functional.avg_pool2d(wide, patch, stride=1)
    return torch.einsum("bnhw,nchw->bchw", torch.softmax(-sums / (2 * (1 - alpha_bar)), 1), images)


def local_by_shifts(x, images, alpha_bar, patch, padding="zeros"):
    reach, size = patch // 2, x.shape[-1]
    squares = (x.double()[:, None] - alpha_bar**0.5 * images.double()).square().sum(2)
    wide = functional.pad(squares, (reach,) * 4, mode="circular" if padding == "circular" else "constant")
    sums = sum(wide[..., i : i + size, j : j + size] for i in range(patch) for j in range(patch))
    weights = torch.softmax(-sums / (2 * (1 - alpha_bar)), 1)
    return (weights[:, :, None] * images.double()).sum(1).to(x)


def local_by_padded_images(x, images, alpha_bar, patch, padding="zeros"):
    mode = "wrap" if padding == "circular" else "constant"
    margin = ((0, 0), (0, 0), (patch // 2,) * 2, (patch // 2,) * 2)
    seen, known = (
        np.lib.stride_tricks.sliding_window_view(
            np.pad(each.double().numpy(), margin, mode=mode), (patch, patch), (2, 3)
        )
        for each in (x, images)
    )
    estimates = []
    for noisy in seen:
        squares = ((noisy - np.sqrt(alpha_bar) * known) ** 2).sum((1, 4, 5))
        weights = scipy.special.softmax(-squares / (2 * (1 - alpha_bar)), axis=0)
        estimates.append((weights[:, None] * images.double().numpy()).sum(0))
    return torch.from_numpy(np.stack(estimates)).to(x)


def local_by_cumulated_sums(x, images, alpha_bar, patch, padding="zeros"):
    reach, size = patch // 2, x.shape[-1]
    squares = (x.double()[:, None] - alpha_bar**0.5 * images.double()).square().sum(2)
    wide = functional.pad(squares, (reach,) * 4, mode="circular" if padding == "circular" else "constant")
    area = functional.pad(wide.cumsum(2).cumsum(3), (1, 0, 1, 0))
    upper, lower, left, right = slice(0, size), slice(patch, None), slice(0, size), slice(patch, None)
    sums = area[..., lower, right] - area[..., upper, right] - area[..., lower, left] + area[..., upper, left]
    weights = torch.softmax(-sums / (2 * (1 - alpha_bar)), 1)
    return torch.einsum("bnhw,nchw->bchw", weights, images.double()).to(x)


def patches_by_the_text(x, images, alpha_bar, patch):
    a, variance = math.sqrt(alpha_bar), 1 - alpha_bar
    bank = windows.windows(images, patch, "circular").flatten(0, 2)
    centres = images.permute(0, 2, 3, 1).flatten(0, 2)
    lengths = bank.square().sum(1)
    estimates = []
    for queries in windows.windows(x, patch, "circular").flatten(0, 2).split(28):
        logits = (a * queries @ bank.T - a**2 / 2 * lengths) / variance
        estimates.append(torch.softmax(logits, 1) @ centres)
    return torch.cat(estimates).view(len(x), -1, images.shape[1]).mT.reshape(x.shape)


def patches_by_attention(x, images, alpha_bar, patch):
    a, variance = math.sqrt(alpha_bar), 1 - alpha_bar
    keys = windows.windows(images, patch, "circular").flatten(0, 2).double()
    values = images.permute(0, 2, 3, 1).flatten(0, 2).double()
    bias = -(a**2) / (2 * variance) * keys.square().sum(1)
    means = [
        functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias, scale=a / variance)
        for queries in windows.windows(x, patch, "circular").flatten(0, 2).double().split(50)
    ]
    return torch.cat(means).view(len(x), *x.shape[2:], -1).permute(0, 3, 1, 2).to(x)


def patches_by_rolled_images(x, images, alpha_bar, patch):
    reach = range(-(patch // 2), patch // 2 + 1)

    def seen(batch):
        moved = torch.stack([batch.roll((-i, -j), (2, 3)) for i in reach for j in reach], 2)
        return moved.permute(0, 3, 4, 1, 2).flatten(3).flatten(0, 2)

    bank, centres = seen(images), images.permute(0, 2, 3, 1).flatten(0, 2)
    half = alpha_bar * bank.square().sum(1) / 2
    estimates = []
    for queries in seen(x).split(40):
        logits = (alpha_bar**0.5 * queries @ bank.T - half) / (1 - alpha_bar)
        weights = (logits - logits.amax(1, keepdim=True)).exp()
        estimates.append(weights @ centres / weights.sum(1, keepdim=True))
    return torch.cat(estimates).view(len(x), *x.shape[2:], -1).permute(0, 3, 1, 2)


def patches_from_a_tensor(x, images, alpha_bar, patch):
    return patches_by_the_text(x, images, float(torch.tensor(alpha_bar)), patch)


def density_by_the_largest(queries, patches, alpha_bar):
    exponents = torch.stack(
        [-((query - math.sqrt(alpha_bar) * patches) ** 2).sum(1) / 2 / (1 - alpha_bar) for query in queries]
    )
    largest = exponents.max(dim=1, keepdim=True).values
    return largest[:, 0] + torch.log(torch.exp(exponents - largest).mean(1))


def density_in_chunks(queries, patches, alpha_bar):
    total = torch.full_like(queries[:, 0], -math.inf)
    for part in patches.split(1000):
        squares = (queries[:, None] - alpha_bar**0.5 * part).square().sum(2)
        total = torch.logaddexp(total, (-squares / (2 - 2 * alpha_bar)).logsumexp(1))
    return total - math.log(len(patches))


def density_in_float64(queries, patches, alpha_bar):
    squares = torch.stack(
        [(query - alpha_bar**0.5 * patches.double()).square().sum(1) for query in queries.double()]
    )
    exponents = -squares / (2 * (1 - alpha_bar))
    return (exponents.logsumexp(1) - np.log(len(patches))).to(queries)


def density_with_its_share(queries, patches, alpha_bar):
    squares = (queries[:, None] - alpha_bar**0.5 * patches).square().sum(2)
    share = torch.log(torch.tensor(1 / len(patches)))
    return torch.logsumexp(share - squares / (2 * (1 - alpha_bar)), dim=1)


def density_by_vmap(queries, patches, alpha_bar):
    def one(query):
        exponents = -(torch.linalg.vector_norm(query - alpha_bar**0.5 * patches, dim=1) ** 2) / (
            2 - 2 * alpha_bar
        )
        return exponents.logsumexp(0) - math.log(patches.shape[0])

    return torch.vmap(one)(queries)


def border_by_what_is_seen(size, patch, row, column):
    def sees(place):
        return min(place, patch // 2), min(size - 1 - place, patch // 2)

    return torch.tensor(
        [[sees(i) == sees(row) and sees(j) == sees(column) for j in range(size)] for i in range(size)]
    )


def border_by_windows(size, patch, row, column):
    seen = windows.windows(torch.ones(1, 1, size, size), patch, "zeros")[0]
    return (seen == seen[row, column]).all(-1)


def border_in_numpy(size, patch, row, column):
    places, reach = np.arange(size), patch // 2
    seen = np.minimum(places, reach) * size + np.minimum(size - 1 - places, reach)
    return torch.from_numpy(np.logical_and.outer(seen == seen[row], seen == seen[column]))


def border_by_slices(size, patch, row, column):
    reach = patch // 2

    def alike(place):
        return [
            k
            for k in range(size)
            if min(k, reach) == min(place, reach) and min(size - 1 - k, reach) == min(size - 1 - place, reach)
        ]

    same = torch.zeros(size, size, dtype=torch.bool)
    same[torch.tensor(alike(row))[:, None], alike(column)] = True
    return same


def border_by_the_hints(size, patch, row, column):
    near = torch.arange(size).clamp(max=patch // 2)
    far = near.flip(0)
    rows, columns = ((near == near[k]) & (far == far[k]) for k in (row, column))
    return rows[:, None] & columns


def schedule_of_votes(network, images, candidates, *, noise, padding="zeros", steps=20):
    run, found = sampling.sample(network, noise, steps=steps), []
    for step in range(steps):
        kept = schedule.alpha_bar(run.times[step])
        x, votes, cosines = run.noisy[step], [], {}
        network_score = machines.score(x, run.denoised[step], kept).flatten(1).double()
        for patch in candidates:
            ours = machines.denoise(
                x, images, kept, machine="equivariant-local", patch=patch, padding=padding
            )
            machine_score = machines.score(x, ours, kept).flatten(1).double()
            cosines[patch] = functional.cosine_similarity(network_score, machine_score)
        for seed in range(len(noise)):
            votes.append(max(candidates, key=lambda patch: cosines[patch][seed].item()))
        found.append(sorted(votes)[(len(votes) - 1) // 2])
    return found


def schedule_by_the_hints(network, images, candidates, *, noise, padding="zeros", steps=20):
    alpha_bar, found = schedule.alpha_bar, []
    way = sampling.sample(network, noise, steps=steps)
    for t, x, theirs in zip(way.times, way.noisy, way.denoised, strict=False):
        target, cosines = machines.score(x, theirs, alpha_bar(t)).double(), []
        for k in candidates:
            ours = machines.denoise(
                x, images, alpha_bar(t), machine="equivariant-local", patch=k, padding=padding
            )
            guess = machines.score(x, ours, alpha_bar(t)).double()
            products = (target * guess).flatten(1).sum(1)
            cosines.append(products / (target.flatten(1).norm(dim=1) * guess.flatten(1).norm(dim=1)))
        best = torch.tensor(candidates)[torch.stack(cosines).argmax(0)]
        found.append(best.median().item())
    return found


def schedule_one_noise_at_a_time(network, images, candidates, *, noise, padding="zeros", steps=20):
    ways = []
    for start in noise.split(1):
        way, best = sampling.sample(network, start, steps=steps), []
        for t, x, theirs in zip(way.times, way.noisy, way.denoised, strict=False):
            kept = schedule.alpha_bar(t)
            one = machines.score(x, theirs, kept).double().flatten().numpy()
            cosines = []
            for k in candidates:
                ours = machines.denoise(
                    x, images, kept, machine="equivariant-local", patch=k, padding=padding
                )
                other = machines.score(x, ours, kept).double().flatten().numpy()
                cosines.append(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
            best.append(candidates[int(np.argmax(cosines))])
        ways.append(best)
    return [statistics.median_low(votes) for votes in zip(*ways, strict=True)]


def schedule_by_unit_vectors(network, images, candidates, *, noise, padding="zeros", steps=20):
    way, found = sampling.sample(network, noise, steps=steps), []
    for step in range(steps):
        kept, x = schedule.alpha_bar(way.times[step]), way.noisy[step].double()

        def direction(denoised):
            score = (math.sqrt(kept) * denoised.double() - x).flatten(1)  # noqa: B023
            return score / torch.linalg.vector_norm(score, dim=1, keepdim=True)

        theirs = direction(way.denoised[step])
        gaps = []
        for k in candidates:
            ours = machines.denoise(
                way.noisy[step], images, kept, machine="equivariant-local", patch=k, padding=padding
            )
            gaps.append((direction(ours) - theirs).square().sum(1))
        best = torch.tensor(candidates)[torch.stack(gaps).argmin(0)]
        found.append(int(best.kthvalue((len(noise) + 1) // 2).values))
    return found


def correlation_of_standardised(a, b):
    def standardised(images):
        rows = images.flatten(1).double()
        return (rows - rows.mean(1, keepdim=True)) / rows.std(1, keepdim=True, correction=0)

    return (standardised(a) * standardised(b)).mean(1)


def correlation_by_numpy(a, b):
    pairs = zip(a.double().flatten(1).numpy(), b.double().flatten(1).numpy(), strict=True)
    return torch.tensor([np.corrcoef(one, two)[0, 1] for one, two in pairs], dtype=torch.float64)


def correlation_by_scipy(a, b):
    pairs = zip(a.double().flatten(1).numpy(), b.double().flatten(1).numpy(), strict=True)
    return torch.tensor([scipy.stats.pearsonr(one, two).statistic for one, two in pairs], dtype=torch.float64)


def correlation_by_the_cosine(a, b):
    rows = [(each - each.mean((1, 2, 3), keepdim=True)).flatten(1) for each in (a.double(), b.double())]
    return torch.cosine_similarity(*rows, dim=1)


def correlation_with_deviations(a, b):
    y, z = (images.flatten(1).double() for images in (a, b))
    covariance = ((y - y.mean(1, keepdim=True)) * (z - z.mean(1, keepdim=True))).sum(1) / (y.shape[1] - 1)
    return covariance / (y.std(1) * z.std(1))


def centres_by_products(image, images, patch):
    bank = windows.windows(images, patch, "circular").flatten(0, 2)
    centres, lengths = images.permute(0, 2, 3, 1).flatten(0, 2), bank.square().sum(1) / 2
    queries = windows.windows(image, patch, "circular").flatten(1, 2)
    nearest = torch.stack([(query @ bank.T - lengths).argmax(1) for query in queries])
    return centres[nearest].mT.reshape(image.shape)


def centres_by_distances(image, images, patch):
    bank = windows.windows(images, patch, "circular").flatten(0, 2)
    queries = windows.windows(image, patch, "circular").flatten(0, 2)
    centres = images.permute(0, 2, 3, 1).flatten(0, 2)
    found = centres[torch.cdist(queries, bank).argmin(1)]
    return found.view(len(image), *image.shape[2:], -1).permute(0, 3, 1, 2)


def centres_by_a_tree(image, images, patch):
    bank = windows.windows(images, patch, "circular").flatten(0, 2).double().numpy()
    queries = windows.windows(image, patch, "circular").flatten(0, 2).double().numpy()
    _, nearest = scipy.spatial.cKDTree(bank).query(queries)
    centres = bank.reshape(len(bank), images.shape[1], -1)[:, :, patch**2 // 2]
    found = torch.from_numpy(centres[nearest]).to(image)
    return found.view(len(image), *image.shape[2:], -1).permute(0, 3, 1, 2)


def centres_one_window_at_a_time(image, images, patch):
    bank = windows.windows(images, patch, "circular").flatten(0, 2)
    centres, found = images.permute(0, 2, 3, 1).flatten(0, 2), torch.empty_like(image)
    seen = windows.windows(image, patch, "circular")
    for index, row, column in np.ndindex(*seen.shape[:3]):
        nearest = (bank - seen[index, row, column]).square().sum(1).argmin()
        found[index, :, row, column] = centres[nearest]
    return found


def toy_by_rolls(x, alpha_bar, patch=3):
    reach = range(-(patch // 2), patch // 2 + 1)
    total = sum(x.roll((i, j), (2, 3)) for i in reach for j in reach)
    return 2 * torch.sigmoid(2 * math.sqrt(alpha_bar) * total / (1 - alpha_bar)) - 1


def toy_by_a_softmax(x, alpha_bar, patch=3):
    seen = windows.windows(x, patch, "circular").double()
    shades = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    logits = alpha_bar**0.5 * seen.sum(3, keepdim=True) * shades / (1 - alpha_bar)
    return (torch.softmax(logits, 3) @ shades)[:, None].to(x)


def toy_by_pooling(x, alpha_bar, patch=3):
    wide = functional.pad(x, (patch // 2,) * 4, mode="circular")
    total = functional.avg_pool2d(wide, patch, stride=1, divisor_override=1)
    return torch.tanh(total * (math.sqrt(alpha_bar) / (1 - alpha_bar)))


def toy_in_numpy(x, alpha_bar, patch=3):
    kernel = np.ones((patch, patch))
    sums = [scipy.ndimage.convolve(each[0].double().numpy(), kernel, mode="grid-wrap") for each in x]
    z = np.sqrt(alpha_bar) / (1 - alpha_bar) * np.stack(sums)
    return torch.from_numpy(np.tanh(z))[:, None].to(x)


def toy_by_convolution(x, alpha_bar, patch=3):
    ones = torch.ones(1, 1, patch, patch, dtype=x.dtype)
    total = functional.conv2d(functional.pad(x, (patch // 2,) * 4, mode="circular"), ones)
    return (alpha_bar**0.5 * total / (1 - alpha_bar)).tanh()


def wiener_by_eigenvectors(x, images, alpha_bar):
    rows = images.flatten(1).double()
    covariance = torch.cov(rows.T, correction=0).reshape(rows.shape[1], -1)
    values, vectors = torch.linalg.eigh(covariance)
    gains = alpha_bar**0.5 * values.clamp(min=0) / (alpha_bar * values.clamp(min=0) + 1 - alpha_bar)
    away = x.flatten(1).double() - alpha_bar**0.5 * rows.mean(0)
    return (rows.mean(0) + (away @ vectors * gains) @ vectors.T).reshape(x.shape).to(x.dtype)


def wiener_by_singular_values(x, images, alpha_bar):
    rows = images.flatten(1).double()
    mean = rows.mean(0)
    _, singular, axes = torch.linalg.svd(rows - mean, full_matrices=False)
    variances = singular**2 / len(rows)
    a, b2 = math.sqrt(alpha_bar), 1 - alpha_bar
    along = (x.flatten(1).double() - a * mean) @ axes.T
    return (mean + along * (a * variances / (a**2 * variances + b2)) @ axes).view_as(x).to(x)


def wiener_over_images(x, images, alpha_bar):
    """The other side of the matrix: N x N in place of pixels x pixels."""
    rows = images.flatten(1).double()
    mean = rows.mean(0)
    centred, a = rows - mean, alpha_bar**0.5
    gram = alpha_bar * centred @ centred.T + (1 - alpha_bar) * len(rows) * torch.eye(len(rows))
    weights = torch.linalg.solve(gram, centred @ (x.flatten(1).double() - a * mean).T)
    return (mean + a * weights.T @ centred).view_as(x).to(x)


def wiener_in_numpy(x, images, alpha_bar):
    rows = images.double().flatten(1).numpy()
    away = x.double().flatten(1).numpy() - np.sqrt(alpha_bar) * rows.mean(0)
    covariance = np.atleast_2d(np.cov(rows, rowvar=False, bias=True))
    noisy = alpha_bar * covariance + (1 - alpha_bar) * np.eye(len(covariance))
    estimate = rows.mean(0) + np.sqrt(alpha_bar) * (covariance @ np.linalg.solve(noisy, away.T)).T
    return torch.from_numpy(estimate).reshape(x.shape).to(x)


def wiener_by_an_inverse(x, images, alpha_bar):
    rows = images.flatten(1).double()
    mean = rows.mean(0)
    sigma = torch.einsum("ni,nj->ij", rows - mean, rows - mean) / rows.shape[0]
    inverse = torch.linalg.inv(alpha_bar * sigma + (1 - alpha_bar) * torch.eye(rows.shape[1]))
    matrix = alpha_bar**0.5 * sigma @ inverse
    flat = [mean + matrix @ (noisy.double().flatten() - alpha_bar**0.5 * mean) for noisy in x]
    return torch.stack(flat).reshape(x.shape).to(x)


RIGHT = {
    "ideal_denoiser": [
        ideal_by_distances,
        ideal_by_a_loop,
        ideal_in_numpy,
        ideal_from_a_tensor,
        ideal_in_float32,
        ideal_in_chunks,
    ],
    "ddim_step": [
        step_by_ratio,
        step_in_float64,
        step_by_the_score,
        step_from_double_tensors,
        step_pixel_by_pixel,
    ],
    "local_denoiser": [
        local_by_convolution,
        local_by_pooling,
        local_by_shifts,
        local_by_padded_images,
        local_by_cumulated_sums,
    ],
    "equivariant_local_denoiser": [
        patches_by_the_text,
        patches_by_attention,
        patches_by_rolled_images,
        patches_from_a_tensor,
    ],
    "log_marginal": [
        density_by_the_largest,
        density_in_chunks,
        density_in_float64,
        density_with_its_share,
        density_by_vmap,
    ],
    "same_border": [
        border_by_what_is_seen,
        border_by_windows,
        border_in_numpy,
        border_by_slices,
        border_by_the_hints,
    ],
    "patch_schedule": [
        schedule_of_votes,
        schedule_by_the_hints,
        schedule_one_noise_at_a_time,
        schedule_by_unit_vectors,
    ],
    "pearson_r": [
        correlation_of_standardised,
        correlation_by_numpy,
        correlation_by_scipy,
        correlation_by_the_cosine,
        correlation_with_deviations,
    ],
    "nearest_centres": [
        centres_by_products,
        centres_by_distances,
        centres_by_a_tree,
        centres_one_window_at_a_time,
    ],
    "two_image_denoiser": [
        toy_by_rolls,
        toy_by_a_softmax,
        toy_by_pooling,
        toy_in_numpy,
        toy_by_convolution,
    ],
    "wiener_denoiser": [
        wiener_by_eigenvectors,
        wiener_by_singular_values,
        wiener_over_images,
        wiener_in_numpy,
        wiener_by_an_inverse,
    ],
}


def by_machine(x, images, alpha_bar, **options):
    time = math.acos(math.sqrt(alpha_bar)) * 2 * schedule.STRETCH / math.pi
    return machines.Machine(images, **options)(x, time)


def task(x, images, alpha_bar, machine, patch=None, padding="zeros"):
    return machines.check(
        x, images, alpha_bar, machine=machine, patch=patch, padding=padding, labels=None, label=None
    )


def black_and_white(x):
    return torch.stack([-torch.ones_like(x[0]), torch.ones_like(x[0])])


ROADS = {
    "ideal_denoiser": {
        "denoise": lambda x, images, alpha_bar: machines.denoise(x, images, alpha_bar, machine="ideal"),
        "Machine": lambda x, images, alpha_bar: by_machine(x, images, alpha_bar, machine="ideal"),
        "provenance": lambda x, images, alpha_bar: images[
            machines.provenance(x, images, alpha_bar, machine="ideal").image[:, 0, 0]
        ],
        "mean": lambda x, images, alpha_bar: whole.ideal_mean(task(x, images, alpha_bar, "ideal")),
        "means": lambda x, images, alpha_bar: machines.MEANS["ideal"](task(x, images, alpha_bar, "ideal")),
        "local": lambda x, images, alpha_bar: machines.denoise(
            x, images, alpha_bar, machine="local", patch=2 * x.shape[-1] - 1
        ),
    },
    "ddim_step": {"alias": lambda *arguments: schedule.ddim_step(*arguments)},
    "local_denoiser": {
        "denoise": lambda x, images, alpha_bar, patch, padding="zeros": machines.denoise(
            x, images, alpha_bar, machine="local", patch=patch, padding=padding
        ),
        "Machine": lambda x, images, alpha_bar, patch, padding="zeros": by_machine(
            x, images, alpha_bar, machine="local", patches=patch, padding=padding
        ),
        "mean": lambda x, images, alpha_bar, patch, padding="zeros": local.local_mean(
            task(x, images, alpha_bar, "local", patch, padding)
        ),
        "means": lambda x, images, alpha_bar, patch, padding="zeros": machines.MEANS["local"](
            task(x, images, alpha_bar, "local", patch, padding)
        ),
    },
    "equivariant_local_denoiser": {
        "denoise": lambda x, images, alpha_bar, patch: machines.denoise(
            x, images, alpha_bar, machine="equivariant-local", patch=patch, padding="circular"
        ),
        "Machine": lambda x, images, alpha_bar, patch: by_machine(
            x, images, alpha_bar, machine="equivariant-local", patches=patch, padding="circular"
        ),
        "mean": lambda x, images, alpha_bar, patch: equivariant_local.equivariant_local_mean(
            task(x, images, alpha_bar, "equivariant-local", patch, "circular")
        ),
        "belief": lambda x, images, alpha_bar, patch: belief.belief(
            x[:1], images, alpha_bar, pixel=(0, 0), patch=patch, padding="circular"
        ),
    },
    "log_marginal": {"reference": lambda *arguments: checks.log_marginal.reference(*arguments)},
    "same_border": {
        "alias": lambda *arguments: windows.same_border(*arguments),
        "region": lambda size, patch, row, column: windows.region_of(size, patch, "zeros", row, column),
        "regions": lambda size, patch, row, column: list(windows.regions(size, patch, "zeros")),
        "stretches": lambda size, patch, row, column: windows.stretches(size, patch, "zeros"),
    },
    "patch_schedule": {
        "alias": lambda *arguments, **options: calibrate.patch_schedule(*arguments, **options),
        "calibrated": lambda network, images, candidates, **options: experiments.calibrated(
            None, network, images
        ),
        "cosine": lambda network, images, candidates, *, noise, padding="zeros", steps=20: calibrate._cosine(
            noise, noise
        ),
    },
    "pearson_r": {
        "alias": lambda a, b: calibrate.pearson_r(a, b),
        "by its square": lambda a, b: calibrate.r_squared(a, b).sqrt(),
        "cosine": lambda a, b: calibrate._cosine(
            a - a.mean((1, 2, 3), keepdim=True), b - b.mean((1, 2, 3), keepdim=True)
        ),
    },
    "nearest_centres": {
        "alias": lambda *arguments: mosaic.nearest_centres(*arguments, padding="circular"),
        "nearest": lambda image, images, patch: mosaic._nearest(image, images, None, "circular"),
        "denoise": lambda image, images, patch: machines.denoise(
            image, images, 1 - 1e-12, machine="equivariant-local", patch=patch, padding="circular"
        ),
        "provenance": lambda image, images, patch: machines.provenance(
            image, images, 1 - 1e-12, machine="equivariant-local", patch=patch, padding="circular"
        ),
    },
    "two_image_denoiser": {
        "alias": lambda *arguments: mosaic.two_image_denoiser(*arguments),
        "denoise": lambda x, alpha_bar, patch=3: machines.denoise(
            x, black_and_white(x), alpha_bar, machine="local", patch=patch, padding="circular"
        ),
        "mean": lambda x, alpha_bar, patch=3: local.local_mean(
            task(x, black_and_white(x), alpha_bar, "local", patch, "circular")
        ),
    },
    "wiener_denoiser": {
        "alias": lambda *arguments: wiener.wiener_denoiser(*arguments),
        "matrix": lambda x, images, alpha_bar: (
            x.flatten(1) @ wiener.wiener_matrix(images, alpha_bar)
        ).view_as(x),
    },
}

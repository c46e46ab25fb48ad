"""The rival's experiments: shuffled images, what maps are compared with, the embedded networks, and their making."""

from dataclasses import replace

import pytest
import torch
from scipy import stats

from oraledu.data.embedded import FOLDER
from oraledu.data.store import store
from oraledu.diffusion import networks, rival
from oraledu.diffusion.dense import Dense
from oraledu.diffusion.sampling import sample
from oraledu.diffusion.schedule import alpha_bar
from oraledu.diffusion.wiener import wiener_matrix
from tests.diffusion.awake import awake, noise, seeded

SHAPE = (len(rival.TIMES), len(rival.PIXELS), 14, 14)


@pytest.fixture
def made():
    images = {kind: torch.rand(2, 3, 1, 14, 14, generator=seeded()) * 2 - 1 for kind in rival.KINDS}
    maps = {kind: torch.rand(2, *SHAPE, generator=seeded()) for kind in rival.KINDS}
    patches = {kind: [5, 3] for kind in rival.KINDS}
    order = torch.randperm(196, generator=seeded(1))
    return rival.Rival(images, maps, patches, order, {"kinds": list(rival.KINDS), "run": {}})


def test_shuffling_puts_pixel_order_n_at_place_n_and_the_inverse_order_puts_it_back():
    images, order = noise(2, 3, 1, 2, 2), torch.tensor([2, 0, 3, 1])
    mixed = rival.shuffled(images, order)
    assert mixed[1, 2, 0, 0, 0] == images[1, 2, 0, 1, 0]
    assert mixed[1, 2, 0, 1, 1] == images[1, 2, 0, 0, 1]
    assert torch.equal(rival.shuffled(mixed, order.argsort()), images)


def test_the_filter_s_maps_are_rows_of_its_matrix_at_the_times_and_pixels_of_the_networks_maps():
    images = rival.training_images()[:50]
    maps = rival.wiener_maps(images)
    assert maps.shape == SHAPE
    for at, t in enumerate(rival.TIMES):
        matrix = wiener_matrix(images, alpha_bar(t))
        for number, (row, column) in enumerate(rival.PIXELS):
            expected = matrix.view(14, 14, 14, 14)[row, column].abs()
            torch.testing.assert_close(maps[at, number].double(), expected, rtol=1e-5, atol=1e-7)


def test_maps_are_alike_by_their_correlation_over_all_pixels_but_the_one_whose_estimate_it_is():
    maps, filters = torch.rand(3, *SHAPE, generator=seeded()), torch.rand(*SHAPE, generator=seeded(1))
    expected = torch.zeros(3)
    for seed in range(3):
        for at in range(len(rival.TIMES)):
            for number, (row, column) in enumerate(rival.PIXELS):
                one, both = (
                    [float(m[r, c]) for r in range(14) for c in range(14) if (r, c) != (row, column)]
                    for m in (maps[seed, at, number], filters[at, number])
                )
                expected[seed] += stats.pearsonr(one, both).statistic / (SHAPE[0] * SHAPE[1])
    torch.testing.assert_close(rival.likeness(maps, filters), expected, atol=1e-5, rtol=0)
    for number, (row, column) in enumerate(rival.PIXELS):
        maps[:, :, number, row, column] = 1e3
    torch.testing.assert_close(rival.likeness(maps, filters), expected, atol=1e-5, rtol=0)


def test_what_a_network_cannot_see_does_not_count_in_the_likeness():
    maps, filters = torch.rand(2, *SHAPE, generator=seeded()), torch.rand(*SHAPE, generator=seeded(1))
    maps[..., 3:6, :] = 0
    once = rival.likeness(maps, filters)
    filters[..., 3:6, :] += 5
    assert torch.equal(rival.likeness(maps, filters), once)


def test_of_the_eight_strongest_others_those_are_counted_that_touch_the_pixel_also_at_a_corner():
    maps = torch.zeros(2, *SHAPE)
    for number, (row, column) in enumerate(rival.PIXELS):
        maps[:, :, number, row, column] = 9.0
        maps[0, :, number, row - 1 : row + 2, column - 1 : column + 2] += 1.0
        maps[1, :, number, 0] = 0.5  # a far row of 14 pixels
        maps[1, :, number, row + 1, column + 1] = 1.0
        maps[1, :, number, row, column - 2] = 0.9
    assert rival.touching(maps).tolist() == [8.0, 1.0]


def test_an_interval_is_student_s():
    values = torch.tensor([0.1, 0.4, 0.2, 0.9, 0.5])
    middle, half = rival.interval(values)
    expected = stats.t.interval(0.95, 4, loc=values.double().mean(), scale=stats.sem(values.double().numpy()))
    assert (middle - half, middle + half) == pytest.approx(expected)


def test_each_kind_is_the_network_that_it_says():
    images = rival.training_images()[:4]
    tiny = replace(rival.RUN, steps=2, batch_size=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rival, "RUN", tiny)
        dense, convolutional = (rival.learned(kind, images, 0) for kind in rival.KINDS)
    assert isinstance(dense, Dense)
    assert isinstance(convolutional, networks.ResNet)
    assert convolutional.receptive_field == 11


def test_a_map_is_the_jacobian_of_its_pixel_along_the_network_s_own_trajectory():
    network, start = awake(networks.ResNet(width=12, depth=2, generator=seeded())), noise(8, 1, 14, 14)
    images, maps = rival.looked_at(network, start)
    path = sample(network.denoise, start)
    torch.testing.assert_close(images, path.images)
    for at, step in enumerate((0, 8, 16, 19)):
        for number in (0, 4, 5):
            expected = networks.input_jacobian(
                network.denoise, path.noisy[step], path.times[step], pixel=rival.PIXELS[number]
            )
            torch.testing.assert_close(maps[at, number], expected)


def test_the_embedded_networks_are_five_seeds_of_each_kind():
    found = rival.load()
    assert list(found.images) == list(found.maps) == list(found.patches) == list(rival.KINDS)
    for kind in rival.KINDS:
        assert found.images[kind].shape == (5, *rival.noises().shape)
        assert found.maps[kind].shape == (5, *SHAPE)
        assert len(found.patches[kind]) == 20
    assert torch.equal(found.order.sort().values, torch.arange(196))


def test_a_stored_map_of_the_shuffled_resnet_ends_at_its_field():
    away = networks.distances(rival.PIXELS[0], torch.zeros(14, 14))
    maps = rival.load().maps[rival.SHUFFLED][:, :, 0]
    assert (maps[..., away > 5] == 0).all()
    assert (maps[..., away <= 5] > 0).double().mean() > 0.9


def test_the_embedded_file_is_small_and_what_it_packs_to():
    content = (FOLDER / rival.FILE).read_bytes()
    assert len(content) < 400_000
    packed_alike = rival.pack(rival.load()) == content  # pytest would compare the bytes for minutes
    assert packed_alike


def test_what_is_packed_is_loaded(made, tmp_path):
    store({rival.FILE: rival.pack(made)}, tmp_path)
    loaded = rival.load(tmp_path)
    assert (loaded.patches, loaded.recipe) == (made.patches, made.recipe)
    assert torch.equal(loaded.order, made.order)
    for kind in rival.KINDS:
        torch.testing.assert_close(loaded.images[kind], made.images[kind], rtol=0, atol=1 / 255 + 1e-6)
        torch.testing.assert_close(loaded.maps[kind], made.maps[kind], rtol=1e-3, atol=1e-6)


def test_missing_or_damaged_networks_say_what_to_do(made, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"diffusion_rival.npz is missing; .oraledu doctor."):
        rival.load(tmp_path)
    store({rival.FILE: rival.pack(replace(made, recipe={"run": {}}))}, tmp_path)
    with pytest.raises(ValueError, match=r"diffusion_rival.npz does not fit .*: install oraledu anew"):
        rival.load(tmp_path)


def test_the_shuffled_kind_alone_meets_shuffled_images_and_noises(monkeypatch, tmp_path):
    kept, met, asked = {}, [], []
    plain, start = rival.training_images()[:4], rival.noises()[:2]
    monkeypatch.setattr(rival, "SEEDS", (0, 1))
    monkeypatch.setattr(rival, "training_images", lambda: plain)
    monkeypatch.setattr(rival, "noises", lambda calibration=False: start[: 1 + (not calibration)])
    monkeypatch.setattr(rival, "store", kept.update)
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    monkeypatch.setattr(rival, "learned", lambda *given: met.append(given) or Still())
    monkeypatch.setattr(rival, "looked_at", lambda network, each: (each, torch.zeros(SHAPE)))
    monkeypatch.setattr(
        rival, "patch_schedule", lambda *given, noise: asked.append((given[1:], noise)) or [5] * 20
    )
    rival.main()
    store(kept, tmp_path)
    written = rival.load(tmp_path)
    mixed = rival.shuffled(plain, written.order)
    assert [(kind, seed) for kind, _, seed in met] == [
        (kind, seed) for kind in rival.KINDS for seed in (0, 1)
    ]
    for kind, training, _ in met:
        assert torch.equal(training, mixed if kind == rival.SHUFFLED else plain)
    for kind, ((training, candidates), calibrating) in zip(rival.KINDS, asked, strict=True):
        assert torch.equal(training, mixed if kind == rival.SHUFFLED else plain)
        assert candidates[-1] == (11 if kind == rival.SHUFFLED else 27)
        one = start[:1]
        assert torch.equal(calibrating, rival.shuffled(one, written.order) if kind == rival.SHUFFLED else one)
    for kind in rival.KINDS:
        expected = rival.shuffled(start, written.order) if kind == rival.SHUFFLED else start
        for seed in (0, 1):
            torch.testing.assert_close(
                written.images[kind][seed], expected.clamp(-1, 1), rtol=0, atol=1 / 255 + 1e-6
            )


class Still:
    """A network whose denoiser is never asked."""

    denoise = None

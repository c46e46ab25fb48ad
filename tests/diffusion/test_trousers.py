"""The embedded trousers, how their legs are counted, and the making of them."""

from dataclasses import replace

import pytest
import torch

from oraledu import data
from oraledu.data.embedded import FOLDER
from oraledu.data.store import store
from oraledu.diffusion import experiments, study, trousers
from oraledu.diffusion.sampling import sample
from tests.diffusion.tiny import TINY


@pytest.fixture
def made():
    images = {name: torch.rand(3, 2, 1, 14, 14) * 2 - 1 for name in ("ResNet", "UNet")}
    patches = {name: [5, 3] for name in images}
    return trousers.Trousers(images, patches, {"runs": {"ResNet": {"steps": 3}, "UNet": {}}, "torch": "2"})


def test_a_leg_is_a_run_of_bright_pixels_wherever_it_begins_and_ends():
    rows = ["..##..##..", "##......##", "#.#.#.#.#.", "..........", "##########"]
    images = torch.tensor([[1.0 if pixel == "#" else -1.0 for pixel in row] for row in rows])
    assert trousers.legs(images[:, None, None], 0).tolist() == [2, 2, 5, 0, 1]


def test_grey_is_a_leg_and_nearly_black_is_none():
    image = torch.tensor([[-0.4, -0.6, -0.4]])[None, None]
    assert trousers.legs(image, 0).tolist() == [2]


def test_third_legs_are_counted_row_by_row_in_all_images_of_all_seeds():
    images = -torch.ones(2, 3, 1, 14, 14)
    images[0, 1, 0, 12, [0, 4, 8]] = images[1, 2, 0, 12, [0, 4, 8]] = images[1, 0, 0, 13, ::2] = 1
    images[..., 11, [2, 6]] = 1
    images[0, 0, 0, 10, ::3] = 1
    assert trousers.third_legs(images) == [0, 2, 1]


def test_all_trousers_are_there_and_nothing_else():
    clothes = data.fashion_mnist(pool=2)
    images = trousers.training_images()
    assert images.shape == (200, 1, 14, 14)
    names = [clothes.classes[int(label)] for label in clothes.labels]
    assert torch.equal(
        images, torch.stack([p for p, n in zip(clothes.pixels, names, strict=True) if n == "Trouser"])
    )


def test_no_real_trousers_have_more_than_two_legs_in_the_row_of_the_lesson():
    assert trousers.third_legs(trousers.training_images())[1] == 0


def test_the_embedded_pictures_are_two_seeds_of_each_architecture_from_the_same_noises():
    found = trousers.load()
    assert list(found.images) == list(found.patches) == ["ResNet", "UNet", "AttentionUNet"]
    for name, images in found.images.items():
        assert images.shape == (len(trousers.SEEDS), *trousers.noises().shape)
        assert images.abs().max() <= 1
        assert len(found.patches[name]) == 20
        assert set(found.patches[name]) <= set(trousers.RUNS[name].candidates)


def test_only_the_network_that_sees_patches_makes_many_third_legs():
    counts = {name: trousers.third_legs(images) for name, images in trousers.load().images.items()}
    for resnet, *unets in zip(*counts.values(), strict=True):
        assert resnet >= 6
        assert max(unets) < resnet / 2


def test_no_network_copies_its_trousers():
    training = trousers.training_images().flatten(1)
    for images in trousers.load().images.values():
        distances = torch.cdist(images[0].flatten(1), training).amin(1) / 14
        assert distances.median() > 0.1


def test_they_were_made_with_the_settings_of_the_module():
    recipe = trousers.load().recipe["runs"]
    for name, run in trousers.RUNS.items():
        assert run == replace(study.RUNS[name], steps=1000)
        kept = {key: tuple(each) if isinstance(each, list) else each for key, each in recipe[name].items()}
        assert type(run)(**kept) == run


def test_the_embedded_file_is_small_and_what_its_pictures_pack_to():
    content = (FOLDER / trousers.FILE).read_bytes()
    assert len(content) < 200_000
    assert trousers.pack(trousers.load()) == content


def test_what_is_packed_is_loaded(made, tmp_path):
    store({trousers.FILE: trousers.pack(made)}, tmp_path)
    loaded = trousers.load(tmp_path)
    assert (loaded.patches, loaded.recipe) == (made.patches, made.recipe)
    for name, images in made.images.items():
        torch.testing.assert_close(loaded.images[name], images, rtol=0, atol=1 / 255 + 1e-6)


def test_what_is_brighter_than_white_is_kept_as_white(made):
    bright = replace(made, images={name: 3 * torch.ones(3, 2, 1, 14, 14) for name in made.images})
    white = replace(made, images={name: torch.ones(3, 2, 1, 14, 14) for name in made.images})
    assert trousers.pack(bright) == trousers.pack(white)


def test_every_network_is_trained_on_trousers_from_its_seed_and_the_first_is_calibrated(
    monkeypatch, tmp_path
):
    kept, asked, tiny, four = {}, [], TINY, trousers.training_images()[:4]
    noise = trousers.noises()[:2]
    monkeypatch.setattr(trousers, "RUNS", {"ResNet": tiny})
    monkeypatch.setattr(trousers, "training_images", lambda: four)
    monkeypatch.setattr(trousers, "noises", lambda: noise)
    monkeypatch.setattr(trousers, "store", kept.update)
    monkeypatch.setattr(trousers, "calibrated", lambda *given: asked.append(given) or [7, 3])
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    trousers.main()
    networks = [
        experiments.learn(tiny, four, torch.Generator().manual_seed(seed))[0] for seed in trousers.SEEDS
    ]
    images = torch.stack([sample(network.denoise, noise).images for network in networks])
    store(kept, tmp_path)
    written = trousers.load(tmp_path)
    torch.testing.assert_close(written.images["ResNet"], images.clamp(-1, 1), rtol=0, atol=1 / 255 + 1e-6)
    assert written.patches == {"ResNet": [7, 3]}
    ((run, calibrated, compared),) = asked
    assert (run, compared) == (tiny, four)
    for mine, expected in zip(calibrated.parameters(), networks[0].parameters(), strict=True):
        assert torch.equal(mine, expected)
    assert written.recipe["runs"]["ResNet"]["steps"] == tiny.steps


def test_missing_or_damaged_pictures_say_what_to_do(made, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"diffusion_trousers.npz is missing; .oraledu doctor. says what to do"
    ):
        trousers.load(tmp_path)
    lacking = replace(made, recipe={"torch": "2"})
    fewer = replace(made, patches={"ResNet": [5, 3]})
    for other in (lacking, fewer):
        store({trousers.FILE: trousers.pack(other)}, tmp_path)
        with pytest.raises(ValueError, match=r"diffusion_trousers.npz does not fit .*: install oraledu anew"):
            trousers.load(tmp_path)
    (tmp_path / trousers.FILE).write_bytes(trousers.pack(made))
    with pytest.raises(ValueError, match=r"diffusion_trousers.npz is damaged"):
        trousers.load(tmp_path)

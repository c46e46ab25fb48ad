"""The embedded networks: complete, small, made by the settings of the lesson; and what a broken file says."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch

from making import checkpoints as making
from oraledu.data.embedded import FOLDER
from oraledu.data.store import store
from oraledu.diffusion import checkpoints
from oraledu.diffusion.checkpoints import FILES, load, pack
from oraledu.diffusion.settings import QUICK
from tests.diffusion.awake import noise
from tests.diffusion.tiny import TINY

EACH = pytest.mark.parametrize("name", FILES)


@pytest.fixture(scope="module")
def small():
    return making.make(TINY)


@EACH
def test_the_recipe_is_that_of_the_lesson(name):
    checkpoint = load(name)
    lesson = {"fashion-zeros": QUICK.fashion, "mnist-circular": QUICK.mnist}[name]
    # How many images are compared afterwards does not change the network.
    assert checkpoint.run == replace(lesson, noises=checkpoint.run.noises)
    assert checkpoint.recipe["seed"] == making.SEED
    assert {"torch", "numpy", "loss"} <= set(checkpoint.recipe)


@EACH
def test_the_schedule_has_one_candidate_a_step_and_goes_from_coarse_to_fine(name):
    patches = load(name).patches
    assert len(patches) == 20
    assert set(patches) <= set(QUICK.fashion.candidates)
    assert patches[0] > patches[-1]


@EACH
def test_the_network_is_trained_and_in_float32(name):
    network = load(name).network
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert network.padding == name.partition("-")[2]
    x = noise(2, 1, 14, 14).float()
    assert network.denoise(x, 1.0).abs().max() > 0.1


@EACH
def test_a_file_is_small(name):
    assert (FOLDER / FILES[name]).stat().st_size < 250_000


def test_what_is_packed_is_loaded(small, tmp_path):
    store({FILES["fashion-zeros"]: pack(small)}, tmp_path)
    loaded = load("fashion-zeros", tmp_path)
    assert (loaded.run, loaded.patches, loaded.recipe) == (small.run, small.patches, small.recipe)
    x = noise(1, 1, 14, 14).float()
    assert torch.equal(loaded.network(x, 0.5), small.network(x, 0.5))


def test_making_it_twice_gives_the_same_bytes(small):
    assert pack(making.make(TINY)) == pack(small)


def test_all_are_made_and_put_where_they_are_looked_for(small, monkeypatch):
    made = {}
    monkeypatch.setattr(making, "make", lambda run: small)
    monkeypatch.setattr(making, "store", made.update)
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    making.main()
    assert sorted(made) == sorted(FILES.values())


def test_an_unknown_name_is_refused():
    with pytest.raises(
        ValueError, match="name must be one of 'fashion-zeros', 'mnist-circular', got 'cifar'"
    ):
        load("cifar")


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"diffusion_mnist_circular.npz is missing; .oraledu doctor. says what to do"
    ):
        load("mnist-circular", tmp_path)


def test_a_damaged_file_says_so(small, tmp_path):
    file, content = FILES["fashion-zeros"], pack(small)
    store({file: content}, tmp_path)
    for damaged in (content[:-1], b"", content[:3000] + bytes([content[3000] ^ 1]) + content[3001:]):
        (tmp_path / file).write_bytes(damaged)
        with pytest.raises(ValueError, match=r"diffusion_fashion_zeros.npz is damaged"):
            load("fashion-zeros", tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("last.weight", None),
        ("first.weight", np.zeros((4, 1, 5, 5), np.float32)),
        ("more.weight", np.zeros(3, np.float32)),
        ("recipe", None),
        ("recipe", np.frombuffer(b"{}", np.uint8)),
        ("recipe", np.frombuffer(b'{"run": {"colour": 3}}', np.uint8)),
        ("recipe", np.frombuffer(b"nonsense", np.uint8)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name, value, small, tmp_path):
    with np.load(io.BytesIO(pack(small))) as arrays:
        content = dict(arrays)
    if value is None:
        del content[name]
    else:
        content[name] = value
    np.savez(packed := io.BytesIO(), **content)
    store({FILES["fashion-zeros"]: packed.getvalue()}, tmp_path)
    with pytest.raises(ValueError, match=r"does not fit this version .*: install oraledu anew"):
        load("fashion-zeros", tmp_path)


def test_the_names_of_the_files_tell_the_names_of_the_networks():
    assert {checkpoints.FILES[name] for name in FILES} == {
        f"diffusion_{name.replace('-', '_')}.npz" for name in FILES
    }

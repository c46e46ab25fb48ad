"""The embedded states of the vision transformers: what compression keeps, and what a broken file says."""

import io

import numpy as np
import pytest
import torch

from oraledu.data.store import store
from oraledu.data.vision_states import FILES, compress, decompress, pack_vision, vision_states

NAME = "vit-supervised"


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def content():
    pooled = {"fit": normal(3, 6, 5), "test": normal(3, 4, 5)}
    return pack_vision(normal(3, 2, 7, 5), pooled, normal(3, 4, 2, 5), {"seed": 4})


@pytest.mark.parametrize("shape", [(3, 20, 5), (3, 4, 6, 5)])
def test_a_coordinate_is_off_by_half_a_step_of_its_row_at_most(shape):
    states = normal(*shape) + 30 * normal(3, *[1] * (len(shape) - 2), 5, seed=1)
    states[1, 2] *= 1e4  # one huge row costs the others nothing
    parts = compress(states)
    found = decompress(**parts)
    assert found.shape == states.shape
    assert found.dtype == torch.float32
    assert parts["levels"].dtype == np.int8
    rest = states - states.flatten(1, -2).mean(dim=1).reshape(3, *[1] * (len(shape) - 2), 5)
    largest = rest.abs().amax(dim=-1, keepdim=True)
    assert ((found - states).abs() <= 0.501 * largest / 127 + 1e-6 * states.abs()).all()


def test_states_that_are_all_alike_are_kept():
    states = torch.full((2, 3, 4), 7.0)
    assert torch.equal(decompress(**compress(states)), states)


def test_what_is_packed_is_read(content, tmp_path):
    store({FILES[NAME]: content}, tmp_path)
    states = vision_states(NAME, tmp_path)
    assert (states.name, states.layers, states.prompts) == (NAME, 3, ("test image 0", "test image 1"))
    assert states.views.shape == (3, 4, 2, 5)
    assert {part: pooled.shape for part, pooled in states.pooled.items()} == {
        "fit": (3, 6, 5),
        "test": (3, 4, 5),
    }
    tokens = normal(3, 2, 7, 5)
    for place, gram in enumerate(states.grams):
        expected = tokens[:, place] @ tokens[:, place].mT
        assert (gram - expected).abs().max() < 0.02 * expected.abs().max()


def test_an_unknown_name_is_refused(tmp_path):
    with pytest.raises(ValueError, match="name must be one of 'vit-autoregressive', 'vit-supervised', got"):
        vision_states("vit-masked", tmp_path)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"vit_supervised\.npz is missing; .oraledu doctor. says what to do"
    ):
        vision_states(NAME, tmp_path)


def test_a_damaged_file_says_so(content, tmp_path):
    store({FILES[NAME]: content}, tmp_path)
    (tmp_path / FILES[NAME]).write_bytes(content[:-1])
    with pytest.raises(ValueError, match=r"vit_supervised\.npz is damaged"):
        vision_states(NAME, tmp_path)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("views_levels", None),
        ("fit_mean", np.zeros((3, 4), np.float32)),
        ("tokens_scale", np.zeros((3, 2, 6), np.float32)),
        ("recipe", np.frombuffer(b"nonsense", np.uint8)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(part, value, content, tmp_path):
    with np.load(io.BytesIO(content)) as arrays:
        changed = dict(arrays)
    if value is None:
        del changed[part]
    else:
        changed[part] = value
    np.savez(packed := io.BytesIO(), **changed)
    store({FILES[NAME]: packed.getvalue()}, tmp_path)
    with pytest.raises(ValueError, match=r"does not fit this version .*: install oraledu anew"):
        vision_states(NAME, tmp_path)

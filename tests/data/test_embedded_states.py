import functools
import shutil
from pathlib import Path

import pytest
import torch

from oraledu import data
from oraledu.data import wordnet
from oraledu.data.embedded import CHECKSUMS, FOLDER
from oraledu.data.layer_states import FILES
from oraledu.data.texts import FILE

#: Reading takes a second or two.
layer_states = functools.cache(data.layer_states)

SHAPES = {"smollm2-135m": (32, 576), "minilm-l6": (7, 384)}


@pytest.mark.parametrize("name", FILES)
def test_every_text_has_a_state_in_every_layer(name: str):
    states, texts = layer_states(name), wordnet()
    layers, width = SHAPES[name]
    assert (states.name, states.layers, states.prompts) == (name, layers, texts.prompts)
    for key, each in texts.texts.items():
        assert states.pooled[key].shape == (layers, len(each), width)
    assert states.views.shape == (layers, 40, 5, 200)
    assert len(states.grams) == 40
    for gram in states.grams:
        assert gram.shape[0] == layers
        assert torch.equal(gram, gram.mT)


def test_the_first_token_of_the_decoder_outweighs_all_others_in_the_middle():
    grams = layer_states("smollm2-135m").grams
    shares = torch.stack(
        [gram.diagonal(dim1=-2, dim2=-1)[:, 0] / gram.diagonal(dim1=-2, dim2=-1).sum(-1) for gram in grams]
    )
    assert shares[:, 12:21].min() > 0.99
    assert shares[:, 11].max() < 0.2


def test_the_mean_with_the_first_token_points_to_that_token_in_the_middle():
    states = layer_states("smollm2-135m")
    with_first, without = (each["noun"][16] for each in (states.with_first, states.pooled))
    assert torch.cosine_similarity(with_first[:100], with_first[100:200]).min() > 0.99
    assert (with_first.norm(dim=1) > 2 * without.norm(dim=1)).all()


def test_the_encoder_has_no_states_with_the_first_token():
    assert layer_states("minilm-l6").with_first == {}


def test_the_language_models_take_less_than_twelve_megabytes():
    assert sum((FOLDER / file).stat().st_size for file in [*FILES.values(), FILE]) < 12e6


def test_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match=r"name must be one of smollm2-135m, minilm-l6, .* got 'gpt'"):
        layer_states("gpt")


def test_a_vision_transformer_is_found_by_its_name_too():
    assert layer_states("vit-supervised").name == "vit-supervised"


def test_a_damaged_file_is_refused(tmp_path: Path):
    for file in (CHECKSUMS, FILE):
        shutil.copy(FOLDER / file, tmp_path)
    file = FILES["minilm-l6"]
    (tmp_path / file).write_bytes((FOLDER / file).read_bytes()[1:])
    with pytest.raises(ValueError, match="damaged"):
        layer_states("minilm-l6", tmp_path)

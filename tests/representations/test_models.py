"""Hidden states of models of several kinds, offline, on tiny random ones."""

import sys
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
import transformers

from oraledu.data import TextSets, layer_states, wordnet
from oraledu.data.texts import SETS
from oraledu.representations.models import hidden_states, image_states, is_live, live, load, pool, states
from tests.representations.tiny_models import (
    BLOCKS,
    IMAGE_MODELS,
    TEXT_MODELS,
    WIDTH,
    save_image_model,
    save_text_model,
)

TEXTS = ["a bird sings", "the bird sings far away in the tree", "tree", "a tree in the far away tree"]
TEXT_KINDS = pytest.mark.parametrize("kind", TEXT_MODELS)
IMAGE_KINDS = pytest.mark.parametrize("kind", IMAGE_MODELS)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


@TEXT_KINDS
def test_a_text_has_its_states_whatever_it_is_batched_with(kind: str, tmp_path: Path):
    name = save_text_model(kind, tmp_path)
    together = hidden_states(name, TEXTS, batch_size=4)
    alone = [hidden_states(name, [text])[0] for text in TEXTS]
    for one, other, text in zip(together, alone, TEXTS, strict=True):
        extra = 2 if kind == "bert" else 1
        layers = BLOCKS + 1 if kind == "bert" else BLOCKS + 2
        assert one.shape == (layers, len(text.split()) + extra, WIDTH)
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@TEXT_KINDS
def test_the_layers_are_those_of_transformers_and_the_residual_besides(kind: str, tmp_path: Path):
    name = save_text_model(kind, tmp_path)
    (found,) = hidden_states(name, TEXTS[:1])
    network = transformers.AutoModel.from_pretrained(name).eval()
    first = 1 if kind == "bert" else 4
    numbers = torch.tensor([[first, 5, 6, 7, *([2] if kind == "bert" else [])]])
    with torch.no_grad():
        expected = network(input_ids=numbers, output_hidden_states=True)
    theirs = torch.cat(expected.hidden_states)
    ours = found[1:] if kind == "mamba" else found[:BLOCKS]  # that one's list begins after the first block
    torch.testing.assert_close(ours[:BLOCKS], theirs[:BLOCKS], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found[-1], expected.last_hidden_state[0], rtol=1e-4, atol=1e-5)
    if kind != "bert":
        assert not torch.allclose(found[-2], found[-1], atol=1e-2)


def test_loading_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    name = save_text_model("llama", tmp_path)
    capfd.readouterr()
    hidden_states(name, TEXTS[:1])
    assert capfd.readouterr() == ("", "")


def test_the_final_norm_of_the_residual_is_the_last_layer(tmp_path: Path):
    name = save_text_model("llama", tmp_path)
    (found,) = hidden_states(name, TEXTS[:1])
    with torch.no_grad():
        torch.testing.assert_close(load(name).network.norm(found[-2]), found[-1])


@pytest.mark.parametrize("kind", ["llama", "pythia", "mamba"])
def test_a_decoder_does_not_look_ahead(kind: str, tmp_path: Path):
    name = save_text_model(kind, tmp_path)
    short, long = hidden_states(name, ["a bird", "a bird sings in the tree"])
    torch.testing.assert_close(short, long[:, :3], rtol=1e-4, atol=1e-5)


def test_an_encoder_does(tmp_path: Path):
    name = save_text_model("bert", tmp_path)
    short, long = hidden_states(name, ["a bird", "a bird sings in the tree"])
    assert not torch.allclose(short[-1, :3], long[-1, :3], atol=1e-3)


def test_a_long_text_is_cut(tmp_path: Path):
    name = save_text_model("llama", tmp_path)
    (found,) = hidden_states(name, TEXTS[1:2], max_tokens=4)
    torch.testing.assert_close(found, hidden_states(name, TEXTS[1:2])[0][:, :4], rtol=1e-4, atol=1e-5)


@IMAGE_KINDS
def test_an_image_has_a_class_token_and_its_patches_in_every_layer(kind: str, tmp_path: Path):
    name = save_image_model(kind, tmp_path)
    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    together = image_states(name, images)
    assert [each.shape for each in together] == [(BLOCKS + 2, 5, WIDTH)] * 3
    torch.testing.assert_close(together[2], image_states(name, images[2:])[0], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-3)


def test_a_masked_autoencoder_sees_every_patch_in_its_order(tmp_path: Path):
    name = save_image_model("mae", tmp_path)
    images = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    changed = images.clone()
    changed[..., 4:, :4] = 0  # the third patch of four
    before, after = (image_states(name, each)[0][0] for each in (images, changed))
    assert [torch.allclose(*pair) for pair in zip(before, after, strict=True)] == [
        True,
        True,
        True,
        False,
        True,
    ]


def test_pooling_leaves_the_first_token_out_but_of_a_text_that_is_one_token():
    text, one = torch.tensor([[[100.0], [1], [3]]]), torch.tensor([[[7.0]]])
    assert pool([text, one]).tolist() == [[[2], [7]]]
    assert pool([text], first_token=True).tolist() == [[[pytest.approx(104 / 3)]]]
    with pytest.raises(ValueError, match="states must hold at least one text"):
        pool([])


@pytest.mark.parametrize(
    ("texts", "options", "error", "words"),
    [
        ("a bird", {}, TypeError, "texts must be a list of strings"),
        ([], {}, ValueError, "texts must hold at least one text"),
        (["a", " "], {}, ValueError, "texts must not be blank"),
        ([3], {}, TypeError, "texts must be strings, got int"),
        (["a"], {"batch_size": 0}, ValueError, "batch_size and max_tokens must be at least 1"),
        (["a"], {"max_tokens": 0}, ValueError, "batch_size and max_tokens must be at least 1"),
    ],
)
def test_texts_that_have_no_states_are_refused(texts, options, error, words):
    with pytest.raises(error, match=words):
        hidden_states("never loaded", texts, **options)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.zeros(3, 8, 8), r"images must have shape \(n, 3, H, W\)"),
        (torch.zeros(0, 3, 8, 8), r"images must have shape \(n, 3, H, W\)"),
        (torch.full((1, 3, 8, 8), 255.0), r"images must be float in \[0, 1\]"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), r"images must be float in \[0, 1\]"),
    ],
)
def test_images_that_have_no_states_are_refused(images, words):
    with pytest.raises(ValueError, match=words):
        image_states("never loaded", images)


def test_an_unknown_model_says_what_to_look_at():
    with pytest.raises(FileNotFoundError, match=r"name is 'no/such': .*check its spelling and the network"):
        hidden_states("no/such", ["a"])


def test_a_model_that_was_not_fetched_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ORALEDU_WEIGHTS", str(tmp_path))
    load.cache_clear()
    for name in ("smollm2-135m", "minilm-l6"):
        with pytest.raises(FileNotFoundError, match=f"'oraledu fetch {name}' brings it"):
            hidden_states(name, ["a"])


def test_without_transformers_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'oraledu\[models\]'"):
        hidden_states("never loaded either", ["a"])


def test_a_model_with_two_stacks_is_refused(tmp_path: Path):
    sizes = {"d_model": 8, "d_ff": 8, "d_kv": 4, "num_layers": 1, "num_heads": 2, "vocab_size": 20}
    transformers.T5Model(transformers.T5Config(**sizes)).save_pretrained(tmp_path)
    save_text_model("bert", tmp_path / "other")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "other" / file).rename(tmp_path / file)
    with pytest.raises(ValueError, match="encoder and decoder"):
        load(str(tmp_path))


def test_a_lesson_reads_the_embedded_states(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ORALEDU_MODEL", raising=False)
    assert not is_live()
    assert torch.equal(states("minilm-l6").views, layer_states("minilm-l6").views)


def test_texts_of_ones_own_need_the_live_model(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ORALEDU_MODEL", raising=False)
    for options in ({"texts": wordnet()}, {"prompts": ["my own"]}):
        with pytest.raises(ValueError, match=r"'oraledu fetch minilm-l6', then ORALEDU_MODEL=live"):
            states("minilm-l6", **options)


def test_the_live_model_gives_states_in_the_same_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ORALEDU_MODEL", "live")
    name = save_text_model("llama", tmp_path)
    texts = TextSets(dict.fromkeys(SETS, ("a bird", "the tree")), {}, {}, torch.ones(2), ("a bird sings",))
    found = states(name, texts, prompts=["the tree in the tree", "far away"])
    assert (found.name, found.layers) == (name, BLOCKS + 2)
    assert found.prompts == ("the tree in the tree", "far away")
    assert [gram.shape for gram in found.grams] == [(5, 6, 6), (5, 3, 3)]
    assert found.views.shape == (5, 2, live.VIEWS, WIDTH)
    for key in SETS:
        assert found.pooled[key].shape == found.with_first[key].shape == (5, 2, WIDTH)
        assert not torch.allclose(found.pooled[key], found.with_first[key])


def test_the_switch_knows_two_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ORALEDU_MODEL", "on")
    with pytest.raises(ValueError, match="ORALEDU_MODEL is 'on'; set it to live or embedded"):
        states("minilm-l6")


def test_noisy_copies_are_the_same_every_time():
    prompts = wordnet().prompts[:3]
    assert live.noisy(prompts) == live.noisy(prompts)
    assert len({copy for each in live.noisy(prompts) for copy in each}) == 15

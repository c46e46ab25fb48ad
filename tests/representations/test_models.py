"""Hidden states of models of several kinds, offline, on tiny random ones."""

import json
import sys
from pathlib import Path

import huggingface_hub.constants
import pytest
import safetensors.torch
import torch
import transformers

from oraledu.data import TextSets, layer_states, wordnet
from oraledu.data.texts import SETS
from oraledu.representations.models import (
    hidden_states,
    image_states,
    is_live,
    live,
    load,
    pool,
    pooled_states,
    states,
    tokens,
)
from tests.representations.shrink import shrunk
from tests.representations.tiny_models import (
    BLOCKS,
    HEADS,
    IMAGE_MODELS,
    SIZES,
    TEXT_MODELS,
    TEXTS,
    WIDTH,
    save_image_model,
    save_text_model,
    tokenizer,
)

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


ENCODERS = {
    "bert": (transformers.BertModel(transformers.BertConfig(**SIZES, **HEADS, max_position_embeddings=6)), 6),
    # RoBERTa counts positions from the one after the pad's.
    "roberta": (
        transformers.RobertaModel(
            transformers.RobertaConfig(**SIZES, **HEADS, max_position_embeddings=8, pad_token_id=1)
        ),
        6,
    ),
}


@pytest.mark.parametrize("kind", ENCODERS)
def test_a_text_is_cut_where_the_positions_end_and_keeps_its_last_token(kind: str, tmp_path: Path):
    network, most = ENCODERS[kind]
    network.save_pretrained(tmp_path)
    tokenizer("bert").save_pretrained(tmp_path)
    name, text = str(tmp_path), "the bird sings far away in the tree"
    (found,) = hidden_states(name, [text])
    assert found.shape[1] == most
    torch.testing.assert_close(found, hidden_states(name, ["the bird sings far"])[0])
    assert hidden_states(name, [text], max_tokens=3)[0].shape[1] == 3


def test_a_text_is_cut_where_the_tokenizer_says_without_a_word(tmp_path: Path, caplog):
    name = save_text_model("llama", tmp_path)
    reader = tokenizer("llama")
    reader.model_max_length = 5
    reader.save_pretrained(name)
    assert hidden_states(name, TEXTS[1:2])[0].shape[1] == 5
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("llama", "<s> a bird"),
        ("bert", "[CLS] a bird [SEP]"),
        ("big_bird", "[CLS] a bird [SEP]"),
        ("xlnet", "a bird [SEP] [CLS]"),
    ],
)
def test_a_text_has_the_special_tokens_of_its_tokenizer_and_no_more(kind: str, expected: str):
    reader = tokenizer(kind)
    (numbers,) = tokens.tokenize(reader, ["a bird"])
    assert " ".join(reader.convert_ids_to_tokens(numbers)) == expected
    (cut,) = tokens.tokenize(reader, ["a bird sings in the tree"], 4)
    assert len(cut) == 4
    assert reader.convert_ids_to_tokens(cut)[-1] == {"llama": "sings"}.get(kind, expected.split()[-1])
    assert tokens.tokenize(reader, ["a bird"], 1) == [numbers[:1]] or kind != "llama"


def without(network, folder: Path, change) -> str:
    """Save a network whose file has other weights, with a tokenizer."""
    network.save_pretrained(folder)
    weights = change(safetensors.torch.load_file(folder / "model.safetensors"))
    safetensors.torch.save_file(weights, folder / "model.safetensors", {"format": "pt"})
    tokenizer("llama").save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda weights: {key: weights[key] for key in weights if "layers.2." not in key and key != "norm.weight"},
            r"lacks 10 weights of LlamaModel, such as layers.2.*which would be random: save the whole model",
        ),
        (
            lambda weights: {f"module.{key}": each for key, each in weights.items()},
            r"lacks 29 weights of LlamaModel, .* it has others, such as module\.embed_tokens\.weight",
        ),
    ],
)  # fmt: skip
def test_weights_that_the_file_lacks_are_not_drawn_at_random(change, words: str, tmp_path: Path):
    network = transformers.LlamaModel(transformers.LlamaConfig(**SIZES, **HEADS))
    with pytest.raises(ValueError, match=words):
        load(without(network, tmp_path, change))


def test_a_head_too_many_and_a_pooler_too_few_do_no_harm(tmp_path: Path):
    network = transformers.BertForMaskedLM(transformers.BertConfig(**SIZES, **HEADS))
    name = without(network, tmp_path, lambda weights: weights)
    assert len(hidden_states(name, TEXTS[:1])[0]) == BLOCKS + 1


def test_a_tower_that_is_not_asked_may_lack_weights(tmp_path: Path):
    network = shrunk("clip")
    name = without(
        network, tmp_path, lambda weights: {key: each for key, each in weights.items() if "vision" not in key}
    )
    assert len(hidden_states(name, TEXTS[:1])[0]) == 6
    load.cache_clear()
    with pytest.raises(ValueError, match=r"lacks .* weights of CLIPModel, such as vision_model"):
        load(name, "images")


def break_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-100])


def break_code(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    code = {"auto_map": {"AutoConfig": "mine.Config", "AutoModel": "mine.Model"}, "model_type": "mine"}
    (folder / "config.json").write_text(json.dumps(config | code))
    (folder / "mine.py").write_text("raise SystemExit")


@pytest.mark.parametrize(
    ("fault", "kind", "error", "words"),
    [
        (lambda folder: (folder / "tokenizer.json").unlink(), "text", ValueError, "can read no tokenizer from it"),
        (lambda folder: None, "images", FileNotFoundError, "can read no image processor from it"),
        (lambda folder: (folder / "model.safetensors").unlink(), "text", FileNotFoundError, "can read no network"),
        (break_weights, "text", ValueError, "can read no network from it"),
        (break_code, "text", ValueError, "can read no network from it"),
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_read_says_what_is_amiss(
    fault, kind, error, words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("builtins.input", lambda _: "y")  # no one is asked whether code of the folder may run
    name = save_text_model("llama", tmp_path)
    fault(tmp_path)
    with pytest.raises(error, match=words) as refusal:
        load(name, kind)
    assert "\n" not in str(refusal.value)


def test_a_file_is_no_folder(tmp_path: Path):
    (tmp_path / "model.gguf").write_bytes(b"GGUF" * 9)
    with pytest.raises(
        (ValueError, FileNotFoundError), match=r"model\.gguf': transformers can read no network from it"
    ):
        load(str(tmp_path / "model.gguf"))


def test_the_pooled_states_of_many_texts_are_those_of_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    name = save_text_model("llama", tmp_path)
    monkeypatch.setattr(live, "_CHUNK", 2)
    found = pooled_states(name, TEXTS[:3], device="cpu")
    states = hidden_states(name, TEXTS[:3])
    for ours, expected in zip(found, (pool(states), pool(states, first_token=True)), strict=True):
        torch.testing.assert_close(ours, expected)


@IMAGE_KINDS
def test_an_image_has_a_class_token_and_its_patches_in_every_layer(kind: str, tmp_path: Path):
    name = save_image_model(kind, tmp_path)
    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    together = image_states(name, images).states
    assert [each.shape for each in together] == [(BLOCKS + 2, 5, WIDTH)] * 3
    torch.testing.assert_close(together[2], image_states(name, images[2:]).states[0], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-3)


def test_a_masked_autoencoder_sees_every_patch_in_its_order(tmp_path: Path):
    name = save_image_model("mae", tmp_path)
    images = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    changed = images.clone()
    changed[..., 4:, :4] = 0  # the third patch of four
    before, after = (image_states(name, each).states[0][0] for each in (images, changed))
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

"""One tiny random model of each kind: its states are what its own modules give, or it is refused in one line."""

import re
import threading
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
import transformers
from torch import Tensor, nn

from oraledu.representations.models import hidden_states, image_states, load, pool, text
from oraledu.representations.models.capture import capture
from tests.representations.shrink import BLOCKS, WIDTH, shrunk
from tests.representations.tiny_models import TEXTS, save_processor, tokenizer

#: Kind: what differs from the small model, the module that the embedding enters, the blocks in the order in which they
#: run, and the final norm.
KINDS: dict[str, tuple[dict[str, Any], str, list[str], str]] = {
    kind: (changes, first or blocks[0], blocks, norm)
    for kind, changes, first, blocks, norm in (
        ("llama", {}, "", [f"layers.{i}" for i in range(4)], "norm"),
        ("mixtral", {}, "", [f"layers.{i}" for i in range(4)], "norm"),
        ("deepseek_v3", {}, "", [f"layers.{i}" for i in range(4)], "norm"),
        ("gpt2", {}, "", [f"h.{i}" for i in range(4)], "ln_f"),
        ("gpt_neox", {}, "", [f"layers.{i}" for i in range(4)], "final_layer_norm"),
        ("mamba", {}, "", [f"layers.{i}" for i in range(4)], "norm_f"),
        ("jamba", {}, "", [f"layers.{i}" for i in range(4)], "final_layernorm"),
        ("modernbert", {}, "", [f"layers.{i}" for i in range(4)], "final_norm"),
        ("bert", {}, "", [f"encoder.layer.{i}" for i in range(4)], ""),
        ("dpr", {}, "", [f"question_encoder.bert_model.encoder.layer.{i}" for i in range(4)], ""),
        ("fnet", {}, "", [f"encoder.layer.{i}" for i in range(4)], ""),
        ("mobilebert", {}, "", [f"encoder.layer.{i}" for i in range(4)], ""),
        ("convbert", {}, "", [f"encoder.layer.{i}" for i in range(4)], ""),
        ("nystromformer", {}, "", [f"encoder.layer.{i}" for i in range(4)], ""),
        ("yoso", {}, "", [f"encoder.layer.{i}" for i in range(4)], ""),
        # One block in a list of one, called four times.
        ("albert", {}, "", ["encoder.albert_layer_groups.0"], ""),
        # No module is a block.
        ("xlm", {}, "attentions.0", [f"layer_norm2.{i}" for i in range(4)], ""),
        # Two stacks in turns.
        (
            "hrm_text",
            {"num_layers_per_stack": 2},
            "",
            [f"{stack}_module.layers.{i}" for stack in "LH" for i in range(2)],
            "H_module.final_norm",
        ),
        # Between the first two blocks a convolution.
        (
            "deberta-v2",
            {"conv_kernel_size": 3},
            "encoder.layer.0",
            ["encoder.conv", *(f"encoder.layer.{i}" for i in range(1, 4))],
            "",
        ),
        # The last state is projected to another width.
        (
            "opt",
            {"word_embed_proj_dim": 16, "do_layer_norm_before": False},
            "",
            [f"decoder.layers.{i}" for i in range(4)],
            "",
        ),
        # Its blocks' states are (T, B, D).
        ("xlnet", {}, "", [f"layer.{i}" for i in range(4)], ""),
        # Its blocks' states are padded to a window.
        ("longformer", {"attention_window": [4] * 4}, "", [f"encoder.layer.{i}" for i in range(4)], ""),
        ("clip_text_model", {}, "", [f"encoder.layers.{i}" for i in range(4)], "final_layer_norm"),
        # The tower for images has more blocks than the one for texts.
        ("gemma3", {}, "", [f"language_model.layers.{i}" for i in range(4)], "language_model.norm"),
    )
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def saved(network: nn.Module, folder: Path, kind: str = "plain") -> str:
    """Save a model with a tokenizer and a processor; return the folder as a name."""
    network.save_pretrained(folder)
    tokenizer(kind).save_pretrained(folder)
    save_processor(folder, 32)
    return str(folder)


def by_hooks(network: nn.Module, numbers: list[int], first: str, blocks: list[str], norm: str) -> Tensor:
    """Return the states that named modules of a network give: (layers, T, D)."""
    seen: list[Tensor] = []
    last: list[Tensor] = []

    def keep(into: list[Tensor], value: Any) -> None:
        value = value if isinstance(value, Tensor) else value[0]
        value = value if len(value) == 1 else value.transpose(0, 1)
        into.append(value[0, : len(numbers)].clone())

    def enters(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not seen:
            keep(seen, args[0] if args else kwargs["hidden_states"])

    hooks = [network.get_submodule(first).register_forward_pre_hook(enters, with_kwargs=True)]
    for name in blocks:
        hooks.append(network.get_submodule(name).register_forward_hook(lambda _, __, out: keep(seen, out)))
    if norm:
        hooks.append(network.get_submodule(norm).register_forward_hook(lambda _, __, out: keep(last, out)))
    network.config.use_cache = False
    with torch.no_grad():
        network(input_ids=torch.tensor([numbers]), attention_mask=torch.ones(1, len(numbers)).long())
    for hook in hooks:
        hook.remove()
    return torch.stack(seen + last[-1:])


@pytest.mark.parametrize("kind", KINDS)
def test_the_layers_are_what_the_blocks_give_one_after_the_other(kind: str, tmp_path: Path):
    changes, first, blocks, norm = KINDS[kind]
    name = saved(shrunk(kind, **changes), tmp_path)
    network = transformers.AutoModel.from_pretrained(name).eval()
    together = hidden_states(name, TEXTS)
    for found, numbers in zip(together, text.tokenize(load(name).reader, TEXTS), strict=True):
        expected = by_hooks(network, numbers, first, blocks, norm)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    times = (
        4 if kind == "hrm_text" else 1
    )  # two times: three turns of one stack, one of the other, two blocks each
    assert len(together[0]) == 1 + times * BLOCKS + bool(norm)


MIXING = ["fnet", "mobilebert", "convbert", "nystromformer", "yoso"]


@pytest.mark.parametrize("kind", ["llama", "bert", "xlnet", *MIXING])
def test_models_that_mix_the_texts_of_a_batch_read_one_at_a_time(kind: str, tmp_path: Path):
    name = saved(shrunk(kind), tmp_path)
    assert text._may_be_batched(load(name), "cpu") == (kind not in MIXING)


def test_as_many_texts_as_tokens_are_not_taken_for_each_other(tmp_path: Path):
    name = saved(shrunk("xlnet"), tmp_path)
    texts = ["a bird sings far", "the tree sings far", "the bird far away", "a tree sings away"]
    for one, each in zip(hidden_states(name, texts), texts, strict=True):
        torch.testing.assert_close(one, hidden_states(name, [each])[0], rtol=1e-4, atol=1e-5)


def test_rwkv_is_not_halved_on_the_way(tmp_path: Path):
    name = saved(shrunk("rwkv", num_hidden_layers=8, rescale_every=2), tmp_path)
    network = transformers.AutoModel.from_pretrained(name).train()  # in training nothing is halved
    (found,), (numbers,) = hidden_states(name, TEXTS[:1]), text.tokenize(load(name).reader, TEXTS[:1])
    blocks = [f"blocks.{block}" for block in range(8)]
    torch.testing.assert_close(
        found, by_hooks(network, numbers, blocks[0], blocks, "ln_out"), rtol=1e-4, atol=1e-5
    )


def test_a_block_that_is_called_past_its_hooks_is_there(tmp_path: Path):
    name = saved(shrunk("squeezebert"), tmp_path)
    (found,) = hidden_states(name, TEXTS[:1])
    assert len(found) == BLOCKS + 1
    assert all(not torch.allclose(one, two, atol=1e-2) for one, two in pairwise(found))


def test_a_weight_that_is_no_number_adds_no_layer(tmp_path: Path):
    network = shrunk("bert")
    network.encoder.layer[2].output.dense.bias.data[0] = torch.nan
    (found,) = hidden_states(saved(network, tmp_path), TEXTS[:1])
    assert found.isnan().flatten(1).any(1).tolist() == [False] * 3 + [True] * 2


def test_threads_run_a_network_one_after_the_other():
    network, numbers = shrunk("llama").eval(), torch.arange(40).reshape(4, 10)
    expected, found, running, most = capture(network, input_ids=numbers), [], [], []

    def enter(*_: Any) -> None:
        running.append(None)
        most.append(len(running))
        time.sleep(0.02)  # without a lock the others come in here

    network.register_forward_pre_hook(enter)
    network.register_forward_hook(lambda *_: running.pop())
    threads = [
        threading.Thread(target=lambda: found.append(capture(network, input_ids=numbers))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]
    assert [torch.equal(each, expected) for each in found] == [True] * 3


REFUSED = {
    "t5": "encoder and decoder (T5Model)",
    "canine": "CanineModel, of the kind 'canine', has layers of shape (1, 4, 32), (1, 1, 32)",
    "deepseek_v4": "DeepseekV4Model, of the kind 'deepseek_v4', has layers of shape (1, 4, 4, 32)",
    "bros": "does not run on input_ids and attention_mask (ValueError('You have to specify bbox'))",
    "flava": "FlavaModel, of the kind 'flava', returns no hidden states",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_model_of_another_kind_is_refused_in_one_line(kind: str, tmp_path: Path):
    with pytest.raises(ValueError, match=re.escape(REFUSED[kind])) as refusal:
        hidden_states(saved(shrunk(kind), tmp_path), TEXTS[:1])
    assert "\n" not in str(refusal.value)


def test_an_encoder_cut_from_two_stacks_is_refused(tmp_path: Path):
    whole = shrunk("t5")
    name = saved(transformers.T5EncoderModel(whole.config), tmp_path)
    with pytest.raises(ValueError, match=r"one stack of layers, but .* is encoder and decoder \(T5Model\)"):
        load(name)


#: What the 16 patches of an image stand among.
IMAGES = {
    "vit": {"class": 1},
    "vit_mae": {"class": 1},
    "clip": {"class": 1},
    "siglip": {},
    "ijepa": {},
    "deit": {"class": 1, "distillation": 1},
    "dinov2_with_registers": {"class": 1, "register": 4},
    "pixio": {"class": 8},
    "radio": {"extra": 10},
    "yolos": {"class": 1, "detection": 100},
    "siglip2": {"padding": 4},
}


@pytest.mark.parametrize("kind", IMAGES)
def test_every_token_of_an_image_has_its_name(kind: str, tmp_path: Path):
    name = saved(shrunk(kind), tmp_path)
    if kind == "siglip2":
        transformers.Siglip2ImageProcessor(patch_size=8, max_num_patches=20).save_pretrained(tmp_path)
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    changed = pictures.clone()
    changed[..., 8:16, 16:24] = 0  # the seventh patch of sixteen
    found, tokens = image_states(name, pictures)
    assert Counter(tokens) == Counter(IMAGES[kind] | {"patch": 16})
    assert found[0].shape[1:] == (len(tokens), WIDTH)
    moved = (image_states(name, changed).states[0][0] - found[0][0]).abs().amax(-1) > 1e-6
    assert moved[[token == "patch" for token in tokens]].tolist() == [place == 6 for place in range(16)]
    patches = [each[:, [token == "patch" for token in tokens]].mean(1) for each in found]
    torch.testing.assert_close(pool(found, tokens=tokens), torch.stack(patches, 1))
    torch.testing.assert_close(found[1], image_states(name, pictures[1:]).states[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["pixtral", "resnet", "vitdet", "swin"])
def test_images_without_one_size_of_layers_are_refused(kind: str, tmp_path: Path):
    small: dict[str, Any] = {"resnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}}.get(
        kind, {}
    )
    small |= (
        {"embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": 2, "patch_size": 4}
        if kind == "swin"
        else {}
    )
    name = saved(shrunk(kind, **small), tmp_path)
    with pytest.raises(
        ValueError, match=rf"of the kind '{kind}', has layers of shape .*choose a plain transformer"
    ):
        image_states(name, torch.rand(2, 3, 32, 32))

"""A Llama in a GGUF file: read as it is meant, or refused in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from gguf import GGUFWriter
from torch import Tensor

from oraledu.representations.models import gguf_llama
from oraledu.representations.models.capture import capture
from tests.representations.tiny_models import HEADS

TOKENS = (*"abcdefghi", "ab", "<s>", "</s>", "<pad>")

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "vocab_size": len(TOKENS),
    "num_key_value_heads": 1,
    **HEADS,
}
METADATA: dict[str, Any] = {
    "llama.embedding_length": 16,
    "llama.feed_forward_length": 32,
    "llama.block_count": 2,
    "llama.attention.head_count": 2,
    "llama.attention.head_count_kv": 1,
    "llama.context_length": 64,
    "llama.attention.layer_norm_rms_epsilon": 1e-6,
    "llama.rope.freq_base": 500.0,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": list(TOKENS),
    "tokenizer.ggml.merges": ["a b"],
    "tokenizer.ggml.bos_token_id": 10,
    "tokenizer.ggml.eos_token_id": 11,
}


def random_llama(heads: int = 1, theta: float = 500.0) -> transformers.LlamaModel:
    """Return a random model; its norms' weights are random too."""
    torch.manual_seed(0)
    rotary = {"rope_type": "default", "rope_theta": theta}
    config = transformers.LlamaConfig(**SIZES | {"num_key_value_heads": heads}, rope_parameters=rotary)
    network = transformers.LlamaModel(config).eval()
    for weight in network.parameters():
        weight.data.normal_()
    return network


def write(
    path: Path, network: transformers.LlamaModel, *, added: tuple[str, ...] = (), **changes: Any
) -> Path:
    """Write a file as llama.cpp's converter does; a value of None leaves a field away."""
    writer = GGUFWriter(path, changes.pop("general.architecture", "llama"))
    for key, value in (METADATA | changes).items():
        match value:
            case None:
                pass
            case list():
                writer.add_array(key, value)
            case str():
                writer.add_string(key, value)
            case float():
                writer.add_float32(key, value)
            case _:
                writer.add_uint32(key, value)
    names = {theirs: ours for ours, theirs in gguf_llama.NAMES.items()}
    for name, weight in network.state_dict().items():
        if name.startswith("layers."):
            _, block, rest = name.split(".", 2)
            kind = names[rest.removesuffix(".weight")]
            weight = side_by_side(weight) if kind in ("attn_q", "attn_k") else weight
            name = f"blk.{block}.{kind}.weight"
        name = {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}.get(
            name, name
        )
        writer.add_tensor(name, weight.numpy())
    for name in added:
        writer.add_tensor(name, np.ones(4, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def side_by_side(weight: Tensor) -> Tensor:
    """Put the two halves that a rotation mixes side by side, in each head of width 8."""
    return weight.reshape(-1, 2, 4, 16).transpose(1, 2).reshape(-1, 16).contiguous()


def states(network: Any) -> Tensor:
    numbers = torch.tensor([[4, 5, 6, 7, 8, 9]])
    return capture(network, input_ids=numbers, attention_mask=torch.ones_like(numbers))


@pytest.mark.parametrize(
    ("changes", "network"),
    [
        ({}, {}),
        ({"llama.rope.freq_base": None}, {"theta": 10000.0}),
        ({"llama.attention.head_count_kv": None}, {"heads": 2}),
        ({"llama.rope.dimension_count": 8, "llama.rope.scaling.type": "none"}, {}),
    ],
)
def test_a_file_gives_the_states_of_its_model(
    changes: dict[str, Any], network: dict[str, Any], tmp_path: Path
):
    wanted = random_llama(**network)
    read, tokenizer = gguf_llama.read(write(tmp_path / "a.gguf", wanted, **changes))
    torch.testing.assert_close(states(read), states(wanted), rtol=1e-4, atol=1e-4)
    assert tokenizer.tokenize("abc") == ["ab", "c"]
    assert tokenizer.bos_token == "<s>"


def test_a_head_of_its_own_is_left_aside(tmp_path: Path):
    wanted = random_llama()
    read, _ = gguf_llama.read(write(tmp_path / "a.gguf", wanted, added=("output.weight",)))
    torch.testing.assert_close(states(read), states(wanted), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "added", "words"),
    [
        ({"general.architecture": "qwen2"}, (), "with general.architecture 'llama', got 'qwen2'"),
        ({"tokenizer.ggml.model": "llama"}, (), "with tokenizer.ggml.model 'gpt2', got 'llama'"),
        ({"tokenizer.ggml.pre": "llama-bpe"}, (), "with tokenizer.ggml.pre 'smollm', got 'llama-bpe'"),
        ({"tokenizer.ggml.pre": None}, (), "with tokenizer.ggml.pre 'smollm', got None"),
        ({"llama.rope.scaling.type": "linear"}, (), "scales its rotary positions"),
        ({"llama.rope.scaling.type": "yarn"}, (), "scales its rotary positions"),
        ({"llama.rope.scale_linear": 4.0}, (), "scales its rotary positions"),
        ({}, ("rope_freqs.weight",), "has other weights than a Llama of its sizes: 'rope_freqs.weight'"),
        ({"llama.rope.dimension_count": 4}, (), "must have llama.rope.dimension_count 8, the width of a head, got 4"),
        ({"llama.attention.key_length": 4}, (), "must have llama.attention.key_length 8, the width of a head, got 4"),
        ({}, ("blk.0.attn_q.bias",), "has other weights than a Llama of its sizes: .*q_proj.bias"),
        ({}, ("blk.0.ffn_gate_exps.weight",), "has other weights than a Llama of its sizes: 'ffn_gate_exps'"),
        ({"llama.feed_forward_length": 16}, (), "has other weights than a Llama of its sizes: .*size mismatch"),
        ({"llama.block_count": 3}, (), "has other weights than a Llama of its sizes: .*Missing key"),
    ],
)  # fmt: skip
def test_a_file_that_would_be_read_wrongly_is_refused(changes, added, words: str, tmp_path: Path):
    path = write(tmp_path / "a.gguf", random_llama(), added=added, **changes)
    with pytest.raises(ValueError, match=words) as refusal:
        gguf_llama.read(path)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_file_that_is_cut_short_is_told(share: float, tmp_path: Path):
    path = write(tmp_path / "a.gguf", random_llama())
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match="is cut short, or no GGUF file: remove it and fetch it again"):
        gguf_llama.read(path)

"""A Llama model from a GGUF file: its quantised matrices made float32, its tokenizer from the list of merges.

transformers can read such files itself, through one more package and in three times the time.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

#: What a tensor of a block is called in the file, and in transformers.
NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
#: What a file must say: the tokenizer is SmolLM2's, which splits digits.
WANTED = {"general.architecture": "llama", "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm"}


def read(path: Path) -> tuple[Any, Any]:
    """Read a model and its tokenizer.

    Args:
        path: A GGUF file of the architecture Llama with a byte-level tokenizer, such as SmolLM2's.

    Returns:
        The `LlamaModel` of transformers, float32, and its tokenizer.

    Raises:
        ValueError: If the file is cut short, or of another architecture, tokenizer or form.
    """
    from gguf import GGUFReader
    from transformers import LlamaModel

    try:
        reader = GGUFReader(path)
    except (ValueError, IndexError, OSError) as error:
        raise ValueError(f"{path} is cut short, or no GGUF file: remove it and fetch it again") from error
    _check(path, reader)
    config = _config(reader)
    network = LlamaModel(config)
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    tensors = [each for each in reader.tensors if each.name != "output.weight"]  # the head
    try:
        network.load_state_dict({_name(each.name): _weight(each, heads) for each in tensors})
    except (RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path} has other weights than a Llama of its sizes: {reason}") from error
    return network.eval(), _tokenizer(reader)


def _check(path: Path, reader: Any) -> None:
    """Refuse what would be read wrongly without a word."""
    for name, wanted in WANTED.items():
        if (found := _field(reader, name)) != wanted:
            raise ValueError(f"{path} must hold a Llama model with {name} {wanted!r}, got {found!r}")
    if {_field(reader, name) for name in reader.fields if name.startswith("llama.rope.scal")} - {"none"}:
        raise ValueError(
            f"{path} scales its rotary positions, which is not read here: take one that does not"
        )
    width = _field(reader, "llama.embedding_length") // _field(reader, "llama.attention.head_count")
    for name in ("rope.dimension_count", "attention.key_length", "attention.value_length"):
        if (found := _field(reader, f"llama.{name}", width)) != width:
            raise ValueError(f"{path} must have llama.{name} {width}, the width of a head, got {found}")


def _config(reader: Any) -> Any:
    from transformers import LlamaConfig

    heads = _field(reader, "llama.attention.head_count")
    return LlamaConfig(
        vocab_size=len(_field(reader, "tokenizer.ggml.tokens")),
        hidden_size=_field(reader, "llama.embedding_length"),
        intermediate_size=_field(reader, "llama.feed_forward_length"),
        num_hidden_layers=_field(reader, "llama.block_count"),
        num_attention_heads=heads,
        num_key_value_heads=_field(reader, "llama.attention.head_count_kv", heads),
        max_position_embeddings=_field(reader, "llama.context_length"),
        rms_norm_eps=_field(reader, "llama.attention.layer_norm_rms_epsilon"),
        rope_parameters={
            "rope_type": "default",
            "rope_theta": _field(reader, "llama.rope.freq_base", 10000.0),
        },
        bos_token_id=_field(reader, "tokenizer.ggml.bos_token_id"),
        eos_token_id=_field(reader, "tokenizer.ggml.eos_token_id"),
        pad_token_id=None,
    )


def _name(name: str) -> str:
    """Return what transformers calls a tensor of the file."""
    if name.startswith("blk."):
        _, number, kind, ending = name.split(".")
        return f"layers.{number}.{NAMES[kind]}.{ending}"
    return {"token_embd.weight": "embed_tokens.weight", "output_norm.weight": "norm.weight"}[name]


def _weight(tensor: Any, heads: dict[str, int]) -> Tensor:
    from gguf import dequantize

    weight = torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy())
    kind = tensor.name.split(".")[-2]
    if kind not in heads:
        return weight
    # The file keeps the two halves that a rotation mixes side by side; transformers keeps them half a head apart.
    return weight.unflatten(0, (heads[kind], -1, 2)).transpose(1, 2).flatten(0, 2).contiguous()


def _tokenizer(reader: Any) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = _field(reader, "tokenizer.ggml.tokens")
    merges = [tuple(pair.split(" ")) for pair in _field(reader, "tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE({word: number for number, word in enumerate(words)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    first, last = (words[_field(reader, f"tokenizer.ggml.{end}_token_id")] for end in ("bos", "eos"))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=first, eos_token=last)


def _field(reader: Any, name: str, default: Any = None) -> Any:
    return reader.fields[name].contents() if name in reader.fields else default

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


def read(path: Path) -> tuple[Any, Any]:
    """Read a model and its tokenizer.

    Args:
        path: A GGUF file of the architecture Llama with a byte-level tokenizer, such as SmolLM2's.

    Returns:
        The `LlamaModel` of transformers, float32, and its tokenizer.

    Raises:
        ValueError: If the file is of another architecture.
    """
    from gguf import GGUFReader
    from transformers import LlamaModel

    reader = GGUFReader(path)
    if (found := _field(reader, "general.architecture")) != "llama":
        raise ValueError(f"{path} must hold a Llama model, got {found!r}")
    config = _config(reader)
    network = LlamaModel(config)
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    network.load_state_dict({_name(each.name): _weight(each, heads) for each in reader.tensors})
    return network.eval(), _tokenizer(reader)


def _config(reader: Any) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=_field(reader, "llama.vocab_size"),
        hidden_size=_field(reader, "llama.embedding_length"),
        intermediate_size=_field(reader, "llama.feed_forward_length"),
        num_hidden_layers=_field(reader, "llama.block_count"),
        num_attention_heads=_field(reader, "llama.attention.head_count"),
        num_key_value_heads=_field(reader, "llama.attention.head_count_kv"),
        max_position_embeddings=_field(reader, "llama.context_length"),
        rms_norm_eps=_field(reader, "llama.attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": _field(reader, "llama.rope.freq_base")},
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


def _field(reader: Any, name: str) -> Any:
    return reader.fields[name].contents()

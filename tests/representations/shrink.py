"""Models of any kind that transformers has, shrunk by what sizes are called in their configurations."""

from typing import Any

import torch
import transformers
from torch import nn

BLOCKS, WIDTH, HEADS, VOCABULARY = 4, 32, 4, 64
#: What sizes are called in configurations, and what they become.
SMALL = (
    (0, "num_kv_shared_layers"),
    (1, "n_group topk_group expand"),
    (
        BLOCKS,
        "num_hidden_layers n_layer n_layers num_layers num_encoder_layers encoder_layers num_experts "
        "num_local_experts n_routed_experts moe_num_experts num_attention_heads n_head n_heads num_heads "
        "encoder_attention_heads linear_num_key_heads",
    ),
    (
        2,
        "num_key_value_heads num_experts_per_tok moe_topk moe_top_k num_experts_per_token n_shared_experts "
        "num_kv_heads mamba_n_groups mamba_expand n_groups decoder_layers num_decoder_layers "
        "decoder_attention_heads num_shared_experts num_global_layers",
    ),
    (
        8,
        "head_dim mamba_n_heads attention_head_size kv_lora_rank qk_rope_head_dim qk_nope_head_dim v_head_dim "
        "qk_head_dim state_size d_state mamba_d_state ssm_state_size time_step_rank mamba_dt_rank patch_size d_kv "
        "rotary_dim linear_key_head_dim linear_value_head_dim kv_channels mamba_d_head mamba_head_dim "
        "linear_num_value_heads",
    ),
    (16, "q_lora_rank"),
    (
        WIDTH,
        "hidden_size n_embd d_model dim emb_dim hidden_dim embed_dim moe_intermediate_size image_size lru_width "
        "attention_hidden_size shared_expert_intermediate_size word_embed_proj_dim decoder_hidden_size "
        "moe_shared_expert_intermediate_size embedding_size",
    ),
    (
        VOCABULARY,
        "vocab_size intermediate_size ffn_dim d_ff n_inner ffn_hidden_size encoder_ffn_dim decoder_ffn_dim "
        "max_position_embeddings n_positions mamba_intermediate_size d_inner vocab_size_per_layer_input "
        "decoder_intermediate_size mamba_d_ssm",
    ),
)
#: A model with more weights than this did not shrink.
MOST = 30_000_000


def shrunk(kind: str, **changes: Any) -> nn.Module:
    """Return a small random model of a kind; its norms' weights are random too, so that no two states are alike.

    Raises:
        Exception: Of any sort, where these names are not all that must be small.
    """
    config_class = transformers.CONFIG_MAPPING[kind]
    config = config_class(**sizes(config_class()) | changes)
    with torch.device("meta"):
        weights = sum(each.numel() for each in transformers.AutoModel.from_config(config).parameters())
    if weights > MOST:
        raise ValueError(f"{weights} weights are too many")
    torch.manual_seed(0)
    network: nn.Module = transformers.AutoModel.from_config(config)
    for name, weight in network.named_parameters():
        if "norm" in name.lower() and weight.ndim == 1:
            weight.data.uniform_(0.6, 1.7)
    for module in network.modules():  # nor is padding nothing
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            module.weight.data[module.padding_idx].normal_()
    return network


def sizes(config: Any) -> dict[str, Any]:
    """Return the small values of what a configuration has, and those of configurations in it."""
    found: dict[str, Any] = {}
    for value, names in SMALL:
        for name in names.split():
            if (
                name in {*vars(config), *config.attribute_map}
                and type(now := _value(config, name)) is int
                and now > 0
            ):
                found[name] = value
    for name, now in vars(config).items():
        if isinstance(now, list) and len(now) == getattr(config, "num_hidden_layers", None):
            found[name] = now[:BLOCKS]
    rotary = getattr(config, "rope_parameters", None) or {}
    if "rope_theta" in rotary:
        found["rope_parameters"] = rotary | {"rope_type": "default", "mrope_section": [2, 1, 1]}
    if "kv_lora_rank" in found:  # latent attention has as many keys as queries
        found["num_key_value_heads"] = HEADS
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        now = getattr(config, name, None)
        if isinstance(now, list) or (now or 0) >= VOCABULARY:
            found[name] = 2
    if getattr(config, "vocab_size", 0) is None:
        found |= {"vocab_size": VOCABULARY, "pad_token_id": 0, "mask_token_id": 3}
    for name in getattr(config, "sub_configs", {}):
        if (inner := getattr(config, name, None)) is not None:
            found[name] = inner.to_dict() | sizes(inner)
    return found


def _value(config: Any, name: str) -> Any:
    """Return a value; one that differs from layer to layer cannot be asked for."""
    try:
        return getattr(config, name, None)
    except Exception:
        return None

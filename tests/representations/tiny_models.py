"""Tiny random models of several kinds, saved to a folder as a hub's models are."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "<s>", "a", "bird", "sings", "in", "the", "tree", "far", "away")
WIDTH, BLOCKS = 16, 3
SIZES = {"hidden_size": WIDTH, "num_hidden_layers": BLOCKS, "vocab_size": len(WORDS)}
HEADS = {"num_attention_heads": 2, "intermediate_size": 32}
PICTURE = {"hidden_size": WIDTH, "num_hidden_layers": BLOCKS, "image_size": 8, "patch_size": 4, **HEADS}

TEXT_MODELS = {
    "llama": lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES, **HEADS)),
    "pythia": lambda: transformers.GPTNeoXForCausalLM(transformers.GPTNeoXConfig(**SIZES, **HEADS)),
    "mamba": lambda: transformers.MambaForCausalLM(transformers.MambaConfig(**SIZES, state_size=4)),
    "bert": lambda: transformers.BertModel(transformers.BertConfig(**SIZES, **HEADS)),
}
IMAGE_MODELS = {
    "vit": lambda: transformers.ViTModel(transformers.ViTConfig(**PICTURE)),
    "mae": lambda: transformers.ViTMAEModel(transformers.ViTMAEConfig(**PICTURE)),
    "dinov2": lambda: transformers.Dinov2Model(transformers.Dinov2Config(**PICTURE)),
}


def save_text_model(kind: str, folder: Path) -> str:
    """Save a random model and a tokenizer of whole words; return the folder as a name."""
    torch.manual_seed(0)
    TEXT_MODELS[kind]().save_pretrained(folder)
    tokenizer(kind).save_pretrained(folder)
    return str(folder)


def save_image_model(kind: str, folder: Path) -> str:
    """Save a random vision transformer and its processor; return the folder as a name."""
    torch.manual_seed(0)
    IMAGE_MODELS[kind]().save_pretrained(folder)
    size = {"height": 8, "width": 8}
    transformers.ViTImageProcessor(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3).save_pretrained(
        folder
    )
    return str(folder)


def tokenizer(kind: str) -> Any:
    """Return a tokenizer: BERT's adds CLS and SEP, the others have a BOS that they do not add."""
    words = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, "[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    if kind != "bert":
        return transformers.PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", **special)
    words.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    special |= {"cls_token": "[CLS]", "sep_token": "[SEP]"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=words, **special)

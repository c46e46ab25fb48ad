"""Tiny random models of several kinds, saved to a folder as a hub's models are."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "<s>", "a", "bird", "sings", "in", "the", "tree", "far", "away")
TEXTS = ["a bird sings", "the bird sings far away in the tree", "tree", "a tree in the far away tree"]
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
    save_processor(folder, 8)
    return str(folder)


def save_processor(folder: Path, side: int) -> None:
    """Save what makes images of one size and one scale."""
    size, half = {"height": side, "width": side}, [0.5] * 3
    transformers.ViTImageProcessor(size=size, image_mean=half, image_std=half).save_pretrained(folder)


#: What tokenizers add around a text; all but BERT's also have a BOS.
AROUND = {"bert": "[CLS] $A [SEP]", "big_bird": "[CLS] $A [SEP]", "xlnet": "$A [SEP] [CLS]"}


def tokenizer(kind: str) -> Any:
    """Return a tokenizer of whole words: BERT's and BigBird's add CLS and SEP, XLNet's both at the end, others none."""
    words = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, "[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    if kind != "bert":
        special["bos_token"] = "<s>"
    if kind in AROUND:
        words.post_processor = processors.TemplateProcessing(
            AROUND[kind], special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
        )
        special |= {"cls_token": "[CLS]", "sep_token": "[SEP]"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=words, **special)

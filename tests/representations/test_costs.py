"""What the lesson's runs are said to take is right to a factor of two."""

from dataclasses import replace

import pytest
import torch
import transformers

from oraledu.representations import costs, protocols
from oraledu.representations.models import load
from oraledu.representations.vision import recipe
from tests.counted import counted
from tests.representations import tiny_models
from tests.representations.files import write
from tests.representations.tiny import TINY


def test_a_vision_transformer():
    run = replace(TINY, width=32, depth=2, steps=3)
    training = recipe.images(run)["train"]
    operations, memory = counted(
        lambda: recipe.learn(run, "autoregressive", training, torch.Generator().manual_seed(0))
    )
    said = costs.vision(run)
    assert operations / 2 < said[0] < operations * 2
    assert memory / 2 < said[1] < memory * 2


def test_reading_texts(tmp_path, monkeypatch):
    sizes = {"hidden_size": 128, "num_hidden_layers": 3, "intermediate_size": 512, "num_attention_heads": 4}
    config = transformers.GPTNeoXConfig(**sizes, vocab_size=len(tiny_models.WORDS))
    transformers.GPTNeoXModel(config).save_pretrained(tmp_path)
    tiny_models.tokenizer("pythia").save_pretrained(tmp_path)
    monkeypatch.setenv("ORALEDU_DATA", str(tmp_path))
    write(tmp_path, "STS12")
    protocols.score_model(str(tmp_path), "STS12", rows=4)  # tries once whether texts may be read together
    operations, _ = counted(lambda: protocols.score_model(str(tmp_path), "STS12"))
    reader = load(str(tmp_path)).reader
    tokens = sum(
        1 + len(reader(row[name])["input_ids"])
        for row in protocols.read("STS12")
        for name in ("sentence1", "sentence2")
    )
    said = costs.reading(costs.Size(3, 128), tokens)
    assert operations / 2 < said < operations * 2


def test_every_model_of_the_presets_has_a_size():
    names = [part.name for part in costs.parts("full")]
    assert set(costs.SIZES) < set(names)


@pytest.mark.parametrize(
    ("name", "weights"), [("EleutherAI/pythia-410m", 302e6), ("google-bert/bert-base-uncased", 85e6)]
)
def test_the_sizes_are_those_of_the_models(name, weights):
    assert costs.SIZES[name].weights == pytest.approx(weights, rel=0.02)

"""Many texts are read in batches of so many tokens, and memory does not grow with how many there are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from oraledu.representations.models import hidden_states, live, pool, pooled_states, text
from tests.representations.tiny_models import TEXTS, save_text_model

ROOT = Path(__file__).parents[2]
#: Prints by how many bytes the process grew while it read so many texts.
GROWTH = """
import resource, sys
import torch
from oraledu.representations.models import pooled_states
torch.set_num_threads(1)
words = "a bird sings in the tree far away".split()
texts = [" ".join(words[(i * j) % 7] for j in range(40 + i % 41)) for i in range(int(sys.argv[2]))]
pooled_states(sys.argv[1], texts[:300])
pooled_states(sys.argv[1], texts)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture(scope="module")
def name(tmp_path_factory) -> str:
    return save_text_model("llama", tmp_path_factory.mktemp("model"))


def lengths(monkeypatch) -> list[tuple[int, int]]:
    """Return a list that will hold how many texts and tokens each batch of the model has."""
    seen: list[tuple[int, int]] = []
    capture = text.capture

    def watched(network, **inputs):
        seen.append(tuple(inputs["input_ids"].shape))
        return capture(network, **inputs)

    monkeypatch.setattr(text, "capture", watched)
    return seen


def test_a_batch_has_so_many_tokens_at_most_and_one_text_at_least(name, monkeypatch):
    text._may_be_batched(text.load(name), "cpu")
    seen = lengths(monkeypatch)
    found = dict(text.stream(name, [*TEXTS, *TEXTS], batch_tokens=9))
    assert sorted(found) == list(range(8))
    assert all(count * width <= 9 or count == 1 for count, width in seen)
    assert max(count for count, _ in seen) > 1
    assert [width for _, width in seen] == sorted((width for _, width in seen), reverse=True)


def test_what_is_streamed_is_what_all_tokens_give(name, monkeypatch):
    monkeypatch.setattr(live, "_CHUNK", 3)
    texts = [*TEXTS, *TEXTS[::-1], "away"]
    states = hidden_states(name, texts)
    for first, found in zip((False, True), pooled_states(name, texts), strict=True):
        torch.testing.assert_close(found, pool(states, first_token=first), rtol=1e-4, atol=1e-5)


def test_a_text_is_cut_where_the_models_positions_end(tmp_path, monkeypatch):
    short = save_text_model("bert", tmp_path)
    text.load.cache_clear()
    most = text.most_tokens(text.load(short).network, text.load(short).reader)
    seen = lengths(monkeypatch)
    pooled_states(short, ["bird " * 3000])
    assert max(width for _, width in seen) == min(2048, most) == 512


@pytest.mark.slow
def test_ten_times_as_many_texts_take_no_more_memory(name):
    peaks = []
    for count in (400, 4000):
        command = [sys.executable, "-c", GROWTH, name, str(count)]
        done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.1 * peaks[0]

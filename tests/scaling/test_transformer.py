"""The text ladder: one seed at a time, causality, and the text itself."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from oraledu.scaling import text
from oraledu.scaling.ladder import train
from oraledu.scaling.stacked import TINY


@pytest.fixture
def trained(transformer):
    """Two seeds after four steps: no weight is zero any more."""
    run = transformer.begin(8, (0, 1), 6)
    for _ in range(4):
        run.step(1.0)
    return run


def one_sequence(ladder, weights, seed, tokens):
    """The logits (n, V) of one seed for one sequence (n,), head by head and place by place."""
    w = {name: weight[seed].detach() for name, weight in weights.items()}

    def norm(h):
        return h / (h.square().mean(dim=-1, keepdim=True) + TINY).sqrt()

    h = w["token"][tokens] + w["place"]
    width = h.shape[1]
    for block in range(ladder.blocks):
        q, k, v = (norm(h) @ w[f"qkv.{block}"]).split(width, dim=1)
        heard = torch.zeros_like(h)
        for first in range(0, width, ladder.head):
            part = slice(first, first + ladder.head)
            for place in range(len(tokens)):
                scores = norm(k[: place + 1, part]) @ norm(q[place, part]) / ladder.head**0.5
                heard[place, part] = scores.softmax(0) @ v[: place + 1, part]
        h = h + heard @ w[f"heard.{block}"]
        h = h + torch.nn.functional.gelu(norm(h) @ w[f"up.{block}"]) @ w[f"down.{block}"]
    return norm(h) @ w["readout"]


def test_the_stacked_transformer_is_the_naive_one(trained, transformer):
    tokens, following = trained.batch(5)
    found = transformer.losses(trained.weights, (tokens, following))
    for seed in (0, 1):
        pairs = zip(tokens[seed], following[seed], strict=True)
        each = [cross_entropy(one_sequence(transformer, trained.weights, seed, a), b) for a, b in pairs]
        assert found[seed].item() == pytest.approx(torch.stack(each).mean().item(), rel=1e-10)


def test_two_heads_hear_apart(transformer):
    wide = replace(transformer, widths=(16,))
    run = wide.begin(16, (0,), 3)
    for _ in range(3):
        run.step(1.0)
    tokens, following = run.batch(0)
    each = [
        cross_entropy(one_sequence(wide, run.weights, 0, a), b)
        for a, b in zip(tokens[0], following[0], strict=True)
    ]
    assert wide.losses(run.weights, (tokens, following)).item() == pytest.approx(
        torch.stack(each).mean().item()
    )


def test_no_character_sees_what_follows(trained, transformer):
    tokens = trained.batch(0)[0].clone()
    before = transformer.residual_stream(trained.weights, tokens).view(2, 3, 8, 8)
    tokens[..., 5] = (tokens[..., 5] + 1) % len(text.ALPHABET)
    after = transformer.residual_stream(trained.weights, tokens).view(2, 3, 8, 8)
    assert torch.equal(before[:, :, :5], after[:, :, :5])
    assert (before[:, :, 5:] != after[:, :, 5:]).any(dim=-1).all()


def test_before_training_every_character_is_equally_likely(transformer):
    run = transformer.begin(8, (0, 1), 6)
    expected = torch.tensor(float(len(text.ALPHABET))).log().item()
    assert run.loss().tolist() == pytest.approx([expected, expected])


def test_a_seed_does_not_depend_on_the_seeds_beside_it(transformer):
    together = train(transformer, seeds=(0, 1), records=3)
    alone = train(transformer, seeds=(1,), records=3)
    assert torch.allclose(together.loss[:, 1:], alone.loss, rtol=1e-12)
    assert not torch.equal(together.loss[:, 0], together.loss[:, 1])


def test_what_follows_is_the_text_moved_by_one(transformer):
    tokens, following = transformer.begin(8, (0,), 6).batch(2)
    assert torch.equal(tokens[..., 1:], following[..., :-1])


def test_parameters_are_all_weights(transformer):
    weights = transformer.begin(8, (0,), 1).weights
    assert transformer.parameters(8) == sum(weight.numel() for weight in weights.values())


def test_rates_fall_with_width_but_for_the_embeddings(transformer):
    for width in (16, 64):
        rates = transformer.layer_rates(width)
        assert rates.pop("token") == rates.pop("place") == pytest.approx(0.1)
        assert len(set(rates.values())) == 1
        assert rates["readout"] == pytest.approx(1e-2 * 64 / width)
    assert replace(transformer, rates_of=16).layer_rates(64) == transformer.layer_rates(16)


def test_widths_that_heads_do_not_fill_are_refused(transformer):
    with pytest.raises(ValueError, match="widths must be multiples of head=8"):
        replace(transformer, widths=(8, 12))


def test_an_uneven_test_set_is_refused(transformer):
    with pytest.raises(ValueError, match="tests must be at most 64, or a multiple of it; got 100"):
        replace(transformer, tests=100)


def test_the_text_is_a_novel_in_lower_case():
    characters = text.novel()
    assert len(characters) == 879_227
    start = "".join(text.ALPHABET[place] for place in characters[:80].tolist())
    assert start == "emma by jane austen volume i chapter i emma woodhouse, handsome, clever, and ric"
    assert characters.bincount(minlength=len(text.ALPHABET)).min() > 0
    space = text.ALPHABET.index(" ")
    assert not ((characters[1:] == space) & (characters[:-1] == space)).any()


def test_the_end_of_the_text_is_kept_for_testing(transformer):
    train_part, test_part = text.split()
    assert torch.equal(torch.cat([train_part, test_part]), text.novel())
    assert len(test_part) == pytest.approx(0.1 * len(text.novel()), abs=1)


def test_a_text_that_is_missing_or_damaged_is_refused(monkeypatch, tmp_path):
    text.novel.cache_clear()
    monkeypatch.setattr(text, "FILE", tmp_path / "emma.txt.xz")
    with pytest.raises(FileNotFoundError, match="'oraledu doctor' says what to do"):
        text.novel()
    (tmp_path / "emma.txt.xz").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="is damaged; 'oraledu doctor' says"):
        text.novel()

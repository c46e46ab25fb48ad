import torch

from oraledu.data.layer_pack import pack, unpack
from oraledu.data.layer_states import LayerStates

COUNTS = {"noun": 30, "verb": 20}
PROMPTS = ("one", "two", "three")


def states(*, same_first_token: bool = True) -> tuple[LayerStates, dict[str, torch.Tensor]]:
    """Return random states of two layers, and how many tokens each text has."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    lengths = {key: torch.randint(3, 9, (count,), generator=generator) for key, count in COUNTS.items()}
    pooled = {key: normal(2, count, 12) for key, count in COUNTS.items()}
    with_first = {}
    for key, count in COUNTS.items():
        first = 9 * torch.ones(2, 1, 12) if same_first_token else 9 * normal(2, count, 12)
        with_first[key] = pooled[key] + (first - pooled[key]) / lengths[key][:, None]
    tokens = [normal(2, count, 12) for count in (4, 7, 5)]
    grams = tuple(each @ each.mT for each in tokens)
    return LayerStates("tiny", PROMPTS, grams, pooled, with_first, normal(2, 3, 2, 12) + 5), lengths


def packed(**options: bool) -> tuple[LayerStates, LayerStates]:
    before, lengths = states(**options)
    return before, unpack(pack(before, lengths, noise=1e-4), "tiny", PROMPTS, COUNTS)


def test_gram_matrices_come_back_exactly():
    before, after = packed()
    for old, new in zip(before.grams, after.grams, strict=True):
        assert torch.equal(new, new.mT)
        assert torch.equal(new.tril(), old.tril())


def test_pooled_states_come_back_nearly():
    before, after = packed()
    assert list(after.pooled) == list(COUNTS)
    for key, old in before.pooled.items():
        torch.testing.assert_close(after.pooled[key], old, rtol=0, atol=0.1)


def test_a_text_set_can_be_kept_finer_than_the_others():
    before, lengths = states()
    after = unpack(pack(before, lengths, noise=0.01, fineness={"verb": 8}), "tiny", PROMPTS, COUNTS)
    noun, verb = ((after.pooled[key] - before.pooled[key]).square().mean().sqrt() for key in COUNTS)
    assert verb < noun / 4


def test_the_first_token_of_a_decoder_is_kept_once_for_all_texts():
    before, after = packed()
    for key, old in before.with_first.items():
        torch.testing.assert_close(after.with_first[key], old, rtol=0, atol=0.1)


def test_first_tokens_that_differ_are_left_out():
    _, after = packed(same_first_token=False)
    assert after.with_first == {}


def test_all_products_between_views_are_kept():
    before, after = packed()
    assert after.views.shape == (2, 3, 2, 6)
    old, new = (each.flatten(1, 2) for each in (before.views, after.views))
    torch.testing.assert_close(new @ new.mT, old @ old.mT, rtol=5e-3, atol=5e-2)


def test_name_and_prompts_and_layers_are_those_given():
    _, after = packed()
    assert (after.name, after.prompts, after.layers) == ("tiny", PROMPTS, 2)

"""Typing errors: reproducible, of three kinds, and never an empty text."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oraledu.representations import augment as module
from oraledu.representations.invariance import augment

TEXT = "an animal with feathers, two wings and a beak; most of its kind can fly"


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def noisy(text, count=200, **options):
    generator = seeded()
    return [augment(text, generator=generator, **options) for _ in range(count)]


def test_a_seed_gives_the_same_text_for_ever():
    letters = "zzzz yyyy xxxx qqqq vvvv jjjj kkkk"
    assert augment(letters, generator=seeded(7)) == "zzzz yyy y xxdx qqqq vvvg j jjj kk kk"


def test_a_generator_that_goes_on_gives_another_text():
    assert len(set(noisy(TEXT))) > 190


def test_the_rest_of_a_session_does_not_change_the_text():
    torch.manual_seed(1)
    first = augment(TEXT, generator=seeded())
    torch.manual_seed(2)
    torch.rand(5)
    assert augment(TEXT, generator=seeded()) == first


def test_probability_zero_changes_nothing_but_white_space():
    assert noisy("  two\twords \n here ", 3, probability=0) == ["two words here"] * 3


def test_each_kind_of_error_meets_the_given_share_of_words(monkeypatch):
    words = " ".join(["word"] * 2000)
    split = augment(words, generator=seeded(), probability=0.3)
    assert 2000 * 1.25 < len(split.split()) < 2000 * 1.36
    monkeypatch.setattr(module, "_split", lambda word, draw: word)
    monkeypatch.setattr(module, "_change", lambda word, draw: word)
    missed = augment(words, generator=seeded(), probability=0.3).split()
    assert 0.27 < sum(word != "word" for word in missed) / 2000 < 0.33


def draws(*values):
    return iter(values).__next__


def test_a_split_puts_a_space_inside_a_word():
    assert module._split("robin", draws(0.0)) == "r obin"
    assert module._split("robin", draws(0.999)) == "robi n"
    assert module._split("a", draws()) == "a"


@pytest.mark.parametrize(
    ("edit", "place", "expected"),
    [
        (0.0, 0.5, "binrd"),
        (0.25, 0.5, "bind"),
        (0.5, 0.25, "brid"),
        (0.5, 0.99, "bird"),
        (0.75, 0.5, "bid"),
    ],
)
def test_a_character_is_inserted_replaced_swapped_or_dropped(edit, place, expected):
    assert module._change("bird", draws(place, 13.5 / 26, edit)) == expected


def test_the_only_character_is_not_dropped():
    assert module._change("a", draws(0.5, 0.5, 0.99)) == "a"


def test_a_missed_key_is_a_neighbour_in_the_same_case():
    for seed in range(20):
        draw = torch.rand(2, generator=seeded(seed)).tolist()
        wrong = module._miss_key("G", draws(*draw))
        assert wrong.isupper()
        assert wrong.lower() in "ftyhvb"
    assert module._miss_key("7;é", draws(0.5)) == "7;é"


def test_the_neighbours_of_keys_are_mutual_and_those_of_the_keyboard():
    assert {key: sorted(module.NEIGHBOURS[key]) for key in "qghp"} == {
        "q": ["a", "w"],
        "g": ["b", "f", "h", "t", "v", "y"],
        "h": ["b", "g", "j", "n", "u", "y"],
        "p": ["l", "o"],
    }
    for key, others in module.NEIGHBOURS.items():
        assert key not in others
        assert all(key in module.NEIGHBOURS[other] for other in others)
    assert len(module.NEIGHBOURS) == 26


@settings(max_examples=50)
@given(
    text=st.text(min_size=1, max_size=20).filter(str.strip),
    seed=st.integers(0, 1000),
    probability=st.floats(0, 1),
)
def test_any_text_with_a_word_gives_a_text_with_a_word(text, seed, probability):
    assert augment(text, generator=seeded(seed), probability=probability).strip()


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_a_blank_text_is_refused(text):
    with pytest.raises(ValueError, match="text must hold at least one word"):
        augment(text, generator=seeded())


@pytest.mark.parametrize("text", [None, ["one", "two"], b"bytes"])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(TypeError, match="text must be one string"):
        augment(text, generator=seeded())


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_a_probability_out_of_range_is_refused(probability):
    with pytest.raises(ValueError, match=r"probability must lie in \[0, 1\]"):
        augment(TEXT, generator=seeded(), probability=probability)

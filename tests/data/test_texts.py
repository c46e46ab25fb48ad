import shutil
from collections import Counter
from pathlib import Path

import pytest

from oraledu.data import wordnet
from oraledu.data.embedded import CHECKSUMS, FOLDER
from oraledu.data.texts import FILE, SETS


def test_the_classes_are_balanced_and_come_in_turn():
    texts = wordnet()
    for name, classes, each in (("noun", 10, 90), ("verb", 8, 45)):
        labels = texts.labels[name]
        assert len(texts.texts[name]) == len(labels) == classes * each
        assert set(Counter(labels).values()) == {each}
        assert texts.classes[name] == tuple(sorted(set(labels)))
        assert labels[:classes] == labels[classes : 2 * classes]


def test_pairs_are_spread_evenly_over_five_bins_of_similarity():
    similarity = wordnet().similarity
    assert similarity.min() > 0
    assert similarity.max() <= 1
    assert similarity.mul(5).long().clamp(max=4).bincount().tolist() == [80] * 5


def test_no_text_is_in_two_places():
    texts = wordnet()
    everything = [text for name in SETS for text in texts.texts[name]] + list(texts.prompts)
    assert len(everything) == len(set(everything)) == 2700
    assert all(text == text.strip() and text for text in everything)


def test_a_damaged_file_is_refused(tmp_path: Path):
    shutil.copy(FOLDER / CHECKSUMS, tmp_path)
    (tmp_path / FILE).write_bytes((FOLDER / FILE).read_bytes()[:-1])
    with pytest.raises(ValueError, match="damaged"):
        wordnet(tmp_path)

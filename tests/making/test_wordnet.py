import lzma
from pathlib import Path

import pytest

from making import wordnet
from making.wordnet import Shelf, Synset, Taxonomy, read
from oraledu.data.embedded import read_checked
from oraledu.data.texts import FILE

BIRD = (
    "01503061 05 n 01 bird 0 003 @ 01471682 n 0000 #m 01507175 n 0000 @i 00000007 n 0000 | warm-blooded egg-laying "
    'vertebrates; feathered; "a bird sang at dawn in the tree"; "birds"  '
)


def noun(place: int, *parents: int, definition: str = "") -> Synset:
    return Synset("n", place, 5, parents, definition or f"noun number {place}", ())


def test_a_line_of_the_database_is_read(tmp_path: Path):
    (tmp_path / "data.noun").write_text(f"  1 This software and database\n{BIRD}\n")
    (found,) = read(tmp_path / "data.noun")
    assert found == Synset(
        "n",
        1503061,
        5,
        (1471682, 7),
        "warm-blooded egg-laying vertebrates; feathered",
        ("a bird sang at dawn in the tree", "birds"),
    )


def test_a_missing_database_is_said(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="unpack Debian's wordnet-base"):
        wordnet.pack(tmp_path)


def test_another_copy_of_the_database_is_refused(tmp_path: Path):
    for name in ("data.noun", "data.verb"):
        (tmp_path / name).write_text(f"{BIRD}\n")
    with pytest.raises(ValueError, match=r"data\.noun is not that of Debian's wordnet-base 1:3\.0-37"):
        wordnet.pack(tmp_path)


@pytest.mark.parametrize(
    ("a", "b", "similarity"),
    [
        (4, 4, 1.0),
        (4, 5, 2 * 3 / (4 + 4)),  # sisters at depth 4, below 3 at depth 3
        (4, 3, 2 * 3 / (4 + 3)),  # child and parent
        (4, 6, 2 * 1 / (4 + 2)),  # they meet in the root
        (4, 9, 0.0),  # another tree
    ],
)
def test_the_similarity_is_wu_and_palmers(a: int, b: int, similarity: float):
    tree = [noun(1), noun(2, 1), noun(3, 2), noun(4, 3), noun(5, 3), noun(6, 1), noun(9)]
    assert Taxonomy(tree).similarity(a, b) == pytest.approx(similarity)
    assert Taxonomy(tree).similarity(b, a) == pytest.approx(similarity)


def test_the_deepest_common_ancestor_counts_where_there_are_two_ways_up():
    tree = [noun(1), noun(2, 1), noun(3, 2), noun(4, 3, 1), noun(5, 3)]
    assert Taxonomy(tree).similarity(4, 5) == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))


def test_no_definition_is_taken_twice():
    twins = [noun(1, definition="same"), noun(2, definition="same"), noun(3)]
    shelf = Shelf(twins)
    assert [each.place for each in shelf.take(2, twins)] == [1, 3]
    with pytest.raises(ValueError, match="the database has 1 too few synsets"):
        list(shelf.take(1, twins))


def test_the_command_takes_a_folder(capsys: pytest.CaptureFixture[str]):
    assert wordnet.main([]) == 2
    assert "making.wordnet FOLDER" in capsys.readouterr().err


@pytest.mark.slow
def test_the_embedded_file_is_what_the_database_gives():
    folder = Path("/usr/share/wordnet")
    if not (folder / "data.noun").is_file():
        pytest.skip("WordNet 3.0 is not installed here (Debian's package wordnet-base)")
    made, embedded = (lzma.decompress(each) for each in (wordnet.pack(folder), read_checked(FILE)))
    assert made == embedded

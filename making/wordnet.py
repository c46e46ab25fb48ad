"""Make the embedded texts from the database files of WordNet 3.0.

    python -m making.wordnet FOLDER

The folder holds `data.noun` and `data.verb` of Debian's package `wordnet-base` 1:3.0-37. Synsets come in the order of
a hash of their place in the database, so the choice is arbitrary; other copies of WordNet 3.0 have other places.
"""

import hashlib
import json
import lzma
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from oraledu.data.store import store
from oraledu.data.texts import FILE

#: The lexicographer files that are classes, by their number in the database.
NOUN_CLASSES = {
    5: "animal",
    6: "artifact",
    8: "body",
    10: "communication",
    11: "event",
    13: "food",
    15: "location",
    18: "person",
    20: "plant",
    27: "substance",
}
VERB_CLASSES = {
    30: "change",
    31: "cognition",
    32: "communication",
    35: "contact",
    36: "creation",
    38: "motion",
    40: "possession",
    41: "social",
}
NOUNS_A_CLASS, VERBS_A_CLASS, PAIRS_A_BIN, RETRIEVALS, PROMPTS = 90, 45, 80, 300, 40
#: Pairs are spread evenly over five bins of similarity, up to 0.2, 0.4, 0.6, 0.8 and 1.
BINS = 5
#: How many nouns below an ancestor, and how many others, are tried as the second of a pair.
NEAR, FAR = 50, 400
#: Another copy of WordNet 3.0 would give another data set.
SUMS = {
    "data.noun": "fea17d2f9656611334eac790e5d69e47645fa180c4aa481fb4cd9b3520754ca2",
    "data.verb": "adcf43e35b581e8036d8b5a52d63d9cd3d3b4870b2720d3c03c799df44777bc2",
}


@dataclass(frozen=True)
class Synset:
    """One entry of the database: its kind ("n" or "v"), place, lexicographer file, hypernyms and gloss."""

    kind: str
    place: int
    file: int
    parents: tuple[int, ...]
    definition: str
    examples: tuple[str, ...]


@dataclass
class Shelf:
    """Synsets in the order of a hash; each synset and each text is taken once."""

    synsets: list[Synset]
    taken: set[str] = field(default_factory=set)

    def take(self, count: int, wanted: Iterable[Synset]) -> Iterator[Synset]:
        """Yield the next ones that nobody has taken."""
        for synset in wanted:
            if count and self.free(synset):
                self.taken.add(synset.definition)
                count -= 1
                yield synset
        if count:
            raise ValueError(f"the database has {count} too few synsets of a kind")

    def free(self, synset: Synset) -> bool:
        """Say whether a synset's definition has not been taken."""
        return synset.definition not in self.taken


def main(folders: list[str]) -> int:
    """Make the file in this package; return 2 if the folder is not given."""
    if len(folders) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    store({FILE: pack(Path(folders[0]))})
    return 0


def pack(folder: Path) -> bytes:
    """Return the embedded file.

    Raises:
        FileNotFoundError: If a file of the database is missing.
        ValueError: If a file is another one.
    """
    nouns, verbs = (read(folder / name) for name in SUMS)
    for name, digest in SUMS.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise ValueError(f"{folder / name} is not that of Debian's wordnet-base 1:3.0-37")
    shelf = Shelf(sorted([*nouns, *verbs], key=_hash))
    prompts = [each.definition for each in shelf.take(PROMPTS, _long(shelf.synsets))]
    noun, verb = (
        _classes(shelf, kind, classes, count)
        for kind, classes, count in (("n", NOUN_CLASSES, NOUNS_A_CLASS), ("v", VERB_CLASSES, VERBS_A_CLASS))
    )
    found = list(shelf.take(RETRIEVALS, (each for each in shelf.synsets if _fit(each) and _example(each))))
    pairs = _pairs(shelf, nouns)
    content = {
        "texts": {
            "noun": [text for text, _ in noun],
            "verb": [text for text, _ in verb],
            "pairs_a": [a.definition for a, _, _ in pairs],
            "pairs_b": [b.definition for _, b, _ in pairs],
            "examples": [_example(each) for each in found],
            "glosses": [each.definition for each in found],
        },
        "labels": {"noun": [label for _, label in noun], "verb": [label for _, label in verb]},
        "similarity": [round(similarity, 6) for _, _, similarity in pairs],
        "prompts": prompts,
    }
    return lzma.compress(json.dumps(content, indent=0).encode(), preset=9 | lzma.PRESET_EXTREME)


def read(path: Path) -> list[Synset]:
    """Read the synsets of one kind.

    Raises:
        FileNotFoundError: If the file is missing.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: unpack Debian's wordnet-base 1:3.0-37 there")
    lines = path.read_text("ascii").splitlines()
    return [_parse(line) for line in lines if not line.startswith("  ")]


def _parse(line: str) -> Synset:
    """Read one line: place, file, kind, words, pointers, and after a bar the gloss."""
    entry, _, gloss = line.partition(" | ")
    parts = entry.split()
    words = int(parts[3], 16)
    pointers = parts[5 + 2 * words :]
    parents = [
        int(pointers[4 * number + 1])
        for number in range(int(parts[4 + 2 * words]))
        if pointers[4 * number] in ("@", "@i")
    ]
    definition = re.split(r';\s*"', gloss, maxsplit=1)[0].strip()
    return Synset(
        parts[2],
        int(parts[0]),
        int(parts[1]),
        tuple(parents),
        definition,
        tuple(re.findall(r'"([^"]+)"', gloss)),
    )


def _hash(synset: Synset) -> str:
    return hashlib.sha256(f"{synset.kind}{synset.place}".encode()).hexdigest()


def _fit(synset: Synset, shortest: int = 4, longest: int = 20) -> bool:
    """Say whether a definition is a plain text of the right length."""
    return shortest <= len(synset.definition.split()) <= longest and not re.search(
        r"[()\"`]", synset.definition
    )


def _long(synsets: list[Synset]) -> Iterator[Synset]:
    return (each for each in synsets if each.kind == "n" and _fit(each, 14, 20))


def _example(synset: Synset) -> str | None:
    """Return the first example of the right length."""
    return next((each for each in synset.examples if 5 <= len(each.split()) <= 20), None)


def _classes(shelf: Shelf, kind: str, classes: dict[int, str], count: int) -> list[tuple[str, str]]:
    """Return definitions and labels, the classes in turn."""
    columns = []
    for number, label in classes.items():
        wanted = (each for each in shelf.synsets if each.kind == kind and each.file == number and _fit(each))
        columns.append([(each.definition, label) for each in shelf.take(count, wanted)])
    return [item for row in zip(*columns, strict=True) for item in row]


def _pairs(shelf: Shelf, nouns: list[Synset]) -> list[tuple[Synset, Synset, float]]:
    """Return pairs of nouns, the bins of similarity in turn."""
    taxonomy = Taxonomy(nouns)
    pool = [each for each in shelf.synsets if each.kind == "n" and _fit(each) and shelf.free(each)]
    below: dict[int, list[Synset]] = defaultdict(list)
    for synset in pool:
        for ancestor in taxonomy.ancestors[synset.place]:
            below[ancestor].append(synset)
    found: list[tuple[Synset, Synset, float]] = []
    for place, a in enumerate(pool):
        if len(found) == BINS * PAIRS_A_BIN:
            break
        if not shelf.free(a):
            continue
        wanted = len(found) % BINS
        near = sorted(taxonomy.ancestors[a.place], key=lambda each: (len(below[each]), each))
        tried = [b for ancestor in near for b in below[ancestor][:NEAR]]
        for b in [*tried, *pool[place + 1 : place + FAR]]:
            similarity = taxonomy.similarity(a.place, b.place)
            if b != a and shelf.free(b) and b.definition != a.definition and _bin(similarity) == wanted:
                shelf.taken |= {a.definition, b.definition}
                found.append((a, b, similarity))
                break
    if len(found) < BINS * PAIRS_A_BIN:
        raise ValueError(f"the database has only {len(found)} pairs")
    return found


def _bin(similarity: float) -> int:
    return min(int(similarity * BINS), BINS - 1)


class Taxonomy:
    """The tree of nouns above each noun, and how like two of them are."""

    def __init__(self, nouns: list[Synset]) -> None:
        self.parents = {each.place: each.parents for each in nouns}
        #: For each noun the steps up to each of its ancestors, itself among them.
        self.ancestors: dict[int, dict[int, int]] = {place: self._climb(place) for place in self.parents}

    def similarity(self, a: int, b: int) -> float:
        """Return Wu and Palmer's similarity: twice the depth of the deepest common ancestor over both depths.

        A root has depth 1. The depths of the two are taken along their shortest ways through that ancestor.
        """
        up_a, up_b = self.ancestors[a], self.ancestors[b]
        common = max(up_a.keys() & up_b.keys(), key=lambda each: (self.depth(each), each), default=None)
        if common is None:
            return 0.0
        depth = self.depth(common)
        return 2 * depth / (2 * depth + up_a[common] + up_b[common])

    def depth(self, place: int) -> int:
        """Return one more than the steps from a noun up to the root."""
        return 1 + min(steps for up, steps in self.ancestors[place].items() if not self.parents[up])

    def _climb(self, place: int) -> dict[int, int]:
        steps, level, count = {place: 0}, [place], 0
        while level:
            count += 1
            level = [up for each in level for up in self.parents[each] if up not in steps]
            steps |= dict.fromkeys(level, count)
        return steps


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Try every kind of model that transformers has, tiny and random, and write down what its hidden states are.

    python -m benchmarks.try_models

takes some minutes on one core and writes `oraledu/representations/MODELS.md`. Of a kind whose configuration does not
shrink by the names in `tests/representations/shrink.py` nothing is said.
"""

import argparse
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
import transformers
from torch import Tensor, nn

from oraledu.representations.models import hidden_states, image_states, images, load, text
from tests.representations.shrink import BLOCKS, shrunk
from tests.representations.tiny_models import TEXTS, save_processor, tokenizer

TARGET = Path(__file__).parents[1] / "oraledu" / "representations" / "MODELS.md"
#: What a refusal says, and what the table says of it.
REASONS = {
    "is encoder and decoder": "encoder and decoder",
    "has layers of shape": "layers of several sizes, or several streams a token",
    "does not run on": "needs another input",
    "returns no hidden states": "returns no hidden states",
}
#: What says that sizes were made small which do not fit each other, or are too small.
MISFITS = ("RuntimeError(", "by nan", "int, not NoneType", "sliding_window")


@dataclass(frozen=True)
class Row:
    """What was found of one kind: how it was refused, or how the list of transformers stands to the states."""

    kind: str
    refused: str = ""
    asked: str = ""
    begins: str = ""
    ends: str = ""
    batches: str = ""
    checked: bool = False


def main() -> None:
    """Try them all, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", help="only these, and print them")
    chosen = parser.parse_args().kinds
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rows, left = [], []
    for kind in chosen or sorted({config.model_type for config in transformers.MODEL_MAPPING}):
        try:
            network = shrunk(kind)
        except Exception as error:
            left.append(kind)
            print(f"{kind}: left out ({str(error)[:200]})", file=sys.stderr, flush=True)
            continue
        row = tried(kind, network)
        print(row, file=sys.stderr, flush=True)
        if any(words in row.refused for words in MISFITS):
            left.append(kind)
        else:
            rows.append(row)
    if not chosen:
        TARGET.write_text(document(rows, left), "utf-8")


def tried(kind: str, network: nn.Module) -> Row:
    """Save a model, ask the course for its states, and compare them with the list of transformers."""
    load.cache_clear()
    reads_text = getattr(network, "main_input_name", "") == "input_ids"
    with tempfile.TemporaryDirectory() as folder:
        try:
            network.save_pretrained(folder)
            save_processor(Path(folder), 32)
            tokenizer("plain").save_pretrained(folder)
            return Row(kind, "", *(_text if reads_text else _images)(folder))
        except Exception as error:
            return Row(kind, f"{type(error).__name__}: {error}".replace(folder, kind))


def _text(folder: str) -> tuple[str, str, str, str, bool]:
    model, states = load(folder), hidden_states(folder, TEXTS)
    for each, one in zip(TEXTS, states, strict=True):
        (alone,) = hidden_states(folder, [each])
        apart = ((alone - one).norm(dim=-1) / alone.norm(dim=-1)).max()
        if not apart < 1e-4:
            raise AssertionError(f"a text's states move by {apart:.2g} with its batch")
    hidden_states(folder, ["a bird " * 60])  # more tokens than there are positions
    (numbers,) = text.tokenize(model.reader, TEXTS[:1])
    inputs = {"input_ids": torch.tensor([numbers]), "attention_mask": torch.ones(1, len(numbers)).long()}
    batches = "together" if text._may_be_batched(model, "cpu") else "one at a time"
    return (
        "text",
        *_compared(model.network, states[0], inputs),
        batches,
        _follows(model.network, states[0], inputs),
    )


def _images(folder: str) -> tuple[str, str, str, str, bool]:
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    states, tokens = image_states(folder, pictures)
    network = load(folder, "images").network
    inputs = images._inputs(load(folder, "images").reader, network, pictures, "cpu")
    counts = ", ".join(f"{times} {token}" for token, times in Counter(tokens).items())
    return "images", *_compared(network, states[0], inputs), counts, _follows(network, states[0], inputs)


def _compared(network: nn.Module, states: Tensor, inputs: dict[str, Tensor]) -> tuple[str, str]:
    """Say where the list of transformers begins and ends among the states."""
    with torch.no_grad():
        listed = [each[0] for each in network(**inputs, output_hidden_states=True).hidden_states]

    def place(state: Tensor) -> int | None:
        alike = [
            number
            for number, each in enumerate(states)
            if each.shape == state.shape and torch.allclose(each, state, atol=1e-4)
        ]
        return alike[0] if alike else None

    begins = {0: "the embedding", 1: "the first block's output"}.get(place(listed[0]), "another state")
    end, last = place(listed[-1]), len(states) - 1
    if end is None:
        return begins, "a projection to another width"
    if end == last:
        return begins, "after the final norm" if place(listed[-2]) != last - 1 or len(states) > len(
            listed
        ) else "the last block: no final norm"
    return begins, "before the final norm"


def _follows(network: nn.Module, states: Tensor, inputs: dict[str, Tensor]) -> bool:
    """Say whether the states are what hooks on a list of so many blocks see, without asking transformers for any."""
    seen: dict[str, list[Tensor]] = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == BLOCKS:
            for block in module:
                block.register_forward_hook(
                    lambda _, __, out, name=name: seen.setdefault(name, []).append(
                        (out if isinstance(out, Tensor) else out[0])[0].clone()
                    )
                )
    with torch.no_grad():
        network(**inputs)
    return any(
        len(each) == BLOCKS
        and all(
            one.shape == two.shape and torch.allclose(one, two, atol=1e-4)
            for one, two in zip(each, states[1:], strict=False)
        )
        for each in seen.values()
    )


def document(rows: list[Row], left: list[str]) -> str:
    """Return the table: kinds that behave alike stand in one row."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("transformers", "torch", "tokenizers"))
    lines = [
        "# Which models were tried",
        "",
        f"Written by `python -m benchmarks.try_models` with {packages}; each kind as a tiny random model of {BLOCKS} "
        "blocks, saved and asked by its folder. What transformers calls `hidden_states` begins and ends as said here; "
        "`hidden_states` and `image_states` of the course give all: the embedding, every block, and the final norm.",
    ]
    for asked, fourth in (("text", "texts are read"), ("images", "tokens of an image of 16 patches")):
        lines += [
            "",
            f"## States of {asked}",
            "",
            f"| the list begins with | and ends | {fourth} | kinds |",
            "|---|---|---|---|",
        ]
        groups: dict[tuple[str, str, str], list[str]] = {}
        for row in rows:
            if row.asked == asked:
                groups.setdefault((row.begins, row.ends, row.batches), []).append(
                    row.kind + ("" if row.checked else "*")
                )
        lines += [
            f"| {' | '.join(key)} | {', '.join(kinds)} |"
            for key, kinds in sorted(groups.items(), key=lambda each: -len(each[1]))
        ]
    lines += [
        "",
        "Where no star stands, each block's output was also read by hooks of the script's own, and is the same. A "
        "star: the blocks are no single list of modules, or hooks do not see all of them; the states are as "
        "transformers gives them.",
        "",
        "## Refused, each in one line",
        "",
        "| because | kinds |",
        "|---|---|",
    ]
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.refused:
            reasons.setdefault(reason(row.refused), []).append(row.kind)
    lines += [f"| {why} | {', '.join(kinds)} |" for why, kinds in reasons.items()]
    lines += [
        "",
        "## Not tried",
        "",
        f"Their configuration does not shrink by the names that the script knows: {', '.join(left)}.",
    ]
    return "\n".join(lines) + "\n"


def reason(refused: str) -> str:
    """Return why a kind was refused, without what belongs to it alone."""
    for words, why in REASONS.items():
        if words in refused:
            return why
    return refused


if __name__ == "__main__":
    main()

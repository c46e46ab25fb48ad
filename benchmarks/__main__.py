"""How fast is the course? One table, in Markdown: `oraledu bench`, or `python -m benchmarks` at the root of a checkout.

Ratios are of processor times, on one thread, taken in turns: the median over rounds, and the least and the largest.
"""

import argparse
import importlib
import platform
from collections.abc import Sequence

import joblib
import torch

import oraledu

#: Each has `rows(quick)`, which yields the lines of the table.
PARTS = ("diffusion", "representations", "scaling", "grokking", "lessons", "slider")
HEADER = ("part", "what is divided by what", "size", "median (range)", "time grows as", "peak memory")


def main(words: Sequence[str] | None = None) -> None:
    """Print the table, line by line as it is measured."""
    parser = argparse.ArgumentParser(prog="oraledu bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, no whole notebooks, no browser")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}; default: all")
    options = parser.parse_args(words)
    if unknown := sorted(set(options.parts) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    torch.set_num_threads(1)
    print(
        f"oraledu {oraledu.__version__}, torch {torch.__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, {joblib.cpu_count()} cores"
    )
    print(f"\n| {' | '.join(HEADER)} |\n|{'---|' * len(HEADER)}", flush=True)
    for part in options.parts or PARTS:
        for row in importlib.import_module(f"benchmarks.bench_{part}").rows(options.quick):
            print(row, flush=True)


if __name__ == "__main__":
    main()

"""Numbers in words that say no more than holds on every machine.

After the same training two processors differ in the third digit. Words are compared when a notebook is tested, so
they say less than a picture does.
"""

import math


def above(value: float) -> str:
    """Say the largest tenth, up to 0.9, that is not more than the number."""
    return f"above {min(math.floor(value * 10) / 10, 0.9):.1f}"


def bounded(share: float) -> str:
    """Say between which tenths a share lies, from below or from above: one digit, so that machines agree on it."""
    if share > 0.5:
        return f"above {math.floor(10 * share) / 10:.1f}"
    return f"below {math.floor(10 * share + 1) / 10:.1f}"

"""Colours and number words that the views of several lessons share.

After the same training two processors differ in the third digit. Words are compared when a notebook is tested, so
they say less than a picture does.
"""

import math

from oraledu.course.figures import PALETTE

BLUE, ORANGE, GREEN, RED, PURPLE = PALETTE[:5]
GREY = "#8c8c8c"
#: The grey of words that stand back.
FAINT = "#595959"


def above(value: float) -> str:
    """Say the largest tenth, up to 0.9, that is not more than the number."""
    return f"above {min(math.floor(value * 10) / 10, 0.9):.1f}"

"""The course draws as seaborn does."""

import subprocess
import sys

import matplotlib
import pytest
import seaborn

from oraledu.course.style import PALETTE, SEABORN

#: What the course sets itself.
OURS = {"font.sans-serif", "image.cmap"}


def test_the_palette_is_seaborns_for_colour_blind_readers() -> None:
    assert list(PALETTE) == seaborn.color_palette("colorblind").as_hex()


def test_the_look_is_seaborns_ticks_for_paper() -> None:
    theirs = {**seaborn.axes_style("ticks"), **seaborn.plotting_context("paper")}
    theirs = {name: value for name, value in theirs.items() if value != matplotlib.rcParamsDefault[name]}
    assert set(SEABORN) == set(theirs) - OURS
    for name, value in SEABORN.items():
        assert theirs[name] == (pytest.approx(value) if isinstance(value, float) else value), name


def test_no_lesson_waits_for_seaborn() -> None:
    script = "import sys, oraledu.course.figures; assert not {'seaborn', 'scipy.stats', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)

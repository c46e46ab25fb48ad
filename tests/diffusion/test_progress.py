"""A progress bar passes everything through, and is seen by people only."""

import pytest

from oraledu.diffusion.progress import progress


@pytest.mark.parametrize("ci", [True, False])
def test_the_items_pass_through_and_the_bar_stays_away_from_ci(ci, monkeypatch, capsys):
    monkeypatch.setenv("CI", "true" if ci else "")
    assert list(progress(range(3), "counting")) == [0, 1, 2]
    assert ("counting" in capsys.readouterr().err) == (not ci)

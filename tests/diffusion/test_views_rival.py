"""The maps of what moves a pixel."""

import pytest
import torch

from oraledu.diffusion.views import sensitivity


@pytest.fixture
def maps():
    spot = torch.full((2, 9, 9), 1e-9)
    spot[:, 4, 4], spot[0, 3, 4] = 2.0, 0.3
    wide = spot.clone()
    wide[1, 0, 0] = 2.0
    return {"filter": spot, "fully\nconnected": wide}


def test_a_column_is_a_denoiser_and_a_row_a_time(maps):
    figure = sensitivity(maps, (1.0, 0.2))
    assert [ax.get_title() for ax in figure.axes] == ["filter", "fully\nconnected", "", ""]
    assert [ax.get_ylabel() for ax in figure.axes] == ["t = 1", "", "t = 0.2", ""]
    shown = figure.axes[0].images[0].get_array()
    assert (shown[4, 4], shown[0, 0]) == (0, pytest.approx(-2))
    assert shown[3, 4] == pytest.approx(torch.tensor(0.15).log10().item())
    assert figure.axes[3].images[0].get_array()[0, 0] == 0
    assert figure.png().startswith(b"\x89PNG")


def test_its_words_give_the_windows_that_hold_nine_tenths(maps):
    alt = sensitivity(maps, (1.0, 0.2)).alt
    assert "at t = 1, 0.2." in alt
    assert "nine tenths of it: filter: 3, 1; fully connected: 3, 9." in alt

"""Bad input: an error that names the argument and what it may be."""

import pytest
import torch

from oraledu.diffusion import machines

X, IMAGES = torch.zeros(2, 1, 6, 6), torch.zeros(3, 1, 6, 6)
NAN, INFINITE = torch.zeros(3, 1, 6, 6), torch.zeros(2, 1, 6, 6)
NAN[1, 0, 2, 3], INFINITE[1, 0, 5, 5] = torch.nan, torch.inf

VALUES = [
    ({"x": torch.zeros(1, 6, 6)}, r"x must be a batch of images like the training images, \(B, 1, 6, 6\)"),
    ({"x": torch.zeros(2, 1, 6, 5)}, r"x must be a batch of images like .* got shape \(2, 1, 6, 5\)"),
    ({"x": torch.zeros(2, 3, 6, 6)}, r"x must be a batch of images like .* got shape \(2, 3, 6, 6\)"),
    ({"x": torch.zeros(0, 1, 6, 6)}, "x must be a batch of images like .* with B at least 1"),
    ({"x": INFINITE}, "x must be finite"),
    (
        {"x": torch.zeros(2, 1, 6, 6, device="meta")},
        "x and images must be on the same device, got meta and cpu",
    ),
    ({"images": torch.zeros(6, 6)}, r"images must be square, \(N, C, H, H\), got shape \(6, 6\)"),
    ({"images": torch.zeros(3, 1, 6, 5)}, "images must be square"),
    ({"images": torch.zeros(0, 1, 6, 6)}, "images must hold at least one image"),
    ({"images": NAN}, "images must be finite"),
    ({"alpha_bar": 0.0}, r"alpha_bar must lie in \(0, 1\)"),
    ({"alpha_bar": 1.0}, r"alpha_bar must lie in \(0, 1\)"),
    ({"alpha_bar": -0.1}, r"alpha_bar must lie in \(0, 1\)"),
    ({"alpha_bar": float("nan")}, r"alpha_bar must lie in \(0, 1\)"),
    ({"alpha_bar": torch.tensor([0.5, 1.5])}, r"alpha_bar must lie in \(0, 1\)"),
    ({"alpha_bar": torch.full((3,), 0.5)}, r"alpha_bar must be a number, or one per image, \(2,\)"),
    ({"alpha_bar": torch.full((2, 1), 0.5)}, r"alpha_bar must be a number, or one per image, \(2,\)"),
    (
        {"machine": "els"},
        "machine must be one of 'ideal', 'equivariant', 'local', 'equivariant-local', got 'els'",
    ),
    ({"padding": "reflect"}, 'padding must be "zeros" or "circular", got \'reflect\''),
    ({"padding": None}, 'padding must be "zeros" or "circular", got None'),
    ({"patch": None}, "patch must be given for the machine 'local'"),
    ({"patch": 4}, "patch must be an odd number from 1 to 11"),
    ({"patch": 13}, "patch must be an odd number from 1 to 11"),
    ({"patch": -3}, "patch must be an odd number from 1 to 11"),
    ({"patch": 7, "padding": "circular"}, "patch must be an odd number from 1 to 6"),
    ({"machine": "ideal"}, "patch must be None for the machine 'ideal'"),
    ({"machine": "equivariant", "padding": "circular"}, "patch must be None for the machine 'equivariant'"),
    ({"machine": "equivariant", "patch": None}, 'padding must be "circular" for the machine "equivariant"'),
    ({"labels": torch.arange(3)}, "labels and label belong together"),
    ({"label": 1}, "labels and label belong together"),
    ({"labels": torch.arange(2), "label": 1}, r"labels must be one whole number per training image, \(3,\)"),
    ({"labels": torch.zeros(3), "label": 0}, "labels must be one whole number per training image"),
    ({"labels": torch.arange(3), "label": 7}, r"label must be one of \[0, 1, 2\], got 7"),
]

TYPES = [
    ({"x": X.numpy()}, "x must be a tensor, got ndarray"),
    ({"x": X.double()}, "x and images must have the same dtype, got torch.float64 and torch.float32"),
    ({"images": IMAGES.tolist()}, "images must be a tensor, got list"),
    ({"images": IMAGES.half()}, "images must be float32 or float64, got torch.float16"),
    ({"images": IMAGES.long()}, "images must be float32 or float64, got torch.int64"),
    ({"alpha_bar": "half"}, "alpha_bar must be a number in"),
    ({"alpha_bar": True}, "alpha_bar must be a number in"),
    ({"patch": 3.0}, "patch must be an odd whole number, got 3.0"),
    ({"patch": True}, "patch must be an odd whole number, got True"),
]


@pytest.mark.parametrize("call", [machines.denoise, machines.provenance])
@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [(*case[:1], ValueError, case[1]) for case in VALUES]
    + [(*case[:1], TypeError, case[1]) for case in TYPES],
)
def test_it_is_refused_by_name(call, wrong, error, words):
    right = {"x": X, "images": IMAGES, "alpha_bar": 0.5, "machine": "local", "patch": 3}
    with pytest.raises(error, match=words):
        call(**{**right, **wrong})


@pytest.mark.parametrize(
    "alpha_bar", [0.5, torch.tensor(0.5), torch.tensor([0.5, 0.5]), torch.full((2,), 0.5).double()]
)
def test_a_noise_level_is_a_number_or_one_for_each_image(alpha_bar):
    expected = machines.denoise(X, IMAGES, 0.5, machine="local", patch=3)
    assert torch.equal(machines.denoise(X, IMAGES, alpha_bar, machine="local", patch=3), expected)


@pytest.mark.parametrize(
    ("padding", "patch"), [("zeros", 11), ("circular", 5), ("zeros", 1), ("circular", 1)]
)
def test_the_smallest_and_the_largest_window_are_allowed(padding, patch):
    for machine in ("local", "equivariant-local"):
        found = machines.denoise(X, IMAGES, 0.5, machine=machine, patch=patch, padding=padding)
        assert torch.equal(found, X)

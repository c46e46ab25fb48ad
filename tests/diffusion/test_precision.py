"""Full precision inside, and the caller's settings untouched."""

import pytest
import torch

from oraledu.diffusion import machines
from oraledu.diffusion.precision import full_precision


@pytest.fixture(autouse=True)
def _as_before():
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
@pytest.mark.parametrize("broken", [False, True])
def test_the_callers_precision_is_back_afterwards(precision, broken):
    torch.set_float32_matmul_precision(precision)
    backends = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)
    before = [backend.fp32_precision for backend in backends]
    try:
        with full_precision(torch.device("cpu")):
            assert [backend.fp32_precision for backend in backends] == ["ieee", "ieee"]
            if broken:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert broken
    assert [backend.fp32_precision for backend in backends] == before
    assert torch.get_float32_matmul_precision() == precision
    assert torch.backends.cuda.matmul.allow_tf32 == (precision != "highest")


@pytest.mark.parametrize("machine", ["local", "equivariant-local"])
def test_answers_do_not_depend_on_what_the_caller_allows(machine):
    generator = torch.Generator().manual_seed(0)
    images = 2 * torch.rand(30, 1, 14, 14, generator=generator) - 1
    x = torch.randn(2, 1, 14, 14, generator=generator)
    expected = machines.denoise(x, images, 0.9, machine=machine, patch=5)
    torch.set_float32_matmul_precision("medium")
    assert torch.equal(machines.denoise(x, images, 0.9, machine=machine, patch=5), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(machines.denoise(x, images, 0.9, machine=machine, patch=5), expected)
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16

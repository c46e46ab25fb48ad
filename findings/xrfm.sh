#!/usr/bin/env bash
# xrfm 0.4.5: what its documentation says and the package does not do, on valid input.
#
# Installs the package and torch into a temporary folder, shows what was seen, and ends with 1 if any of it has changed.
# It takes uv (`pip install uv`).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv --quiet "$folder/venv"
uv pip install --quiet --python "$folder/venv" "xrfm==0.4.5" "torch>=2.13,<2.14"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import torch
from xrfm.rfm_src import RFM

torch.manual_seed(0)
torch.set_num_threads(1)
print("xrfm", version("xrfm"), "torch", torch.__version__, "Python", sys.version.split()[0])
x, z = torch.randn(200, 10), torch.randn(50, 10)
y, w = ((each[:, :1] * each[:, 1:2] > 0).float() for each in (x, z))


def outputs(solver="solve", center_grads=False, targets=y, **options):
    model = RFM(kernel="laplace", device="cpu", verbose=False, **options)
    fit = {"early_stop_rfm": False, "return_best_params": False, "solver": solver, "center_grads": center_grads}
    model.fit((x, targets), (z, targets[:50]), reg=1e-3, iters=3, **fit)
    return model.predict(z)


def refused(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


plain, both = outputs(), torch.cat([y, 1 - y], dim=1)
unsolved = (outputs(solver="lu") - plain).abs().max().item()
centred = (outputs(center_grads=True, targets=both) - outputs(targets=both)).abs().max().item()
first = refused(lambda: RFM(kernel="laplace", bandwidth=1.0, iters=3).fit((x, y), (z, w)))
power = refused(lambda: RFM(kernel="l1_power"))
seen = {
    "agop_power, documented as the power of the AGOP: 0.25 and 1 give the same outputs, bit by bit": torch.equal(
        outputs(agop_power=0.25), outputs(agop_power=1.0)
    ),
    f"solver='lu', documented as a factorisation: outputs are off by {unsolved:.2g}, without a word": unsolved > 0.1,
    f"center_grads=True takes one mean for all classes: of two it moves outputs by {centred:.0e}": centred < 1e-3,
    f"the first example of RFM's documentation: {first}": first == "AttributeError: 'RFM' object has no attribute 'reg'",
    f"the kernel 'l1_power' of the README: {power}": power == "ValueError: Invalid kernel: l1_power",
}
for what, holds in seen.items():
    print("as seen:" if holds else "CHANGED:", what)
sys.exit(not all(seen.values()))
PYTHON

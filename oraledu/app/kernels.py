"""How the course starts its kernels."""

import os
import sys
import tempfile
from pathlib import Path

import zmq
from jupyter_client.manager import KernelManager
from jupyter_core.paths import jupyter_runtime_dir


def manager_options() -> dict[str, str]:
    """Return settings of `KernelManager` that encrypt the way to a kernel, where the installed versions can.

    Without it every kernel begins with a warning that frightens and concerns nobody on a loopback connection.
    """
    known = "transport_encryption" in KernelManager.class_trait_names()
    return {"transport_encryption": "auto"} if known and zmq.has("curve") else {}


def prepare_environment() -> None:
    """Take this environment's kernel, whatever others are called, and a runtime folder that can be written."""
    # An earlier folder wins, and these come before the user's.
    places = [str(Path(sys.prefix, "share", "jupyter")), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(places)
    try:
        folder = Path(jupyter_runtime_dir())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        os.environ["JUPYTER_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="oraledu-")

"""How the course starts its kernels."""

import zmq
from jupyter_client.manager import KernelManager


def manager_options() -> dict[str, str]:
    """Return settings of `KernelManager` that encrypt the way to a kernel, where the installed versions can.

    Without it every kernel begins with a warning that frightens and concerns nobody on a loopback connection.
    """
    known = "transport_encryption" in KernelManager.class_trait_names()
    return {"transport_encryption": "auto"} if known and zmq.has("curve") else {}

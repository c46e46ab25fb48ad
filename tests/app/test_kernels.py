import subprocess
import sys

import pytest

from oraledu.app import kernels


def test_a_kernel_starts_without_a_warning():
    program = """
from jupyter_client.manager import KernelManager
from oraledu.app.kernels import manager_options
manager = KernelManager(kernel_name="python3", **manager_options())
manager.start_kernel()
client = manager.blocking_client()
client.start_channels()
client.wait_for_ready(timeout=60)
print(client.execute("1", reply=True, timeout=60)["content"]["status"])
client.stop_channels()
manager.shutdown_kernel()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "ok\n"
    assert "WARNING" not in done.stderr


def test_nothing_is_asked_of_versions_that_do_not_know_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kernels.KernelManager, "class_trait_names", classmethod(lambda cls: []))
    assert kernels.manager_options() == {}


def test_nothing_is_asked_of_a_zmq_without_encryption(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kernels.zmq, "has", lambda capability: False)
    assert kernels.manager_options() == {}

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

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


def test_a_kernel_of_the_same_name_elsewhere_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text('{"argv": ["another"], "display_name": "Mine", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert KernelSpecManager().get_kernel_spec("python3").argv == ["another"]
    kernels.prepare_environment()
    assert KernelSpecManager().get_kernel_spec("python3").argv != ["another"]


def test_where_the_home_cannot_be_written_kernels_meet_their_clients_elsewhere(tmp_path: Path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("JUPYTER_PATH", "")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "good"))
    kernels.prepare_environment()
    assert os.environ["JUPYTER_RUNTIME_DIR"] == str(tmp_path / "good")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "file" / "below"))
    kernels.prepare_environment()
    assert os.access(os.environ["JUPYTER_RUNTIME_DIR"], os.W_OK)


def test_nothing_is_asked_of_versions_that_do_not_know_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kernels.KernelManager, "class_trait_names", classmethod(lambda cls: []))
    assert kernels.manager_options() == {}


def test_nothing_is_asked_of_a_zmq_without_encryption(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kernels.zmq, "has", lambda capability: False)
    assert kernels.manager_options() == {}

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from oraledu.app import cli, hub, lab, workspace
from oraledu.app.doctor import Finding
from oraledu.course import results


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A process that a hub has started; the options that its server would get are noted."""
    options: list[list[str]] = []
    for name in ("jupyterhub", "jupyterhub.singleuser"):
        module = ModuleType(name)
        module.__dict__.update(__spec__=object(), __version__="6.1.1", main=options.append)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv(hub.STARTED, "http://127.0.0.1:1/user/ada/")
    for name in (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_CONFIG_PATH",
        "JUPYTER_PATH",
        "JUPYTERLAB_WORKSPACES_DIR",
        "PATH",
    ):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    for name in ("JUPYTERLAB_SETTINGS_DIR", "MEM_LIMIT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "umask", lambda mask: mask)
    return options


def test_a_learners_server_has_the_folder_and_the_settings_of_lab(sources: Path, tmp_path: Path, started):
    folder = tmp_path / "home" / "work"
    assert hub.serve(folder) == 0
    (options,) = started
    assert set(lab.folder_options(folder)) < set(options)
    assert set(lab.folder_options(folder)) < set(lab._options(folder, Path("x"), "", None, lab.HOST, False))
    assert "--ServerApp.default_url=/lab/tree/lessons/07_sums.ipynb" in options
    assert os.environ["JUPYTER_CONFIG_DIR"] == str(folder / results.MARKER / "jupyter")
    assert (folder / "lessons" / "07_sums.ipynb").is_file()


def test_who_enters_is_for_the_hub_to_say(tmp_path: Path):
    said = " ".join(lab.folder_options(tmp_path))
    assert not [word for word in ("token", "base_url", "ServerApp.ip", "ServerApp.port") if word in said]


def test_a_folder_is_for_its_learner_alone(sources: Path, tmp_path: Path):
    program = "import os, sys; from pathlib import Path; from oraledu.app import hub, workspace\n"
    program += "workspace.prepare = lambda folder: (folder.mkdir(), sys.exit())\nhub.serve(Path('work'))"
    environment = {**os.environ, hub.STARTED: "x", "PYTHONPATH": os.pathsep.join(sys.path)}
    ours = "import importlib.util as u; find = u.find_spec\n"
    ours += "u.find_spec = lambda name: name == 'jupyterhub' or find(name)\n"
    subprocess.run([sys.executable, "-c", ours + program], check=True, env=environment, umask=0o022)
    assert stat.S_IMODE(Path("work").stat().st_mode) == 0o700


def test_without_a_hub_the_command_names_lab(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.delenv(hub.STARTED, raising=False)
    assert cli.main(["hub"]) == 2
    assert capsys.readouterr().err.endswith("on your own machine run 'oraledu lab'\n")


def test_without_jupyterhub_the_command_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
):
    monkeypatch.setenv(hub.STARTED, "http://127.0.0.1:1/")
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: None)
    assert cli.main(["hub", str(tmp_path / "work")]) == 2
    assert "oraledu[hub]" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="what a limit of data counts is a matter of the system")
def test_a_process_that_asks_for_more_than_its_limit_gets_an_error_and_lives():
    program = """
from oraledu.app.hub import hold_memory
hold_memory(300 * 2**20)
try:
    bytearray(400 * 2**20)
except MemoryError:
    print("refused")
bytearray(50 * 2**20)
import subprocess, sys
print(subprocess.run([sys.executable, "-c", "bytearray(400 * 2**20)"], capture_output=True, text=True).stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("refused\n")
    assert done.stdout.rstrip().endswith("MemoryError")


@pytest.fixture
def version(started, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The version that a hub on this machine gives; a test may change it."""
    versions = ["6.0.0"]

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"version": versions[0]}).encode())

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever).start()
    monkeypatch.setenv("JUPYTERHUB_API_URL", f"http://127.0.0.1:{server.server_port}/hub/api")
    yield versions
    server.shutdown()
    server.server_close()


def wrong() -> list[Finding]:
    return [each for each in hub.findings() if each.cure]


def test_where_all_is_well_on_a_hub_the_doctor_says_so(version):
    assert wrong() == []
    assert [each.subject for each in hub.findings()] == ["hub", "memory"]


def test_a_hub_of_another_major_version_is_found(version):
    version[0] = "5.5.0"
    (finding,) = wrong()
    assert finding.found == "version 5.5.0, and 6.1.1 in this server"
    assert "jupyterhub==5.5.0" in str(finding.cure)


def test_a_hub_that_does_not_answer_is_found(version, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JUPYTERHUB_API_URL", "http://127.0.0.1:1/hub/api")
    (finding,) = wrong()
    assert "does not answer" in finding.found


def test_too_little_memory_is_found(version, monkeypatch: pytest.MonkeyPatch):
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda kind: (2**29, 2**29))
    (finding,) = wrong()
    assert finding.found == "0.5 GiB for each process"
    assert "c.Spawner.mem_limit = '" in str(finding.cure)


def test_a_folder_that_others_may_read_is_found(version, tmp_path: Path):
    folder = tmp_path / workspace.DEFAULT
    folder.mkdir()
    folder.chmod(0o755)
    (finding,) = wrong()
    assert finding.cure == f"chmod 700 {folder}"


def test_on_the_hubs_machine_a_missing_proxy_and_culler_are_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(hub.STARTED, raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: None)
    assert wrong() == []
    Path(hub.CONFIG).touch()
    assert [each.found for each in wrong()] == [
        "oraledu[hub] is missing",
        "jupyterhub-idle-culler is missing",
        "its proxy is not on the PATH",
    ]

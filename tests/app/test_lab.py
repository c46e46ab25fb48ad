import io
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import psutil
import pytest

from oraledu.app import lab, workspace
from oraledu.app.doctor import Finding
from oraledu.app.errors import UserError

NOTEBOOK = "lessons/07_sums.ipynb"
PROGRAM = """
import sys
from pathlib import Path
from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson
catalogue.source_folder = lambda kind: Path(sys.argv[1]) / kind
catalogue.LESSONS = (Lesson("07", "07_sums", "sums", "Sums"),)
from oraledu.app.cli import main
sys.exit(main(sys.argv[2:]))
"""


def command(sources: Path, *words: str) -> list[str]:
    """Return the command line of `oraledu` for a course whose notebooks lie in `sources`."""
    return [sys.executable, "-c", PROGRAM, str(sources), *words]


class Served:
    """A JupyterLab that was started by `lab`, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        assert process.stdout
        for line in process.stdout:
            self.said.append(line)
            if line.startswith("ready at "):
                break
        self.url = self.said[-1].split()[-1]
        self.address, self.token = self.url.split("/lab/")[0], self.url.partition("token=")[2]

    def get(self, path: str, token: str, data: bytes | None = None) -> Any:
        headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, headers=headers, data=data)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)

    def post(self, path: str, content: object) -> Any:
        return self.get(path, self.token, json.dumps(content).encode())

    def put(self, path: str, content: object) -> Any:
        headers = {"Authorization": f"token {self.token}"}
        body = json.dumps(content).encode()
        request = urllib.request.Request(self.address + path, headers=headers, data=body, method="PUT")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)


@contextmanager
def serving(sources: Path, *options: str) -> Iterator[Served]:
    words = command(sources, "lab", "work", "--no-browser", *options)
    # In a terminal JupyterLab would answer Ctrl-C with a question.
    terminal, keyboard = pty.openpty()
    with subprocess.Popen(
        words, stdin=keyboard, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()
            os.close(terminal)
            os.close(keyboard)


def test_it_serves_with_the_courses_settings_to_those_who_have_the_token(sources: Path, tmp_path: Path):
    with serving(sources) as served:
        assert served.address.startswith("http://127.0.0.1:")
        assert served.url.startswith(f"{served.address}/lab/tree/{NOTEBOOK}?token=")
        assert len(served.token) >= 32
        viewers = served.get("/lab/api/settings/@jupyterlab/docmanager-extension:plugin", served.token)
        assert viewers["schema"]["properties"]["defaultViewers"]["default"] == {"python": "Jupytext Notebook"}
        news = served.get("/lab/api/settings/@jupyterlab/apputils-extension:notification", served.token)
        assert news["schema"]["properties"]["fetchNews"]["default"] == "false"
        assert news["schema"]["properties"]["checkForUpdates"]["default"] is False
        with pytest.raises(urllib.error.HTTPError, match="403"):
            served.get("/api/contents", "another")
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait() == 0


def answers(host: str, port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 is no address of this machine")
@pytest.mark.parametrize(("options", "reached"), [((), False), (("--ip", "0.0.0.0"), True)])
def test_another_address_reaches_it_only_where_that_was_asked_for(sources: Path, options, reached: bool):
    with serving(sources, *options) as served:
        assert served.address.startswith("http://127.0.0.1:")  # from a container no other address leads here
        assert answers("127.0.0.2", served.address.rpartition(":")[2]) is reached


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_its_kernels_cleanly_and_without_a_question(sources: Path, number: int):
    with serving(sources) as served:
        started = served.post("/api/kernels", {"name": "python3"})
        while served.get("/api/kernels", served.token)[0]["last_activity"] == started["last_activity"]:
            time.sleep(0.1)
        kernels = psutil.Process(served.process.pid).children(recursive=True)
        assert kernels
        served.process.send_signal(number)
        assert served.process.wait(timeout=60) == 0
        assert served.process.stdout
        assert "Shut down this Jupyter server" not in served.process.stdout.read()
        _, alive = psutil.wait_procs(kernels, timeout=60)
        assert alive == []


def test_check_opens_both_halves_and_exits(sources: Path):
    done = subprocess.run(command(sources, "lab", "--check"), capture_output=True, text=True)
    assert done.returncode == 0
    assert f"{NOTEBOOK} opens with 1 cells" in done.stdout
    assert "lessons/07_sums.py opens with 1 cells" in done.stdout
    assert done.stdout.count("ready at ") == 1


HOSTILE = """
c.ServerApp.preferred_dir = "/"
c.ServerApp.base_url = "/user/alice/"
c.ServerApp.certfile = c.ServerApp.keyfile = "/no/such/file"

def fail(**_):
    raise RuntimeError

c.FileContentsManager.post_save_hook = fail
"""


def test_what_the_user_has_set_for_other_servers_changes_nothing(sources: Path, tmp_path: Path, monkeypatch):
    (tmp_path / ".jupyter").mkdir()
    (tmp_path / ".jupyter" / "jupyter_server_config.py").write_text(HOSTILE)
    kernel = tmp_path / "share" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["false"], "display_name": "Mine", "language": "python"}')
    for name, value in (("HOME", "."), ("JUPYTER_PATH", "share"), ("JUPYTERLAB_DIR", "empty")):
        monkeypatch.setenv(name, str(tmp_path / value))
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR"):
        monkeypatch.delenv(name, raising=False)
    with serving(sources) as served:
        assert served.url.startswith(f"{served.address}/lab/tree/{NOTEBOOK}?token=")
        assert (
            served.get("/api/kernelspecs", served.token)["kernelspecs"]["python3"]["spec"]["argv"][0]
            != "false"
        )
        notebook = served.get(f"/api/contents/{NOTEBOOK}", served.token)
        notebook["content"]["cells"][0]["source"] = CUT[0]
        saved = served.put(f"/api/contents/{NOTEBOOK}", {"type": "notebook", "content": notebook["content"]})
        assert saved["path"] == NOTEBOOK
        script = served.get(f"/api/contents/{Path(NOTEBOOK).with_suffix('.py')}?type=notebook", served.token)
        assert len(script["content"]["cells"]) == len(notebook["content"]["cells"])
        assert lab._check(served.address, Path(NOTEBOOK), served.token) == 0


CUT = [
    "def f():\n    # %% part\n    return 1",
    "#%%\nx = 1",
    "x = 1\n# %%%\ny = 2",
    "# In[3]:\nx = 1",  # as nbconvert writes it
    "x = 1\n# In[ ]\ny = 2",
    "# <codecell>\nx = 1",
    'x = "a\u2028b"',
    "x = 1 \x0c",
    "# a\x85b",
]
WHOLE = [
    "x = 1\n# %%time\n",
    "print(f'{7 % 3}') # %% of it",
    "%%time\nx = 1",
    "# 5 %%",
    "#%matplotlib inline",
    "# In[3]: the third\n# as <codecell>",
]


@pytest.mark.parametrize("source", [*CUT, *WHOLE])
def test_what_would_cut_a_cell_in_two_is_written_anew_and_nothing_else(source: str):
    cells = [nbformat.v4.new_code_cell(source), nbformat.v4.new_markdown_cell("# %% is\u2029 text")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    lab.keep_whole(model={"type": "notebook", "content": notebook}, path="")
    assert (cells[0].source == source) is (source in WHOLE)
    assert cells[1].source == "# %% is  text"
    reopened = jupytext.reads(jupytext.writes(notebook, fmt="py:percent"), fmt="py:percent")
    assert [cell.source.rstrip() for cell in reopened.cells] == [cell.source.rstrip() for cell in cells]


@pytest.mark.parametrize("noted", [[], ["a"]])
def test_a_widget_without_its_state_gives_way_to_what_stands_beside_it(noted: list[str]):
    bundles: list[dict[str, Any]] = [
        {lab.VIEW: {"model_id": "a"}, "image/png": "cG5n"},
        {lab.VIEW: {"model_id": "b"}, "text/plain": "50%"},
        {lab.VIEW: {"model_id": "c"}},  # better an error than nothing at all
        {"text/plain": "1"},
    ]
    outputs = [nbformat.v4.new_output("display_data", data) for data in bundles]
    outputs.append(nbformat.v4.new_output("stream", text="printed"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=outputs)])
    if noted:
        notebook.metadata.widgets = {lab.STATES: {"state": {name: {} for name in noted}}}
    lab.keep_whole(model={"type": "notebook", "content": notebook}, path="")
    kept = [sorted(output.get("data", {})) for output in outputs]
    first = [lab.VIEW, "image/png"] if noted else ["image/png"]
    assert kept == [first, ["text/plain"], [lab.VIEW], ["text/plain"], []]


def test_a_file_that_is_no_notebook_is_saved_as_it_is():
    model = {"type": "file", "content": "# %%\u2028"}
    lab.keep_whole(model=model, path="")
    assert model["content"] == "# %%\u2028"


def test_check_starts_a_kernel_and_wants_the_application_on_the_page(monkeypatch, capsys):
    pages = {"/lab": b"jupyter-config-data", "/api": b'{"content": {"cells": []}}'}
    monkeypatch.setattr(lab, "_get", lambda url, token: io.BytesIO(pages[url[:4]]))
    wrong = Finding("kernel", "it does not run the course", "mend it")
    monkeypatch.setattr(lab.doctor, "kernel", lambda: iter([wrong]))
    assert lab._check("", Path(NOTEBOOK), "") == 1
    assert capsys.readouterr().err == "the check failed: kernel: it does not run the course; mend it\n"
    pages["/lab"] = b"JupyterLab application assets not found"
    assert lab._check("", Path(NOTEBOOK), "") == 1
    assert "the page holds no JupyterLab" in capsys.readouterr().err


def test_check_fails_where_a_lesson_cannot_be_opened(sources: Path, tmp_path: Path):
    workspace.prepare(tmp_path / "work")
    (tmp_path / "work" / NOTEBOOK).write_text("no notebook")
    done = subprocess.run(command(sources, "lab", "--check"), capture_output=True, text=True)
    assert done.returncode == 1
    assert "the check failed: HTTP Error 400" in done.stderr


def test_a_busy_port_is_refused_before_anything_starts(tmp_path: Path):
    with socket.socket() as busy:
        busy.bind((lab.HOST, 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} cannot be used .*; choose another --port"):
            lab.serve(tmp_path, Path(NOTEBOOK), port=port)


def test_root_gets_a_note_and_is_let_in(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "--ServerApp.allow_root=True" in lab._options(
        Path("work"), Path(NOTEBOOK), "secret", None, lab.HOST, False
    )
    assert "an ordinary user is safer" in capsys.readouterr().out


def test_an_ordinary_user_gets_neither(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "--ServerApp.allow_root=True" not in lab._options(
        Path("work"), Path(NOTEBOOK), "secret", None, lab.HOST, False
    )
    assert capsys.readouterr().out == ""


def test_a_chosen_port_is_the_only_one_tried():
    options = lab._options(Path("work"), Path(NOTEBOOK), "secret", 9000, lab.HOST, False)
    assert {"--ServerApp.port=9000", "--ServerApp.port_retries=0"} <= set(options)
    free = lab._options(Path("work"), Path(NOTEBOOK), "secret", None, lab.HOST, False)
    assert not any(option.startswith("--ServerApp.port") for option in free)


@pytest.mark.parametrize(("display", "expected"), [("", False), (":0", True)])
def test_a_browser_opens_only_where_a_window_can(
    monkeypatch: pytest.MonkeyPatch, display: str, expected: bool
):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", display)
    options = lab._options(Path("work"), Path(NOTEBOOK), "secret", None, lab.HOST, True)
    assert f"--ServerApp.open_browser={expected}" in options


def test_the_home_keeps_its_settings_and_the_folder_its_workspaces(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/of/the/user")
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setenv("JUPYTERLAB_WORKSPACES_DIR", "")
    monkeypatch.delenv("JUPYTERLAB_WORKSPACES_DIR")
    for name in ("JUPYTERLAB_SETTINGS_DIR", "JUPYTER_PATH", "JUPYTERLAB_DIR"):
        monkeypatch.setenv(name, "/of/the/user")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", "/of/the/user/too")
    monkeypatch.delenv("JUPYTERLAB_SETTINGS_DIR")
    lab.prepare_server(tmp_path)
    assert os.environ["JUPYTERLAB_SETTINGS_DIR"] == "/of/the/user/too/lab/user-settings"
    assert os.environ["JUPYTER_CONFIG_DIR"] == str(tmp_path / ".oraledu" / "jupyter")
    assert os.environ["JUPYTER_CONFIG_PATH"] == f"{lab.CONFIG}{os.pathsep}/of/the/user"
    assert os.environ["JUPYTERLAB_WORKSPACES_DIR"] == str(tmp_path / ".oraledu" / "workspaces")
    assert os.environ["PATH"] == f"{Path(sys.executable).parent}{os.pathsep}/bin"

"""A class on a JupyterHub, as two learners in two browsers. It runs where JupyterHub and its proxy are installed."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.conftest import ROOT
from tests.browser.driver import LAPTOP, MINUTE, Notebook

PROXY = shutil.which("configurable-http-proxy")
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("jupyterhub") is None or PROXY is None,
    reason="needs pip install -e '.[hub]' and npm install -g configurable-http-proxy",
)
LESSON = "04_grokking"
PASSWORD = "only for this test"


class Hub:
    """A hub of `deploy/trial_config.py`, under a path, with ports of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        with contextlib.ExitStack() as probes:
            probe = [probes.enter_context(socket.socket()) for _ in range(3)]
            for each in probe:
                each.bind(("127.0.0.1", 0))
            port, inner, proxy = (each.getsockname()[1] for each in probe)
        self.url = f"http://127.0.0.1:{port}/course"
        self.ports = [
            f"--JupyterHub.hub_port={inner}",
            f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy}",
        ]

    def start(self) -> None:
        environment = {
            **os.environ,
            "ORALEDU_TRIAL_PASSWORD": PASSWORD,
            "ORALEDU_HUB_STATE": str(self.state),
            "ORALEDU_HUB_URL": f"{self.url}/",
        }
        environment.pop("IPYTHONDIR", None)  # a learner's kernel, not one that is watched
        config = ROOT / "deploy" / "trial_config.py"
        words = [sys.executable, "-m", "jupyterhub", "-f", str(config), *self.ports]
        with (self.state / "hub.log").open("a") as log:
            self.process = subprocess.Popen(words, env=environment, stdout=log, stderr=log, cwd=self.state)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/hub/api/", timeout=2):
                return
            time.sleep(0.2)
        raise AssertionError((self.state / "hub.log").read_text("utf-8"))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def folder(self, learner: str) -> Path:
        return self.state / "homes" / learner / "work"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that runs; the learners' servers end with it."""
    hub = Hub(tmp_path_factory.mktemp("hub"))
    hub.start()
    yield hub
    hub.stop()
    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get("HOME", "").startswith(str(hub.state)):
            process.kill()


@contextlib.contextmanager
def learner(browser: Browser, hub: Hub, name: str) -> Iterator[tuple[BrowserContext, Notebook]]:
    """A browser of one learner, who has logged in and opened a lesson."""
    context = browser.new_context(viewport=LAPTOP)
    context.set_default_timeout(2 * MINUTE)
    page = context.new_page()
    page.goto(f"{hub.url}/hub/login")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("#login_submit")
    page.wait_for_url(f"**/user/{name}/lab/**")
    yield context, open_lesson(context, hub, name)
    context.close()


def open_lesson(context: BrowserContext, hub: Hub, name: str) -> Notebook:
    address = f"{hub.url}/user/{name}/lab/tree/x?token="
    return Notebook(context.pages[0], address, f"lessons/{LESSON}.ipynb")


def test_two_learners_work_side_by_side_and_keep_their_work(browser: Browser, hub: Hub):
    pair = [hub.folder("ada") / "lessons" / f"{LESSON}{ending}" for ending in (".ipynb", ".py")]
    with learner(browser, hub, "ada") as (ada, notebook), learner(browser, hub, "bob") as (bob, _):
        # Each has a copy; what one writes the other does not get.
        first = notebook.cell("start(")
        source = first.locator(".cm-content").inner_text()
        notebook.replace_source(first, f"{source}\nmine = 'the work of ada'")
        notebook.run_cell("the work of ada")
        notebook.save(pair, "the work of ada")
        theirs = hub.folder("bob") / "lessons" / f"{LESSON}.ipynb"
        assert "the work of ada" not in theirs.read_text("utf-8")
        assert notebook.errors() == []

        # Neither reaches the other's server, nor may another account of the machine read the folder.
        answer = bob.request.get(f"{hub.url}/user/ada/api/contents/lessons", max_redirects=0)
        assert answer.status in (302, 403)
        assert "token" not in answer.headers.get("location", "")
        assert [hub.folder(name).stat().st_mode & 0o077 for name in ("ada", "bob")] == [0, 0]

        # What a learner's doctor says of the hub.
        notebook.replace_source(
            notebook.cell("the work of ada"),
            "from oraledu.app import doctor\nfor each in doctor.hub(): print(each)\nmine = 'the work of ada'",
        )
        said = notebook.run_cell("doctor.hub").inner_text()
        assert "ok hub: version" in " ".join(said.split())
        assert "ok memory: 3.0 GiB" in " ".join(said.split())
        assert "MEND" not in said
        notebook.save(pair, "doctor.hub")

        # The hub goes down and comes back: the kernel has not noticed.
        hub.stop()
        hub.start()
        notebook = open_lesson(ada, hub, "ada")
        notebook.replace_source(notebook.cell("doctor.hub"), "print(mine, 'and her kernel')")
        assert "the work of ada and her kernel" in notebook.run_cell("and her kernel").inner_text()
        notebook.save(pair, "and her kernel")

        # Her server starts anew after an update that brings a lesson: it comes, and hers stays.
        for path in (hub.folder("ada") / "lessons").glob("01_*"):
            path.unlink()
        page = ada.pages[0]
        page.goto(f"{hub.url}/hub/home")
        page.click("#stop")
        page.wait_for_selector("#stop", state="hidden")
        page.goto(f"{hub.url}/user/ada/lab")
        page.locator("#start, a:has-text('Launch Server')").first.click()
        page.wait_for_url("**/user/ada/lab*")
        open_lesson(ada, hub, "ada")
        assert len(list((hub.folder("ada") / "lessons").glob("01_*"))) == 2
        assert all("and her kernel" in path.read_text("utf-8") for path in pair)

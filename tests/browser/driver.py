"""JupyterLab as a learner uses it, through Chromium: open, run, type, move a slider, save."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue

from playwright.sync_api import Locator, Page, TimeoutError

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CHROMIUM_OPTIONS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Chromium refuses its sandbox to root, who runs continuous integration.
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]
LAPTOP = {"width": 1366, "height": 768}
MINUTE = 60_000  # milliseconds, playwright's unit


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run `oraledu lab` on a folder and yield the address that it prints; end it with Ctrl-C."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "oraledu", "lab", str(folder), "--no-browser", "--port", str(port)]
    # The settings of whoever runs this, such as a theme, are left out.
    environment = {**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(folder.parent / "settings")}
    # A learner's kernel: what the kernels of nbval run at their start binds names anew after the last cell.
    del environment["IPYTHONDIR"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=environment,
    ) as server:
        lines: Queue[str] = Queue()
        assert server.stdout is not None
        reader = threading.Thread(target=lambda: [lines.put(line) for line in server.stdout or ()])
        reader.start()
        try:
            yield _address(lines)
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(timeout=30)
            finally:
                server.kill()
                reader.join()


def _address(lines: Queue[str]) -> str:
    seen: list[str] = []
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(Empty):
            seen.append(lines.get(timeout=1))
            if seen[-1].startswith("ready at "):
                return seen[-1].split()[-1]
    raise AssertionError("'oraledu lab' printed no address:\n" + "".join(seen))


class Notebook:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page: Page, address: str, path: str) -> None:
        """Open `path` below the server's root, in a workspace of its own, and wait until its kernel is idle."""
        base, token = address.split("/lab/tree/")[0], address.split("token=")[1]
        page.goto(f"{base}/lab/tree/{path}?reset&token={token}")
        page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=2 * MINUTE)
        self.page = page
        self.panel = page.locator(".jp-NotebookPanel:visible")
        self.wait_until_idle()

    def wait_until_idle(self, minutes: float = 3) -> None:
        """Wait until the status bar says that the kernel does nothing."""
        self.page.wait_for_function(
            r"() => /Python 3.*\|\s*Idle/.test(document.querySelector('#jp-main-statusbar')?.innerText ?? '')",
            timeout=minutes * MINUTE,
        )

    def menu(self, *names: str) -> None:
        """Choose an entry of the menu bar, for instance ("Run", "Run All Cells")."""
        self.page.get_by_role("menuitem", name=names[0], exact=True).click()
        for name in names[1:]:
            self.page.locator(".lm-Menu-item", has_text=name).first.click()

    def run_all(self, minutes: float = 12) -> None:
        """Run every cell, and wait until each has its number."""
        with self._new_numbers(self.panel.locator(".jp-CodeCell"), minutes):
            self.menu("Run", "Run All Cells")

    @contextlib.contextmanager
    def _new_numbers(self, cells: Locator, minutes: float) -> Iterator[None]:
        """Wait until each of these cells that is not empty has been given a number, and the kernel does nothing.

        A number of an earlier run, or one that was stored, is wiped from the page before.
        """
        full = "cells.filter(cell => cell.querySelector('.cm-content').textContent.trim() !== '')"
        prompts = f"{full}.map(cell => cell.querySelector('.jp-InputPrompt'))"
        cells.evaluate_all(f"cells => {prompts}.forEach(prompt => {{ prompt.textContent = '' }})")
        yield
        numbered = rf"cells => {prompts}.every(prompt => /\[\d+\]/.test(prompt.textContent))"
        deadline = time.monotonic() + 60 * minutes
        while not cells.evaluate_all(numbered):
            assert time.monotonic() < deadline, "a cell has not been run"
            self.page.wait_for_timeout(100)
        self.wait_until_idle(minutes)

    def cell(self, text: str) -> Locator:
        """Return the code cell whose source holds a text."""
        found = self.panel.locator(".jp-CodeCell", has=self.page.locator(".cm-content", has_text=text))
        return found.first

    def run_cell(self, text: str) -> Locator:
        """Click into a cell, run it with Ctrl+Enter, and return it."""
        cell = self.cell(text)
        cell.locator(".cm-content").click()
        with self._new_numbers(cell, 5):
            self.page.keyboard.press("Control+Enter")
        return cell

    def replace_source(self, cell: Locator, source: str) -> None:
        """Type another source into a cell, as pasting does."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)

    def save(self, pair: Sequence[Path], text: str, seconds: float = 120) -> None:
        """Save with Ctrl+S and wait until every file of the pair on disk holds a text.

        The tab's mark of unsaved changes tells less: the widgets may note their state again after the save.
        """
        self.page.keyboard.press("Control+S")
        deadline = time.monotonic() + seconds
        while missing := [str(path) for path in pair if not _holds(path, text)]:
            assert time.monotonic() < deadline, f"{text!r} was not saved to {missing}"
            self.page.wait_for_timeout(200)

    def shut_down(self) -> None:
        """Shut the kernel down, and wait until the status bar says so."""
        self.menu("Kernel", "Shut Down Kernel")
        self.page.wait_for_function(
            "() => /No Kernel/.test(document.querySelector('#jp-main-statusbar')?.innerText ?? '')",
            timeout=MINUTE,
        )

    def errors(self) -> list[str]:
        """Return the texts of error outputs, of widgets that failed, and of dialogs that are open."""
        found = self.page.locator(
            ".jp-NotebookPanel .jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error'], "
            ".jp-NotebookPanel .jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr'], "
            ".jp-Dialog, .jupyter-widgets-error-widget"
        )
        return [text.strip() for text in found.all_text_contents()]

    def text(self) -> str:
        """Return all that the notebook shows, also what is scrolled out of sight (which has no inner text)."""
        return self.panel.text_content() or ""

    def pictures(self) -> Locator:
        """Return the pictures among the outputs: those of figures, and those of explorers."""
        return self.panel.locator(".jp-OutputArea-output img")

    def explorers(self) -> list[Locator]:
        """Return the cells that show a live explorer: a widget picture with controls."""
        return self.panel.locator(".jp-CodeCell", has=self.page.locator(".jupyter-widgets img")).all()


def _holds(path: Path, text: str) -> bool:
    """Tell whether a file holds a text and is whole: the server empties a file before it writes it."""
    content = path.read_text("utf-8")
    with contextlib.suppress(ValueError):
        return text in content and (path.suffix != ".ipynb" or bool(json.loads(content)))
    return False


def picture(explorer: Locator) -> str:
    """Return where the picture of an explorer comes from; another frame has another address."""
    return explorer.locator(".jupyter-widgets img").first.get_attribute("src") or ""


def press(control: Locator, key: str) -> None:
    """Focus a control and press a key on it."""
    control.focus()
    control.press(key)


def move(control: Locator) -> None:
    """Put a slider, a menu or a box of an explorer to another value, with the keyboard where it has keys."""
    if control.get_attribute("role") == "slider":
        at_the_end = control.get_attribute("aria-valuenow") == control.get_attribute("aria-valuemax")
        press(control, "ArrowLeft" if at_the_end else "ArrowRight")
    elif control.get_attribute("type") == "checkbox":
        press(control, "Space")
    else:
        chosen = control.evaluate("menu => menu.selectedIndex")
        control.select_option(index=0 if chosen else 1)


def wait_for_another_picture(page: Page, explorer: Locator, before: str, seconds: float = 60) -> float:
    """Wait until an explorer shows another frame; return the milliseconds that it took."""
    image = explorer.locator(".jupyter-widgets img").first.element_handle()
    start = time.perf_counter()
    try:
        page.wait_for_function(
            "([image, before]) => image.src !== before", arg=[image, before], timeout=seconds * 1000
        )
    except TimeoutError as error:
        source = explorer.locator(".cm-content").first.text_content()
        raise AssertionError(f"the picture of {source!r} stayed as it was") from error
    return (time.perf_counter() - start) * 1000

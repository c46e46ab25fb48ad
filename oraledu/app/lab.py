"""Serve a learner's folder in JupyterLab: on this machine only, with the settings that the course needs."""

import asyncio
import json
import os
import re
import secrets
import signal
import socket
import sys
import urllib.request
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_config_dir
from jupyterlab.labapp import LabApp

from oraledu.app import cures, doctor
from oraledu.app.errors import UserError
from oraledu.app.kernels import manager_options, prepare_environment
from oraledu.course import results

#: JupyterLab reads `labconfig/default_setting_overrides.json` below each folder of JUPYTER_CONFIG_PATH.
CONFIG = Path(__file__).resolve().parent
HOST = "127.0.0.1"
CHECK_SECONDS = 60
VIEW, STATES = (f"application/vnd.jupyter.widget-{what}+json" for what in ("view", "state"))

#: What jupytext takes for the end of a line, and Python does not; and what it takes for the start of a cell.
_LINE_ENDS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CELL_MARK = re.compile(
    r"^(\s*#\s*(?:%(?=%+(?:\s|$))|<(?=codecell>\s*$)|In(?=\[[0-9 ]*\]:?\s*$)))", re.MULTILINE
)


def serve(
    folder: Path,
    notebook: Path,
    *,
    port: int | None = None,
    ip: str = HOST,
    browser: bool = True,
    check: bool = False,
) -> int:
    """Serve a folder until Ctrl-C or SIGTERM; return the exit code.

    Args:
        folder: the learner's folder, JupyterLab's root.
        notebook: what to open first, relative to the folder.
        port: the port, which must be free; None takes the first free one from 8888 on.
        ip: the address to serve on; any but this machine's own is for a container, which nobody else reaches.
        browser: open the user's browser.
        check: open the notebook through the server's interface, then stop; the code is 1 if that fails.

    Raises:
        UserError: the port is taken or may not be used.
    """
    if port is not None:
        _refuse_a_busy(ip, port)
    prepare_server(folder)
    token = secrets.token_hex(24)
    server = LabApp.initialize_server(argv=_options(folder, notebook, token, port, ip, browser and not check))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop(from_signal=True))
    # Of a container's own name nobody outside knows the address; its published port is this machine's.
    address = f"http://{HOST}:{server.port}" if ip == "0.0.0.0" else server.connection_url.rstrip("/")
    code = 0

    async def on_ready() -> None:
        nonlocal code
        print(f"ready at {address}/lab/tree/{notebook.as_posix()}?token={token}", flush=True)
        if check:
            code = await asyncio.to_thread(_check, address, notebook, token)
            server.stop()

    server.io_loop.add_callback(on_ready)
    server.start()
    return code


def keep_whole(*, model: dict[str, Any], **_: object) -> None:
    """Before a notebook is saved, mend what would open otherwise than it was.

    What would cut a cell in two when its script is opened is written anew. A widget whose state JupyterLab has not
    stored, since its kernel has gone, would be an error: what stands beside it, a picture mostly, is shown instead.
    """
    if model["type"] != "notebook":
        return
    noted = model["content"]["metadata"].get("widgets", {}).get(STATES, {}).get("state", {})
    for cell in model["content"]["cells"]:
        cell["source"] = _LINE_ENDS.sub(" ", cell["source"])
        if cell["cell_type"] == "code":
            cell["source"] = _CELL_MARK.sub(r"\1 ", cell["source"])
        for data in (output.get("data", {}) for output in cell.get("outputs", ())):
            if data.get(VIEW, {}).get("model_id") not in noted and data.keys() - {VIEW}:
                data.pop(VIEW, None)


def _refuse_a_busy(ip: str, port: int) -> None:
    with socket.socket() as probe:
        try:
            probe.bind((ip, port))
        except OSError as error:
            raise UserError(f"port {port} cannot be used ({error.strerror}); choose another --port") from None


def prepare_server(folder: Path) -> None:
    """Give JupyterLab the course's settings and its terminals the course's commands; leave the home alone."""
    found = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(CONFIG), *([found] if found else [])])
    marker = folder.resolve() / results.MARKER
    os.environ.setdefault("JUPYTERLAB_WORKSPACES_DIR", str(marker / "workspaces"))
    # What the user has set for other servers stays out; how the user's JupyterLab looks comes along.
    os.environ.setdefault("JUPYTERLAB_SETTINGS_DIR", str(Path(jupyter_config_dir(), "lab", "user-settings")))
    os.environ["JUPYTER_CONFIG_DIR"] = str(marker / "jupyter")
    os.environ.pop("JUPYTERLAB_DIR", None)
    prepare_environment()
    commands = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([commands, os.environ.get("PATH", os.defpath)])


def _options(folder: Path, notebook: Path, token: str, port: int | None, ip: str, browser: bool) -> list[str]:
    options = [
        f"--ServerApp.ip={ip}",
        f"--ServerApp.open_browser={browser and _has_browser()}",
        # A configuration for all users of the machine may say otherwise.
        "--ServerApp.base_url=/",
        "--ServerApp.certfile=",
        "--ServerApp.keyfile=",
        f"--IdentityProvider.token={token}",
        f"--LabApp.default_url=/lab/tree/{notebook.as_posix()}",
        "--LabApp.log_level=ERROR",
    ]
    if port is not None:
        options += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        print("You are root, and so is all that a notebook does; an ordinary user is safer.", flush=True)
        options.append("--ServerApp.allow_root=True")
    return options + folder_options(folder)


def folder_options(folder: Path) -> list[str]:
    """Return what any server of a learner's folder is told: where it is, and how notebooks and kernels are kept."""
    return [
        f"--ServerApp.root_dir={folder.resolve()}",
        # A configuration for all users of the machine may say otherwise.
        f"--ServerApp.preferred_dir={folder.resolve()}",
        f"--NotebookNotary.data_dir={folder.resolve() / results.MARKER}",
        f"--ContentsManager.pre_save_hook={__name__}.{keep_whole.__name__}",
        # Looking for language servers starts npm, which writes into the home.
        "--LanguageServerManager.autodetect=False",
        "--ServerApp.log_level=ERROR",
        *(f"--KernelManager.{name}={value}" for name, value in manager_options().items()),
    ]


def _has_browser() -> bool:
    """Tell whether a window can open: without a display Python would start a browser inside the terminal."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _check(address: str, notebook: Path, token: str) -> int:
    """Open JupyterLab's page and both halves of a notebook, and start a kernel; return 0 if all is well."""
    try:
        with _get(f"{address}/lab", token) as answer:
            if b"jupyter-config-data" not in answer.read():
                raise ValueError(f"the page holds no JupyterLab; {cures.reinstall()}")
        for half in (notebook, notebook.with_suffix(".py")):
            with _get(f"{address}/api/contents/{half.as_posix()}?type=notebook", token) as answer:
                cells = json.load(answer)["content"]["cells"]
            print(f"{half.as_posix()} opens with {len(cells)} cells", flush=True)
        if wrong := [each for each in doctor.kernel() if each.cure]:
            raise ValueError(f"{wrong[0].subject}: {wrong[0].found}; {wrong[0].cure}")
    except (OSError, ValueError, KeyError) as error:
        print(f"the check failed: {error}", file=sys.stderr)
        return 1
    return 0


def _get(url: str, token: str) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"token {token}"})
    # The server is on this machine: a proxy that the environment names has no part in it.
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=CHECK_SECONDS)

"""The course on a JupyterHub: one user's server, and what `oraledu doctor` finds there.

A user's server has the folder, the settings and the kernel that `oraledu lab` gives; who may enter, and under which
address, the hub says. It runs as the user, so that nothing is ever written into a home as root.
"""

import importlib.util
import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from oraledu.app import cures, lab, workspace
from oraledu.app.doctor import Finding
from oraledu.app.errors import UserError

CONFIG = "jupyterhub_config.py"
#: Of what the limit counts, a lesson was seen to take 1.5 GiB.
LEAST_MEMORY = 2 * 2**30
#: What a hub sets for the servers that it starts.
STARTED = "JUPYTERHUB_SERVICE_URL"


def serve(folder: Path) -> int:
    """Serve a user's folder under the hub that has started this process; it returns when the hub ends it.

    Args:
        folder: the user's folder of lessons, which is made, readable by its user alone, if it is missing.

    Raises:
        UserError: no hub has started this, or JupyterHub is not installed beside the course.
        OSError: the folder cannot be written.
    """
    if not os.environ.get(STARTED):
        raise UserError("a JupyterHub starts this, see deploy/; on your own machine run 'oraledu lab'")
    if importlib.util.find_spec("jupyterhub") is None:
        raise UserError(f"JupyterHub is missing here; run: {cures.install('oraledu[hub]')}")
    os.umask(0o077)  # the lessons of a user are nobody else's
    hold_memory(int(os.environ.get("MEM_LIMIT") or 0))
    workspace.prepare(folder)
    lab.prepare_server(folder)
    from jupyterhub.singleuser import main  # reads the environment at import

    options = [*lab.folder_options(folder), "--ServerApp.allow_root=True"]
    first = workspace.first_lesson(folder).as_posix()
    main([*options, f"--ServerApp.default_url=/lab/tree/{first}"])
    return 0


def hold_memory(limit: int) -> None:
    """Let no process of this user's server, kernels among them, hold more than `limit` bytes; 0 sets no limit.

    A spawner of local processes tells the limit and does not hold to it. With this a cell that asks for too much ends
    in an error, where otherwise the system would end any process of the class.
    """
    if limit:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def findings() -> Iterator[Finding]:
    """Look at what only a hub needs: on its machine beside the configuration, and in a user's server."""
    if Path(CONFIG).is_file():
        yield from _machine()
    if os.environ.get(STARTED):
        yield from _server()


def _machine() -> Iterator[Finding]:
    for module, package in (
        ("jupyterhub", "oraledu[hub]"),
        ("jupyterhub_idle_culler", "jupyterhub-idle-culler"),
    ):
        if importlib.util.find_spec(module) is None:
            yield Finding("hub", f"{package} is missing", cures.install(package))
    proxy = shutil.which("configurable-http-proxy")
    if proxy is None:
        cure = "npm install -g configurable-http-proxy (it needs Node.js)"
        yield Finding("hub", "its proxy is not on the PATH", cure)
    else:
        yield Finding("hub", f"its proxy is {proxy}")


def _server() -> Iterator[Finding]:
    import resource

    import jupyterhub

    try:
        with urllib.request.urlopen(os.environ["JUPYTERHUB_API_URL"] + "/", timeout=10) as answer:
            version = json.load(answer)["version"]
    except (OSError, ValueError, KeyError) as error:
        yield Finding("hub", f"it does not answer ({error})", "tell your teacher: the hub has to run")
        return
    ours = jupyterhub.__version__
    same = version.partition(".")[0] == ours.partition(".")[0]
    cure = f"in the course's environment: {cures.install(f'jupyterhub=={version}')}"
    yield Finding("hub", f"version {version}, and {ours} in this server", None if same else cure)
    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    enough = limit == resource.RLIM_INFINITY or limit >= LEAST_MEMORY
    found = "no limit" if limit == resource.RLIM_INFINITY else f"{limit / 2**30:.1f} GiB for each process"
    cure = f"tell your teacher: a lesson needs c.Spawner.mem_limit = '{LEAST_MEMORY >> 30}G'"
    yield Finding("memory", found, None if enough else cure)
    folder = workspace.default_folder().resolve()
    if folder.is_dir() and folder.stat().st_mode & 0o077:
        cure = cures.command("chmod", "700", str(folder))
        yield Finding("privacy", f"others on this machine can read {folder}", cure)

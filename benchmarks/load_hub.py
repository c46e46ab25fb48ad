"""How many learners does one machine carry? `python benchmarks/load_hub.py --learners 1,4,8` on the hub's machine.

A hub of `deploy/trial_config.py` starts on this machine's own addresses. For each number of learners, that many run the
first part of a lesson (or with `--whole` all of it) at the same time, each in a server and a kernel of their own; a row
says how long that took, and what memory they hold. It takes `pip install -e '.[hub,dev]'` and the hub's proxy.
"""

import argparse
import asyncio
import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Sequence
from pathlib import Path

import jupytext
import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from oraledu.app import catalogue

ROOT = Path(__file__).resolve().parents[1]
PORTS = (8310, 8311, 8312)
HUB = f"http://127.0.0.1:{PORTS[0]}"
CONFIG = """
import os
load_subconfig(os.environ["LOAD_CONFIG"])
c = get_config()
c.JupyterHub.active_server_limit = 0
c.JupyterHub.hub_port = {1}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{2}"
c.JupyterHub.services.append({{"name": "load", "api_token": os.environ["LOAD_TOKEN"]}})
scopes = ["admin:users", "admin:servers", "access:servers"]
c.JupyterHub.load_roles.append({{"name": "load", "services": ["load"], "scopes": scopes}})
"""
#: A machine with too many learners answers late; that is what is to be measured.
SECONDS = 1200


class Learner:
    """One user of the hub, with a kernel that runs a lesson's cells one after another."""

    def __init__(self, number: int, token: str) -> None:
        self.name, self.token = f"learner{number:02}", token
        self.socket: WebSocketClientConnection | None = None
        self.slowest = 0.0

    async def ask(self, path: str, method: str = "GET", body: object = None) -> dict:
        """Send a request to the hub, or through it to this learner's server."""
        data = json.dumps(body) if body is not None else ("" if method == "POST" else None)
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = HTTPRequest(HUB + path, method, headers, data, request_timeout=SECONDS)
        answer = await AsyncHTTPClient().fetch(request)
        return json.loads(answer.body or "{}")

    async def serve(self) -> None:
        """Have the hub start this learner's server, as at a log-in."""
        await self.ask(f"/hub/api/users/{self.name}", "POST")
        await self.ask(f"/hub/api/users/{self.name}/server", "POST")
        while not (await self.ask(f"/hub/api/users/{self.name}"))["servers"].get("", {}).get("ready"):
            await asyncio.sleep(0.2)

    async def open(self, folder: str) -> None:
        """Start a kernel in a folder of the learner's."""
        body = {"path": f"{folder}/x.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
        session = await self.ask(f"/user/{self.name}/api/sessions", "POST", body)
        self.session, self.kernel = session["id"], session["kernel"]["id"]
        await self.connect()

    async def connect(self) -> None:
        """Open the way to the kernel, or open it again where a busy server has closed it; nothing said is lost."""
        path = f"/user/{self.name}/api/kernels/{self.kernel}/channels?session_id={self.session}"
        headers = {"Authorization": f"token {self.token}"}
        request = HTTPRequest(HUB.replace("http", "ws", 1) + path, headers=headers, request_timeout=SECONDS)
        self.socket = await websocket_connect(request)

    async def run(self, sources: Sequence[str]) -> None:
        """Run cells, each when the one before has ended.

        Raises:
            RuntimeError: a cell ended in an error, such as one of the memory limit.
        """
        for source in sources:
            start, number = time.perf_counter(), uuid.uuid4().hex
            content = {
                "code": source,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
            }
            header = {"msg_id": number, "msg_type": "execute_request", "username": "", "session": "load"}
            message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
            said = await asyncio.wait_for(self.answer(message), SECONDS)
            if said["content"]["status"] != "ok":
                raise RuntimeError(f"{self.name}: {said['content']['evalue']} in\n{source}")
            self.slowest = max(self.slowest, time.perf_counter() - start)

    async def answer(self, message: dict) -> dict:
        """Send a message to the kernel, and return its reply."""
        text = json.dumps(message | {"channel": "shell"})
        while True:
            try:
                assert self.socket
                await self.socket.write_message(text)
                break
            except WebSocketClosedError:
                await self.connect()
        while True:
            received = await self.socket.read_message()
            if received is None:
                await self.connect()
            elif isinstance(received, str):
                said = json.loads(received)
                asked = said["parent_header"].get("msg_id") == message["header"]["msg_id"]
                if asked and said["msg_type"] == "execute_reply":
                    return said

    async def close(self) -> None:
        """End the kernel; the server stays."""
        if self.socket:
            self.socket.close()
            await self.ask(f"/user/{self.name}/api/sessions/{self.session}", "DELETE")


async def timed(work: Awaitable[None]) -> float:
    """Return the seconds that something took."""
    start = time.perf_counter()
    await work
    return time.perf_counter() - start


def started(state: Path) -> list[psutil.Process]:
    """Return the learners' processes: servers and kernels, known by their homes."""
    homes = str(state / "homes")
    every = psutil.process_iter(["environ", "cmdline"])
    return [each for each in every if (each.info["environ"] or {}).get("HOME", "").startswith(homes)]


def memory(state: Path) -> tuple[float, float, float]:
    """Return GiB held by all servers and kernels, by the largest kernel, and the most that a limit counts in one.

    What processes share, such as torch's code, is divided among them (proportional set size).
    """
    total, largest, counted = 0.0, 0.0, 0.0
    for process in started(state):
        try:
            size = process.memory_full_info().pss / 2**30
            data = int(Path(f"/proc/{process.pid}/status").read_text().split("VmData:")[1].split()[0])
        except (psutil.Error, OSError, IndexError):
            continue  # it has just ended
        total += size
        if "ipykernel_launcher" in " ".join(process.info["cmdline"] or []):
            largest, counted = max(largest, size), max(counted, data / 2**20)
    return total, largest, counted


def cells(lesson: catalogue.Lesson, whole: bool) -> list[str]:
    """Return the code of a lesson's first part, which its second numbered heading ends; or of all parts."""
    notebook = jupytext.read(catalogue.source_folder("lessons") / f"{lesson.name}.py")
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## 2.") and not whole:
            break
        if cell.cell_type == "code":
            found.append(cell.source)
    return found


async def measure(
    counts: Sequence[int], lessons: Sequence[catalogue.Lesson], whole: bool, state: Path
) -> None:
    """Print a row for each number of learners."""
    AsyncHTTPClient.configure(None, max_clients=200)
    token = os.environ["LOAD_TOKEN"]
    learners = [Learner(number, token) for number in range(max(counts))]
    while True:
        try:
            await learners[0].ask("/hub/api/")
            break
        except (OSError, HTTPClientError):
            await asyncio.sleep(0.2)
    print(
        "| learners | server starts, s | first cells to last, s | slowest cell, s | all, GiB | a kernel | counts |"
    )
    print("|---|---|---|---|---|---|---|")
    served = 0
    for count in counts:
        new = learners[served:count]
        starts = await asyncio.gather(*(timed(each.serve()) for each in new))
        served = max(served, count)
        at_work = learners[:count]
        await asyncio.gather(*(each.open("lessons") for each in at_work))
        jobs = [each.run(cells(lessons[k % len(lessons)], whole)) for k, each in enumerate(at_work)]
        walls = await asyncio.gather(*map(timed, jobs))
        total, largest, counted = memory(state)
        print(
            f"| {count} | {statistics.median(starts or [0]):.0f} (to {max(starts or [0]):.0f}) "
            f"| {statistics.median(walls):.0f} (to {max(walls):.0f}) | {max(each.slowest for each in at_work):.0f} "
            f"| {total:.1f} | {largest:.2f} | {counted:.2f} |",
            flush=True,
        )
        await asyncio.gather(*(each.close() for each in at_work))


def main() -> None:
    """Start the hub, measure, and end all that it has started."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--learners", default="1,4,8", help="numbers of learners, rising")
    parser.add_argument("--lessons", default="01,02,03,04", help="dealt out among them")
    parser.add_argument("--whole", action="store_true", help="all parts instead of the first")
    options = parser.parse_args()
    counts = [int(word) for word in options.learners.split(",")]
    lessons = [catalogue.lesson(word) for word in options.lessons.split(",")]
    with tempfile.TemporaryDirectory(prefix="oraledu-load-", ignore_cleanup_errors=True) as folder:
        state = Path(folder)
        os.environ |= {
            "ORALEDU_HUB_STATE": folder,
            "ORALEDU_HUB_URL": f"{HUB}/",
            "ORALEDU_TRIAL_PASSWORD": secrets.token_hex(8),
            "LOAD_TOKEN": secrets.token_hex(16),
            "LOAD_CONFIG": str(ROOT / "deploy" / "trial_config.py"),
        }
        (state / "config.py").write_text(CONFIG.format(*PORTS), "utf-8")
        words = [sys.executable, "-m", "jupyterhub", "-f", str(state / "config.py"), "--log-level=ERROR"]
        with (state / "log").open("w") as log:
            hub = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder)
        try:
            asyncio.run(measure(counts, lessons, options.whole, state))
        except RuntimeError as error:
            print(f"stopped: {error}\n{(state / 'log').read_text('utf-8')[-2000:]}")
        finally:
            hub.send_signal(signal.SIGTERM)
            hub.wait(60)
            for process in started(state):
                process.kill()


if __name__ == "__main__":
    main()

"""Checks inside a real kernel: a notebook's cells, its display, its interrupts."""

import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

SETUP = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import time, torch
from tests.course.synthetic import good_softmax, softmax, softmax_exercise
from oraledu.course.exercise import Todo
check = softmax_exercise(time_limit=3.0)
"""


def run(*sources):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in (SETUP, *sources)])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells[1:]]


def defined(*body):
    return "\n    ".join(["def mine(scores):", *body]) + "\nmine = check(mine)"


def test_a_notebook_goes_on_whatever_a_function_does():
    cells = {
        "not attempted yet": defined("raise Todo"),
        "it runs for more than 3 seconds": defined("while True: pass"),
        "runs for more than 3 seconds and was": defined("time.sleep(3600)"),
        "in line 2 of your function: `return scores[100]`": defined("return scores[100]"),
        "it returns nothing": defined("for n in range(10_000): print(n)"),
        "borrowed": defined("return softmax(scores)"),
        "correct": defined("return good_softmax(scores)"),
    }
    outputs = dict(zip(cells, run(*cells.values()), strict=True))
    for told, (*printed, card) in outputs.items():
        assert card.output_type == "display_data"
        assert told in card.data["text/plain"]
        assert 'role="status"' in card.data["text/html"]
        assert bool(printed) is (told == "it returns nothing")
    assert len(outputs["it returns nothing"][0].text.splitlines()) == 21


def test_pictures_and_widgets_are_held_back_and_warnings_told_once():
    _, output = run(
        "import ipywidgets, warnings, matplotlib.pyplot as plt\nfrom IPython.display import display",
        defined(
            "plt.plot([1, 2]); plt.show(); plt.figure()",
            "display(ipywidgets.IntSlider()); display('text')",
            "warnings.warn('careful')",
            "return good_softmax(scores)",
        ),
    )
    printed, card = output
    assert printed.text == "UserWarning: careful\n"
    assert "correct" in card.data["text/plain"]


class Kernel:
    """A kernel with the exercise of these tests in it, spoken to message by message."""

    def __init__(self, folder):
        self.begun = folder / "begun"
        self.manager = KernelManager()
        self.replies = {}

    def __enter__(self):
        self.manager.start_kernel()
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.run(SETUP)
        self.run(f"begun = {str(self.begun)!r}\ncheck = softmax_exercise()")
        return self

    def __exit__(self, *exception):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code):
        assert self.reply(self.ask(code))["status"] == "ok"

    def ask(self, code, subshell=None):
        content = {"code": code, "silent": False, "store_history": True, "stop_on_error": False}
        message = self.client.session.msg("execute_request", content)
        if subshell:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def reply(self, asked):
        while asked not in self.replies:
            message = self.client.get_shell_msg(timeout=60)
            self.replies[message["parent_header"]["msg_id"]] = message["content"]
        return self.replies[asked]

    def subshell(self):
        self.client.control_channel.send(self.client.session.msg("create_subshell_request", {}))
        return self.client.get_control_msg(timeout=60)["content"]["subshell_id"]

    def outputs(self, asked):
        """Return the texts and the cards that a request has led to, once its thread is idle."""
        found = []
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != asked:
                continue
            content = message["content"]
            if content.get("execution_state") == "idle":
                return found
            if message["msg_type"] in ("stream", "display_data"):
                found.append(content.get("text") or content["data"]["text/plain"])

    def wait_until_it_runs(self):
        for _ in range(600):
            if not self.begun.exists():
                time.sleep(0.05)


def test_an_interrupt_by_the_user_stops_the_cell_and_leaves_the_reference_usable(tmp_path):
    with Kernel(tmp_path) as kernel:
        asked = kernel.ask(defined("open(begun, 'w').close()", "while True: time.sleep(0.01)"))
        kernel.wait_until_it_runs()
        kernel.manager.interrupt_kernel()
        assert kernel.reply(asked)["ename"] == "KeyboardInterrupt"
        kernel.run("assert softmax(torch.zeros(1, 2)).sum() == 1")


# ipykernel 7.0 to 7.3 runs a slider's callback like this; see the issue of 7.4 that ended it.
SLIDER = """
from oraledu.course.figures import subplots
import torch
for _ in range(30):
    figure, ax = subplots(alt="what a slider shows while a check runs")
    ax.plot(softmax(torch.randn(1, 3))[0])
    assert len(figure.png()) > 1000
print("drawn")
"""
EXAMINED = (
    "open(begun, 'w').close()",
    "import matplotlib, time",
    "matplotlib.rcParams['lines.linewidth'] = 9.0",
    "print('examined')",
    "time.sleep(0.3)",
    "return good_softmax(scores)",
)


def test_a_slider_that_moves_in_another_thread_neither_disturbs_a_check_nor_is_disturbed(tmp_path):
    with Kernel(tmp_path) as kernel:
        subshell = kernel.subshell()
        kernel.run("import matplotlib\nbefore = dict(matplotlib.rcParams)")
        check = kernel.ask(defined(*EXAMINED))
        kernel.wait_until_it_runs()
        slider = kernel.ask(SLIDER, subshell)
        assert kernel.reply(slider)["status"] == "ok"
        assert kernel.reply(check)["status"] == "ok"
        *printed, card = kernel.outputs(check)
        assert "correct" in card
        assert set("".join(printed).split()) - {"drawn"} == {"examined"}
        kernel.run("assert dict(matplotlib.rcParams) == before")

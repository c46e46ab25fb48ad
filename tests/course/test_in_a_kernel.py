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
check = softmax_exercise(time_limit=0.5)
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
        "it runs for more than 0.5 seconds": defined("while True: pass"),
        "runs for more than 0.5 seconds and was": defined("time.sleep(3600)"),
        "in line 2 of your function: `return scores[100]`": defined("return scores[100]"),
        "it returns nothing": defined("for n in range(100_000): print(n)"),
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


def test_an_interrupt_by_the_user_stops_the_cell_and_leaves_the_reference_usable(tmp_path):
    begun = tmp_path / "begun"
    kernel = KernelManager()
    kernel.start_kernel()
    client = kernel.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        assert client.execute_interactive(SETUP, timeout=60)["content"]["status"] == "ok"
        client.execute("check = softmax_exercise()", reply=True, timeout=60)
        endless = defined(f"open({str(begun)!r}, 'w').close()", "while True: time.sleep(0.01)")
        asked = client.execute(endless, stop_on_error=False)
        for _ in range(600):
            if not begun.exists():
                time.sleep(0.05)
        kernel.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != asked:
            pass
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        after = client.execute("assert softmax(torch.zeros(1, 2)).sum() == 1", reply=True, timeout=60)
        assert after["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)

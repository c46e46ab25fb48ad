"""A submitted function runs in a process of its own: it is examined like any other, and can reach nothing."""

import dataclasses
import inspect
import linecache
import os
import socket
import sys

import pytest
import torch

from oraledu.app import catalogue
from oraledu.course.examine import examine
from oraledu.course.exercise import Case, Exercise
from oraledu.diffusion.checks import ddim_step, ideal_denoiser
from oraledu.grokking import checks
from oraledu.teach import confine, remote, wire
from oraledu.teach import examined as examined_module
from oraledu.teach.examined import examined
from oraledu.teach.functions import definitions
from oraledu.teach.remote import Limits, Prison, RemoteFunction
from tests.published import EXERCISES, _code_cells

SOLVED = """
def psd_power(matrix, power):
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0) ** power) @ vectors.T
"""


NAMES = [exercise.name for _, exercise in EXERCISES]


@pytest.fixture(scope="module")
def prison():
    with_torch = Prison()
    yield with_torch
    with_torch.close()


def verdict(prison, exercise, *cells, attempt=1, lent=(), **limits):
    """Return the examination of the function that the cells define, and how its process ended."""
    found = definitions(cells, [each.name for _, each in EXERCISES])[exercise.name]
    references = {each.name: each.reference for _, each in EXERCISES}
    lent = {name: references[name] for name in found.needs}
    with RemoteFunction(
        prison, exercise, found.statements, lent=lent, limits=Limits(**limits), seed=attempt
    ) as function:
        return examine(exercise, function, attempt=attempt), function.fate


def quick(exercise, **changes):
    return dataclasses.replace(exercise, full_size=None, **changes)


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES, ids=[exercise.name for _, exercise in EXERCISES])
def test_every_published_solution_is_right_there_too(prison, lesson, exercise):
    cells = [cell.source for cell in _code_cells(lesson)]
    outcome, _ = verdict(prison, exercise, *cells)
    assert outcome.status in ("correct", "slow"), outcome.line


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES, ids=[exercise.name for _, exercise in EXERCISES])
def test_what_is_wrong_here_is_wrong_there_and_told_in_the_same_words(prison, lesson, exercise):
    edited = [wrong for wrong in exercise.wrong_answers if wrong.edits]
    for wrong in edited[:: max(1, len(edited) // 3)]:
        text = "".join(linecache.getlines(wrong.function.__code__.co_filename))
        alias = (
            ""
            if wrong.function.__name__ == exercise.name
            else f"\n{exercise.name} = {wrong.function.__name__}"
        )
        cells = [inspect.getsource(inspect.getmodule(exercise.cases)), text + alias]
        if any("oraledu" in each for each in definitions(cells, [exercise.name])[exercise.name].statements):
            continue  # it is written with parts of the library that are closed there
        here = examine(quick(exercise), wrong.function, attempt=2, guard=False)
        assert verdict(prison, quick(exercise), *cells, attempt=2)[0].line == here.line


ROADS = {
    "the reference": "from oraledu.grokking import rfm\ndef psd_power(m, s): return rfm.psd_power(m, s)",
    "another name": "from oraledu.grokking.rfm import psd_power as f\ndef psd_power(m, s): return f(m, s)",
    "its check": "from oraledu.grokking import checks as c\ndef psd_power(m, s): return c.psd_power.reference(m, s)",
    "a class": "from oraledu.grokking import rfm\ndef psd_power(m, s): return rfm.Stopped(m)",
    "and then goes on": "from oraledu.grokking import rfm\ndef psd_power(m, s):\n    try:\n"
    "        rfm.psd_power(m, s)\n    except Exception:\n        pass\n    return m",
}


@pytest.mark.parametrize("road", ROADS)
def test_a_road_through_the_library_is_borrowed_there_too(prison, road):
    assert verdict(prison, quick(checks.psd_power), ROADS[road])[0].status == "borrowed"


@pytest.mark.parametrize(
    ("what", "fate"),
    [
        ("os._exit(0)", "broken"),
        ("import ctypes; ctypes.string_at(0)", "broken"),
        ("raise SystemExit", None),
        ("sys.exit(0)", None),
        ("raise KeyboardInterrupt", None),
        ("[os.write(fd, b'x' * 99) for fd in range(3, 40) if _open(fd)]; time.sleep(9)", "broken"),
        ("while True: pass", "timed out"),
        ("time.sleep(60)", "timed out"),
    ],
)
def test_whatever_ends_or_hangs_costs_itself_alone(prison, what, fate):
    helper = """
def _open(fd):
    try:
        return os.fstat(fd) is not None
    except OSError:
        return False
"""
    text = f"import os, signal, sys, time\n{helper}\ndef psd_power(matrix, power):\n    {what}\n    return matrix"
    outcome, ended = verdict(prison, quick(checks.psd_power, time_limit=1.0), text)
    assert outcome.status == "wrong"
    assert ended == fate
    assert verdict(prison, quick(checks.psd_power), "import torch", SOLVED)[0].status == "correct"


REACHES = {
    "the course's files": "open(COURSE).read()",
    "a solution": "open(SOLUTION).read()",
    "the network": "socket.create_connection(('127.0.0.1', PORT), 2)",
    "a file of its own": "os.write(os.open('note', os.O_CREAT | os.O_WRONLY), b'x')",
    "another folder": "os.open('/tmp/oraledu-note', os.O_CREAT | os.O_WRONLY)",
    "the process that examines": "os.kill(PARENT, 0)",
    "its memory": "open(f'/proc/{PARENT}/mem', 'rb').read(1)",
    "the course's code": "importlib.machinery.PathFinder.find_spec('oraledu', [ROOT]).loader.get_code('oraledu')",
    "too much memory": "bytearray(6 * 2**30)",
    "hundreds of processes": "[os.fork() or (time.sleep(3), os._exit(0)) for _ in range(200)]",
    "a name of its own": "os.symlink('/', str(time.monotonic_ns()))",
    "what the other process was started with": "oraledu.grokking.rfm.torch.sys.argv[0] + 'x'",
    "another program": "subprocess.run(['/bin/true'], check=True)",
}


@pytest.mark.parametrize("what", REACHES)
@pytest.mark.skipif(sys.platform != "linux", reason="namespaces and Landlock are Linux's")
def test_a_submitted_function_cannot_reach(prison, what, tmp_path):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        constants = {
            "COURSE": str(catalogue.PACKAGE / "grokking" / "rfm.py"),
            "SOLUTION": str(catalogue.source_folder("solutions") / "04_grokking.py"),
            "PORT": server.getsockname()[1],
            "PARENT": os.getpid(),
            "ROOT": str(catalogue.PACKAGE.parent),
        }
        lines = "\n".join(f"{name} = {value!r}" for name, value in constants.items())
        # Where it gets through, the answer is right: then the test sees it.
        body = SOLVED.replace("    values", f"    reached = {REACHES[what]}\n    values", 1)
        outcome, fate = verdict(
            prison,
            quick(checks.psd_power),
            "import oraledu.grokking.rfm",
            "import importlib.machinery, os, socket, subprocess, time, torch",
            lines,
            body,
        )
    assert outcome.status == "wrong"
    assert fate in (None, "broken")


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces and Landlock are Linux's")
def test_what_a_system_does_not_grant_is_known(monkeypatch):
    assert remote.missing() == []
    monkeypatch.setattr(remote, "_START", remote._START.replace("{module}.main()", _REFUSING))
    assert remote.missing() == ["no files but Python's and the system's"]


_REFUSING = "{module}._only_these_files = lambda libc: False; {module}.main()"


def test_of_a_folder_with_a_checkout_or_a_package_of_the_course_only_the_rest_is_read(tmp_path):
    for place in (
        "opt/course/oraledu/teach",
        "opt/course/solutions",
        "opt/tool",
        "site/oraledu/teach",
        "site/torch",
    ):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "opt" / "course" / "pyproject.toml").touch()
    packages = {tmp_path / "site", tmp_path / "opt" / "course"}
    left = confine.without_course([tmp_path / "opt", tmp_path / "site"], packages)
    assert {each.relative_to(tmp_path).as_posix() for each in left} == {"opt/tool", "site/torch"}


def test_what_it_patches_stays_in_its_process(prison):
    patched = SOLVED.replace(
        "    values",
        "    torch.Tensor.allclose = torch.equal = torch.isclose = lambda *a, **k: True\n    values",
        1,
    )
    outcome, _ = verdict(
        prison, quick(checks.psd_power), "import torch", patched.replace("@ vectors.T", "@ vectors")
    )
    assert outcome.status == "wrong"
    assert not torch.equal(torch.zeros(1), torch.ones(1))


def exercise_of(reference, cases, **more):
    return Exercise(id=f"none.{reference.__name__}", title="x", reference=reference, cases=cases, **more)


def doubled(x):
    return 2 * x


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("x *= 2; return x", "changes its inputs"),
        ("return x", "view of an input"),
        ("return x.numpy() * 2", "NumPy array"),
        ("return None", "returns nothing"),
        ("return (2 * x).tolist()", "a list"),
        ("return x.view(-1).expand(2, -1).sum(0).view(x.shape).requires_grad_()", "records gradients"),
        (
            "raise ValueError('no')",
            "raises ValueError: no, in line 2 of your function: `raise ValueError('no')`",
        ),
        (
            "out = KEPT.setdefault(x.dtype, torch.empty_like(x)); return out.copy_(2 * x)",
            "changes the result of the call before",
        ),
        ("return KEPT.setdefault((id(x), x.dtype), 2 * x)", "called once more with other values"),
        ("return 2 * x.view(-1)[:x.numel()].view(x.shape)", "not contiguous"),
        ("return lambda: 2", "a function"),
        ("return {1: 2}", "a dictionary"),
        ("return object()", "object"),
    ],
)
def test_it_is_told_what_it_would_be_told_here(prison, body, told):
    exercise = exercise_of(
        doubled,
        lambda generator: [Case("three", (torch.rand(3, 4, generator=generator, dtype=torch.float64),))],
    )
    text = f"import torch\nKEPT = {{}}\ndef doubled(x):\n    {body}\n"
    found = definitions([text], ["doubled"])["doubled"]
    with RemoteFunction(prison, exercise, found.statements) as function:
        there = examine(exercise, function, attempt=1)
    names = {}
    linecache.cache["<here>"] = (len(text), None, text.splitlines(keepends=True), "<here>")
    exec(compile(text, "<here>", "exec"), names)
    assert told in there.line
    assert there.line == examine(exercise, names["doubled"], attempt=1).line


def test_a_solved_function_is_used_by_the_next_and_an_unsolved_one_is_lent():
    outcomes = examined(
        "04_grokking",
        {
            name: [found]
            for name, found in definitions(
                [
                    "import torch\nfrom oraledu.grokking import circulant",
                    next(
                        cell.source
                        for cell in _code_cells(EXERCISES[-1][0])
                        if "def random_metric(" in cell.source
                    ),
                ],
                ["psd_power", "random_metric"],
            ).items()
        },
        seed=5,
    )
    assert outcomes["random_metric"].status == "solved", outcomes["random_metric"].line
    assert outcomes["psd_power"].status == "not attempted"


def test_the_reference_of_an_exercise_that_comes_later_is_not_lent():
    text = "def psd_power(matrix, power):\n    random_metric(4, '+')\n    return matrix"
    outcomes = examined("04_grokking", {"psd_power": [definitions([text], NAMES)["psd_power"]]}, seed=5)
    assert "it raises NameError: name 'random_metric' is not defined" in outcomes["psd_power"].line


def test_a_dead_prison_is_told_kills_nobody_and_is_replaced():
    broken = Prison()
    broken._process.kill()
    broken._process.wait()
    outcome, fate = verdict(broken, quick(checks.psd_power), "import torch", SOLVED)
    assert fate == "broken"
    assert "there is no process for it" in outcome.line or "ends its process" in outcome.line
    examined_module._prisons.append(broken)
    assert examined_module._prison() is not broken
    broken._control.close()


FORGED = """
import sys, torch


def _cell():
    frame = sys._getframe()
    while type(frame.f_locals.get("self")).__name__ != "Cell":
        frame = frame.f_back
    return frame.f_locals["self"]


def _ask(name, *args, **kwargs):
    return _cell().ask({"what": "call", "place": ["course", name]}, (args, kwargs))
"""


def test_what_an_open_function_calls_back_finds_the_doors_closed(prison):
    """Let sampling, which is open, call a function of the submission's that asks for the reference meanwhile."""
    text = """
def ideal_denoiser(x, images, alpha_bar):
    cell, found = _cell(), []
    usual = cell._call
    def meanwhile(order, blocks):
        found.append(_ask("oraledu.diffusion.checks.references.ideal_denoiser", x, images, alpha_bar))
        usual(order, blocks)
    cell._call = meanwhile
    _ask("oraledu.diffusion.sampling.sample", lambda noisy, time: noisy, x, steps=1)
    cell._call = usual
    return found[0]
"""
    assert verdict(prison, quick(ideal_denoiser), FORGED + text)[0].status == "borrowed"


def test_a_closed_function_is_not_handed_on_to_an_open_one(prison):
    """Let sampling, which is open, call the reference in the place of a network."""
    text = """
def ddim_step(x, denoised, alpha_bar_now, alpha_bar_next):
    step = _cell().ask({"what": "attribute", "place": ["course", "oraledu.diffusion.schedule.ddim_step"]})
    return _ask("oraledu.diffusion.sampling.sample", lambda noisy, time: denoised, x, steps=1, step=step).noisy[-1]
"""
    assert verdict(prison, quick(ddim_step), FORGED + text)[0].status == "borrowed"


def twice(function, x):
    return 2 * function(x)


def a_case(generator):
    return [Case("three", (torch.rand(3, 4, generator=generator, dtype=torch.float64),))]


def doubled_by(prison, text, *, lent=None, **exercise):
    """Return the examination of a function that doubles, and how its process ended."""
    limits = exercise.pop("limits", None)
    found = definitions([text], ["doubled"])["doubled"]
    asked = exercise_of(doubled, a_case, **exercise)
    with RemoteFunction(prison, asked, found.statements, lent=lent, limits=limits) as function:
        return examine(asked, function, attempt=1), function.fate


def test_a_function_that_was_lent_may_call_the_submissions_own(prison):
    text = "def doubled(x):\n    return twice(lambda y: y.clone(), x)\n"
    outcome, fate = doubled_by(prison, text, lent={"twice": twice})
    assert (outcome.status, fate) == ("correct", None), outcome.line


def its_gradient_is_two(function, generator):
    x = torch.rand(3, generator=generator, dtype=torch.float64, requires_grad=True)
    function(x).sum().backward()


def test_a_gradient_that_does_not_come_is_waited_for_no_longer_than_a_call(prison):
    text = """
import time, torch
class Sleeps(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x
    @staticmethod
    def backward(ctx, gradient):
        time.sleep(4)
        return 2 * gradient
def doubled(x):
    return Sleeps.apply(x)
"""
    outcome, fate = doubled_by(prison, text, properties=[its_gradient_is_two], time_limit=1.0)
    assert "its gradient takes more than 1 seconds" in outcome.line
    assert fate == "timed out"


def test_many_short_sleeps_are_a_long_one(prison):
    text = "import time\ndef doubled(x):\n    time.sleep(0.9)\n    return 2 * x\n"
    outcome, fate = doubled_by(prison, text, limits=Limits(seconds=1))
    assert fate == "timed out", outcome.line


HELPERS = {
    "a thread": "one = threading.Thread(target=_work)\n    one.start()\n    one.join()",
    "a process": "os.waitpid(os.fork() or (_work(), os._exit(0)), 0)",
}


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the clock on the wall decides")
def test_the_work_of_helpers_that_have_ended_is_counted(prison, helper):
    text = f"""
import os, threading, time
def _work():
    begun = time.thread_time()
    while time.thread_time() < begun + 0.25:
        pass
def doubled(x):
    {HELPERS[helper]}
    return 2 * x
"""
    found = definitions([text], ["doubled"])["doubled"]
    with RemoteFunction(prison, exercise_of(doubled, a_case), found.statements) as function:
        function(torch.ones(1))
        before = function.clock()
        function(torch.ones(1))
        assert function.clock() - before > 0.19


def test_an_exception_of_any_kind_is_told_by_its_name(prison):
    text = "def doubled(x):\n    return x.numpy().tobytes().decode('ascii')\n"
    outcome, fate = doubled_by(prison, text)
    assert "it raises UnicodeDecodeError" in outcome.line
    assert fate is None


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        (["tensor", "torch.float64", [2**20, 2**20], [0, 0], 0, "one", False, None], "too large"),
        (["tensor", "torch.float64", [3], [1], 0, "one", False, None], "larger than its memory"),
        (["tensor", "torch.float64", [-1], [1], 0, "one", False, None], "impossible"),
        (["array", True, "O", [1], ["tensor", "torch.uint8", [8], [1], 0, "one", False, None]], "objects"),
        (["odd"], "unknown kind"),
    ],
)
def test_a_message_that_lies_about_its_values_is_torn(tree, told):
    reader = wire.Reader({"one": torch.zeros(1, dtype=torch.float64).untyped_storage()}, lambda name: None)
    with pytest.raises(wire.Torn, match=told):
        reader.value(tree)


def test_a_tree_without_end_is_not_read():
    mine, theirs = socket.socketpair()
    with mine, theirs:
        theirs.sendall(wire._LENGTHS.pack(2**24, 0))
        with pytest.raises(wire.Torn, match="too long"):
            wire.receive(mine)

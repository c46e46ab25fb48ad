import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from oraledu.app import install
from oraledu.app.install import InstallError

Steps = list[list[str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout, as far as the installer looks at it."""
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\n")
    (root / install.LOCK).write_text("numpy==2.4.6\n")
    return root


@pytest.fixture
def steps(root: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    """What the installer would run; in its place a `.venv` appears as the real steps would leave it."""
    done: Steps = []

    def run(line: install._Line, command: Sequence[str]) -> None:
        done.append(list(command))
        if "venv" in command:
            python = install.python_of(Path(command[-1]))
            python.parent.mkdir(parents=True)
            python.symlink_to(sys.executable)

    monkeypatch.setattr(install._Line, "run", run)
    monkeypatch.setattr(install, "lacking", lambda root, python, extras: "")
    return done


def missing_modules(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    has = install._has
    monkeypatch.setattr(install, "_has", lambda name: name not in names and has(name))


def stop_at(word: str, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    """Let the step that has this word among its arguments fail."""
    before = install._Line.run

    def run(line: install._Line, command: Sequence[str]) -> None:
        if word in command:
            raise error
        before(line, command)

    monkeypatch.setattr(install._Line, "run", run)


def test_an_install_makes_the_environment_and_fills_it_under_the_lock(root: Path, steps: Steps, capsys):
    install.install(root, ())
    make, fill = steps
    assert make[1:3] == ["-m", "venv"]
    assert make[-1] == str(root / ".venv")
    assert fill[-4:] == ["-c", install.LOCK, "-e", "."]
    assert capsys.readouterr().out.count("\n") == 1


def test_a_finished_install_is_ready_and_nothing_less_is(root: Path, steps: Steps):
    assert not install.ready(root, ())
    install.install(root, ())
    assert install.ready(root, ())
    assert not install.ready(root, ("dev",))


@pytest.mark.parametrize("name", ["pyproject.toml", install.LOCK])
def test_a_changed_input_asks_for_completion_in_place(root: Path, steps: Steps, name: str):
    install.install(root, ())
    (root / name).write_text("# changed\n")
    assert not install.ready(root, ())
    steps.clear()
    install.install(root, ())
    assert ["venv" in step for step in steps] == [False]
    assert install.ready(root, ())


def test_the_tests_complete_the_learners_environment_which_then_serves_both(root: Path, steps: Steps):
    install.install(root, ())
    steps.clear()
    install.install(root, ("dev",))
    (fill,) = steps
    assert fill[-1] == ".[dev]"
    assert install.ready(root, ("dev",))
    assert install.ready(root, ())


def test_an_extra_that_is_there_stays_when_the_lock_moves(root: Path, steps: Steps):
    install.install(root, ("dev",))
    (root / install.LOCK).write_text("numpy==3\n")
    install.install(root, ())
    assert steps[-1][-1] == ".[dev]"


def test_another_python_begins_anew(root: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch):
    install.install(root, ())
    monkeypatch.setattr(install, "VERSION", "3.99")
    assert not install.ready(root, ())
    steps.clear()
    install.install(root, ())
    assert "venv" in steps[0]


def test_a_moved_checkout_begins_anew(root: Path, steps: Steps):
    install.install(root, ())
    moved = root.rename(root.with_name("moved"))
    assert not install.ready(moved, ())
    steps.clear()
    install.install(moved, ())
    assert "venv" in steps[0]


@pytest.mark.parametrize("text", ["", '{"python": "3.', "[]", "{}"])
def test_a_torn_stamp_is_no_stamp(root: Path, steps: Steps, text: str):
    install.install(root, ())
    (root / ".venv" / install.STAMP).write_text(text)
    assert not install.ready(root, ())


def test_an_environment_whose_python_has_gone_is_not_ready(root: Path, steps: Steps):
    install.install(root, ())
    install.python_of(root / ".venv").unlink()
    assert not install.ready(root, ())


def test_an_interrupted_install_is_made_anew_by_the_next_run(root: Path, steps: Steps, monkeypatch):
    with monkeypatch.context() as context:
        stop_at("pip", context, KeyboardInterrupt)
        with pytest.raises(InstallError, match="interrupted") as caught:
            install.install(root, ())
    assert caught.value.exit_code == 130
    assert install.made_here(root / ".venv")
    half = root / ".venv" / "half-unpacked"
    half.mkdir()
    steps.clear()
    install.install(root, ())
    assert "venv" in steps[0]
    assert not half.exists()
    assert install.ready(root, ())


def test_an_interrupted_completion_leaves_no_stamp(root: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch):
    install.install(root, ())
    stop_at("pip", monkeypatch, KeyboardInterrupt)
    with pytest.raises(InstallError):
        install.install(root, ("dev",))
    assert not install.ready(root, ())


def test_a_failed_step_shows_the_end_of_its_log(root: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    words = "import sys; print('first'); print('no matching distribution'); sys.exit(3)"
    monkeypatch.setattr(install, "_python", lambda venv: sys.executable)
    monkeypatch.setattr(install, "pip_command", lambda venv: [sys.executable, "-c", words])
    stop = install._Line.run
    monkeypatch.setattr(install._Line, "run", lambda line, step: None if "venv" in step else stop(line, step))
    with pytest.raises(InstallError, match="no matching distribution") as caught:
        install.install(root, ())
    assert caught.value.exit_code == 1
    assert str(root / ".venv" / install.LOG) in str(caught.value)
    assert not install.ready(root, ())


def test_too_little_disk_is_said_before_anything_is_made(root: Path, steps: Steps, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(install.shutil, "disk_usage", lambda path: usage(10**10, 8 * 10**9, 2 * 10**9))
    with pytest.raises(InstallError, match=r"needs 3 GB of disk and .* has 2\.0 GB left"):
        install.install(root, ())
    assert not (root / ".venv").exists()
    assert steps == []


@pytest.mark.parametrize("missing", [("venv",), ("ensurepip", "pip")])
def test_a_python_without_venv_is_told_which_package_to_install(root: Path, monkeypatch, missing):
    missing_modules(monkeypatch, *missing)
    with pytest.raises(InstallError, match=rf"sudo apt install python{install.VERSION}-venv") as caught:
        install.install(root, ())
    assert "\n" not in str(caught.value)


def test_without_ensurepip_this_pythons_pip_fills_the_environment(root: Path, steps: Steps, monkeypatch):
    missing_modules(monkeypatch, "ensurepip")
    install.install(root, ())
    make, fill = steps
    assert "--without-pip" in make
    assert fill[:5] == [sys.executable, "-m", "pip", "--python", str(install.python_of(root / ".venv"))]


def test_the_environments_own_pip_fills_it_where_there_is_one(root: Path, monkeypatch: pytest.MonkeyPatch):
    venv = root / ".venv"
    version = f"python{install.VERSION}"
    (venv / "lib" / version / "site-packages" / "pip").mkdir(parents=True)
    assert install.pip_command(venv) == [str(install.python_of(venv)), "-m", "pip"]


def test_under_another_locale_the_checkout_is_the_same(tmp_path: Path):
    root = tmp_path / "Cours é"
    root.mkdir()
    for name in ("pyproject.toml", install.LOCK):
        (root / name).touch()
    program = "import json; from pathlib import Path; from oraledu.app import install; "
    program += "print(json.dumps(install.wanted(next(Path().glob('Cours*')).absolute())))"
    command = [sys.executable, "-X", "utf8=0", "-c", program]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == install.wanted(root)
    assert install.wanted(root)["root"] == str(root)


def test_what_pip_has_not_installed_is_asked_before_the_stamp(root: Path, steps: Steps, monkeypatch):
    monkeypatch.setattr(install, "lacking", lambda root, python, extras: "numpy>=2.4")
    with pytest.raises(InstallError, match=r"has not installed numpy>=2\.4; see 'pip config list'"):
        install.install(root, ())
    assert not install.ready(root, ())


BACKEND = """
import os, zipfile

def build_editable(folder, settings=None, metadata=None):
    with zipfile.ZipFile(os.path.join(folder, "oraledu-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("_oraledu.pth", os.getcwd())
        wheel.writestr("oraledu-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: oraledu\\nVersion: 1\\n")
        wheel.writestr("oraledu-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("oraledu-1.dist-info/RECORD", "")
    return "oraledu-1-py3-none-any.whl"
"""


def test_neither_the_users_pip_settings_nor_the_letters_of_the_path_keep_it_from_working(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    root = tmp_path / "Cours é 課程"
    root.mkdir()
    (root / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        "[project]\nname = 'oraledu'\nversion = '1'\n"
    )
    (root / "backend.py").write_text(BACKEND)
    (root / "found.py").write_text("print('found')")
    (root / install.LOCK).touch()
    (tmp_path / "pip.conf").write_text(
        "[global]\nno-index = true\n[install]\nuser = true\ndry-run = true\nno-deps = true\n"
        f"target = {tmp_path / 'other'}\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setattr(install, "lacking", lambda root, python, extras: "")
    missing_modules(monkeypatch, "ensurepip")
    install.install(root, ())
    python, elsewhere = install.python_of(root / ".venv"), {"PATH": os.environ["PATH"]}
    for locale in ("C", "C.UTF-8"):
        command = [python, "-c", "import found"]
        done = subprocess.run(
            command, cwd="/", env={**elsewhere, "LC_ALL": locale}, capture_output=True, text=True
        )
        assert done.stdout == "found\n", done.stderr
    assert not (tmp_path / "other").exists()


def test_two_installs_at_once_are_one_too_many(root: Path, steps: Steps):
    (root / ".venv").mkdir()
    with (root / ".venv" / install.LOG).open("ab") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        with pytest.raises(InstallError, match="another install"):
            install.install(root, ())
    assert steps == []
    install.install(root, ())
    assert install.ready(root, ())


def wait_for(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.05)


def test_a_request_to_stop_also_stops_the_step_that_runs(root: Path, tmp_path: Path):
    step = "import os, time, pathlib; pathlib.Path('step.pid').write_text(str(os.getpid())); time.sleep(100)"
    program = f"""
import sys
from pathlib import Path
from oraledu.app import install
install.pip_command = lambda venv: [sys.executable, "-c", {step!r}]
before = install._Line.run
install._Line.run = lambda line, command: None if "venv" in command else before(line, command)
try:
    install.install(Path({str(root)!r}), ())
except install.InstallError as error:
    sys.exit(error.exit_code)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL)
    pid = root / "step.pid"
    wait_for(lambda: pid.exists() and pid.read_text() != "")
    child.send_signal(signal.SIGTERM)
    assert child.wait() == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_the_stamp_names_what_decides_the_install(root: Path, steps: Steps):
    install.install(root, ("dev",))
    stamp = json.loads((root / ".venv" / install.STAMP).read_text())
    assert stamp == {**install.wanted(root), "extras": ["dev"]}
    assert set(install.wanted(root)) == {"python", "root", "inputs"}

import errno
import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from oraledu.app import doctor
from oraledu.app.catalogue import PACKAGE
from oraledu.app.doctor import Finding
from oraledu.data import embedded


def test_a_finding_is_one_line_and_a_wrong_one_has_its_cure_below():
    assert str(Finding("torch", "2.13.0")) == "ok    torch: 2.13.0"
    assert (
        str(Finding("torch", "missing", "pip install torch"))
        == "MEND  torch: missing\n      pip install torch"
    )


def test_where_all_is_well_it_says_so_and_exits_with_0(capsys):
    assert doctor.main() == 0
    said = capsys.readouterr().out
    assert said.endswith("All is well.\n")
    for subject in ("Python", "oraledu", "torch", "threads", "devices", "kernel", "data"):
        assert f"ok    {subject}" in said
    assert platform.python_version() in said


def test_what_is_wrong_is_counted_and_exits_with_1(monkeypatch: pytest.MonkeyPatch, capsys):
    for name in ("python_path", "room", "versions", "threads", "devices", "extensions", "kernel"):
        monkeypatch.setattr(doctor, name, lambda: iter([Finding("it", "broken", "mend it")]))
    assert doctor.main() == 1
    assert capsys.readouterr().out.endswith("To mend: 7.\n")


def test_a_missing_requirement_has_its_cure():
    finding = doctor._version(Requirement("no-such-package-of-oraledu>=2"))
    assert (finding.subject, finding.found) == ("no-such-package-of-oraledu", "missing")
    # By the pip that fills this environment, which may have none of its own.
    assert sys.prefix in finding.cure
    assert finding.cure.endswith(" 'no-such-package-of-oraledu>=2'")


def test_a_requirement_that_is_too_old_has_its_cure():
    finding = doctor._version(Requirement("numpy>=1000"))
    assert finding.found.endswith("but the course needs >=1000")
    assert finding.cure.endswith(" 'numpy>=1000'")


def test_packages_on_the_python_path_are_named_first_and_other_folders_are_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert list(doctor.python_path()) == []
    (tmp_path / "numpy-1.0.dist-info").mkdir()
    (tmp_path / "numpy-1.0.dist-info" / "METADATA").write_text("Name: numpy\nVersion: 1.0\n")
    (finding,) = doctor.python_path()
    assert finding.found == f"{tmp_path} comes before the course's own packages, with numpy"
    assert finding.cure == "unset PYTHONPATH, then run this again"
    for name in ("torch.py", "oraledu/__init__.py", "mine.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (finding,) = doctor.python_path()
    assert finding.found.endswith(", with numpy, oraledu, torch")
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE.parent))
    assert list(doctor.python_path()) == []


def test_a_fault_of_packages_on_the_python_path_does_not_stop_it(tmp_path: Path):
    (tmp_path / "traitlets").mkdir()
    (tmp_path / "traitlets" / "__init__.py").write_text("raise TypeError('too old')")
    (tmp_path / "traitlets-0.1.dist-info").mkdir()
    (tmp_path / "traitlets-0.1.dist-info" / "METADATA").write_text("Name: traitlets\nVersion: 0.1\n")
    path = os.pathsep.join([str(tmp_path), str(PACKAGE.parent)])
    program = "from oraledu.app import doctor as d; print(*d.python_path(), *d.kernel(), *d.hub(), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    said = done.stdout.splitlines()
    assert said[0].endswith("with traitlets"), done.stderr
    assert said[1].strip() == "unset PYTHONPATH, then run this again"
    assert said[2] == "MEND  kernel: it does not run the course (too old)"


def test_requirements_of_the_tests_are_not_the_learners_concern():
    assert "pytest" not in [finding.subject for finding in doctor.versions()]


def test_a_package_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", missing)
    assert [finding.subject for finding in doctor.versions() if finding.cure] == ["installation"]


@pytest.mark.parametrize(("wanted", "wrong"), [("1", False), ("64", True), ("", False)])
def test_more_threads_than_processors_are_to_be_mended(
    monkeypatch: pytest.MonkeyPatch, wanted: str, wrong: bool
):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setenv("OMP_NUM_THREADS", wanted)
    (finding,) = doctor.threads()
    assert (finding.cure is not None) is wrong


def test_a_kernel_in_which_the_course_cannot_be_imported_is_said(monkeypatch: pytest.MonkeyPatch):
    ask = doctor._ask_kernel
    monkeypatch.setattr(doctor, "_ask_kernel", lambda code, folder: ask("import no_such_module", folder))
    (finding,) = doctor.kernel()
    assert "No module named 'no_such_module'" in finding.found
    assert finding.cure


@pytest.mark.parametrize("noise", ["print('x', file=sys.stderr)", "sys.stdout = open(os.devnull, 'w')"])
def test_a_kernel_that_prints_more_or_nothing_answers_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noise: str
):
    startup = tmp_path / "profile_default" / "startup"
    startup.mkdir(parents=True)
    lines = f"import os, sys\ndef noise():\n    {noise}\nget_ipython().events.register('pre_execute', noise)"
    (startup / "noise.py").write_text(lines)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    assert [finding.cure for finding in doctor.kernel()] == [None]


OTHER = "/elsewhere/oraledu/course/explorer.py"


def test_a_kernel_that_imports_another_copy_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "_ask_kernel", lambda *_: ["/elsewhere", OTHER])
    (finding,) = doctor.kernel()
    assert f"another oraledu, {OTHER}" in finding.found
    assert finding.cure


def test_data_are_compared_with_their_checksums(tmp_path: Path):
    for name in ("whole.npz", "damaged.npz"):
        (tmp_path / name).write_bytes(name.encode())
    digests = [
        f"{hashlib.sha256(b'whole.npz').hexdigest()}  whole.npz",
        f"{'0' * 64}  damaged.npz",
        f"{'0' * 64}  lost.npz",
    ]
    (tmp_path / embedded.CHECKSUMS).write_text("\n".join(digests) + "\n")
    whole, damaged, lost = doctor.data(tmp_path)
    assert whole.cure is None
    assert "is damaged: its checksum is not that of" in damaged.found
    assert "is missing" in lost.found
    assert damaged.cure.endswith(f" checkout -- {tmp_path / 'damaged.npz'}")
    assert damaged.found.endswith(embedded.CHECKSUMS)  # and no word of this command
    (tmp_path / embedded.CHECKSUMS).unlink()
    (listed,) = doctor.data(tmp_path)
    assert listed.found == f"{tmp_path / embedded.CHECKSUMS} is missing"


MISSING = ("click", "packaging", "platformdirs", "torch", "jupyter_core", "nbformat")


def test_where_packages_are_missing_any_command_says_what_there_is_to_the_end():
    program = f"import sys; sys.modules.update(dict.fromkeys({MISSING}))\n"
    program += (
        "from oraledu.app import launch; launch.choose = lambda *_: None; sys.exit(launch.launch(['lab']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.startswith("oraledu: the environment is broken ("), done.stderr
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if line.startswith("MEND")]
    assert [line.split(":")[0].split()[-1] for line in wrong] == [
        "packaging",
        "devices",
        "JupyterLab",
        "kernel",
        "data",
    ]


def test_a_place_that_takes_no_file_is_named(monkeypatch: pytest.MonkeyPatch):
    def full(dir: str | None) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert list(doctor.room()) == []
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", full)
    assert [finding.found.split(" takes")[0] for finding in doctor.room()] == [
        "this folder",
        "your home",
        "the temporary folder",
    ]


def test_what_the_server_and_the_page_need_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert [finding.cure for finding in doctor.extensions()] == [None, None]
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *names: [str(tmp_path)])
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_path", lambda: [str(tmp_path)])
    widgets, pairs = doctor.extensions()
    assert widgets.cure is None
    assert pairs.found == "does not find its extension jupytext"
    assert pairs.cure.endswith(" --force-reinstall --no-deps jupytext")


def test_a_script_beside_the_lessons_that_hides_a_package_is_named_before_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lessons = tmp_path / "work" / "lessons"
    lessons.mkdir(parents=True)
    (lessons / "numpy.py").write_text("raise ImportError('mine')")
    monkeypatch.chdir(tmp_path)
    named, fault = doctor.kernel()
    assert (named.found, named.cure) == (
        f"{Path('work/lessons/numpy.py')} hides the package of that name",
        "rename it, then run this again",
    )
    assert fault.found == "it does not run the course (mine)"
    assert fault.cure.startswith("if nothing above is to be mended: ")

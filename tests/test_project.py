"""The rules that hold for the repository as a whole."""

import ast
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import oraledu
from oraledu.app import install, launch
from oraledu.app.catalogue import LESSONS, PACKAGE

ROOT = PACKAGE.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCK = (ROOT / install.LOCK).read_text("utf-8").splitlines()
TOPICS = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {
    "app",
    "book",
    "teach",
    "course",
    "data",
    "__pycache__",
}
#: What draws, shows or is shown; the science runs in a plain script.
SHOWING = {"matplotlib", "seaborn", "IPython", "ipywidgets", "jupytext", "jupyterlab", "nbformat", "nbclient"}
FAMILY = re.compile(r"torch|triton|nvidia|cuda")


def requirements() -> list[Requirement]:
    """Return everything that the package, with all its extras, requires."""
    extras = [text for extra in PROJECT["optional-dependencies"].values() for text in extra]
    return [Requirement(text) for text in [*PROJECT["dependencies"], *extras]]


def imported(tree: ast.AST, package: list[str]) -> Iterator[str]:
    """Yield the full name of every module that a syntax tree imports, at whatever depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def forbidden(layer: str, module: str) -> bool:
    """Say whether a file of a layer may not import a module.

    A layer is "app", "course", "data", "grokking" (the science), "grokking.views" or "lessons/grokking".
    """
    top, _, rest = module.partition(".")
    target = rest.split(".")
    if layer in {"app", "book", "teach"}:
        return False
    if top != "oraledu":
        return top in SHOWING and layer in TOPICS | {"data"}
    if target[0] in {"", "presets", "keep", "costs", "devices"} or (
        layer.startswith("lessons/") and target[0] == "course"
    ):
        return False
    topic = layer.removeprefix("lessons/").partition(".")[0]
    if layer in {"course", "data"}:
        return target[0] != layer
    if layer in TOPICS:
        return target[0] not in {topic, "data"} or target[1:2] in (["views"], ["checks"])
    return target[0] not in {topic, "course", "data"}


def layer_of(path: Path) -> str:
    """Return the layer that a file of the package lies in."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts[0] in TOPICS and parts[1:2] in (("views",), ("checks",)):
        return f"{parts[0]}.{parts[1]}"
    return parts[0]


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_layer_may(path: Path):
    package = ["oraledu", *path.relative_to(PACKAGE).parent.parts]
    names = set(imported(ast.parse(path.read_text("utf-8")), package))
    assert sorted(name for name in names if forbidden(layer_of(path), name)) == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
@pytest.mark.parametrize("kind", ["lessons", "solutions"])
def test_a_lesson_imports_only_its_own_topic_and_the_course(kind: str, lesson):
    tree = ast.parse((ROOT / kind / f"{lesson.name}.py").read_text("utf-8"))
    assert sorted(name for name in imported(tree, []) if forbidden(f"lessons/{lesson.topic}", name)) == []


@pytest.mark.parametrize(
    ("layer", "module"),
    [
        ("grokking", "matplotlib.pyplot"),
        ("grokking", "IPython.display"),
        ("grokking", "oraledu.course.figures"),
        ("grokking", "oraledu.course.runfolder"),
        ("grokking", "oraledu.diffusion.schedule"),
        ("grokking", "oraledu.grokking.views"),
        ("grokking", "oraledu.app.build"),
        ("grokking.views", "oraledu.diffusion.views"),
        ("grokking.checks", "oraledu.app.catalogue"),
        ("course", "oraledu.grokking.rfm"),
        ("course", "oraledu.app.catalogue"),
        ("course", "oraledu.book.cells"),
        ("data", "oraledu.course.runtime"),
        ("lessons/grokking", "oraledu.app.build"),
        ("lessons/grokking", "oraledu.diffusion"),
    ],
)
def test_the_import_rules_forbid(layer: str, module: str):
    assert forbidden(layer, module)


@pytest.mark.parametrize(
    ("layer", "module"),
    [
        ("grokking", "torch.nn"),
        ("grokking", "oraledu.grokking.kernels"),
        ("grokking", "oraledu.data"),
        ("grokking", "oraledu.presets"),
        ("grokking", "oraledu.keep.Keep"),
        ("course", "oraledu.keep"),
        ("course", "oraledu.devices.exact"),
        ("grokking.views", "matplotlib.figure"),
        ("grokking.views", "oraledu.course.figures"),
        ("grokking.checks", "oraledu.grokking.rfm"),
        ("course", "ipywidgets"),
        ("app", "oraledu.grokking.checks"),
        ("book", "oraledu.teach.outline"),
        ("lessons/grokking", "oraledu.course"),
        ("lessons/grokking", "oraledu.grokking.views"),
        ("lessons/grokking", "torch"),
    ],
)
def test_the_import_rules_allow(layer: str, module: str):
    assert not forbidden(layer, module)


def test_what_a_relative_import_names_is_seen():
    tree = ast.parse("from . import rfm\nfrom ..course import quiz\nimport torch")
    assert {"oraledu.grokking.rfm", "oraledu.course.quiz", "torch"} <= set(
        imported(tree, ["oraledu", "grokking"])
    )


@pytest.mark.parametrize(
    "name", ["__init__.py", "__main__.py", "app/__init__.py", "app/launch.py", "app/install.py"]
)
def test_what_starts_from_a_bare_checkout_imports_the_standard_library_alone(name: str):
    tree = ast.parse((PACKAGE / name).read_text("utf-8"))
    own = {"oraledu", "oraledu.app", "oraledu.app.launch", "oraledu.app.install"}
    names = {
        module
        for node in tree.body
        for module in imported(ast.Module([node], []), [])
        if node.__class__ in (ast.Import, ast.ImportFrom)
    }
    foreign = {module for module in names if module.partition(".")[0] not in sys.stdlib_module_names}
    assert {
        module for module in foreign if module not in own and module.rpartition(".")[0] not in own
    } == set()


def test_the_lock_is_plain_names_and_versions():
    for line in LOCK:
        requirement = Requirement(line)
        assert [each.operator for each in requirement.specifier] == ["=="], line
        assert requirement.url is None


def test_the_lock_leaves_the_torch_family_to_the_machine():
    assert [line for line in LOCK if FAMILY.match(line)] == []


@pytest.mark.parametrize("version", ["3.11.4", "3.11.9", "3.12.1", "3.13.0"])
def test_the_lock_has_one_version_that_satisfies_each_requirement(version: str):
    minor = version.rpartition(".")[0]
    machine = {
        "python_version": minor,
        "python_full_version": version,
        "sys_platform": "linux",
        "os_name": "posix",
    }
    for requirement in requirements():
        if FAMILY.match(requirement.name):
            continue
        locked = [
            found
            for found in map(Requirement, LOCK)
            if canonicalize_name(found.name) == canonicalize_name(requirement.name)
            and (found.marker is None or found.marker.evaluate(machine))
        ]
        assert len(locked) == 1, requirement
        (exact,) = locked[0].specifier
        assert requirement.specifier.contains(exact.version), f"{requirement} but the lock has {exact}"


def test_torch_is_capped():
    (torch,) = [requirement for requirement in requirements() if requirement.name == "torch"]
    assert not torch.specifier.contains("2.14")


def test_conda_installs_the_same_versions():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    *conda, pip = environment["dependencies"]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    assert pip == {"pip": [f"-c {install.LOCK}", "-e ."]}


def test_the_oldest_python_is_one_and_the_same():
    from oraledu.__main__ import OLDEST

    assert PROJECT["requires-python"] == f">={'.'.join(map(str, OLDEST))}"


def test_each_licence_is_stated_once_and_consistently():
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"
    assert PROJECT["license-files"] == ["LICENSE", "LICENSE-TEXT"]
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License\n")
    assert (ROOT / "LICENSE-TEXT").read_text("utf-8").startswith("Attribution 4.0 International\n")
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "[MIT licence](LICENSE)" in readme
    assert "(LICENSE-TEXT) (CC-BY-4.0)" in readme
    assert not any(line.startswith("License ::") for line in PROJECT["classifiers"])
    assert "license" not in yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))


def test_the_citation_has_the_packages_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == oraledu.__version__
    assert citation["cff-version"] == "1.2.0"


def test_every_link_of_the_readme_into_the_checkout_holds():
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_two_commands_are_those_of_the_readme_and_of_ci():
    readme = (ROOT / "README.md").read_text("utf-8")
    for command in launch.EXTRAS:
        assert f"\npython3 -m oraledu {command}\n" in readme
    assert (ROOT / ".ci" / "run").read_text("utf-8").endswith("\nexec python3 -m oraledu test\n")


def test_the_sanitizing_patterns_are_read_and_compile():
    text = (ROOT / "tests" / "sanitize.cfg").read_bytes().decode("ascii")
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("regex:")]
    assert starts
    for number in starts:
        pattern = lines[number].removeprefix("regex: ")
        assert not pattern.startswith(" ")
        assert re.compile(pattern)
        assert lines[number + 1].startswith("replace: ")
    assert sum(line.startswith("replace:") for line in lines) == len(starts)


@pytest.mark.parametrize(
    ("printed", "compared"),
    [
        ("<object object at 0x7f12ab34cd56>", "<object object at ADDRESS>"),
        ("/tmp/ipykernel_1234/567.py:1: UserWarning", "CELL:1: UserWarning"),
        ("test accuracy 0.993 at 31 of 97", "test accuracy 0.993 at 31 of 97"),
    ],
)
def test_the_sanitizing_patterns_change_what_they_should_and_no_more(printed: str, compared: str):
    from nbval.plugin import get_sanitize_patterns

    for pattern, replacement in get_sanitize_patterns((ROOT / "tests" / "sanitize.cfg").read_text("utf-8")):
        printed = re.sub(pattern, replacement, printed)
    assert printed == compared


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["ruff", "check"], id="ruff"),
        pytest.param(["ruff", "format", "--check"], id="ruff-format"),
        pytest.param(["mypy"], id="mypy"),
        # Cells that the quick scale skips are run by nobody for long.
        pytest.param(["ruff", "check", "--isolated", "--select", "F821", "solutions"], id="names-in-cells"),
    ],
)
def test_a_tool_finds_nothing(words: list[str]):
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_words_are_spelt():
    if not (ROOT / ".git").exists():
        pytest.skip("only a checkout knows which files are its own")
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    texts = [name for name in files if not name.endswith(".ipynb")]
    command = [sys.executable, "-m", "codespell_lib", *texts]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_clone_on_windows_keeps_every_byte():
    if not (ROOT / ".git").exists():
        pytest.skip("only a checkout has line ends to keep")
    command = [
        "git",
        "check-attr",
        "text",
        "eol",
        "--",
        "oraledu/data/diffusion_study.json",
        "lessons/04_grokking.py",
    ]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.rpartition(": ")[2] for line in said] == ["unset", "lf", "auto", "lf"]


def test_what_the_package_imports_it_requires():
    extras = PROJECT["optional-dependencies"]
    own = [*PROJECT["dependencies"], *extras["models"], *extras["cluster"], *extras["hub"], *extras["book"]]
    required = {canonicalize_name(Requirement(text).name) for text in own} | {"oraledu"}
    # What these bring along by their own requirements, and what is only asked for beside them.
    required |= {
        "ipython",
        "ipykernel",
        "jupyter-client",
        "jupyter-core",
        "nbformat",
        "nbclient",
        "nbconvert",
        "packaging",
        "pyzmq",
    }
    required |= {"traitlets", "pillow", "fonttools", "docutils", "cycler", "tokenizers", "huggingface-hub"}
    known = importlib.metadata.packages_distributions()
    found = set()
    for path in MODULES:
        for statement in ast.parse(path.read_text("utf-8")).body:
            tops = {name.partition(".")[0] for name in imported(statement, ["oraledu", "x"])}
            found |= {canonicalize_name(name) for top in tops for name in known.get(top, [])}
    assert found - required == set()


def test_the_wheel_carries_the_lessons_the_solutions_the_teachers_texts_and_the_settings(tmp_path: Path):
    source = tmp_path / "source"
    own = ("oraledu", "lessons", "solutions", "teach")
    for name in own:
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT", ".gitignore"):
        shutil.copyfile(ROOT / name, source / name)
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for lesson in LESSONS:
        for kind in ("lessons", "solutions"):
            for ending in (".py", ".ipynb"):
                assert f"oraledu/_course/{kind}/{lesson.name}{ending}" in names
        assert f"oraledu/_course/teach/{lesson.number}.md" in names
    assert {"oraledu/teach/deck/conf.json", "oraledu/teach/deck/index.html.j2"} <= names
    assert {"oraledu/book/sphinx/conf.py", "oraledu/book/sphinx/_static/book.css"} <= names
    assert "oraledu/app/labconfig/default_setting_overrides.json" in names
    assert any(name.endswith("licenses/LICENSE-TEXT") for name in names)

"""What stands in the files that bring the course onto other machines; they are read, and not run."""

import json
import os
import re
import sys
from pathlib import Path

import click
import pytest
import yaml
from traitlets.config import Config

import oraledu
from oraledu.app import install
from oraledu.app.catalogue import PACKAGE
from oraledu.app.cli import course

ROOT = PACKAGE.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
VALUES = yaml.safe_load((ROOT / "deploy" / "zero-to-jupyterhub.yaml").read_text("utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def configure(name: str) -> Config:
    """Return what a configuration of JupyterHub sets, read as the hub reads it."""
    config = Config()

    def read(path: Path) -> None:
        names = {
            "get_config": lambda: config,
            "load_subconfig": lambda other: read(Path(other)),
            "__file__": str(path),
        }
        exec(compile(path.read_text("utf-8"), path, "exec"), names)

    read(ROOT / "deploy" / name)
    return config


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the hub keeps its state; the other settings are the usual ones."""
    for name in [name for name in os.environ if name.startswith("ORALEDU_HUB")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ORALEDU_HUB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("ORALEDU_TRIAL_PASSWORD", "try")
    return tmp_path / "state"


def test_the_hub_of_a_class_asks_the_system_who_a_learner_is_and_starts_our_command(state: Path):
    c = configure("jupyterhub_config.py")
    assert c.JupyterHub.authenticator_class == "pam"
    assert "spawner_class" not in c.JupyterHub
    assert not [name for name in c if "Password" in name or "Simple" in name]
    assert c.Spawner.cmd == [sys.executable, "-m", "oraledu", "hub"]
    assert c.Spawner.mem_limit == "3G"
    assert state.stat().st_mode & 0o077 == 0


def test_the_trial_differs_in_who_enters_and_in_nothing_else(state: Path):
    real, trial = configure("jupyterhub_config.py"), configure("trial_config.py")
    assert trial.JupyterHub.pop("authenticator_class") == "shared-password"
    assert trial.JupyterHub.pop("spawner_class") == "simple"
    assert trial.pop("SharedPasswordAuthenticator").user_password == "try"
    assert trial.pop("SimpleLocalProcessSpawner")
    real.JupyterHub.pop("authenticator_class")
    assert trial == real


@pytest.mark.parametrize("host", ["0.0.0.0", "hub.example.org", ""])
def test_the_trial_is_for_this_machine_alone(state: Path, monkeypatch: pytest.MonkeyPatch, host: str):
    monkeypatch.setenv("ORALEDU_HUB_URL", f"http://{host}:8000/")
    with pytest.raises(SystemExit, match="for this machine alone"):
        configure("trial_config.py")


def test_the_cluster_gets_what_the_one_machine_gets(state: Path):
    c = configure("jupyterhub_config.py")
    user = VALUES["singleuser"]
    assert user["cmd"] == ["oraledu", *c.Spawner.cmd[3:]]
    assert user["extraEnv"] == c.Spawner.environment
    assert user["memory"]["limit"] == c.Spawner.mem_limit
    assert user["image"]["tag"] == oraledu.__version__
    assert f"--timeout={VALUES['cull']['timeout']}" in c.JupyterHub.services[0]["command"]
    assert VALUES["hub"]["config"]["JupyterHub"]["authenticator_class"] == "null"
    assert f"HOME={user['storage']['homeMountPath']}" in DOCKERFILE
    assert f"NB_UID={user['uid']}" in DOCKERFILE


def test_the_image_installs_the_lock_and_is_not_run_by_root():
    assert f"--constraint {install.LOCK} '.[hub]'" in DOCKERFILE
    assert re.findall(r"^USER (.*)", DOCKERFILE, re.MULTILINE)[-1] == "${NB_UID}"
    left_out = (ROOT / ".dockerignore").read_text("utf-8").split()
    needed = (
        "oraledu",
        "lessons",
        "solutions",
        "teach",
        "pyproject.toml",
        install.LOCK,
        "README.md",
        "LICENSE",
    )
    assert not set(needed) & set(left_out)


def test_every_command_of_ours_in_these_files_is_one_with_these_options():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    steps = [
        step.get("run", "")
        for path in WORKFLOWS
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values()
        for step in job["steps"]
    ]
    (run,) = re.findall(r"^RUN (oraledu .*)", DOCKERFILE, re.MULTILINE)
    (command,) = re.findall(r"^CMD (.*)", DOCKERFILE, re.MULTILINE)
    lines = [run, " ".join(json.loads(command)), container["postCreateCommand"], *steps]
    ours = [re.sub(r"^python3 -m ", "", line).split() for line in lines]
    ours = [words for words in ours if words[:1] == ["oraledu"]]
    assert len(ours) >= 6
    for _, name, *options in ours:
        with click.Context(course.commands[name]) as context:
            course.commands[name].parse_args(context, options)


def test_the_workflows_call_the_commands_of_the_readme_and_no_others():
    readme = (ROOT / "README.md").read_text("utf-8")
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
            assert job["timeout-minutes"] <= 90
            for step in filter(None, (step.get("run") for step in job["steps"])):
                words = step.split()
                if words[0] == "pip":
                    assert words[1:-2] in (["install"], ["install", "-c", install.LOCK])
                else:
                    name = words[words.index("oraledu") + 1]
                    assert f"oraledu {name}" in readme


def test_every_action_is_pinned_and_nobody_may_write_unasked():
    for path in WORKFLOWS:
        text = path.read_text("utf-8")
        for action in re.findall(r"uses: (.*)", text):
            assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}  # v[\d.]+", action)
        assert yaml.safe_load(text)["permissions"] in ({}, {"contents": "read"})
        assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def test_the_changelog_begins_with_this_version():
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert versions[0] == oraledu.__version__

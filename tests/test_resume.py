"""A run that is killed again and again ends with the numbers of one that was left alone."""

import json
import os
import subprocess
import sys

import pytest

from tests.long_calls import KILLS, LESSONS


@pytest.mark.slow
@pytest.mark.parametrize("number", LESSONS)
def test_a_killed_run_ends_as_an_undisturbed_one(number: str, tmp_path):
    environment = {**os.environ, "ORALEDU_SAVE_SECONDS": "0.02", "CI": "true"}
    command = [sys.executable, "-m", "tests.long_calls", number, str(tmp_path)]
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["killed"]["found"] == said["whole"]["found"]
    # How far each process comes before it is killed depends on what else the machine does.
    assert 1 <= len(said["kills"]) <= KILLS
    assert said["whole"]["taken"] == 0

"""What a run would take is printed, and nothing is run."""

from pathlib import Path

import pytest

from oraledu.app import cli
from oraledu.app.catalogue import LESSONS


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
@pytest.mark.parametrize("scale", ["quick", "middle", "full"])
def test_every_lesson_has_a_plan(lesson, scale: str, tmp_path: Path, capsys):
    assert cli.main(["run", lesson.number, "--scale", scale, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{lesson.name} at the {scale} scale: its long parts.\n")
    assert max(map(len, out.splitlines()[:-1])) < 130
    assert list(tmp_path.iterdir()) == []


def test_twice_the_speed_is_half_the_time(capsys):
    hours = []
    for tflops in ("10", "20"):
        assert cli.main(["run", "03", "--scale", "full", "--dry-run", "--tflops", tflops]) == 0
        (total,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("all ")]
        hours.append(float(total.split()[-1].replace(",", "")))
    assert hours[0] == pytest.approx(2 * hours[1], rel=0.01)


def test_files_are_told_apart_by_whether_they_are_there(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("ORALEDU_DATA", str(tmp_path))
    (tmp_path / "cifar-10-batches-bin").mkdir()
    (tmp_path / "mteb" / "STS12").mkdir(parents=True)
    (tmp_path / "mteb" / "STS12" / "test.jsonl").write_text("{}")
    for lesson, name, other in (("01", "CIFAR-10", "the complete MNIST"), ("02", "mteb/STS12", "mteb/STS13")):
        assert cli.main(["run", lesson, "--scale", "full", "--dry-run"]) == 0
        there, missing = capsys.readouterr().out.splitlines()[-2:]
        assert there.startswith("There: ")
        assert missing.startswith("Missing: ")
        assert name in there
        assert other in missing


def test_a_folder_of_data_that_is_not_there_is_one_line(monkeypatch, capsys):
    monkeypatch.setenv("ORALEDU_DATA", "nowhere")
    assert cli.main(["run", "01", "--scale", "full", "--dry-run"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "there is no such folder" in line

"""The learner's file of results survives damage, full disks and fresh copies of a lesson."""

import json
import os
import subprocess
import sys
from datetime import date

import pytest

from oraledu.course import results
from oraledu.course.results import Result, find_folder, read, record


@pytest.fixture
def folder(tmp_path, monkeypatch):
    marked = tmp_path / ".oraledu"
    marked.mkdir()
    (tmp_path / "lessons").mkdir()
    monkeypatch.chdir(tmp_path / "lessons")
    return marked


def test_a_result_is_recorded_in_the_nearest_marked_folder_above(folder):
    assert record("topic.f", "correct") is None
    assert json.loads((folder / "results.json").read_text()) == {
        "version": 1,
        "exercises": {"topic.f": {"status": "correct", "attempts": 1, "changed": date.today().isoformat()}},
    }
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".jsonl", ".lock"}


def test_a_notebook_that_has_left_its_folder_records_where_it_began(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "BEGAN", tmp_path / "lessons")
    monkeypatch.chdir("/")
    record("topic.f", "correct")
    assert read(folder)["topic.f"].status == "correct"


def test_two_kernels_that_record_at_once_lose_nothing(folder):
    program = "import sys; from oraledu.course.results import record\n"
    program += "for n in range(20): record(f'topic.{sys.argv[1]}{n}', 'correct')"
    both = [subprocess.Popen([sys.executable, "-c", program, name]) for name in "fg"]
    assert [each.wait() for each in both] == [0, 0]
    assert len(read(folder)) == 40


def test_without_a_marked_folder_nothing_is_recorded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_folder() is None
    assert record("topic.f", "correct") is None
    assert list(tmp_path.iterdir()) == []


def test_attempts_are_counted_and_an_unwritten_function_is_none(folder):
    for status in ("not attempted", "not attempted", "wrong", "borrowed", "correct"):
        record("topic.f", status)
    assert read(folder)["topic.f"].attempts == 3


def test_a_fresh_copy_of_a_lesson_does_not_take_back_what_was_done(folder):
    record("topic.f", "correct")
    record("topic.f", "not attempted")
    assert read(folder)["topic.f"].status == "correct"


def test_the_date_is_that_of_the_last_change_of_status(folder):
    entry = {"status": "wrong", "attempts": 1, "changed": "2020-01-31"}
    (folder / "results.json").write_text(json.dumps({"version": 1, "exercises": {"topic.f": entry}}))
    record("topic.f", "wrong")
    assert read(folder)["topic.f"] == Result("wrong", 2, "2020-01-31")
    record("topic.f", "correct")
    assert read(folder)["topic.f"] == Result("correct", 3, date.today().isoformat())


def test_other_exercises_stay(folder):
    record("topic.f", "correct")
    record("topic.g", "wrong")
    assert {name: result.status for name, result in read(folder).items()} == {
        "topic.f": "correct",
        "topic.g": "wrong",
    }


DAMAGED = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[]",
    b"{}",
    b'{"version": 2, "exercises": {}}',
    b'{"version": 1, "exercises": []}',
    b'{"version": 1, "exercises": {"topic.f": 3}}',
    b'{"version": 1, "exercises": {"topic.f": {"status": "correct"}}}',
    b'{"version": 1, "exercises": {"topic.f": {"status": "done", "attempts": 1, "changed": "2026-01-31"}}}',
    b'{"version": 1, "exercises": {"topic.f": {"status": "wrong", "attempts": -1, "changed": "2026-01-31"}}}',
    b'{"version": 1, "exercises": {"topic.f": {"status": "wrong", "attempts": 1, "changed": "yesterday"}}}',
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_set_aside_and_a_new_one_begins(folder, content):
    (folder / "results.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"results.json is damaged"):
        read(folder)
    assert "kept as results.damaged-1.json" in record("topic.g", "correct")
    assert (folder / "results.damaged-1.json").read_bytes() == content
    assert list(read(folder)) == ["topic.g"]
    assert record("topic.g", "correct") is None


def test_a_second_damaged_file_does_not_replace_the_first(folder):
    for content in ("{1", "{2"):
        (folder / "results.json").write_text(content)
        record("topic.f", "correct")
    assert (folder / "results.damaged-1.json").read_text() == "{1"
    assert (folder / "results.damaged-2.json").read_text() == "{2"


def test_a_folder_that_cannot_be_written_is_told_and_is_not_fatal(folder, monkeypatch):
    def refuse(*paths):
        raise PermissionError(13, "Permission denied")

    record("topic.f", "wrong")
    monkeypatch.setattr(os, "replace", refuse)
    note = record("topic.f", "correct")
    assert note == "Your results could not be saved (Permission denied); the lesson goes on without."
    assert read(folder)["topic.f"].status == "wrong"
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".jsonl", ".lock"}


def test_a_working_directory_that_is_gone_is_not_fatal(monkeypatch):
    def gone():
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(results.Path, "cwd", gone)
    assert "could not be saved" in record("topic.f", "correct")

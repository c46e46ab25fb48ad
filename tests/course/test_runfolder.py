"""What is kept in a run's folder is whole, is found again, and is refused where it belongs to something else."""

import errno
import json
import os
from pathlib import Path

import pytest
import torch

from oraledu.course import runfolder
from oraledu.course.cache import cached
from oraledu.course.fingerprint import fingerprint
from oraledu.course.runfolder import FileKeep, KeepError, fetch, kept, store
from oraledu.keep import NOWHERE

calls: list[int] = []
#: At which steps the next call is interrupted, once each.
interrupts: list[int] = []


def summed(numbers: torch.Tensor, *, keep=NOWHERE) -> float:
    """Add numbers one by one, from where it was."""
    state = keep.load() or {"place": 0, "total": 0.0}
    place, total = state["place"], state["total"]
    while place < len(numbers):
        calls.append(place)
        if place in interrupts:
            interrupts.remove(place)
            raise KeyboardInterrupt
        place, total = place + 1, total + float(numbers[place])
        if keep.due(place, len(numbers)):
            keep.save({"place": place, "total": total})
    return total


def counted(upto: int, keep=NOWHERE) -> float:
    return summed(torch.arange(upto, dtype=torch.float64), keep=keep)


def plain(upto: int) -> int:
    calls.append(upto)
    return upto


NUMBERS = torch.tensor([1.0, 2.0, 13.0, 4.0])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """A run's folder, in which every step is saved."""
    monkeypatch.setenv(runfolder.VARIABLE, str(tmp_path))
    monkeypatch.setenv(runfolder.SECONDS_VARIABLE, "0")
    description = {"lesson": "04_grokking", "scale": "full", "device": "cpu"}
    (tmp_path / runfolder.FILE).write_text(json.dumps(description))
    again()
    calls.clear()
    return tmp_path


def again() -> None:
    """Forget what this process knows, as a new one would."""
    runfolder._calls.clear()
    runfolder._described.cache_clear()


def files(folder: Path) -> list[Path]:
    return sorted((folder / runfolder.KEPT).iterdir())


def test_a_call_goes_on_after_its_last_save():
    interrupts.append(2)
    with pytest.raises(KeyboardInterrupt):
        kept(summed)(NUMBERS)
    again()
    assert kept(summed)(NUMBERS) == 20
    assert calls == [0, 1, 2, 2, 3]


def test_a_finished_call_is_not_made_again():
    kept(summed)(NUMBERS)
    again()
    calls.clear()
    assert kept(summed)(NUMBERS) == 20
    assert calls == []


def test_other_numbers_and_an_equal_call_are_calls_of_their_own():
    for numbers in (NUMBERS[:2], NUMBERS[1:2], NUMBERS[:2]):
        kept(summed)(numbers)
    assert calls == [0, 1, 0, 0, 1]


def test_outside_of_a_run_a_function_is_itself(monkeypatch):
    monkeypatch.delenv(runfolder.VARIABLE)
    assert kept(summed) is summed


def test_a_function_that_keeps_nothing_is_itself():
    assert kept(plain) is plain


def test_a_result_of_settings_lies_in_the_runs_folder_and_its_states_are_gone(folder, monkeypatch):
    monkeypatch.setenv("ORALEDU_CACHE", str(folder / "cache"))
    assert [cached(counted)(4), cached(counted)(4), cached(plain)(3), cached(plain)(3)] == [6, 6, 3, 3]
    assert calls == [0, 1, 2, 3, 3]
    assert [path.suffix for path in files(folder)] == [".result", ".result"]
    assert not (folder / "cache").exists()


def test_a_short_call_leaves_no_file(folder, monkeypatch):
    monkeypatch.setenv(runfolder.SECONDS_VARIABLE, "3600")
    kept(summed)(NUMBERS)
    assert not (folder / runfolder.KEPT).exists()


def test_a_part_has_a_file_of_its_own_until_the_whole_is_saved(folder):
    keep = FileKeep(folder / runfolder.KEPT / "whole", "whole")
    keep.part("a").save({"x": 1})
    assert keep.load() is None
    assert keep.part("a").load() == {"x": 1}
    keep.save({"y": 2})
    assert keep.part("a").load() is None
    assert keep.load() == {"y": 2}


def change(path: Path, **entries: str) -> None:
    """Change what the first line of a file says."""
    content = path.read_bytes()
    header = {**json.loads(content[: runfolder.HEADER]), **entries}
    line = json.dumps(header).encode().ljust(runfolder.HEADER - 1) + b"\n"
    path.write_bytes(line + content[runfolder.HEADER :])


@pytest.mark.parametrize("name", ["oraledu", "torch", "source", "lesson", "scale", "device", "call"])
def test_a_file_of_another_version_run_or_call_is_refused(name, folder):
    kept(summed)(NUMBERS)
    (path,) = files(folder)
    change(path, **{name: "another"})
    again()
    with pytest.raises(KeepError, match=f"made with {name} 'another', not .*; delete it") as error:
        kept(summed)(NUMBERS)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("size", [0, 100, runfolder.HEADER, -1])
def test_a_torn_file_is_refused(size, folder):
    kept(summed)(NUMBERS)
    (path,) = files(folder)
    path.write_bytes(path.read_bytes()[:size])
    again()
    with pytest.raises(KeepError, match=r"damaged.*; delete it to do this part of the run again"):
        kept(summed)(NUMBERS)


def test_a_changed_byte_is_refused(folder):
    path = folder / "file"
    store(path, "call", {"x": torch.arange(5)})
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    with pytest.raises(KeepError, match="is damaged"):
        fetch(path, "call")


def test_where_the_disk_is_full_the_last_file_stays_whole(folder, monkeypatch):
    path = folder / "file"
    store(path, "call", 1)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeepError, match=r"No space left on device.*what it holds is whole"):
        store(path, "call", 2)
    assert fetch(path, "call") == 1
    assert {each.name for each in folder.iterdir()} == {"file", runfolder.FILE}


def test_a_lesson_in_the_folder_of_another_is_refused():
    runfolder.require_lesson("04_grokking")
    with pytest.raises(KeepError, match="the folder of a run of 04_grokking, not of 03_scaling"):
        runfolder.require_lesson("03_scaling")


def test_a_call_tells_how_much_is_left_until_it_ends(folder):
    keep = FileKeep(folder / runfolder.KEPT / "fit", "fit 1")
    keep.due(1, 4)
    keep.due(3, 4)
    (note,) = (folder / runfolder.PROGRESS).iterdir()
    said = json.loads(note.read_text())
    assert (said["call"], said["share"]) == ("fit", 0.75)
    assert said["left"] > 0
    keep.due(4, 4)
    assert list((folder / runfolder.PROGRESS).iterdir()) == []


GENERATOR = torch.Generator().manual_seed(1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (torch.zeros(2), torch.zeros(2, dtype=torch.float64)),
        (torch.zeros(2, 3), torch.zeros(3, 2)),
        (torch.zeros(2), torch.tensor([0.0, 1e-30])),
        (torch.Generator().manual_seed(0), GENERATOR),
        (torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)),
        (torch.nn.Linear(2, 2).forward, torch.nn.Linear(2, 2).forward),
        ({"a": 1}, {"a": 2}),
        (["ab", "c"], ["a", "bc"]),
        (1, "1"),
        (summed, plain),
        ({1, 2}, {1, 3}),
    ],
)
def test_values_that_differ_have_different_names(one, other):
    assert fingerprint(one) != fingerprint(other)


def test_equal_values_have_one_name():
    assert fingerprint({"a": torch.eye(3)[1:]}, {2, 1}) == fingerprint(
        {"a": torch.eye(3)[1:].clone()}, {1, 2}
    )

import hashlib
from pathlib import Path

import pytest

from oraledu.app import doctor
from oraledu.data.embedded import CHECKSUMS, read_checked, read_checksums
from oraledu.data.store import store


def test_what_is_stored_can_be_read_and_what_was_listed_stays(tmp_path: Path):
    store({"b": b"two"}, tmp_path)
    store({"a": b"one"}, tmp_path)
    assert read_checked("a", tmp_path) == b"one"
    assert read_checked("b", tmp_path) == b"two"
    assert list(read_checksums(tmp_path)) == ["a", "b"]
    assert (tmp_path / CHECKSUMS).read_text().startswith(f"{hashlib.sha256(b'one').hexdigest()}  a\n")


def test_old_lines_are_renewed_and_nothing_else_is_written(tmp_path: Path):
    (tmp_path / CHECKSUMS).write_text("34cd  a.npz\n12ab  images.npz\n")
    store({"a.npz": b"one", "b.npz": b"two"}, tmp_path)
    one, two = (hashlib.sha256(content).hexdigest() for content in (b"one", b"two"))
    assert (tmp_path / CHECKSUMS).read_text() == f"{one}  a.npz\n{two}  b.npz\n12ab  images.npz\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [CHECKSUMS, "a.npz", "b.npz"]


def test_the_checksums_are_those_that_the_doctor_reads(tmp_path: Path):
    store({"a.npz": b"one", "b.json": b"two"}, tmp_path)
    assert [finding.cure for finding in doctor.data(tmp_path)] == [None, None]


def test_an_interruption_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store({"a": b"one"}, tmp_path)
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        store({"a": b"two"}, tmp_path)
    assert read_checked("a", tmp_path) == b"one"

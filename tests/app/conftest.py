"""What the tests of the commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from oraledu.app import catalogue
from tests.app.small_course import LESSON, write_pair


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the course's own notebooks lie; `LESSON` is the only one."""
    folder = tmp_path / "sources"
    write_pair(folder / "lessons", LESSON.name, "print(1 + 1)")
    write_pair(folder / "solutions", LESSON.name, "print(2)")
    monkeypatch.setattr(catalogue, "source_folder", lambda kind: folder / kind)
    monkeypatch.setattr(catalogue, "LESSONS", (LESSON,))
    return folder

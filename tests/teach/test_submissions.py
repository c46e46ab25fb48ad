"""Whatever platforms make of a student's files is read, in place, by student and lesson."""

import io
import json
import os
import zipfile

import pytest

from oraledu.app import catalogue
from oraledu.teach import submissions
from oraledu.teach.submissions import collect

SCRIPT = "# %%\nimport torch\n\n\ndef psd_power(matrix, power):\n    return matrix\n"


def notebook(source=SCRIPT):
    cell = {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": [], "metadata": {}}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def zipped(entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def damaged():
    """Return a zip with a file whose packed bytes begin with what no packer writes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("04_grokking.py", 9 * SCRIPT)
    return file.getvalue()[:44] + b"\x07" + file.getvalue()[45:]


def receipt_of(*statements, student="ada", **more):
    entry = {"psd_power": {"statements": statements} | more}
    return json.dumps({"receipt": 1, "student": student, "lessons": {"04_grokking": entry}})


def laid(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
    return root


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("ada/04_grokking.ipynb", "ada"),
        ("ada/lessons/04_grokking.ipynb", "ada"),
        ("submitted/ada/lesson4/04_grokking.ipynb", "ada"),
        ("Ada Doe_123_assignsubmission_file_/04_grokking.ipynb", "Ada Doe"),
        ("doeada_123_456_04_grokking-1.ipynb", "doeada_123"),
        ("doeada_LATE_123_456_04_grokking.ipynb", "doeada_123"),
        ("ada/04_GROKKING.IPYNB", "ada"),
        ("ada\N{RIGHT-TO-LEFT OVERRIDE}\x1b/04_grokking.ipynb", "ada__"),
        ("Jose\N{COMBINING ACUTE ACCENT}/04_grokking.ipynb", "Jos\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("=1+1/04_grokking.ipynb", "'=1+1"),
        ("ada_04_grokking.ipynb", "ada"),
        ("ada-homework.ipynb", "ada-homework"),
    ],
)
def test_a_student_is_found_in_the_names_that_platforms_give(tmp_path, name, student):
    found, problems = collect([laid(tmp_path / "in", {name: notebook()})])
    assert [(each.student, each.lesson.number) for each in found] == [(student, "04")]
    assert problems == []
    assert found[0].late == ("LATE" in name)


def test_a_lone_file_belongs_to_the_folder_that_it_lies_in(tmp_path):
    path = laid(tmp_path, {"ada/04_grokking.py": SCRIPT}) / "ada" / "04_grokking.py"
    assert [each.student for each in collect([path])[0]] == ["ada"]


def test_the_lesson_is_known_by_its_exercises_whatever_the_file_is_called(tmp_path):
    found, _ = collect(
        [laid(tmp_path / "in", {"ada/homework (2).ipynb": notebook("def find_offset(x): return 1")})]
    )
    assert [each.lesson.number for each in found] == ["03"]


def test_both_halves_of_a_pair_and_a_second_submission_are_one(tmp_path):
    other = SCRIPT.replace("return matrix", "return 2 * matrix")
    files = {
        "ada/04_grokking.ipynb": notebook(),
        "ada/04_grokking.py": SCRIPT,
        "ada/again.zip": zipped({"x.py": other}),
    }
    (found,), _ = collect([laid(tmp_path / "in", files)])
    assert len(found.files) == 3
    assert len(found.found["psd_power"]) == 2


def test_zips_in_zips_are_opened_and_nothing_is_written(tmp_path):
    inner = zipped({"../../04_grokking.ipynb": notebook(), "/etc/passwd.py": SCRIPT})
    laid(tmp_path / "in", {"all.zip": zipped({"bob/lesson.zip": inner})})
    before = sorted(tmp_path.rglob("*"))
    found, problems = collect([tmp_path / "in"])
    assert {each.student for each in found} == {"bob"}
    assert problems == []
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("ada/04_grokking.ipynb", "", "cannot be read"),
        ("ada/04_grokking.ipynb", '{"cells": [', "cannot be read"),
        ("ada/04_grokking.ipynb", "[]", "cannot be read"),
        ("ada/04_grokking.ipynb", b"\xff\x00\x12", "cannot be read"),
        ("ada/04_grokking.ipynb", notebook("x = 1"), "holds no exercise"),
        ("ada/all.zip", b"PK no zip", "cannot be read"),
        ("ada/all.zip", damaged(), "cannot be read"),
        ("ada/04_grokking.py", "def psd_power(:", "holds no exercise"),
        ("ada/04_grokking.html", "<html>", "is no notebook"),
        ("ada/04_grokking.ipynb", '{"worksheets": []}', "no notebook of the format 4"),
        ("ada/x.receipt.json", receipt_of("def psd_power(:"), "holds no exercise"),
        ("ada/x.receipt.json", receipt_of("word = '\ud800'\ndef psd_power(m, p): pass"), "holds no exercise"),
        ("ada/x.receipt.json", '{"receipt": 99, "lessons": {}}', "version 99"),
        ("ada/x.receipt.json", "{}", "no receipt"),
        ("ada/x.receipt.json", '{"receipt": 1, "student": 3, "lessons": {}}', "texts"),
    ],
)
def test_what_cannot_be_read_gets_a_line_and_the_others_are_read(tmp_path, name, content, told):
    files = {name: content, "bob/04_grokking.py": SCRIPT}
    found, problems = collect([laid(tmp_path / "in", files)])
    assert [each.student for each in found] == ["bob"]
    assert len(problems) == 1
    assert name.removesuffix(".zip") in problems[0]
    assert told in problems[0]


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST", 1000)
    files = {"ada/04_grokking.ipynb": "x" * 2000, "all.zip": zipped({"bob/04_grokking.ipynb": "x" * 2000})}
    found, problems = collect([laid(tmp_path / "in", files)])
    assert found == []
    assert len(problems) == 2
    assert all("a lesson has under 2" in each for each in problems)


def test_a_path_that_is_not_there_is_told(tmp_path):
    assert collect([tmp_path / "none"])[1] == [f"{tmp_path / 'none'}: is not there"]


def test_a_students_own_cells_are_those_that_the_course_did_not_write(tmp_path):
    course = (catalogue.source_folder("lessons") / "04_grokking.py").read_text("utf-8")
    mine = "# %%\nHELP = 1\n\n# %%\ndef psd_power(matrix, power):\n    return matrix\n"
    (found,), _ = collect([laid(tmp_path / "in", {"ada/04_grokking.py": course + "\n" + mine})])
    assert found.own == ("HELP = 1", "def psd_power(matrix, power):\n    return matrix")


def test_a_link_is_not_followed(tmp_path):
    """A link into another folder would hand in what somebody else has written."""
    laid(tmp_path / "in", {"bob/04_grokking.py": SCRIPT})
    (tmp_path / "in" / "ada").mkdir()
    (tmp_path / "in" / "ada" / "04_grokking.py").symlink_to(tmp_path / "in" / "bob" / "04_grokking.py")
    found, problems = collect([tmp_path / "in"])
    assert [each.student for each in found] == ["bob"]
    assert problems == ["ada/04_grokking.py: is a link to another file, and not followed"]


def test_a_zip_belongs_to_whom_the_platform_names_whatever_it_holds(tmp_path):
    inner = zipped({"bob/04_grokking.py": SCRIPT})
    files = {"doeada_LATE_123_456_work.zip": inner, "Eve Doe_7_assignsubmission_file_/work.zip": inner}
    found, _ = collect([laid(tmp_path / "in", files)])
    assert [(each.student, each.late) for each in found] == [("Eve Doe", False), ("doeada_123", True)]


def test_a_file_that_is_packed_too_densely_is_not_unpacked(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ada/04_grokking.py", SCRIPT + "#" * 2_000_000)
    found, problems = collect([laid(tmp_path / "in", {"all.zip": file.getvalue()})])
    assert found == []
    assert problems == ["ada/04_grokking.py: 2 MB, and a lesson has under 2"]


def test_more_code_than_anybody_writes_is_not_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "MOST_CODE", 100)
    files = {
        "ada/04_grokking.py": SCRIPT + "x = 1\n" * 20,
        "bob/04_grokking.ipynb": notebook(SCRIPT + "x = 1\n" * 20),
        "cleo/x.receipt.json": receipt_of(SCRIPT + "x = 1\n" * 40),
    }
    found, problems = collect([laid(tmp_path / "in", files)])
    assert found == []
    assert len(problems) == 3
    assert all("letters of code" in each for each in problems)


def test_what_a_receipt_says_that_a_function_needs_is_not_believed(tmp_path):
    text = receipt_of(
        "import torch", "def psd_power(matrix, power):\n    return matrix", needs=["agop", "psd_power"]
    )
    (found,), _ = collect([laid(tmp_path / "in", {"x.receipt.json": text})])
    assert found.found["psd_power"][0].needs == frozenset()


def test_a_roster_says_how_a_name_is_spelled(tmp_path):
    folder = laid(tmp_path / "in", {"Ada/04_grokking.py": SCRIPT, "ADA/04_grokking.py": SCRIPT})
    assert [each.student for each in collect([folder], ["ada"])[0]] == ["ada"]


def test_a_name_that_no_text_can_hold_is_written_without_it(tmp_path):
    (tmp_path / "in").mkdir()
    folder = os.fsencode(tmp_path / "in") + b"/a\xffda"
    os.mkdir(folder)
    with open(folder + b"/04_grokking.py", "w") as file:
        file.write(SCRIPT)
    assert [each.student for each in collect([tmp_path / "in"])[0]] == ["a_da"]

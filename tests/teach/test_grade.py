"""A class is graded by its functions alone, once, and each submission for itself."""

import csv
import json
import shutil

import pytest

from oraledu.app import catalogue
from oraledu.app.cli import main
from oraledu.app.errors import UserError
from oraledu.teach import grade as grading
from oraledu.teach import remote
from oraledu.teach.examined import Outcome, examined
from oraledu.teach.grade import grade
from oraledu.teach.receipt import pack

LESSON = catalogue.lesson("04")
SOLUTION = (catalogue.source_folder("solutions") / "04_grokking.py").read_text("utf-8")
BLANK = (catalogue.source_folder("lessons") / "04_grokking.py").read_text("utf-8")
ONE = """\
# %%
import torch


def psd_power(matrix, power):
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0) ** power) @ vectors.T
"""


def laid(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def statuses(out, student):
    return {row["exercise"]: row["status"] for row in rows(out / "grades.csv") if row["student"] == student}


@pytest.fixture
def examinations(monkeypatch):
    """Let every function that was handed in be solved, and count the submissions that are examined."""
    seen = []

    def pretended(lesson, found, *, seed, limits, before):
        seen.append((lesson, seed, tuple(before)))
        return {
            exercise.name: Outcome(
                "solved" if exercise.name in found else "not attempted", f"{exercise.name}: …"
            )
            for exercise in catalogue.exercises(catalogue.lesson(lesson))
        }

    monkeypatch.setattr(grading, "examined", pretended)
    return seen


def test_solved_blank_wrong_and_hostile_submissions_get_what_they_deserve(tmp_path, monkeypatch):
    monkeypatch.setenv("CI", "1")
    hostile = (
        ONE
        + "\n# %%\nfrom oraledu.grokking import checks\nchecks.psd_power = lambda f: f\nprint('psd_power: correct.')\n"
    )
    files = {
        "ada/04_grokking.py": ONE,
        "bob/04_grokking.py": BLANK,
        "cleo/04_grokking.py": ONE.replace(" ** power", " ** 0.5"),
        "dan/04_grokking.py": ONE.replace("    values, ", "    import os; os._exit(0)\n    values, "),
        "eve/04_grokking.py": hostile.replace("@ vectors.T", ""),
        "fay/04_grokking.py": ONE.replace(
            "import torch", "import torch\nfrom oraledu.grokking import rfm"
        ).replace("    values,", "    return rfm.psd_power(matrix, power)\n    values,"),
        "gus/04_grokking.py": ONE.replace("psd_power", "power"),
        "hal/04_grokking.ipynb": "{",
    }
    assert grade([laid(tmp_path / "in", files)], tmp_path / "out", jobs=1) == 0
    found = {
        student: statuses(tmp_path / "out", student).get("psd_power")
        for student in ("ada", "bob", "cleo", "dan", "eve", "fay", "gus", "hal")
    }
    assert found == {
        "ada": "solved",
        "bob": "not attempted",
        "cleo": "wrong",
        "dan": "broken",
        "eve": "wrong",
        "fay": "borrowed",
        "gus": None,
        "hal": None,
    }
    page = (tmp_path / "out" / "class.html").read_text("utf-8")
    assert "hal/04_grokking.ipynb: cannot be read" in page
    assert (
        "<td>1</td><td><code>psd_power</code></td><td>The power is an argument; it is not always 1/2</td>"
        in page
    )


def test_of_several_copies_the_best_counts():
    from oraledu.teach.functions import definitions

    copies = [ONE.replace("@ vectors.T", "@ vectors"), ONE, ONE.replace("clamp(min=0)", "abs()")]
    found = {"psd_power": [definitions([copy], ["psd_power"])["psd_power"] for copy in copies]}
    assert examined("04", found, seed=3)["psd_power"].status == "solved"


def test_of_many_versions_the_first_few_count(tmp_path, capsys):
    from oraledu.teach.functions import definitions

    guesses = [ONE.replace("min=0", f"min={least}") for least in (9, 8, 7, 6, 0)]
    found = {"psd_power": [definitions([guess], ["psd_power"])["psd_power"] for guess in guesses]}
    assert examined("04", found, seed=3)["psd_power"].status == "wrong"
    assert examined("04", {"psd_power": found["psd_power"][1:]}, seed=3)["psd_power"].status == "solved"


def line_of(text, seed=3):
    from oraledu.teach.functions import definitions

    found = {"psd_power": [definitions([text], ["psd_power"])["psd_power"]]}
    return examined("04", found, seed=seed)["psd_power"].line


def test_what_one_submission_finds_out_about_its_inputs_serves_no_other():
    tells = ONE.replace("    values,", "    raise ValueError(torch.initial_seed())\n    values,")
    assert line_of(tells) == line_of(tells)
    assert line_of(tells) != line_of(tells, seed=4)
    assert (
        line_of(tells).split("ValueError")[1][:9]
        != line_of(tells.replace("clamp", "clip")).split("ValueError")[1][:9]
    )


@pytest.mark.parametrize(
    "what", ["ValueError(chr(0xd800) + chr(27))", "type(2000 * 'x', (Exception,), {})('too long')"]
)
def test_a_line_can_be_written_whatever_is_raised(what):
    line = line_of(ONE.replace("    values,", f"    raise {what}\n    values,"))
    assert line.isprintable()
    assert len(line) <= 1000


def test_an_examination_that_stumbles_costs_its_own_row(monkeypatch):
    def stumbles(*args, **kwargs):
        raise OverflowError

    monkeypatch.setattr("oraledu.teach.examined.examine", stumbles)
    assert line_of(ONE) == "psd_power: what it returns cannot be examined (OverflowError)."


def test_a_second_start_examines_nothing_twice(tmp_path, examinations):
    folder = laid(tmp_path / "in", {"ada/04.py": ONE, "bob/04.py": ONE.replace("power)", "power )")})
    grade([folder], tmp_path / "out", jobs=1)
    assert len(examinations) == 2
    before = (tmp_path / "out" / "grades.csv").read_bytes()
    grade([folder], tmp_path / "out", jobs=1)
    assert len(examinations) == 2
    assert (tmp_path / "out" / "grades.csv").read_bytes() == before
    laid(folder, {"ada/04.py": ONE.replace("clamp(min=0)", "clamp(0)")})
    grade([folder], tmp_path / "out", jobs=1)
    assert len(examinations) == 3
    assert len({seed for _, seed, _ in examinations}) == 1


def test_after_a_kill_what_was_examined_stays(tmp_path, examinations, monkeypatch):
    folder = laid(tmp_path / "in", {f"{name}/04.py": ONE for name in ("ada", "bob", "cleo")})
    whole = grading.examined

    def third_dies(*args, **kwargs):
        if len(examinations) == 2:
            raise KeyboardInterrupt
        return whole(*args, **kwargs)

    monkeypatch.setattr(grading, "examined", third_dies)
    with pytest.raises(KeyboardInterrupt):
        grade([folder], tmp_path / "out", jobs=1)
    monkeypatch.setattr(grading, "examined", whole)
    grade([folder], tmp_path / "out", jobs=1)
    assert len(examinations) == 3
    assert {row["student"] for row in rows(tmp_path / "out" / "totals.csv")} == {"ada", "bob", "cleo"}


def test_newer_checks_are_used_on_request_and_what_changes_is_listed(tmp_path, examinations, monkeypatch):
    folder = laid(tmp_path / "in", {"ada/04.py": ONE})
    grade([folder], tmp_path / "out", jobs=1)
    monkeypatch.setattr(grading, "source_digest", lambda: "newer")
    pretended = grading.examined

    def stricter(*args, **kwargs):
        return pretended(*args, **kwargs) | {
            "psd_power": Outcome("wrong", "psd_power: not yet right. Now it sees more.")
        }

    monkeypatch.setattr(grading, "examined", stricter)
    grade([folder], tmp_path / "out", jobs=1)
    assert not (tmp_path / "out" / "changes.csv").exists()
    grade([folder], tmp_path / "out", jobs=1, regrade=True)
    (change,) = rows(tmp_path / "out" / "changes.csv")
    assert (change["student"], change["before"], change["now"]) == ("ada", "solved", "wrong")
    assert "Now it sees more" in change["line now"]


def test_points_follow_the_rules_that_a_teacher_edits_without_examining_again(tmp_path, examinations):
    folder = laid(tmp_path / "in", {"ada/04.py": ONE})
    grade([folder], tmp_path / "out", jobs=1)
    assert rows(tmp_path / "out" / "totals.csv")[0]["total"] == "2.0"
    rules = tmp_path / "out" / "rules.toml"
    text = rules.read_text("utf-8").replace("core = 2", 'core = 2\n"grokking.psd_power" = 5')
    rules.write_text(text.replace('# "ada" = 2', '"ada" = 2'), "utf-8")
    grade([folder], tmp_path / "out", jobs=1)
    assert (
        rows(tmp_path / "out" / "totals.csv")[0]["total"] == "4.0"
    )  # five points, less a tenth for each of two days
    assert len(examinations) == 1


def test_who_is_missing_gets_a_row_and_who_is_unknown_a_line(tmp_path, examinations, capsys):
    folder = laid(tmp_path / "in", {"ada/04.py": ONE, "zoe/04.py": ONE})
    roster = tmp_path / "roster.csv"
    roster.write_text("Ada,Ada Doe\nbob,Bob\n", "utf-8")
    grade([folder], tmp_path / "out", roster=roster, jobs=1)
    said = capsys.readouterr().out
    assert "bob: nothing was handed in" in said
    assert "zoe: is not in the roster" in said
    assert [row["student"] for row in rows(tmp_path / "out" / "totals.csv")] == ["Ada", "bob", "zoe"]


def test_equal_functions_under_other_names_are_listed_as_alike(tmp_path, examinations):
    renamed = ONE.replace("values", "w").replace("vectors", "v")
    grade([laid(tmp_path / "in", {"ada/04.py": ONE, "bob/04.py": renamed})], tmp_path / "out", jobs=1)
    assert "<code>psd_power</code>: ada, bob" in (tmp_path / "out" / "class.html").read_text("utf-8")


def test_many_versions_are_told(tmp_path, examinations, capsys):
    files = {f"ada/{least}/04.py": ONE.replace("min=0", f"min={least}") for least in range(6)}
    grade([laid(tmp_path / "in", files)], tmp_path / "out", jobs=1)
    assert "ada: 6 versions of psd_power; the first 4 count" in capsys.readouterr().out


def test_what_the_system_does_not_hold_is_told(tmp_path, examinations, capsys, monkeypatch):
    folder = laid(tmp_path / "in", {"ada/04.py": ONE})
    remote.protection.cache_clear()
    monkeypatch.setattr(remote, "missing", lambda: ["no network"])
    grade([folder], tmp_path / "out", jobs=1)
    remote.protection.cache_clear()
    assert "What does not hold on this system: no network. Grade" in capsys.readouterr().out
    page = (tmp_path / "out" / "class.html").read_text("utf-8")
    assert "What does not hold on this system: no network. Grade" in page


def test_a_name_is_never_a_path_and_never_markup(tmp_path, examinations):
    folder = laid(tmp_path / "in", {"..%2f<b>&/04.py": ONE})
    grade([folder], tmp_path / "out", jobs=1)
    assert "<b>" not in (tmp_path / "out" / "class.html").read_text("utf-8")
    pages = list((tmp_path / "out" / "students").iterdir())
    assert len(pages) == 1
    assert pages[0].name.endswith(".html")


def test_a_receipt_is_graded_like_the_notebook(tmp_path, examinations):
    work = tmp_path / "work"
    (work / ".oraledu").mkdir(parents=True)
    laid(work, {"lessons/04_grokking.py": SOLUTION})
    receipt = pack(work, "ada")
    shutil.copy(receipt, tmp_path / "x.receipt.json")
    grade([tmp_path / "x.receipt.json"], tmp_path / "out", jobs=1)
    assert set(statuses(tmp_path / "out", "ada").values()) == {"solved"}


def test_the_students_own_cells_run_on_request_alone(tmp_path, examinations):
    folder = laid(tmp_path / "in", {"ada/04.py": "# %%\nsetup()\n\n" + ONE})
    grade([folder], tmp_path / "one", jobs=1)
    grade([folder], tmp_path / "two", jobs=1, run_notebooks=True)
    assert [bool(before) for _, _, before in examinations] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{in}/none", "--out", "{in}/out"], "nothing to grade"),
        (["{in}", "--out", "{in}"], "holds something else"),
        (["{in}", "--out", "{in}/bad"], "is no TOML"),
        (["{in}", "--out", "{in}/worse"], "must be a number from 0 to 1"),
        (["{in}", "--out", "{in}/odd"], "has no status 'fine'"),
        (["{in}", "--out", "{in}/torn"], "delete it to grade anew"),
        (["{in}", "--out", "{in}/out", "--roster", "{in}/picture"], "is no text"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(tmp_path, arguments, told, capsys, examinations):
    state = json.dumps({"version": 1, "seed": 1})
    files = {"ada/04.py": ONE, "torn/grading.json": "{"}
    for name, rules in {
        "bad": "points = [",
        "worse": "[share]\nwrong = 2",
        "odd": "[share]\nfine = 1",
    }.items():
        files |= {f"{name}/grading.json": state, f"{name}/rules.toml": rules}
    laid(tmp_path, files)
    (tmp_path / "picture").write_bytes(b"\xff\xfe\x00")
    assert main(["grade", *(each.format_map({"in": tmp_path}) for each in arguments), "--jobs", "1"]) == 2
    assert told in capsys.readouterr().err


def test_a_folder_of_grades_says_so_where_there_are_no_processes_to_fork(tmp_path, monkeypatch):
    monkeypatch.delattr("os.fork")
    with pytest.raises(UserError, match="WSL"):
        grade([tmp_path], tmp_path / "out")

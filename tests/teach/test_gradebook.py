from pathlib import Path

import pytest

from oraledu.app.cli import main
from oraledu.app.errors import UserError
from oraledu.teach.gradebook import export
from tests.teach import importers
from tests.teach.importers import Refused

TOTALS = (
    "student,lesson 01,lesson 04,total,of\nada,3.0,7.5,10.5,22\nbo,0.0,0.25,0.25,22\ncy,1.0,9.0,10.0,22\n"
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Lesson 4: grokking (771),Essay (772),Final Score\r\n"
    "    Points Possible,,,,,10,5,(read only)\r\n"
    '"Doe, Ada",11,u123,ada,"A ""1""",,4.0,80.12\r\n'
    '"Ruß, Bo",12,u124,bo,A,"3",,\r\n'
    '"Student, Test",13,,test,A,,,\r\n'
)
USERS = {11: "Doe, Ada", 12: "Ruß, Bo", 13: "Student, Test"}
ASSIGNMENTS = {771: "Lesson 4: grokking", 772: "Essay"}
MOODLE = (
    "\ufeffFirst name;Last name;Email address;Assignment: Lesson 04 (Real);Assignment: Essay (Real)\n"
    "Ada;Doe;ada@x.org;-;4,5\n"
    "Bo;Ruß;bo@x.org;3,00;-\n"
)
MAILS = ["ada@x.org", "bo@x.org"]


@pytest.fixture
def filled(tmp_path: Path):
    """Fill a template; return the text that comes out, and the lines."""

    def fill(platform, template: str | bytes, totals: str = TOTALS, **columns: str) -> tuple[str, list[str]]:
        (tmp_path / "grades").mkdir(exist_ok=True)
        (tmp_path / "grades" / "totals.csv").write_text(totals, "utf-8")
        content = template.encode() if isinstance(template, str) else template
        (tmp_path / "book.csv").write_bytes(content)
        named = {name.removeprefix("_"): title for name, title in columns.items()}
        lines = export(platform, tmp_path / "grades", tmp_path / "book.csv", tmp_path / "out.csv", named)
        return (tmp_path / "out.csv").read_bytes().decode(), lines

    return fill


def test_canvas_takes_the_points_and_all_else_is_byte_for_byte_the_same(filled):
    text, lines = filled("canvas", CANVAS)
    assert text == CANVAS.replace('"A ""1""",,4.0', '"A ""1""",7.5,4.0').replace('A,"3",,', 'A,"0.25",,')
    grades = importers.canvas(text, USERS, ASSIGNMENTS)
    assert {key: value for key, value in grades.items() if key[1] == "Lesson 4: grokking"} == {
        (11, "Lesson 4: grokking"): "7.5",
        (12, "Lesson 4: grokking"): "0.25",
        (13, "Lesson 4: grokking"): "",
    }
    assert "cy: is not in the gradebook; left out" in lines
    assert "Student, Test: no points; the cell stays as it is" in lines
    assert any(line.startswith("lesson 01: no column of that name; left out") for line in lines)


def test_moodle_takes_the_points_and_all_else_is_byte_for_byte_the_same(filled):
    totals = TOTALS.replace("ada,", "Ada Doe,").replace("bo,", "BO@X.ORG,")
    text, lines = filled("moodle", MOODLE, totals)
    assert text == MOODLE.replace("org;-;4,5", "org;7.5;4,5").replace("org;3,00;-", "org;0.25;-")
    item = "Assignment: Lesson 04 (Real)"
    taken = importers.moodle(text, MAILS, "Email address", [item])
    assert taken == {("ada@x.org", item): 7.5, ("bo@x.org", item): 0.25}
    assert "cy: is not in the gradebook; left out" in lines


@pytest.mark.parametrize("student", ["ada", "U123", "11", "Doe, Ada", "Ada Doe", "doeada_11"])
def test_canvas_knows_a_student_by_each_of_its_names(filled, student: str):
    text, _ = filled("canvas", CANVAS, TOTALS.replace("ada,", f'"{student}",'))
    assert importers.canvas(text, USERS, ASSIGNMENTS)[11, "Lesson 4: grokking"] == "7.5"


def test_a_column_can_be_named_also_for_the_total(filled):
    text, _ = filled("canvas", CANVAS, total="Essay", _04="Lesson 4: grokking (771)")
    grades = importers.canvas(text, USERS, ASSIGNMENTS)
    assert (grades[11, "Essay"], grades[11, "Lesson 4: grokking"]) == ("10.5", "7.5")


def test_more_points_than_are_possible_are_said(filled):
    _, lines = filled("canvas", CANVAS.replace(",,,,,10,", ",,,,,5,"))
    assert "04: up to 7.5 points, and 5 are possible in Canvas" in lines


def test_two_students_of_one_name_are_said_and_neither_gets_the_others_points(filled):
    twice = MOODLE + "Ada;Doe;ada2@x.org;-;-\n"
    text, lines = filled("moodle", twice, TOTALS.replace("ada,", "Ada Doe,").replace("bo,", "bo@x.org,"))
    assert "Ada Doe: stands twice in the gradebook; left out" in lines
    assert "7.5" not in text


@pytest.mark.parametrize(
    ("platform", "template", "said"),
    [
        ("canvas", MOODLE.replace(";", ","), "is no gradebook of Canvas"),
        ("canvas", CANVAS.replace(",Section,", ",Group,"), "is no gradebook of Canvas"),
        (
            "canvas",
            CANVAS.replace("Lesson 4: grokking", "Homework"),
            "lesson 04: no column .* of: Student, ID",
        ),
        ("canvas", CANVAS.replace("Essay (772)", "Lesson 4"), "lesson 04: more than one column of that name"),
        ("canvas", CANVAS.replace(",10,5,", ",(read only),5,"), "Canvas does not let the column"),
        ("canvas", CANVAS.replace(",test,A", ',"test,A'), "a quote that opens there is not closed"),
        ("canvas", CANVAS.replace('"Ruß, Bo"', '"Ruß" Bo'), "line 4: a quote closes within a field"),
        ("canvas", CANVAS.split("\r\n")[0] + "\r\n", "holds no student"),
        ("canvas", "", "is no table"),
        ("canvas", b"PK\x03\x04\xff\xfe", "is no text in UTF-8"),
        (
            "moodle",
            MOODLE.replace("Ada;Doe", "Ada;Doe;Jr."),
            "line 2 has 6 fields under 5 titles; Moodle would refuse",
        ),
        ("moodle", MOODLE.replace("bo@x.org", ""), "line 3: nobody is named; Moodle would credit it"),
        ("moodle", MOODLE.replace("Email address", "Town"), "no column by which Moodle knows"),
        ("moodle", MOODLE.replace("@x.org", "@y.org"), "no student of the grades is in the gradebook"),
    ],
)
def test_what_an_importer_would_refuse_or_misread_is_one_line_and_no_file(
    filled, tmp_path: Path, platform, template, said: str
):
    with pytest.raises(UserError, match=said) as told:
        filled(platform, template, TOTALS.replace("ada,", "ada@x.org,") if platform == "moodle" else TOTALS)
    assert "\n" not in told.value.message
    assert not (tmp_path / "out.csv").exists()


def test_moodles_limit_is_said_before_moodle_says_it(filled):
    totals = TOTALS.replace("ada,3.0,7.5", "ada@x.org,3.0,101")
    with pytest.raises(UserError, match=r"ada@x\.org has 101 points, and Moodle refuses a file"):
        filled("moodle", MOODLE, totals)


def test_one_student_under_two_names_is_not_graded_twice(filled):
    with pytest.raises(UserError, match="'u123' and 'ada' are one student"):
        filled("canvas", CANVAS, TOTALS + "u123,1,1,2,22\n")


@pytest.mark.parametrize(
    "totals", ["student,total\nada,many\n", "name,total\nada,1\n", 'student,total\n"ada,1\n', "student\n"]
)
def test_a_table_of_points_that_grade_has_not_written_is_one_line(filled, totals: str):
    with pytest.raises(UserError, match=r"totals\.csv (is not what|holds no student)"):
        filled("canvas", CANVAS, totals)


def test_the_commands_fill_a_file_and_refuse_in_one_line(tmp_path: Path, capsys):
    (tmp_path / "totals.csv").write_text(TOTALS)
    (tmp_path / "book.csv").write_bytes(CANVAS.encode())
    words = ["export", "canvas", ".", "--template", "book.csv", "--out"]
    assert main([*words, "filled.csv"]) == 0
    assert capsys.readouterr().out.endswith("2 students, Lesson 4: grokking (771): filled.csv\n")
    for more, said in (
        (["book.csv"], "is the template itself"),
        (["x.csv", "--column", "Essay"], "write NN=TITLE"),
        (["x.csv", "--column", "03=Essay"], "there are no points for '03'; there are: 01, 04, total"),
        (["x.csv", "--column", "04=Final Score"], "computes the column 'Final Score'"),
        (["x.csv", "--column", "04=Nothing"], "has no column 'Nothing'; it has: Student, ID"),
        (["x.csv", "--column", "04=Essay", "--column", "01=Essay"], "two lessons cannot have one column"),
    ):
        assert main([*words, *more]) == 2
        assert said in capsys.readouterr().err
    assert (tmp_path / "book.csv").read_bytes() == CANVAS.encode()
    assert main(["export", "moodle", "tests", "--template", "book.csv", "--out", "y.csv"]) == 2
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("student,lesson 04\nada,1\n", "Invalid header row"),
        ("Student,ID,Town,Section,Essay\n", "Invalid header row"),
        ("Student,ID,Section,Homework\n", "a new assignment"),
        ("Student,ID,Section,Essay\nNobody,99,A,1\n", "no student"),
    ],
)
def test_the_parser_of_these_tests_refuses_what_canvas_refuses(text: str, why: str):
    with pytest.raises(Refused, match=why):
        importers.canvas(text, USERS, ASSIGNMENTS)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("ada,1,2", "csvweirdcolumns"),
        ("zoe,1", "usermappingerror"),
        ("ada,many", "badgrade"),
        ("ada,101", "gradevaluetoobig"),
    ],
)
def test_the_parser_of_these_tests_refuses_what_moodle_refuses(row: str, why: str):
    with pytest.raises(Refused, match=why):
        importers.moodle(f"username,L4\n{row}\n", ["ada"], "username", ["L4"])

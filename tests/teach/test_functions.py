"""A function is taken from a notebook's text with all that it needs, and with nothing else."""

import pytest

from oraledu.teach.functions import definitions, likeness

NAMES = ["first", "second"]


def taken(*cells, name="first"):
    return definitions(cells, NAMES)[name]


def test_helpers_imports_and_constants_come_along_in_the_order_of_the_notebook():
    found = taken(
        "import math\nimport os\nSCALE = 2",
        "def helper(x):\n    return math.sqrt(x) * SCALE",
        "OTHER = 3\n@decorated\ndef first(x):\n    return helper(x)",
        "def decorated(f):\n    return f",
    )
    assert found.statements == (
        "import math",
        "SCALE = 2",
        "def helper(x):\n    return math.sqrt(x) * SCALE",
        "def decorated(f):\n    return f",
        "@decorated\ndef first(x):\n    return helper(x)",
    )


def test_a_local_name_brings_nothing_along_that_happens_to_have_it():
    assert taken("n = expensive()", "def first(x):\n    n = len(x)\n    return n").statements == (
        "def first(x):\n    n = len(x)\n    return n",
    )


def test_the_last_definition_before_the_check_counts():
    cells = (
        "def first():\n    return 1",
        "def first():\n    return 2",
        "first = checks.first(first)",
        "def first():\n    return 3",
    )
    assert taken(*cells).statements == ("def first():\n    return 2",)
    assert taken(*cells[:2], *cells[3:]).statements == ("def first():\n    return 3",)


@pytest.mark.parametrize(
    "check",
    ["first = checks.first(first)", "first = c.first(first)", "first = oraledu.grokking.checks.first(first)"],
)
def test_a_check_is_no_definition(check):
    assert definitions([check], NAMES) == {}


def test_an_assignment_defines_a_function_too():
    assert (
        taken(
            "from functools import partial", "def other(x, k): ...", "first = partial(other, k=2)"
        ).statements[-1]
        == "first = partial(other, k=2)"
    )


def test_another_exercise_is_named_and_not_taken_along():
    found = taken(
        "def second(x):\n    return x",
        "def helper(x):\n    return second(x)",
        "def first(x):\n    return helper(x)",
    )
    assert found.needs == {"second"}
    assert not any("def second" in each for each in found.statements)


def test_magics_are_left_out_and_a_cell_that_is_no_python_is_passed_over():
    found = taken(
        "%matplotlib inline\nimport math", "this is no python", "!ls\ndef first(x):\n    return math.pi"
    )
    assert found.statements == ("import math", "def first(x):\n    return math.pi")


def test_an_import_that_may_fail_comes_with_its_way_out():
    cell = "try:\n    import fast\nexcept ImportError:\n    fast = None"
    assert taken(cell, "def first(x):\n    return fast").statements[0] == cell


def test_the_digest_forgets_spaces_and_comments():
    plain, dressed = (
        taken("def first(x):\n    return x + 1"),
        taken("def first( x ):\n    # why\n    return x+1"),
    )
    assert plain.digest == dressed.digest
    assert plain.digest != taken("def first(x):\n    return x + 2").digest


LONG = """def first(matrix, power):
    values, vectors = torch.linalg.eigh(matrix)
    kept = values.clamp(min=0)
    return (vectors * kept ** power) @ vectors.T"""


def test_functions_are_alike_where_only_names_and_comments_differ():
    renamed = (
        LONG.replace("values", "w")
        .replace("vectors", "v")
        .replace("kept", "k")
        .replace("    return", "    # mine\n    return")
    )
    assert likeness(taken(LONG)) == likeness(taken(renamed))
    assert likeness(taken(LONG)) != likeness(taken(LONG.replace("min=0", "min=1")))


def test_short_functions_are_alike_by_themselves_and_not_compared():
    assert likeness(taken("def first(x):\n    return x")) is None


ODD = {
    "two arguments of one name": ("def second(a, a): return 1", 1),
    "a name that is nowhere": ("def second():\n    nonlocal nowhere", 1),
    "a sum of many terms": ("K = 1" + "+1" * 400 + "\ndef second(): return K", 2),
    "a number of many digits": ("def second(): return 0x" + "f" * 9000, 2),
    "a chain of attributes": ("def second(x): return x" + ".a" * 900, 2),
    "a second statement in the last line of a text": ('K = """\n"""; L = 2\ndef second(): return L', 2),
    "signs that end a line elsewhere": ("A = '\u2028\x0c'\n\x0cdef second(): return A", 2),
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_odd_stops_no_class_and_costs_its_own_function_alone(what):
    cell, found = ODD[what]
    taken = definitions(["def first(): return 1", cell], NAMES)
    assert len(taken) == found
    assert len({each.digest for each in taken.values()}) == found
    assert all(likeness(each) is None or each.name == "second" for each in taken.values())


def test_only_what_python_takes_for_a_line_ends_one():
    text = "A = '\u2028\x0c'\ndef first():\n    return A"
    assert taken(text).statements == ("A = '\u2028\x0c'", "def first():\n    return A")

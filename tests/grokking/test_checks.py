"""What is special to the exercises of the lesson on grokking; what holds for all topics is in tests/test_checks.py."""

from oraledu.course.examine import examine
from oraledu.grokking import checks


def test_five_exercises_are_core():
    core = [exercise.name for exercise in checks.ALL if exercise.core]
    assert core == ["quadratic_gram", "quadratic_agop", "psd_power", "deviation", "multiplication"]


def test_scaled_rows_and_missing_eigenvectors_are_one_function():
    """V has orthonormal columns, so diag(w) V V' is diag(w): only one of the two mistakes can be named."""
    rows = {wrong.mistake: wrong for wrong in checks.psd_power.wrong_answers}
    scaled = "The eigenvalues scale the columns of V, not its rows"
    line = examine(
        checks.psd_power,
        rows["The eigenvectors are missing: turn the powers back into a matrix"].function,
        attempt=1,
        guard=False,
    ).line
    assert scaled in line

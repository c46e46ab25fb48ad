"""The generator, on notebooks of one or two cells."""

from types import SimpleNamespace

import nbformat
import pytest

from oraledu.app import generate
from oraledu.app.generate import SourceError

EXERCISES = {"double": SimpleNamespace(name="double", hints=["Add $x$ to itself.", "Or multiply."])}
EXERCISE = """\
# %% tags=["exercise"]
def double(x):
    # BEGIN SOLUTION
    total_of_both = x + x
    return total_of_both
    # END SOLUTION

# %% tags=["check"]
double = checks.double(double)
"""


def learner(text):
    notebook = generate.parse(text)
    return generate.lesson_from_solution(notebook, EXERCISES, solution_link="../solutions/00.ipynb")


def test_an_ordinary_cell_is_carried_over_as_it_is():
    cells = learner("# %% [markdown]\n# Some $x$.\n\n# %%\nx = 1").cells
    assert [(cell.cell_type, cell.source) for cell in cells] == [("markdown", "Some $x$."), ("code", "x = 1")]


def test_the_lines_between_the_markers_become_a_todo_with_their_indent():
    assert learner(EXERCISE).cells[0].source == "def double(x):\n    # Write your code here.\n    raise Todo"


def test_lines_outside_the_markers_stay():
    source = EXERCISE.replace("    # BEGIN", '    "Twice x."\n    # BEGIN').replace(
        "END SOLUTION\n", "END SOLUTION\n\ny = 3\n"
    )
    assert learner(source).cells[0].source.splitlines() == [
        "def double(x):",
        '    "Twice x."',
        "    # Write your code here.",
        "    raise Todo",
        "",
        "y = 3",
    ]


def test_the_check_stays_and_the_hints_follow_it_folded():
    cells = learner("# %% [markdown]\n# ## Twice as much\n" + EXERCISE).cells
    assert cells[2].source == "double = checks.double(double)"
    assert cells[3].cell_type == "markdown"
    assert cells[3].source.count("<details><summary>") == 2
    assert "Hint 1 of 2</summary>\n\nAdd $x$ to itself.\n\n</details>" in cells[3].source


def test_the_hints_end_in_a_link_to_the_heading_in_the_solution():
    cells = learner("# %% [markdown]\n# ## Twice as much\n" + EXERCISE).cells
    assert cells[3].source.endswith(
        "[Open the solution of this exercise](../solutions/00.ipynb#Twice-as-much)"
    )


@pytest.mark.parametrize("kind", ["", "[markdown] "])
def test_a_solution_cell_is_dropped(kind):
    assert learner(f'# %% {kind}tags=["solution"]\n# because').cells == []


def test_tags_survive_and_other_metadata_does_not():
    cell = generate.parse('# %% tags=["exercise"] editable=false\nx = 1').cells[0]
    assert cell.metadata == {"tags": ["exercise"]}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (EXERCISE.replace("    # END SOLUTION\n", ""), "needs '# BEGIN SOLUTION'"),
        (EXERCISE.replace("    # BEGIN SOLUTION\n", ""), "without '# BEGIN SOLUTION'"),
        (EXERCISE.replace("total_of_both = x + x", "# BEGIN SOLUTION"), "stands twice"),
        (EXERCISE.split('# %% tags=["check"]')[0], "the next cell must be the check"),
        (
            EXERCISE.replace('\n# %% tags=["check"]', '\n# %%\ny = 1\n\n# %% tags=["check"]'),
            "the next cell must be",
        ),
        ('# %% tags=["check"]\ndouble = checks.double(double)', "must follow its exercise"),
        (EXERCISE.replace("checks.double", "checks.treble"), "name = checks.name"),
        (EXERCISE.replace("double", "treble"), "no exercise 'treble'"),
        ("# %%\n# BEGIN SOLUTION\nx = 1", "not tagged 'exercise'"),
    ],
)
def test_a_broken_source_is_refused_in_words(source, complaint):
    with pytest.raises(SourceError, match=complaint):
        learner(source)


def test_text_and_notebook_hold_the_same_inputs():
    notebook = learner("# %% [markdown]\n# ## Twice\n" + EXERCISE)
    again = generate.parse(generate.render(notebook))
    assert (again.metadata, again.cells) == (notebook.metadata, notebook.cells)


def test_rendering_names_no_version_of_any_tool():
    assert "version" not in generate.render(generate.parse(EXERCISE))


def test_cell_ids_come_from_the_text_and_are_unique():
    first, second = (generate.parse("# %%\nx = 1\n\n# %%\nx = 1\n\n# %%\ny = 2") for _ in range(2))
    ids = [cell.id for cell in first.cells]
    assert ids == [cell.id for cell in second.cells]
    assert len(set(ids)) == 3


def test_a_cell_id_does_not_move_when_a_cell_is_put_before_it():
    before = generate.parse("# %%\ny = 2").cells[0].id
    assert generate.parse("# %%\nx = 1\n\n# %%\ny = 2").cells[1].id == before


def test_a_generated_lesson_leaks_nothing():
    assert generate.leaks(generate.parse(EXERCISE), learner(EXERCISE)) == []


def test_a_line_of_a_solution_in_an_input_of_the_lesson_is_a_leak():
    lesson = learner(EXERCISE)
    lesson.cells[0].source += "\n    total_of_both = x + x"
    assert generate.leaks(generate.parse(EXERCISE), lesson) == ["total_of_both = x + x"]


def test_a_marker_in_the_lesson_is_a_leak():
    lesson = learner(EXERCISE)
    lesson.cells[0].source += f"\n    {generate.BEGIN}"
    assert generate.leaks(generate.parse(EXERCISE), lesson) == [generate.BEGIN]


def test_the_output_of_a_solution_cell_in_the_lesson_is_a_leak():
    solution = generate.parse('# %% tags=["solution"]\nprint(answer)\n\n# %%\nx = 1')
    output = nbformat.v4.new_output("stream", text="the answer is forty-two\n")
    solution.cells[0].outputs = [output]
    lesson = generate.lesson_from_solution(solution, EXERCISES, solution_link="")
    assert generate.leaks(solution, lesson) == []
    lesson.cells[0].outputs = [output]
    assert generate.leaks(solution, lesson) == ["the answer is forty-two"]


def test_a_line_that_both_notebooks_share_is_no_leak():
    source = EXERCISE + "\n# %%\ntotal_of_both = x + x"
    assert generate.leaks(generate.parse(source), learner(source)) == []

"""The builder, on a synthetic lesson that holds every kind of cell."""

from dataclasses import replace
from types import SimpleNamespace

import nbformat
import pytest
from nbconvert.exporters import ScriptExporter

from oraledu.app import build, catalogue, generate
from oraledu.app.catalogue import Lesson

LESSON = Lesson("00", "00_sample", "sample", "A sample", "figure, ax = subplots(")
SOURCE = generate.render(
    generate.parse("""\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A sample
#
# With $x^2$.

# %%
import sys
from types import SimpleNamespace

from IPython.display import display
from ipywidgets import IntSlider

from oraledu.course.exercise import Todo
from oraledu.course.figures import subplots

checks = SimpleNamespace(double=lambda function: function)

# %% [markdown]
# ## Twice as much


# %% tags=["exercise"]
def double(x):
    # BEGIN SOLUTION
    total_of_both = x + x
    return total_of_both
    # END SOLUTION


# %% tags=["check"]
double = checks.double(double)

# %% [markdown] tags=["solution"]
# **Why this works.** It is the definition.

# %%
print("first")
print("a warning", file=sys.stderr)
sys.stdout.flush()
print("second")

# %%
IntSlider(3)

# %%
figure, ax = subplots(alt="A rising line.")
line = ax.plot([0, 1], [0, 1])
figure

# %%
1 + 1
""")
)

#: The same without torch and figures, where a test only needs a notebook that runs.
LIGHT = (
    SOURCE.replace("from oraledu.course.exercise import Todo\n", "Todo = NotImplementedError\n")
    .replace("from oraledu.course.figures import subplots\n", "")
    .replace('ax = subplots(alt="A rising line.")\nline = ax.plot([0, 1], [0, 1])', "ax = 1, 2")
)


@pytest.fixture(autouse=True)
def _sample(monkeypatch):
    exercise = SimpleNamespace(name="double", hints=["Add $x$ to itself."])
    monkeypatch.setattr(catalogue, "LESSONS", (LESSON,))
    monkeypatch.setattr(catalogue, "exercises", lambda lesson: (exercise,))


@pytest.fixture
def light(monkeypatch):
    """A lesson that draws nothing."""
    monkeypatch.setattr(catalogue, "LESSONS", (replace(LESSON, result=""),))


@pytest.fixture
def checkout(tmp_path):
    for kind in ("solutions", "lessons"):
        (tmp_path / kind).mkdir()
    (tmp_path / "solutions" / "00_sample.py").write_text(SOURCE, "utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The files of one real build, shared by the tests that only look at them."""
    root = tmp_path_factory.mktemp("built")
    for kind in ("solutions", "lessons"):
        (root / kind).mkdir()
    (root / "solutions" / "00_sample.py").write_text(SOURCE, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        exercise = SimpleNamespace(name="double", hints=["Add $x$ to itself."])
        patch.setattr(catalogue, "LESSONS", (LESSON,))
        patch.setattr(catalogue, "exercises", lambda lesson: (exercise,))
        assert build.main(root=root) == 0
    return {path.relative_to(root): path.read_bytes() for path in files(root)}


@pytest.fixture
def built(stored, tmp_path):
    for path, content in stored.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


def files(root):
    return sorted(path for path in root.rglob("*.*") if path.is_file())


def read(root, kind):
    return nbformat.read(root / kind / "00_sample.ipynb", as_version=4)


def store(root, kind, notebook):
    (root / kind / "00_sample.ipynb").write_text(build.notebook_text(notebook), "utf-8")


def test_one_source_in_jupytext_s_own_form_gives_four_files_and_a_picture_and_stays_as_it_is(built):
    names = [str(path.relative_to(built)) for path in files(built)]
    pairs = [f"{kind}/00_sample.{end}" for kind in ("lessons", "solutions") for end in ("ipynb", "py")]
    assert names == [".github/results/00_sample.png", *pairs]
    assert (built / "solutions" / "00_sample.py").read_text("utf-8") == SOURCE


def test_two_builds_are_equal_to_the_byte(built):
    before = {path: path.read_bytes() for path in files(built)}
    assert build.main(root=built) == 0
    assert {path: path.read_bytes() for path in files(built)} == before


def test_a_fresh_build_has_not_drifted(built):
    assert build.main(check=True, root=built) == 0


def test_the_picture_of_the_result_is_the_notebook_s(built):
    drawn = build.result_picture(LESSON, read(built, "solutions"))
    assert (built / ".github" / "results" / "00_sample.png").read_bytes() == drawn


def test_a_lesson_that_draws_no_result_says_which_call_is_missing(built):
    with pytest.raises(ValueError, match=r"no cell draws views\.nothing"):
        build.result_picture(replace(LESSON, result="views.nothing("), read(built, "solutions"))


def test_every_code_cell_of_both_notebooks_is_executed(built):
    for kind in ("solutions", "lessons"):
        assert build.never_executed(read(built, kind)) == []


def test_what_goes_to_stdout_is_one_output_and_the_widget_is_gone(built):
    cells = [cell for cell in read(built, "solutions").cells if cell.cell_type == "code"]
    prints = next(cell for cell in cells if 'print("first")' in cell.source)
    assert sorted(output.text for output in prints.outputs) == ["a warning\n", "first\nsecond\n"]
    assert "widget-view" not in (built / "solutions" / "00_sample.ipynb").read_text("utf-8")


def _edit_lesson_text(root):
    path = root / "lessons" / "00_sample.py"
    path.write_text(path.read_text("utf-8").replace("# A sample", "# Another sample"), "utf-8")


def _edit_notebook(root):
    notebook = read(root, "lessons")
    notebook.cells[0].source += "\n\nmore"
    store(root, "lessons", notebook)


def _change_tag(root):
    notebook = read(root, "solutions")
    notebook.cells[1].metadata["tags"] = ["skip"]
    store(root, "solutions", notebook)


def _change_metadata(root):
    notebook = read(root, "lessons")
    notebook.metadata["language_info"]["version"] = "3.11.7"
    store(root, "lessons", notebook)


def _change_a_cells_metadata(root):
    notebook = read(root, "lessons")
    notebook.cells[1].metadata["lines_to_next_cell"] = 2
    store(root, "lessons", notebook)


def _change_id(root):
    notebook = read(root, "solutions")
    notebook.cells[0].id = "something"
    store(root, "solutions", notebook)


def _forget_a_run(root):
    notebook = read(root, "solutions")
    notebook.cells[1].execution_count = None
    store(root, "solutions", notebook)


def _leak_in_output(root):
    notebook = read(root, "lessons")
    notebook.cells[-1].outputs.append(nbformat.v4.new_output("stream", text="total_of_both = x + x\n"))
    store(root, "lessons", notebook)


def _other_indent(root):
    path = root / "lessons" / "00_sample.ipynb"
    path.write_text(path.read_text("utf-8").replace('\n "cells"', '\n  "cells"'), "utf-8")


def _too_large(root):
    notebook = read(root, "solutions")
    notebook.cells[-1].outputs.append(nbformat.v4.new_output("stream", text="x" * build.MAX_BYTES))
    store(root, "solutions", notebook)


def _lost_pair(root):
    (root / "lessons" / "00_sample.ipynb").unlink()


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (_edit_lesson_text, "lessons/00_sample.py: not what the source gives"),
        (_edit_notebook, "lessons/00_sample.ipynb: its cells are not the generated ones"),
        (_change_tag, "solutions/00_sample.ipynb: its metadata are not the generated ones"),
        (_change_metadata, "lessons/00_sample.ipynb: its metadata are not the generated ones"),
        (_change_a_cells_metadata, "lessons/00_sample.ipynb: its metadata are not the generated ones"),
        (_change_id, "solutions/00_sample.ipynb: its cell ids"),
        (_forget_a_run, "the cell 'import sys' was never executed"),
        (_leak_in_output, "lessons/00_sample: a line of a solution stands here: total_of_both = x + x"),
        (_other_indent, "lessons/00_sample.ipynb: not in the stored form"),
        (_too_large, "a stored notebook stays under"),
        (_lost_pair, "lessons/00_sample: the .py or the .ipynb is missing"),
    ],
)
def test_check_finds_each_kind_of_drift(built, capsys, fault, complaint):
    fault(built)
    assert build.main(check=True, root=built) == 1
    assert complaint in capsys.readouterr().out


def test_check_does_not_read_pictures(built):
    notebook = read(built, "solutions")
    cell = next(cell for cell in notebook.cells if cell.source.startswith("figure, ax"))
    assert len(build.pictures(cell)) == 1
    for output in cell.outputs:
        output.data["image/png"] = "AAAA"
    store(built, "solutions", notebook)
    assert build.main(check=True, root=built) == 0


@pytest.mark.usefixtures("light")
def test_a_cell_that_fails_writes_nothing(checkout, capsys):
    source = checkout / "solutions" / "00_sample.py"
    source.write_text(LIGHT.replace("1 + 1", "1 / 0"), "utf-8")
    assert build.main(root=checkout) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert [path.name for path in checkout.rglob("*.*")] == ["00_sample.py"]


def test_a_broken_source_is_reported_and_writes_nothing(checkout, capsys):
    source = checkout / "solutions" / "00_sample.py"
    source.write_text(SOURCE.replace("    # END SOLUTION\n", ""), "utf-8")
    assert build.main(root=checkout) == 1
    assert "an exercise needs" in capsys.readouterr().out


@pytest.mark.slow
def test_restore_names_the_cells_whose_text_or_picture_changed(built, capsys):
    notebook = read(built, "solutions")
    sums = next(cell for cell in notebook.cells if cell.source == "1 + 1")
    sums.outputs[0].data["text/plain"] = "3"
    drawing = next(cell for cell in notebook.cells if cell.source.startswith("figure, ax"))
    for output in drawing.outputs:
        output.data["image/png"] = "AAAA"
    store(built, "solutions", notebook)
    assert build.main(restore=True, root=built) == 0
    report = capsys.readouterr().out
    assert "-3\n" in report
    assert "+2\n" in report
    assert report.count("another picture") == 1
    assert build.main(check=True, root=built) == 0


def test_restore_refuses_inputs_that_have_drifted(built, capsys):
    _edit_lesson_text(built)
    before = (built / "lessons" / "00_sample.ipynb").read_bytes()
    assert build.main(restore=True, root=built) == 1
    assert "run 'oraledu build 00' first" in capsys.readouterr().out
    assert (built / "lessons" / "00_sample.ipynb").read_bytes() == before


def test_robust_tries_what_other_machines_do_each_alone_and_all_at_once():
    variants = [set(extra.items()) for extra in build.VARIANTS.values()]
    for alone in (
        ("ATEN_CPU_CAPABILITY", "default"),
        ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
        ("MKL_CBWR", "COMPATIBLE"),
    ):
        assert {alone} in variants
    assert any({("ATEN_CPU_CAPABILITY", "default"), ("MKL_CBWR", "COMPATIBLE")} < each for each in variants)


def test_a_stored_notebook_exports_as_a_script_with_its_text(built):
    script, resources = ScriptExporter().from_notebook_node(read(built, "lessons"))
    assert resources["output_extension"] == ".py"
    assert "# # A sample" in script


@pytest.mark.slow
def test_robust_accepts_what_holds_under_other_threads_and_instructions(built):
    assert build.main(["00"], robust=True, root=built) == 0


@pytest.mark.usefixtures("light")
def test_robust_reports_a_line_that_moves(checkout, capsys):
    source = checkout / "solutions" / "00_sample.py"
    fragile = "import os\nprint('threads:', os.environ['ORALEDU_THREADS'])"
    source.write_text(LIGHT.replace("1 + 1", fragile), "utf-8")
    assert build.main(root=checkout) == 0
    assert build.main(robust=True, root=checkout) == 1
    assert "two threads: cell 10: +threads: 2" in capsys.readouterr().out


def test_only_one_mode_at_a_time():
    with pytest.raises(ValueError, match="choose one of"):
        build.main(check=True, restore=True)


def test_an_unknown_lesson_is_named_with_those_that_there_are(built):
    with pytest.raises(ValueError, match="no lesson '7'; choose one of: 00"):
        build.main(["7"], root=built)


def test_a_folder_without_sources_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no folder 'solutions'"):
        build.main(root=tmp_path)

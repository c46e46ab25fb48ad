import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from oraledu.app.catalogue import LESSONS, source_folder
from oraledu.app.errors import UserError
from oraledu.teach import colab

WHEEL = "https://example.org/oraledu-0.1.0-py3-none-any.whl"


def test_a_lesson_for_colab_is_the_lesson_behind_a_cell_that_installs_the_course(tmp_path: Path):
    (path,) = colab.export(tmp_path / "colab", WHEEL, LESSONS[3:])
    exported = nbformat.read(path, as_version=4)
    nbformat.validate(exported)
    lesson = nbformat.read(source_folder("lessons") / path.name, as_version=4)
    first, *others = exported.cells
    assert f'%pip install --quiet "oraledu @ {WHEEL}"' in first.source.splitlines()
    assert [each.id for each in others] == [each.id for each in lesson.cells]
    code = [each for each in others if each.cell_type == "code"]
    assert code == [each for each in lesson.cells if each.cell_type == "code"]
    assert not any("solutions/" in each.source for each in others)


@pytest.mark.parametrize(
    ("loaded", "said"), [("", "The course is here"), ("import numpy", "Restart the session")]
)
def test_the_first_cell_asks_for_a_restart_only_where_numpy_is_loaded(loaded: str, said: str):
    cell = colab.FIRST.format(wheel=WHEEL).replace("%pip", "pass  # pip")
    program = f"{loaded}\n{TransformerManager().transform_cell(cell)}"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(said)


@pytest.mark.parametrize("wheel", ["oraledu", "missing.whl", "https://example.org/oraledu.zip"])
def test_what_is_no_wheel_is_refused(wheel: str, tmp_path: Path):
    with pytest.raises(UserError, match="is no wheel; name its address, or build it"):
        colab.export(tmp_path / "colab", wheel)
    assert not (tmp_path / "colab").exists()


def test_a_file_is_named_by_its_whole_path(tmp_path: Path):
    Path("here.whl").touch()
    (path,) = colab.export(tmp_path / "colab", "here.whl", LESSONS[:1])
    assert f"oraledu @ file://{tmp_path}/here.whl" in nbformat.read(path, as_version=4).cells[0].source

"""Each lesson in a real JupyterLab, as a learner meets it.

A lesson is run once, on one page that its tests share, in their order: what a learner does to it, one after the
other.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from oraledu.app import catalogue, generate
from tests.browser.conftest import new_page
from tests.browser.driver import MINUTE, Notebook, move, picture, wait_for_another_picture
from tests.published import checks_called

LESSONS = [lesson.name for lesson in catalogue.LESSONS]


@pytest.fixture(scope="module", params=LESSONS)
def lesson(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def notebook(browser: Browser, address: str, lesson: str) -> Iterator[Notebook]:
    """The lesson after *Run All*."""
    with new_page(browser) as page:
        opened = Notebook(page, address, f"lessons/{lesson}.ipynb")
        opened.run_all()
        yield opened


def solved_cells(name: str) -> dict[str, str]:
    """Return the solved source of each exercise by the name of its function."""
    solution = generate.parse((catalogue.source_folder("solutions") / f"{name}.py").read_text("utf-8"))
    cells = [cell.source for cell in solution.cells if "exercise" in cell.metadata.get("tags", [])]
    return dict(zip(checks_called(solution), cells, strict=True))


def expect_every_stored_picture(notebook: Notebook, path: Path) -> None:
    """Scroll through the code cells and wait until each shows the pictures that its file holds."""
    stored = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    counts = [sum("image/png" in output.get("data", {}) for output in cell.outputs) for cell in stored]
    assert sum(counts) > 0
    for number, count in enumerate(counts):
        if count:
            # What is out of sight may not be drawn at all.
            cell = notebook.panel.locator(".jp-CodeCell").nth(number)
            cell.scroll_into_view_if_needed()
            expect(cell.locator(".jp-OutputArea-output img")).to_have_count(count, timeout=30_000)


def test_a_fresh_copy_shows_every_stored_picture_before_any_run(page: Page, address: str, lesson: str):
    fresh = Notebook(page, address, f"lessons/{lesson}.ipynb")
    expect_every_stored_picture(fresh, catalogue.source_folder("lessons") / f"{lesson}.ipynb")
    assert fresh.errors() == []


def test_the_link_of_an_exercise_opens_its_solution(page: Page, address: str, lesson: str):
    fresh = Notebook(page, address, f"lessons/{lesson}.ipynb")
    fresh.panel.get_by_role("link", name="Open the solution of this exercise").first.click()
    page.wait_for_selector(f".lm-TabBar-tab.lm-mod-current[title*='solutions/{lesson}.ipynb']")


def test_run_all_ends_without_error_and_every_control_moves_its_picture(notebook: Notebook, lesson: str):
    assert notebook.errors() == []
    assert "not attempted" in notebook.text()
    explorers = notebook.explorers()
    assert len(explorers) == len(re.findall(r"^views\.\w*explorer\(", _source(lesson), re.MULTILINE)) > 0
    for explorer in explorers:
        sliders = explorer.locator(".widget-slider .noUi-handle").all()
        choices = explorer.locator("select").all()
        boxes = explorer.locator("input[type=checkbox]").all()
        assert sliders + choices + boxes
        for control in [*sliders, *choices, *boxes]:
            before = picture(explorer)
            move(control)
            wait_for_another_picture(notebook.page, explorer, before)
    assert notebook.errors() == []


def test_pictures_carry_words_for_those_who_do_not_see_them(notebook: Notebook):
    for explorer in notebook.explorers():
        assert len(explorer.locator(".jupyter-widgets img").first.get_attribute("title") or "") > 20
    spoken = notebook.panel.locator(".jp-OutputArea .jp-sr-only")
    assert spoken.count() >= notebook.panel.locator(".jp-RenderedImage img").count()
    assert all(len(text) > 20 for text in spoken.all_text_contents())


def test_an_exercise_solved_by_typing_turns_right_and_drives_the_figure(
    notebook: Notebook, work: Path, lesson: str
):
    name, source = next(iter(solved_cells(lesson).items()))
    expect(notebook.cell(f"checks.{name}({name})")).to_contain_text(f"{name}: not attempted", timeout=MINUTE)
    notebook.replace_source(notebook.cell(f"def {name}("), source)
    notebook.run_cell(f"def {name}(")
    check = notebook.run_cell(f"checks.{name}({name})")
    expect(check).to_contain_text(f"{name}: correct", timeout=MINUTE)
    drawn = notebook.run_cell(_credited(lesson, name))
    expect(drawn).to_contain_text(re.compile(rf"Drawn by your [\w, ]*\b{name}\b"), timeout=MINUTE)
    assert notebook.errors() == []
    kept = json.loads((work / ".oraledu" / "results.json").read_text("utf-8"))
    topic = catalogue.lesson(lesson).topic
    assert kept["exercises"][f"{topic}.{name}"]["status"] == "correct"


@pytest.mark.parametrize("kernel", ["running", "shut down", "another"])
def test_a_saved_notebook_opens_again_with_every_picture_and_no_warning(
    notebook: Notebook, address: str, work: Path, lesson: str, kernel: str
):
    pair = [work / "lessons" / f"{lesson}{ending}" for ending in (".ipynb", ".py")]
    # With "another" a page saves it whose kernel has made none of the widgets that it shows.
    notebook.replace_source(notebook.panel.locator(".jp-CodeCell").first, _with_a_remark(pair[1], kernel))
    notebook.save(pair, f"# kernel {kernel}")
    assert notebook.errors() == []
    if kernel == "shut down":
        notebook.shut_down()
    for newer in pair:
        # After a clone either half of the pair may be the newer one.
        os.utime(newer, (newer.stat().st_atime, newer.stat().st_mtime + 60))
        again = Notebook(notebook.page, address, f"lessons/{lesson}.ipynb")
        expect_every_stored_picture(again, pair[0])
        assert again.errors() == []
        assert "Error displaying widget" not in again.text()


def _source(lesson: str) -> str:
    return (catalogue.source_folder("lessons") / f"{lesson}.py").read_text("utf-8")


def _credited(lesson: str, name: str) -> str:
    """Return the line of the first cell that says whose function of this name it used."""
    lines = _source(lesson).splitlines()
    return next(line.strip() for line in lines if re.search(rf"credit\([^)]*\b{name}\b", line))


def _with_a_remark(script: Path, kernel: str) -> str:
    cells = generate.parse(script.read_text("utf-8")).cells
    return f"# kernel {kernel}\n" + next(cell.source for cell in cells if cell.cell_type == "code")

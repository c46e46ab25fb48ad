"""The slides in Chromium, with nothing to be asked of the network: every page fits, every formula is set."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Page

from oraledu.app import catalogue
from oraledu.teach import slides
from tests.browser.driver import MINUTE

MEASURE = """() => leaves().map(page => ({
    text: page.innerText,
    height: page.scrollHeight * (page.style.zoom || 1),
    over: page.scrollWidth - page.clientWidth,
    size: Math.min(page.style.zoom || 1, ...[...page.querySelectorAll(".MathJax_Display")].map(
        formula => formula.scrollWidth > formula.clientWidth ? 0 : parseFloat(formula.style.fontSize || "100") / 100)),
    errors: page.querySelectorAll(".merror, .MathJax_Error").length,
    broken: [...page.querySelectorAll("img")].filter(picture => !picture.naturalWidth || !picture.alt).length,
}))"""


@pytest.mark.skipif(not find_spec("sphinx_revealjs"), reason="slides need the extra 'slides'")
@pytest.mark.parametrize("lesson", catalogue.LESSONS, ids=lambda lesson: lesson.name)
def test_every_page_fits_without_a_network(page: Page, tmp_path: Path, lesson):
    outside: list[str] = []

    def answer(route):
        if route.request.url.startswith(("file:", "data:", "about:")):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    page.route("**/*", answer)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(slides.write(lesson, tmp_path).as_uri())
    page.wait_for_function("document.body.dataset.fitted == 'yes'", timeout=2 * MINUTE)
    pages = page.evaluate(MEASURE)
    assert outside == []
    assert complaints == []
    assert len(pages) > 40
    for each in pages:
        assert each["height"] <= slides.HEIGHT + 1, each["text"]
        assert each["over"] <= 1, each["text"]
        assert each["size"] >= 0.7, each["text"]
        assert "$" not in each["text"], each["text"]
        assert each["errors"] == each["broken"] == 0, each["text"]

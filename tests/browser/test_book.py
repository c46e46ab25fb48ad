"""The site in Chromium, with nothing to be asked of the network: nothing is missing, and everyone can read it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from oraledu.app import catalogue
from oraledu.app.cli import main

axe_playwright_python = pytest.importorskip("axe_playwright_python")
pytest.importorskip("math_core", reason="the site needs the extra 'book'")

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = (375, 768, 1440)
NAMES = [lesson.name for lesson in catalogue.LESSONS]
PAGES = ["index", "findings", "words", "reading", "search", "404"]
PAGES += [f"{kind}/{name}" for kind in ("lessons", "solutions") for name in NAMES]
#: Thousands of letters have the colours of some twenty kinds of code; one of each kind is looked at.
ONE_OF_EACH = """() => {
    const seen = new Set();
    for (const each of document.querySelectorAll("pre span[class]")) {
        if (seen.has(each.className)) each.replaceWith(...each.childNodes);
        seen.add(each.className);
    }
    document.querySelectorAll("pre").forEach((each) => each.normalize());
}"""
SEEN = """() => ({
    titles: document.querySelectorAll("h1").length,
    wordless: [...document.querySelectorAll("img")].filter((each) => !each.alt || !each.naturalWidth).length,
    dollars: [...document.querySelectorAll("article :is(p, li, td, th, summary, legend, dd, dt)")]
        .map((each) => [...each.childNodes].filter((node) => node.nodeType == 3).map((node) => node.data).join(""))
        .filter((text) => text.includes("$")),
    unset: [...document.querySelectorAll("math")]
        .filter((each) => !each.getBoundingClientRect().width && !each.closest("details")).length,
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built once."""
    folder = tmp_path_factory.mktemp("site")
    assert main(["book", "--out", str(folder)]) == 0
    return folder


class Visit:
    """A page that was opened, with what it loaded and what went wrong."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.outside, self.wrong, self.bytes = page, list[str](), list[str](), 0
        page.on("console", lambda message: self.wrong.append(message.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("requestfailed", lambda request: self.wrong.append(request.url))
        page.route("**/*", self._answer)
        page.goto(address)
        page.evaluate("document.fonts.ready.then(() => true)")

    def _answer(self, route) -> None:
        if (url := route.request.url).startswith("file:"):
            self.bytes += Path(url.removeprefix("file://").partition("?")[0].partition("#")[0]).stat().st_size
            route.continue_()
        elif url.startswith("data:"):
            route.continue_()
        else:
            self.outside.append(url)
            route.abort()


@pytest.fixture
def visit(browser: Browser, site: Path) -> Iterator:
    """Open a page of the site at a width and in a theme."""
    contexts = []

    def opened(name: str, *, width: int = 1440, theme="light") -> Visit:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme))
        return Visit(contexts[-1].new_page(), (site / f"{name}.html").as_uri())

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_missing_and_nothing_is_asked_of_the_network(visit, name):
    seen = visit(name)
    assert seen.outside == []
    assert seen.wrong == []
    assert seen.bytes < 3_000_000
    assert seen.page.evaluate(SEEN) == {"titles": 1, "wordless": 0, "dollars": [], "unset": 0}


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_its_window(visit, name):
    page = visit(name).page
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", PAGES)
def test_everyone_can_read_it_in_both_themes_on_a_phone_and_on_a_desk(visit, name):
    views = [("light", 375), ("dark", 1440), *([("light", 1440)] if name == "index" else [])]
    for theme, width in views:
        page = visit(name, theme=theme, width=width).page
        page.evaluate(ONE_OF_EACH)
        page.evaluate(AXE)
        # A formula has the colour of the text around it.
        found = page.evaluate(
            "rules => axe.run({include: document, exclude: ['math']}, {runOnly: rules, preload: false})",
            LEVELS,
        )
        wrong = [(each["id"], node["html"]) for each in found["violations"] for node in each["nodes"]]
        assert wrong == [], (theme, width)


def test_the_search_finds_a_word(visit):
    page = visit("index").page
    page.get_by_placeholder("Search").fill("circulant")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results li a", has_text="Grokking").count() > 0
    assert page.locator("article").get_by_role("heading").all_text_contents() == ["Search"]


def test_an_unknown_address_finds_its_way_home_from_any_depth(visit, site):
    for name in ("nowhere", "lessons/nowhere"):
        shutil.copy(site / "404.html", site / f"{name}.html")
        seen = visit(name)
        assert seen.wrong == []
        seen.page.get_by_role("link", name="Begin at the first page").click()
        assert seen.page.url == (site / "index.html").as_uri()
        (site / f"{name}.html").unlink()


def test_no_line_begins_with_the_point_behind_a_formula(visit):
    page = visit("words", width=375).page
    loose = page.evaluate("""() => [...document.querySelectorAll("dd math")].filter((each) =>
        each.nextSibling && /^[.,;:?!)]/.test(each.nextSibling.data) && !each.closest(".unbroken")).length""")
    assert loose == 0
    unbroken = page.locator("dd .unbroken")
    assert unbroken.count() > 10
    assert unbroken.first.evaluate("each => getComputedStyle(each).whiteSpace") == "nowrap"


def test_on_a_phone_code_keeps_its_lines_and_scrolls_by_the_keyboard(visit):
    page = visit(f"lessons/{NAMES[0]}", width=375).page
    wide = page.evaluate("""() => [...document.querySelectorAll(".highlight-python pre")]
        .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.tabIndex)""")
    assert len(wide) > 10
    assert set(wide) == {0}


@pytest.mark.parametrize("name", NAMES)
def test_hints_unfold_and_lead_to_the_solution_and_the_notebook(visit, site, name):
    page = visit(f"lessons/{name}").page
    first = page.locator("details", has_text="Hint 1").first
    assert not first.evaluate("each => each.open")
    first.locator("summary").press("Enter")
    assert first.evaluate("each => each.open")
    links = page.locator("a", has_text="Open the solution of this exercise")
    targets = links.evaluate_all("links => links.map((link) => link.href)")
    assert len(targets) >= 9
    page.goto(targets[-1])
    assert page.evaluate("document.getElementById(location.hash.slice(1)) !== null")
    notebook = f"{name}.ipynb"
    assert len(list((site / "_downloads").rglob(notebook))) == 2


@pytest.mark.parametrize("name", NAMES)
def test_on_paper_no_formula_and_no_line_of_code_is_cut_and_all_is_unfolded(visit, name):
    page = visit(f"lessons/{name}").page
    # What lies between the margins of A4 at 96 points an inch.
    page.set_viewport_size({"width": 672, "height": 990})
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    cut = page.evaluate("""() => [...document.querySelectorAll(".formula math, pre, table, img, p > math")]
        .filter((each) => each.getBoundingClientRect().right > 673 || each.scrollWidth > each.clientWidth + 1
            && each.tagName == "PRE")
        .map((each) => each.textContent || each.src)""")
    assert cut == []
    assert page.evaluate("[...document.querySelectorAll('details')].every((each) => each.open)")
    left = page.evaluate("""() => [...document.querySelectorAll("a[href]")].map((each) => each.href.split("#")[0])
        .filter((address) => address.startsWith("file:") && address != location.href)""")
    assert left == [], "a PDF would name a folder of this disk"

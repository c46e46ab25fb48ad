"""Explorers and quizzes of a page without a kernel, in Chromium, from the disk and with the keyboard alone."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from oraledu.book import explorers, frames
from oraledu.course.explorer import Explorer
from oraledu.course.quiz import quiz
from tests.book.drawn import bars, words
from tests.browser.driver import LAPTOP, press

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="live.css"><script src="live.js"></script></head>
<body><main><h1>A page</h1>{}</main></body></html>"""
QUIZ = """Which of these is a prime?
- [ ] Four :: It is two times two.
- [x] Five :: Nothing but one and itself divides it.
"""


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return bars()


@pytest.fixture(scope="module")
def address(explorer: Explorer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with an explorer and a quiz."""
    folder = tmp_path_factory.mktemp("page")
    frames.keep(explorer, folder / "cell")
    for source in Path(explorers.__file__).parent.glob("sphinx/_static/live.*"):
        shutil.copy(source, folder)
    picture = explorer._repr_mimebundle_()[0]["image/png"]
    (folder / "cell.png").write_bytes(picture)
    text = explorers.explorer_html(folder, "cell", picture, explorer.alt, ".") + quiz(QUIZ)._repr_html_()
    (folder / "page.html").write_text(PAGE.format(text), "utf-8")
    return (folder / "page.html").as_uri()


class Watched:
    """A page that may load nothing but files, what it loaded, and what it complained about."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.loaded, self.complaints = page, [], []
        page.route("**/*", self._answer)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.goto(address)
        self.figure = page.locator("figure").first
        self.picture = self.figure.get_by_role("img")

    def _answer(self, route) -> None:
        self.loaded.append(route.request.url)
        route.continue_() if route.request.url.startswith(("file:", "data:")) else route.abort()


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Watched]:
    """The page, where a pixel of a frame is a pixel of the screen."""
    context = browser.new_context(viewport=LAPTOP, device_scale_factor=2)
    watched = Watched(context.new_page(), address)
    yield watched
    assert watched.complaints == []
    assert [url for url in watched.loaded if not url.startswith(("file:", "data:"))] == []
    context.close()


def seen(picture: Locator) -> np.ndarray:
    """Return what the screen shows of a picture, pixel by pixel."""
    picture.evaluate("picture => { picture.style.cssText += '; position: fixed; left: 0; top: 0' }")
    return np.asarray(Image.open(io.BytesIO(picture.screenshot())).convert("RGB"))


def drawn(explorer: Explorer, height: int, side: str, filled: bool) -> np.ndarray:
    png = explorer.frame({"height": height, "side": side, "filled": filled}).png
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_the_keyboard_moves_each_control_and_picture_and_words_follow(opened, explorer):
    slider = opened.figure.get_by_role("slider", name="height <cm>")
    assert slider.get_attribute("aria-valuetext") == "3"
    for place, control, key in (
        ((4, "left", False), slider, "ArrowRight"),
        ((4, "right", False), opened.figure.get_by_role("combobox", name="side"), "ArrowDown"),
        ((4, "right", True), opened.figure.get_by_role("checkbox", name="filled"), "Space"),
        ((0, "right", True), slider, "Home"),
    ):
        press(control, key)
        expect(opened.picture).to_have_attribute("aria-label", words(*place))
        expect(opened.figure.get_by_role("status")).to_have_text(words(*place))
        assert np.array_equal(seen(opened.picture), drawn(explorer, *place))
    assert slider.get_attribute("aria-valuetext") == opened.figure.locator("output").text_content() == "0"


def test_the_tab_key_reaches_every_control_in_its_order(opened):
    reached = []
    for _ in range(3):
        opened.page.keyboard.press("Tab")
        reached.append(
            opened.page.evaluate("document.activeElement.closest('label').innerText.split('\\n')[0]")
        )
    assert [text.split()[0] for text in reached] == ["height", "side", "filled"]


def test_frames_are_loaded_when_someone_comes_to_a_control(opened):
    expect(opened.figure.get_by_role("slider")).to_be_visible()
    assert [url for url in opened.loaded if url.endswith((".webp", "cell.js"))] == []
    opened.figure.get_by_role("slider").focus()
    opened.page.wait_for_function("document.querySelector('script[src$=\"cell.js\"]')")
    assert opened.picture.get_attribute("alt") == words(3, "left", False)


def test_frames_that_are_not_there_are_named(opened):
    opened.page.route("**/cell.js", lambda route: route.abort())
    press(opened.figure.get_by_role("slider"), "ArrowRight")
    expect(opened.figure.locator("figcaption")).to_have_text("The pictures could not be loaded.")
    assert opened.picture.get_attribute("alt") == words(3, "left", False)
    assert len(opened.complaints) == 1  # Chromium's own, of the file
    opened.complaints.clear()


def test_an_answer_is_chosen_before_it_is_explained(opened):
    question = opened.page.get_by_role("group", name="Which of these is a prime?")
    said, check = question.get_by_role("status"), question.get_by_role("button", name="Check my answer")
    expect(check).to_be_disabled()
    press(question.get_by_role("radio", name="a) Four"), "Space")
    expect(said).to_have_text("")
    press(check, "Enter")
    expect(said).to_have_text("Not this one. It is two times two.")
    press(question.get_by_role("radio", name="a) Four"), "ArrowDown")
    expect(said).to_have_text("")
    press(check, "Enter")
    expect(said).to_have_text("Right. Nothing but one and itself divides it.")


def test_without_scripts_the_picture_stays_and_the_answers_unfold(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_role("img").first).to_have_attribute("alt", words(3, "left", False))
    expect(page.get_by_role("slider")).to_have_count(0)
    page.get_by_text("b) Five").click()
    expect(page.get_by_text("Nothing but one and itself divides it.")).to_be_visible()
    context.close()


def test_on_paper_every_answer_is_explained_and_nothing_waits_to_be_moved(opened):
    opened.page.emulate_media(media="print")
    expect(opened.figure.get_by_role("slider")).to_have_count(0)
    expect(opened.figure.locator("figcaption")).to_be_hidden()
    expect(opened.page.get_by_role("radio")).to_have_count(0)
    expect(opened.page.get_by_role("button")).to_have_count(0)
    expect(opened.page.locator("details:visible")).to_have_count(2)

"""One server and one browser for all browser tests."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.driver import CHROMIUM, CHROMIUM_OPTIONS, LAPTOP, MINUTE, serving

ROOT = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium for a module: while playwright is open, an event loop runs, which later tests must not see.

    Where there is none the test is skipped, or fails if a browser is required.
    """
    if CHROMIUM is None:
        reason = "no Chromium was found; install it, on Debian with 'apt-get install chromium'"
        if os.environ.get("ORALEDU_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learner's folder, which `lab` fills."""
    return tmp_path_factory.mktemp("learner") / "work"


@pytest.fixture(scope="module")
def address(work: Path, browser: Browser) -> Iterator[str]:
    """Where JupyterLab serves the learner's folder."""
    with serving(work) as printed:
        yield printed


@pytest.fixture(autouse=True)
def _screenshots(browser: Browser, request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave a screenshot of every page that is open when a test fails, in `test-results/`."""
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        folder = ROOT / "test-results"
        folder.mkdir(exist_ok=True)
        pages = [page for context in browser.contexts for page in context.pages]
        for number, page in enumerate(pages):
            page.screenshot(path=folder / f"{request.node.name}-{number}.png")


@contextlib.contextmanager
def new_page(browser: Browser) -> Iterator[Page]:
    """Open a page of a laptop's size, and close it."""
    context = browser.new_context(viewport=LAPTOP)
    context.set_default_timeout(2 * MINUTE)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page for one test."""
    with new_page(browser) as page:
        yield page

"""What a learner waits for at a slider: from a key pressed to another picture, in a real browser."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.timing import Row, spread
from oraledu.app.catalogue import LESSONS
from tests.browser.driver import (
    CHROMIUM,
    CHROMIUM_OPTIONS,
    LAPTOP,
    Notebook,
    picture,
    press,
    serving,
    wait_for_another_picture,
)

PRESSES = 9


def latencies(notebook: Notebook) -> dict[str, list[float]]:
    """Return the waits of each slider of each explorer, in milliseconds."""
    waits: dict[str, list[float]] = {}
    for number, explorer in enumerate(notebook.explorers(), start=1):
        for handle in explorer.locator(".widget-slider .noUi-handle").all():
            label = handle.locator(
                "xpath=ancestor::div[contains(@class, 'widget-slider ')][1]//label"
            ).first.text_content()
            times = []
            # Down to the lower end first: every step up from there is a frame that was not drawn before.
            press(handle, "Home")
            notebook.page.wait_for_timeout(500)
            for _ in range(PRESSES):
                if handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax"):
                    break
                before = picture(explorer)
                press(handle, "ArrowRight")
                times.append(wait_for_another_picture(notebook.page, explorer, before))
            waits[f"explorer {number}, {label}"] = times
    return waits


def rows(quick: bool) -> Iterator[Row]:
    """Yield the waits at every slider of every lesson; none without Chromium, or where it is to be quick."""
    if quick or CHROMIUM is None:
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "work") as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        for lesson in LESSONS:
            page = browser.new_page(viewport=LAPTOP)
            notebook = Notebook(page, address, f"lessons/{lesson.name}.ipynb")
            notebook.run_all()
            for name, times in latencies(notebook).items():
                yield Row(
                    f"{lesson.number}, slider to picture", name, f"{len(times)} steps", spread(times, " ms")
                )
            page.close()
        browser.close()

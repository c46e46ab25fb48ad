"""From the command to Sphinx and Chromium, where something is missing."""

import pytest

from oraledu.app import catalogue, cures
from oraledu.app.cli import main
from oraledu.book import explorers, frames, printing, site


def test_without_the_packages_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(site, "find_spec", lambda name: None)
    assert main(["book"]) == 2
    assert f"run: {cures.install('oraledu[book]')}" in capsys.readouterr().err


def test_without_chromium_nothing_is_begun(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(printing.shutil, "which", lambda name: None)
    assert main(["book", "--out", str(tmp_path / "site"), "--pdf"]) == 2
    assert "printing needs Chromium" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_a_warning_of_sphinx_is_an_error_that_names_it(monkeypatch, tmp_path):
    pytest.importorskip("math_core", reason="the site needs the extra 'book'")
    for name, text in {"findings": "# A\n\n[b](lessons/01_creativity.md#no-such-part)\n"}.items():
        monkeypatch.setattr(f"oraledu.book.gathered.{name}", lambda text=text: text)
    with pytest.raises(site.UserError, match="no-such-part"):
        site.make(tmp_path / "site")


@pytest.mark.parametrize("alive", [True, False])
def test_explorers_move_on_the_pages_of_a_site_and_stand_still_in_a_book(alive, monkeypatch, tmp_path):
    pytest.importorskip("math_core", reason="the site needs the extra 'book'")
    monkeypatch.setattr(explorers, "placed", lambda *_: lambda cell, png, words: "<b>moves</b>")
    site.write_sources(tmp_path, alive=alive)
    for lesson in catalogue.LESSONS:
        for kind in ("lessons", "solutions"):
            text = (tmp_path / kind / f"{lesson.name}.md").read_text("utf-8")
            assert ("<b>moves</b>" in text, "controls move this picture" in text) == (alive, not alive)


def test_frames_of_every_lesson_are_drawn_before_the_pages_are_made(monkeypatch, tmp_path):
    done = []
    monkeypatch.setattr(site, "require", lambda *_: None)
    monkeypatch.setattr(frames, "collect", lambda lesson: done.append(lesson.number))
    monkeypatch.setattr(site, "make", lambda folder, files: done.append("pages"))
    assert main(["book", "--out", str(tmp_path), "--frames"]) == 0
    assert done == [*(lesson.number for lesson in catalogue.LESSONS), "pages"]

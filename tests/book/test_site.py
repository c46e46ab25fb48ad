"""From the command to Sphinx and Chromium, where something is missing."""

import pytest

from oraledu.app.cli import main
from oraledu.book import printing, site


def test_without_the_packages_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(site, "find_spec", lambda name: None)
    assert main(["book"]) == 2
    assert "pip install 'oraledu[book]'" in capsys.readouterr().err


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

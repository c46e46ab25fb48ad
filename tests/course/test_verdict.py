"""How a verdict is shown."""

import sys
from types import SimpleNamespace

import pytest

from oraledu.course.verdict import STATUSES, show, verdict


@pytest.mark.parametrize("status", STATUSES)
def test_the_card_holds_glyph_word_and_the_whole_line(status):
    bundle = verdict("f", status, "The detail.")._repr_mimebundle_()
    assert bundle["text/plain"] == verdict("f", status, "The detail.").line
    assert bundle["text/plain"] in bundle["text/html"].replace("&#x27;", "'")
    assert 'role="status"' in bundle["text/html"]
    assert '<span aria-hidden="true"' in bundle["text/html"]


def test_a_right_and_a_wrong_card_differ_in_their_glyphs_not_only_in_colour():
    glyphs = {
        status: verdict("f", status)._repr_mimebundle_()["text/html"].split("</span>")[0][-1]
        for status in STATUSES
    }
    assert glyphs["correct"] == glyphs["slow"]
    assert len(set(glyphs.values())) == len(STATUSES) - 1


def test_the_card_shows_code_as_code_and_markup_as_text():
    html = verdict("f", "wrong", "Use `a < b`, not <script>.")._repr_mimebundle_()["text/html"]
    assert "<code>a &lt; b</code>" in html
    assert "<script>" not in html


def test_a_brace_in_a_detail_stays_a_brace():
    assert "{0}" in verdict("f", "wrong", "It is {0}.").line


def test_every_line_says_which_function_goes_on():
    for status in STATUSES:
        assert ("your function" in verdict("f", status).line) is (status in ("correct", "slow"))
        assert ("reference" in verdict("f", status).line) is (status != "correct")


def test_outside_ipython_the_line_is_printed(capsys):
    show(verdict("f", "correct", printed="hello"))
    assert capsys.readouterr().out == "hello\nf: correct. The lesson goes on with your function.\n"


def test_inside_ipython_the_card_is_displayed(capsys, monkeypatch):
    displayed = []
    ipython = SimpleNamespace(get_ipython=lambda: object(), display=SimpleNamespace(display=displayed.append))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    outcome = verdict("f", "correct")
    show(outcome)
    assert displayed == [outcome]
    assert capsys.readouterr().out == ""


def test_a_verdict_shows_as_its_line():
    assert repr(verdict("f", "correct")) == "f: correct. The lesson goes on with your function."

"""Formulas as MathML."""

from xml.etree import ElementTree

import pytest

pytest.importorskip("math_core", reason="the site needs the extra 'book'")
from fontTools.ttLib import TTFont
from math_core import LatexError

from oraledu.app import catalogue
from oraledu.book import formulas
from oraledu.teach import outline

STYLED = {"displaystyle", "scriptlevel"}


def elements(markup: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(f"<p>{markup}</p>").iter())


def test_a_long_formula_in_a_text_may_break_before_its_relations_and_loses_nothing():
    latex = r"S_1 = \sum_i p_i \log \frac{1}{p_i} \le \log \sum_i p_i \frac{1}{p_i} = \log r"
    whole, pieces = formulas.mathml(latex, block=True), formulas.mathml(latex)
    assert pieces.count("<math") == 4
    assert "".join(ElementTree.fromstring(whole).itertext()) == "".join(
        ElementTree.fromstring(f"<p>{pieces}</p>").itertext()
    )
    later = [each for each in elements(pieces)[0] if each.tag.endswith("math")][1:]
    assert [each[0].get("form") for each in later] == ["infix"] * 3
    assert formulas.mathml("a = b").count("<math") == 1


def test_a_formula_breaks_neither_inside_of_brackets_nor_between_a_sign_and_what_it_belongs_to():
    for latex, pieces in (
        (r"\operatorname{EffRank}(Z) = \exp(-\sum_i q_i \log q_i)^2 + a", 3),
        (r"\cos(\theta_{kk}) + \cos(\theta_{jj}) \approx -\frac{1}{2}", 3),
    ):
        assert formulas.mathml(latex).count("<math") == pieces


def test_readers_of_books_know_every_attribute():
    markup = formulas.mathml(
        r"\tfrac12 + \dfrac12 = \begin{cases} \frac12 \\ \binom{a}{b} \end{cases}", block=True
    )
    wrong = [
        each.tag for each in elements(markup) if STYLED & set(each.attrib) and not each.tag.endswith("mstyle")
    ]
    assert wrong == []
    assert any(STYLED & set(each.attrib) for each in elements(markup))


def test_a_formula_that_cannot_be_read_is_an_error():
    with pytest.raises(LatexError):
        formulas.mathml(r"\frac{1")


def test_the_font_has_what_the_lessons_write(tmp_path):
    formulas.write_font(tmp_path)
    assert (tmp_path / formulas.FONT).stat().st_size < 300_000
    known = set(TTFont(tmp_path / formulas.FONT).getBestCmap())
    missing = set()
    for lesson in catalogue.LESSONS:
        for cell in outline.notebook(lesson).cells:
            if cell.cell_type == "markdown":
                for latex in formulas._IN_HTML.findall(cell.source.replace("$$", "$")):
                    text = "".join(elements(formulas.mathml(latex, block=True))[1].itertext())
                    missing |= {letter for letter in text if ord(letter) not in known and ord(letter) > 0x20}
    # What is not seen: a function is applied, a product is meant, a form is chosen.
    assert missing - set("\u2061\u2062\ufe00") == set()

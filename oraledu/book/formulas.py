"""Formulas as MathML, made while the pages are built.

Browsers, print and readers of books set MathML themselves: a page needs no script for its formulas, and they keep their
places inside of tables and folded hints. A formula that cannot be read is an error of the build.
"""

from __future__ import annotations

import html
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from math_core import LatexToMathML

FONT = "math.woff"
_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_CONVERTER = LatexToMathML(xml_namespace=True, fancy_error=False)
#: Letters, Greek, accents, arrows, operators, brackets, and the alphabets that formulas have of their own.
_CHARACTERS = (
    "20-FF,2C6-2DD,300-345,391-3F6,2010-2061,2102-2138,2190-21D4,2200-22A5,22C0-22F1,2308-230B,25A0-25A1,23DE-23DF,"
    "27E6-27EB,27F5-27FF,1D400-1D467,1D49C-1D4B5,1D538-1D551,1D6A8-1D71B,1D7CE-1D7E1"
)
#: In a text a formula longer than this may break, before these and outside of brackets.
_LONG, _BREAKS = 20, set("=≈≤≥<>∝∼→↦∈+−:")
#: What stands behind a formula and may not begin a line, as browsers would have it.
_POINT, _MAY_END = re.compile(r"[.,;:?!)’”]+"), "<wbr />"
_OPENS, _CLOSES = set("([{⟨"), set(")]}⟩")
_SIGN = f"{{{_NAMESPACE}}}mo"
_STYLE, _STYLES = f"{{{_NAMESPACE}}}mstyle", {"displaystyle", "scriptlevel"}
#: MathML may name a character, as in HTML; XML knows three of these names.
_ENTITY = re.compile(r"&(?!(?:lt|gt|amp);)\w+;")
_IN_HTML = re.compile(r"\$([^$]+)\$")

ElementTree.register_namespace("", _NAMESPACE)


def mathml(latex: str, *, block: bool = False) -> str:
    """Return a formula as MathML; one in a text may become several, so that a line can end between them.

    Raises:
        LatexError: the formula is no LaTeX that can be set.
    """
    made = _CONVERTER.convert_with_local_state(latex, displaystyle=block)
    made = _ENTITY.sub(lambda entity: html.unescape(entity[0]), made)
    whole = ElementTree.fromstring(made)
    _styled(whole)
    if block or len("".join(whole.itertext())) <= _LONG:
        return ElementTree.tostring(whole, encoding="unicode")
    pieces, depth, before = [ElementTree.Element(whole.tag, whole.attrib)], 0, ""
    for child in whole:
        text = "".join(child.itertext())
        # Behind another sign a minus belongs to what follows.
        if len(pieces[-1]) and not depth and child.tag == _SIGN and text in _BREAKS and before not in _BREAKS:
            child.set("form", "infix")  # as the first of its piece it would lose its spaces
            pieces.append(ElementTree.Element(whole.tag, whole.attrib))
        pieces[-1].append(child)
        depth, before = depth + sum((c in _OPENS) - (c in _CLOSES) for c in text), text
    return _MAY_END.join(ElementTree.tostring(piece, encoding="unicode") for piece in pieces)


def _styled(element: ElementTree.Element) -> None:
    """Put what MathML Core writes on any element onto an `mstyle`, where the MathML of books has it, too."""
    for place, child in enumerate(element):
        _styled(child)
        if child.tag != _STYLE and (
            style := {name: child.attrib.pop(name) for name in _STYLES & set(child.attrib)}
        ):
            element[place] = ElementTree.Element(_STYLE, style)
            element[place].append(child)


def in_html(text: str) -> str:
    """Return HTML with its formulas, which stand between dollar signs, as MathML."""
    return _IN_HTML.sub(lambda found: mathml(html.unescape(found[1])), text)


def write_font(folder: Path) -> None:
    """Write STIX Two Math, as far as formulas go, for browsers whose system has no font of formulas."""
    spec = find_spec("ziamath")
    places = (spec.submodule_search_locations or []) if spec else []
    font = TTFont(Path(places[0], "fonts", "STIXTwoMath-Regular.ttf"))
    cutter = subset.Subsetter(subset.Options(layout_features=["ssty", "dtls", "flac"]))
    cutter.populate(unicodes=subset.parse_unicodes(_CHARACTERS))
    cutter.subset(font)
    font.flavor = "woff"
    font.save(folder / FONT)


def _join(app: Any, document: Any, name: str) -> None:
    """Give each formula of a text the point behind it."""
    for formula in list(document.findall(nodes.math)):
        siblings, place = formula.parent, formula.parent.index(formula) + 1
        behind = siblings[place] if place < len(siblings) else None
        if isinstance(behind, nodes.Text) and (found := _POINT.match(behind)):
            formula["point"] = found[0]
            siblings[place] = nodes.Text(behind[found.end() :])


def setup(app: Any) -> dict[str, bool]:
    """Have Sphinx set formulas so."""

    def inline(translator: Any, node: Any) -> None:
        *pieces, last = mathml(node.astext()).split(_MAY_END)
        if point := node.get("point"):
            last = f'<span class="unbroken">{last}{html.escape(point)}</span>'
        translator.body.append(_MAY_END.join([*pieces, last]))
        raise nodes.SkipNode

    def block(translator: Any, node: Any) -> None:
        translator.body.append(f'<div class="formula">{mathml(node.astext(), block=True)}</div>\n')
        raise nodes.SkipNode

    app.connect("doctree-resolved", _join)
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""A lesson as LaTeX, by the template of `teach/print`."""

import nbformat
from nbconvert import LatexExporter

from oraledu.app.catalogue import PACKAGE

#: Code, a comment and a printed line with the letters that the font of LaTeX lacks.
CODE = "σ = 1  # the width σ, above ℓ - 1"


def exported() -> str:
    output = nbformat.v4.new_output("stream", text="explained at α = 1/4\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE, outputs=[output])])
    exporter = LatexExporter(template_name="print", extra_template_basedirs=[str(PACKAGE.parent / "teach")])
    return exporter.from_notebook_node(notebook)[0]


def test_code_and_printed_lines_get_a_font_with_greek_letters_once_fonts_can_be_chosen():
    text = exported()
    assert text.count(r"\setmonofont{DejaVu Sans Mono}") == 1
    assert (
        text.index(r"\usepackage{fontspec}") < text.index(r"\setmonofont") < text.index(r"\begin{document}")
    )
    assert r"\newunicodechar{ℓ}" in text  # which that font lacks, too
    assert "explained at α = 1/4" in text

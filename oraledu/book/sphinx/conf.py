"""What Sphinx has to know; the pages themselves are made by `oraledu book`."""

from importlib.metadata import metadata

import oraledu

project, author = "oraledu", "The oraledu authors"
project_copyright = author
release = version = oraledu.__version__
language = "en"
extensions = ["myst_parser", "sphinx_copybutton", "oraledu.book.formulas"]
myst_enable_extensions = ["dollarmath", "attrs_block", "deflist"]
myst_heading_anchors = 4
myst_html_meta = {"description": metadata("oraledu")["Summary"]}
html_math_renderer = "mathml"
copybutton_selector = "div.highlight-python pre"

html_theme = "furo"
html_title = "oraledu"
html_favicon = "_static/favicon.svg"
html_extra_path = ["404.html"]
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["book.css", "live.css", ("print.css", {"media": "print"})]
html_js_files = ["book.js", "live.js"]
html_use_index = False
html_show_sourcelink = html_copy_source = html_show_sphinx = False
html_permalinks_icon = "#"

epub_show_urls = "no"
epub_css_files = ["book.css"]
epub_tocdepth = 2
epub_tocscope = "includehidden"
epub_exclude_files = ["_static/print.css", "_static/favicon.svg"]
# The notebooks to be downloaded are no part of the book.
suppress_warnings = ["epub.unknown_project_files"]

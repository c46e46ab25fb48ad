"""The lessons as pages to read: a site, files to print, and a book for readers.

Sphinx makes them, from the executed notebooks alone; no text is written a second time, and nothing is executed.

* `cells` turns a notebook into the text of a page. For the picture of an explorer it asks a function
  `(cell_id, picture, words) -> str`, which returns HTML; without one, or where that returns "", the picture is shown
  as it was stored: `explorers` has one, `frames` draws what it shows, `positions` and `sprite` keep that small.
* `gathered` makes the pages that collect from all lessons: the first one, findings, words and symbols, what to read.
* `formulas` sets formulas as MathML while the pages are built; `sphinx/` has the settings and the look.
* `site` puts these into a folder and runs Sphinx; `printing` has Chromium print what it made.
"""

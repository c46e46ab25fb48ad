"""The command that makes pages of the lessons."""

from __future__ import annotations

from pathlib import Path

import click

from oraledu.app import catalogue
from oraledu.app.parameters import FOLDER


@click.command(epilog="Example: oraledu book --out site --pdf")
@click.option("--out", "folder", type=FOLDER, default="site", show_default=True, help="Where the pages go.")
@click.option("--pdf", is_flag=True, help="Print each lesson and the whole, with Chromium.")
@click.option("--epub", is_flag=True, help="Make a book for readers, too.")
@click.option(
    "--frames", is_flag=True, help="Draw the explorers beforehand, so that they move; takes minutes."
)
def book(folder: Path, pdf: bool, epub: bool, frames: bool) -> int:
    """Make a site of the lessons, to read without installing.

    It is made of the stored notebooks, and executes nothing but, with --frames, the solutions once; what these draw is
    kept until a lesson changes. Serve the folder, or open its index.html: nothing is asked of the network.
    """
    from oraledu.book import frames as drawing
    from oraledu.book import printing, site

    if pdf:
        printing.find()
    site.require()
    for lesson in catalogue.LESSONS if frames else ():
        drawing.collect(lesson)
    names = [f"{lesson.name}.pdf" for lesson in catalogue.LESSONS] + ["oraledu.pdf"] if pdf else []
    site.make(folder, files=names + (["oraledu.epub"] if epub else []))
    made = [folder / "index.html"]
    made += site.make_pdf(folder) if pdf else []
    made += [site.make_epub(folder)] if epub else []
    print("\n".join(f"Open {path}" for path in made))
    return 0


COMMANDS = (book,)

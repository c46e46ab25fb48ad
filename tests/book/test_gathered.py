"""The pages that collect from all lessons."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

pytest.importorskip("math_core", reason="the site needs the extra 'book'")
from oraledu.app import catalogue
from oraledu.book import cells, gathered
from oraledu.teach import outline
from oraledu.teach.outline import Part


def test_the_first_page_has_a_picture_for_each_lesson(tmp_path):
    text = gathered.first(tmp_path / "pictures", ["oraledu.pdf"])
    assert len(list((tmp_path / "pictures").iterdir())) == 4
    assert all(f"](lessons/{lesson.name}.md)" in text for lesson in catalogue.LESSONS)
    assert '<a href="oraledu.pdf">' in text


def test_the_first_page_says_what_readme_says_of_the_course_its_start_and_its_results(tmp_path, monkeypatch):
    text = gathered.first(tmp_path / "pictures")
    readme = (catalogue.PACKAGE.parent / "README.md").read_text("utf-8")
    for said in (
        "# oraledu\n",
        "A course in Jupyter notebooks",
        "graduate students",
        "```\npython3 -m oraledu lab\n```",
    ):
        assert said in text
        assert said in readme
    for lesson in catalogue.LESSONS:
        found = (
            text.partition(f"](lessons/{lesson.name}.md)\n")[2].partition("```\n\n")[2].partition("\n\n")[0]
        )
        assert f"**{lesson.number[1]}. {lesson.title}.** {found} |" in readme
    monkeypatch.setattr(
        gathered, "_readme", lambda: ["A course.", "For you.", "## Start", "Do", "this", "now."]
    )
    with pytest.raises(ValueError, match="README says no result of lesson 1"):
        gathered.first(tmp_path / "pictures")


def test_findings_hold_each_lessons_corrections_whole():
    text = " ".join(gathered.findings().split())
    for lesson in catalogue.LESSONS:
        (part,) = (
            each for each in outline.parts(lesson) if each.title == "What the paper gets wrong or leaves open"
        )
        told = [cell.source for cell in part.cells if cell.cell_type == "markdown"][-1].split("\n\n")[-1]
        assert " ".join(told.split()) in text


def test_findings_hold_each_lessons_numbers_beside_the_papers():
    text = gathered.findings()
    for lesson in catalogue.LESSONS:
        (part,) = (each for each in outline.parts(lesson) if each.title == "Paper and here")
        (shown,) = (
            found
            for cell in part.cells
            for output in cell.get("outputs", [])
            if (found := cells.table(output))
        )
        assert shown in text


def rival(*printed: str) -> Part:
    cells = [new_markdown_cell("## A rival: others, later\n\n*Who is right?*")]
    cells += [
        new_code_cell("f()", outputs=[new_output("stream", name="stdout", text=text)]) for text in printed
    ]
    return Part("A rival: others, later", cells)


def test_a_rivals_verdict_is_shown_with_its_question(monkeypatch):
    found = outline.parts

    def with_rival(lesson):
        added = [rival("setting up\n", "n = 3\nVerdict: 0.9 beats 0.8,\n  by far.\n\nelse\n")]
        return found(lesson) + (added if lesson.number == "02" else [])

    monkeypatch.setattr(outline, "parts", with_rival)
    text = gathered.findings()
    assert "### A rival: others, later\n\n*Who is right?*" in text
    assert '<p class="verdict">Verdict: 0.9 beats 0.8, by far.</p>' in text
    assert "setting up" not in text
    assert "else" not in text.partition("Verdict: 0.9")[2].partition("[The experiment]")[0]
    assert "[The experiment](lessons/02_layer_by_layer.md#a-rival-others-later)" in text


def test_words_have_the_sentence_that_says_what_they_are_and_where_it_stands():
    text = gathered.words()
    assert "Recursive feature machine\n: " in text
    entry = text.partition("\nCirculant deviation\n")[2].partition("\n\n")[0]
    assert r"D(C)" in entry
    assert "lessons/04_grokking.md#" in entry
    assert text.count("| Symbol |") == 4
    assert [line for line in text.splitlines() if line.startswith(": ") and line.count("$") % 2] == []


def test_a_sentence_that_leans_on_the_one_before_comes_with_it():
    text = "We fit. This is the **machine**. All $a.\\ B$ hold.\n\n$$x = 1.$$\n\nNext one."
    assert list(gathered._whole_sentences(text)) == [
        "We fit.",
        "We fit. This is the **machine**.",
        "All $a.\\ B$ hold. $x = 1$.",
        "Next one.",
    ]

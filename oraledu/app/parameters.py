"""What the commands take: lessons by their numbers, and folders."""

from pathlib import Path

import click

from oraledu.app import catalogue
from oraledu.app.catalogue import Lesson


class LessonName(click.ParamType):
    """A lesson by its number or name."""

    name = "NN"

    def convert(
        self, value: str | Lesson, param: click.Parameter | None, ctx: click.Context | None
    ) -> Lesson:
        """Return the lesson, or say which ones there are."""
        try:
            return value if isinstance(value, Lesson) else catalogue.lesson(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class LessonNames(click.ParamType):
    """Lessons by their numbers or names, with commas between."""

    name = "NN,NN"

    def convert(
        self, value: str | list[Lesson], param: click.Parameter | None, ctx: click.Context | None
    ) -> list[Lesson]:
        """Return the lessons, each once, in the order of the course."""
        words = value.split(",") if isinstance(value, str) else value
        chosen = [
            LESSON.convert(word.strip() if isinstance(word, str) else word, param, ctx) for word in words
        ]
        return [each for each in catalogue.LESSONS if each in chosen]


LESSON = LessonName()
LESSONS = LessonNames()
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)

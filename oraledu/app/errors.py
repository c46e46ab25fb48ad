"""What the user can mend: shown as one line, without a traceback."""

import click


class UserError(click.ClickException):
    """Something that the user asked for cannot be done; the message says why and what to do. Exit code 2."""

    exit_code = 2

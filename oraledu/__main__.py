"""`oraledu`, or `python -m oraledu` straight from a checkout.

An old Python must be able to read this file and the package's `__init__`, to be told that it is too old.
"""

import sys

OLDEST = (3, 11)


def main() -> int:
    """Run the command line; return its exit code."""
    if sys.version_info < OLDEST:
        wanted, found = ".".join(map(str, OLDEST)), sys.version.split()[0]
        message = "oraledu needs Python {} or later, and this is Python {}; run the same with a newer one."
        print(message.format(wanted, found), file=sys.stderr)
        return 2
    from oraledu.app.launch import launch

    return launch(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

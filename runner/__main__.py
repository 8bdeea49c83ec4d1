"""`python3 -m runner <command>`: what the Makefile calls. Written so that any Python can read it."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "Portico needs Python 3.11 or newer and this is {}.{}: name a newer one, "
        "for example `make run PYTHON=python3.12`.".format(*sys.version_info[:2])
    )

from runner.cli import main

if __name__ == "__main__":
    sys.exit(main())

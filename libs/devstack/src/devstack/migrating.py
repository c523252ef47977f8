"""Runs the role `migrate` of several services in one process, since starting Python is most of its cost.

`python -m devstack.migrating FILE` reads `[[package, {variable: value}], ...]`.
"""

import json
import os
import runpy
import sys
from pathlib import Path


def main() -> None:
    """One after the other, each with its own environment; the first failure ends the process."""
    plain = dict(os.environ)
    jobs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for package, environment in jobs:
        os.environ.clear()
        os.environ.update(plain | environment)
        sys.argv = [package, "migrate"]
        try:
            runpy.run_module(f"{package}.__main__", run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise


if __name__ == "__main__":
    main()

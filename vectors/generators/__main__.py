"""Make the files of vectors again, or compare them with what is there.

    python -m generators                   write every family to data/
    python -m generators kdf wire          write two of them
    python -m generators --check [FAMILY]  write nothing; exit 1 if a file would change

A family has the same bytes each time, so a difference comes from a changed generator or a changed library.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import cast

from generators import families
from generators.support.family import Family

DATA = Path(__file__).parent.parent / "data"


def names() -> list[str]:
    """Return the names of the modules that build a family each."""
    return [module.name for module in iter_modules(families.__path__)]


def build(name: str) -> Family:
    """Return the family that one module builds."""
    return cast("Family", import_module(f"{families.__name__}.{name}").build())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m generators", description="make the vectors again")
    parser.add_argument("families", metavar="FAMILY", nargs="*", help="for example kdf; by default all")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file would change")
    arguments = parser.parse_args()
    unknown = set(arguments.families) - set(names())
    if unknown:
        parser.error(f"no such family: {', '.join(sorted(unknown))}")
    different = []
    for name in arguments.families or names():
        family = build(name)
        path, data = DATA / f"{family.name}.json", family.encode().encode("ascii")
        if path.exists() and path.read_bytes() == data:
            continue
        different.append(path.name)
        if not arguments.check:
            path.write_bytes(data)
            print(f"{path.name} has changed: look at the difference")
    if different and arguments.check:
        print(f"these files would change: {', '.join(different)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

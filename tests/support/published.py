"""The numbers printed in published documents, from vectors/published/: each stands there, and nowhere else.

Not here: the large sets that are not ours to keep (external.py).
"""

import json
from pathlib import Path
from typing import Any, Final

from support.external import Case

FOLDER: Final = Path(__file__).parents[2] / "vectors" / "published"


def load(name: str) -> Any:
    """Return what one file holds."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def cases(name: str) -> list[Case]:
    """Return the cases of a file that has one list of them."""
    return list(load(name)["cases"])


def section(case: Case) -> str:
    """Return the name under which a case is run."""
    return str(case["section"])


def octets(case: Case, *names: str) -> list[bytes]:
    """Return these fields of a case, from hex."""
    return [bytes.fromhex(case[name]) for name in names]

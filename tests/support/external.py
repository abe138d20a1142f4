"""Published vectors that are too large, or not ours, to keep in the project: read from a folder elsewhere.

The environment variable LETTERLOCK_EXTERNAL_VECTORS names the folder; without it, a test that needs one
is skipped and says so. The folder's own NOTICE.md has each file's source, version and licence.
"""

import json
import os
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

VARIABLE: Final = "LETTERLOCK_EXTERNAL_VECTORS"

Case: TypeAlias = dict[str, Any]


def path(name: str) -> Path:
    """Return where a vector file is, or skip the running test."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"{VARIABLE} is not set")
    return Path(folder) / name


def load(name: str) -> Any:
    """Return what a JSON file holds."""
    return json.loads(path(name).read_text(encoding="utf-8"))


def wycheproof(name: str) -> list[tuple[Case, Case]]:
    """Return every (group, case) of a Wycheproof file, as many as the file says it has."""
    document = load(f"wycheproof/{name}.json")
    cases = [(group, case) for group in document["testGroups"] for case in group["tests"]]
    assert len(cases) == document["numberOfTests"]
    return cases

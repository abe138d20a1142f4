"""A module that an application may import has no underscore in any part of its name; every other one has.

A module inside an underscored package needs no underscore of its own.

Not here: what the public modules offer (test_public_api.py) and mention (test_public_types.py).
"""

from pathlib import Path
from typing import Final

import pytest

import letterlock

PACKAGE: Final = Path(letterlock.__file__).parent

PUBLIC: Final = {
    "letterlock",
    "letterlock.account",
    "letterlock.aio",
    "letterlock.blobs",
    "letterlock.cli",
    "letterlock.client",
    "letterlock.documents",
    "letterlock.errors",
    "letterlock.groups",
    "letterlock.hazmat",
    "letterlock.identity",
    "letterlock.limits",
    "letterlock.recovery",
    "letterlock.relay",
    "letterlock.stores",
    "letterlock.user",
}


def public_modules(package: Path) -> set[str]:
    """Return the dotted names of a folder's modules that have no underscore in front of any part."""
    found = set()
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        named = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in named):
            found.add(".".join(named))
    return found


def test_the_public_modules_are_these() -> None:
    assert public_modules(PACKAGE) == PUBLIC


def test_the_command_line_offers_its_main_alone() -> None:
    from letterlock import cli

    assert cli.__all__ == ["main"]
    assert {name for name in vars(cli) if name[0] != "_"} == {"main"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("room/__init__.py", "package.room"),
        ("room/noun.py", "package.room.noun"),
        ("noun.py", "package.noun"),
    ],
)
def test_the_check_sees(tmp_path: Path, path: str, name: str) -> None:
    planted = tmp_path / "package" / path
    planted.parent.mkdir(parents=True)
    planted.touch()
    assert public_modules(tmp_path / "package") == {name}


@pytest.mark.parametrize(
    "path", ["_room/__init__.py", "_room/noun.py", "_noun.py", "room/_noun.py", "__main__.py"]
)
def test_the_check_lets_pass(tmp_path: Path, path: str) -> None:
    planted = tmp_path / "package" / path
    planted.parent.mkdir(parents=True)
    planted.touch()
    assert public_modules(tmp_path / "package") == set()

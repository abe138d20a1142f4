"""Imports point one way, cryptography and the outside world stay in their rooms: read from the syntax trees.

    cli -> account, hazmat -> session -> handshake, ratchet -> wire -> primitives -> limits, errors
    stores -> wire, primitives, limits, errors; session, and what is above it, know stores

The checker is itself tested on a small tree that breaks every rule.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).parent.parent / "protocol" / "letterlock"

FLOOR: Final = frozenset({"limits", "errors"})
LOW: Final = FLOOR | {"primitives", "wire"}
MAY_IMPORT: Final = {
    "errors": frozenset(),
    "limits": frozenset(),
    "primitives": FLOOR,
    "wire": FLOOR | {"primitives"},
    "stores": LOW,
    "handshake": LOW,
    "ratchet": LOW,
    "session": LOW | {"stores", "handshake", "ratchet"},
    "account": LOW | {"stores", "handshake", "ratchet", "session"},
    "hazmat": LOW | {"stores", "handshake", "ratchet", "session", "account"},
    "__init__": LOW | {"stores", "handshake", "ratchet", "session", "account"},
    "vectors": LOW | {"stores", "handshake", "ratchet", "session", "account", "hazmat"},
    "cli": LOW | {"stores", "handshake", "ratchet", "session", "account", "vectors", "__init__"},
    "__main__": frozenset({"cli"}),
}
"""Of each room at the top of the package, which others it may import; itself is understood."""

CRYPTOGRAPHY: Final = frozenset({"nacl", "cryptography"})
WORLD: Final = frozenset(
    {"os", "time", "random", "secrets", "socket", "sqlite3", "pathlib"}
    # The same things by other names.
    | {"asyncio", "datetime", "io", "subprocess", "tempfile", "uuid", "shutil", "ssl"}
)
WORLDLY: Final = frozenset({"primitives", "stores", "cli"})
WRITES_CODE: Final = "primitives/lean.py"
"""Makes methods as the standard library's dataclasses do, from the names of fields."""
PARSERS: Final = {"cbor2": frozenset({"wire"}), "pickle": frozenset[str](), "marshal": frozenset[str]()}

Import = tuple[int, str]


def imports(tree: ast.Module) -> Iterator[Import]:
    """Yield line and dotted name of everything that a module imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _name(node.func) in {
            "__import__",
            "import_module",
            "exec",
            "eval",
        }:
            yield node.lineno, "dynamic"


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def room_of(path: Path, package: Path) -> str:
    """Return the room at the top of the package that a file is in."""
    return path.relative_to(package).parts[0].removesuffix(".py")


def violations(package: Path) -> list[str]:
    """Return every import that breaks a rule, as `file:line what`."""
    rooms = {path.name.removesuffix(".py") for path in package.iterdir() if path.name != "__pycache__"}
    found = []
    for path in sorted(package.rglob("*.py")):
        room = room_of(path, package)
        for line, name in imports(ast.parse(path.read_text(encoding="utf-8"))):
            problem = _problem(room, name, rooms)
            where = path.relative_to(package).as_posix()
            if problem and (where, name) != (WRITES_CODE, "dynamic"):
                found.append(f"{where}:{line} {problem}")
    return found


def _problem(room: str, name: str, rooms: set[str]) -> str | None:
    top = name.split(".", maxsplit=1)[0]
    if name == "dynamic":
        return None if room == "cli" else "imports at run time"  # one command, one module
    if name.startswith(".") or top == "protocol":
        return f"imports by another name: {name}"
    if top == "letterlock":
        return _arrow(room, name, rooms)
    if top in CRYPTOGRAPHY and room != "primitives":
        return f"cryptography outside primitives: {top}"
    if top in WORLD and room not in WORLDLY:
        return f"the outside world: {top}"
    return f"parses elsewhere: {top}" if room not in PARSERS.get(top, {room}) else None


def _arrow(room: str, name: str, rooms: set[str]) -> str | None:
    """Return what is wrong with importing a name of the package: `from letterlock import x` is its x."""
    _, *rest = name.split(".")
    if not rest and room != "cli":
        return f"imports the whole package: {name}"
    target = rest[0] if rest and rest[0] in rooms else "__init__"
    return None if target == room or target in MAY_IMPORT[room] else f"points upwards: {room} -> {target}"


# --- the package ----------------------------------------------------------------------------------------


def test_all_imports_point_the_right_way() -> None:
    assert violations(PACKAGE) == []


def test_every_room_has_its_rule() -> None:
    rooms = {room_of(path, PACKAGE) for path in PACKAGE.rglob("*.py")}
    assert rooms == set(MAY_IMPORT)


def test_the_rules_have_no_circle() -> None:
    order: list[str] = []
    while len(order) < len(MAY_IMPORT):
        ready = [room for room, below in MAY_IMPORT.items() if room not in order and below <= {*order}]
        assert ready, f"a circle among {set(MAY_IMPORT) - set(order)}"
        order += ready
    assert set(order[:2]) == {"errors", "limits"}
    assert order[-1] == "__main__"


def test_primitives_are_the_only_users_of_cryptography() -> None:
    users = {
        room_of(path, PACKAGE)
        for path in PACKAGE.rglob("*.py")
        if CRYPTOGRAPHY & {name.split(".")[0] for _, name in imports(ast.parse(path.read_text("utf-8")))}
    }
    assert users == {"primitives"}


def test_the_core_takes_entropy_and_time_as_arguments() -> None:
    """The defaults stand in account.py alone; the stores draw their own nonces."""
    users = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for _, name in imports(ast.parse(path.read_text("utf-8")))
        if name.endswith((".system_entropy", ".system_clock"))
    }
    assert {user for user in users if not user.startswith(("stores/", "cli/"))} == {"account.py", "hazmat.py"}


# --- the checker ----------------------------------------------------------------------------------------

BROKEN: Final = {
    "wire/message.py": ("from letterlock.session.book import SessionBook", "points upwards: wire -> session"),
    "ratchet/double.py": ("from letterlock.handshake import x3dh", "points upwards: ratchet -> handshake"),
    "handshake/x3dh.py": ("import letterlock.stores.memory", "points upwards: handshake -> stores"),
    "stores/memory.py": ("from letterlock.session import record", "points upwards: stores -> session"),
    "primitives/kdf.py": ("from letterlock.wire import cbor", "points upwards: primitives -> wire"),
    "errors.py": ("from letterlock.limits import DAY", "points upwards: errors -> limits"),
    "session/book.py": ("from letterlock.account import Account", "points upwards: session -> account"),
    "account.py": ("from letterlock import hazmat", "points upwards: account -> hazmat"),
    "limits.py": ("import letterlock", "imports the whole package: letterlock"),
    "session/record.py": ("from nacl import bindings", "cryptography outside primitives: nacl"),
    "session/sealing.py": (
        "import cryptography.hazmat.primitives.ciphers.aead",
        "cryptography outside primitives: cryptography",
    ),
    "session/session.py": ("import os", "the outside world: os"),
    "session/peer.py": ("from time import time", "the outside world: time"),
    "session/profile.py": ("def now():\n    import random", "the outside world: random"),
    "session/prekeys.py": ("import secrets as s", "the outside world: secrets"),
    "session/lifecycle.py": ("from pathlib import Path", "the outside world: pathlib"),
    "ratchet/chain.py": ("import socket, json", "the outside world: socket"),
    "ratchet/root.py": ("import sqlite3", "the outside world: sqlite3"),
    "handshake/pqxdh.py": ("from protocol.letterlock.errors import PeerError", "imports by another name"),
    "handshake/agreement.py": ("from ..errors import PeerError", "imports by another name"),
    "handshake/transcript.py": ("import cbor2", "parses elsewhere: cbor2"),
    "wire/cbor.py": ("import pickle", "parses elsewhere: pickle"),
    "wire/fields.py": ("import importlib\nimportlib.import_module('os')", "imports at run time"),
    "wire/address.py": ("nacl = __import__('nacl')", "imports at run time"),
}

SOUND: Final = {
    "cli/main.py": "import os, sqlite3\nimport letterlock\nfrom letterlock import Account",
    "cli/mail.py": "from letterlock.wire import armor\nfrom letterlock.cli import main",
    "primitives/aead.py": "import nacl\nimport os\nfrom cryptography import x509\n"
    "from letterlock import errors",
    "stores/sqlite.py": "import sqlite3\nfrom pathlib import Path\nfrom letterlock.wire.prekey import Kind",
    "wire/inspection.py": "import json\nimport cbor2\nfrom letterlock.wire import cbor",
    "hazmat.py": "from letterlock.account import Account\nfrom letterlock.ratchet import root",
    "__init__.py": "from letterlock.account import Account",
    "__main__.py": "from letterlock.cli import main",
}


def plant(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""A module."""\n{text}\n', encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", BROKEN)
def test_the_checker_sees(tmp_path: Path, name: str) -> None:
    line, what = BROKEN[name]
    others = set(BROKEN) - {name}
    tree = plant(tmp_path, SOUND | dict.fromkeys(others, "") | {name: line})
    (found,) = {each.split(" ", 1)[1] for each in violations(tree)}
    assert found.startswith(what)
    assert violations(tree)[0].startswith(f"{name}:")


def test_the_checker_sees_all_of_them_at_once(tmp_path: Path) -> None:
    tree = plant(tmp_path, SOUND | {name: line for name, (line, _) in BROKEN.items()})
    assert {each.split(":")[0] for each in violations(tree)} == set(BROKEN)


def test_the_checker_lets_sound_ones_pass(tmp_path: Path) -> None:
    empty = dict.fromkeys(BROKEN, "")
    assert violations(plant(tmp_path, empty | SOUND)) == []

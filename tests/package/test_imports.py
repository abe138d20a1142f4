"""Imports point one way, and only some rooms import cryptography or reach the outside world.

    cli -> relay, client -> documents -> user, aio
    cli -> user, aio, hazmat -> account -> _session, _device, _records -> _handshake, _ratchet -> _wire
    _wire -> _primitives
    _session, _device, _records -> stores -> _wire, _primitives
    every room may import limits and errors

The checker is itself tested on a small tree that breaks every rule.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.slow

PACKAGE: Final = Path(__file__).parents[2] / "protocol" / "letterlock"

FLOOR: Final = frozenset({"limits", "errors"})
LOW: Final = FLOOR | {"_primitives", "_wire"}
DEVICE: Final = LOW | {"stores", "_handshake", "_ratchet"}
BESIDE: Final = frozenset({"_session", "_device", "_records", "_groups"})
"""These form one layer: a codec knows the types that it encodes, and a loader of records knows the codecs."""
CORE: Final = DEVICE | BESIDE
MAY_IMPORT: Final = {
    "errors": frozenset(),
    "limits": frozenset(),
    "_primitives": FLOOR,
    "_wire": FLOOR | {"_primitives"},
    "stores": LOW,
    "_handshake": LOW,
    "_ratchet": LOW,
    "_session": CORE,
    "_device": CORE,
    "_records": CORE,
    "account": CORE,
    "aio": CORE | {"account"},
    "hazmat": CORE | {"account"},
    "user": CORE | {"account"},
    "__init__": CORE | {"account"},
    # It verifies bundles, and runs the rules of collections' logs over the records that they lead to.
    "relay": LOW | {"user", "_handshake", "_records", "documents", "stores"},
    "documents": CORE | {"account", "user"},
    "identity": LOW | {"recovery"},
    "recovery": CORE | {"account", "documents", "user"},
    # The servers of recovery, in the skin of the relay and over its databases.
    "_keyserver": LOW | {"_records", "identity", "recovery", "relay", "stores", "user"},
    "blobs": FLOOR | {"documents"},
    "_groups": CORE,
    "groups": CORE | {"account", "documents", "user"},
    "client": CORE | {"account", "aio", "blobs", "documents", "groups", "recovery", "user"},
    "cli": CORE
    | {"account", "blobs", "client", "documents", "groups", "identity", "recovery", "relay", "user"}
    | {"_keyserver", "__init__"},
    "__main__": frozenset({"cli"}),
}
"""The other rooms that each room at the top of the package may import."""

CRYPTOGRAPHY: Final = frozenset({"nacl", "cryptography", "jwt", "letterlock_fast", "voprf"})
WORLD: Final = frozenset(
    {"os", "time", "random", "secrets", "socket", "sqlite3", "pathlib"}
    # Other modules that do the same.
    | {"asyncio", "datetime", "io", "subprocess", "tempfile", "uuid", "shutil", "ssl"}
)
STREAMS: Final = frozenset({"io"})
"""What documents may use of the world beyond: they work on file objects that are handed in."""
WORLDLY: Final = frozenset(
    {"_keyserver", "_primitives", "stores", "aio", "blobs", "cli", "client", "identity", "relay"}
)
FOR_TYPING: Final = ("errors.py", "letterlock._wire.address.Address")
"""An import that happens for type checkers only: it stands under `if TYPE_CHECKING`."""
WRITES_CODE: Final = "_primitives/dataclass.py"
"""Writes `__init__` methods from the names of fields, as the standard library's dataclasses do."""
VECTORS: Final = "letterlock_vectors"
"""A distribution of its own. One command imports it, and only when it runs."""
PARSERS: Final = {"cbor2": frozenset({"_wire"}), "pickle": frozenset[str](), "marshal": frozenset[str]()}

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
    """Return the room of a file: the folder or module at the top of the package."""
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
            if problem and (where, name) not in {(WRITES_CODE, "dynamic"), FOR_TYPING}:
                found.append(f"{where}:{line} {problem}")
    return found


def _problem(room: str, name: str, rooms: set[str]) -> str | None:
    top = name.split(".", maxsplit=1)[0]
    if name == "dynamic":
        return None if room == "cli" else "imports at run time"  # one command, one module
    if name.startswith(".") or top == "protocol":
        return f"imports by another name: {name}"
    if top == "letterlock":
        signs = room == "_wire" and "xeddsa" in name.split(".")
        return f"signs or verifies: {name}" if signs else _arrow(room, name, rooms)
    return _foreign(room, top)


def _foreign(room: str, top: str) -> str | None:
    """Return what is wrong with importing a package of others."""
    if top in CRYPTOGRAPHY and room != "_primitives":
        return f"cryptography outside primitives: {top}"
    if top == VECTORS:
        return f"needs another distribution: {top}"
    if top in WORLD and room not in WORLDLY and not (room == "documents" and top in STREAMS):
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


def test_errors_import_nothing_of_the_package_at_run_time() -> None:
    tree = ast.parse((PACKAGE / FOR_TYPING[0]).read_text(encoding="utf-8"))
    guarded = [node for node in tree.body if isinstance(node, ast.If) and _name(node.test) == "TYPE_CHECKING"]
    assert [name for node in guarded for _, name in imports(ast.Module(node.body, []))] == [FOR_TYPING[1]]
    tree.body = [node for node in tree.body if node not in guarded]
    assert [name for _, name in imports(tree) if name.startswith("letterlock")] == []


def test_every_room_has_its_rule() -> None:
    rooms = {room_of(path, PACKAGE) for path in PACKAGE.rglob("*.py")}
    assert rooms == set(MAY_IMPORT)


def test_the_rules_have_no_circle() -> None:
    order: list[str] = []
    while len(order) < len(MAY_IMPORT):
        ready = [
            room
            for room, below in MAY_IMPORT.items()
            if room not in order and below - (BESIDE if room in BESIDE else set()) <= {*order}
        ]
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
    assert users == {"_primitives"}


def test_the_core_takes_entropy_and_time_as_arguments() -> None:
    """Only the public constructors and hazmat.py name the defaults; stores and clients draw their own bytes.

    An encapsulation draws its own bytes too: OpenSSL does, and the primitives do it for the native module.
    """
    users = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for _, name in imports(ast.parse(path.read_text("utf-8")))
        if name.endswith((".system_entropy", ".system_clock"))
    }
    assert {user for user in users if not user.startswith(("stores/", "cli/", "client/"))} == {
        "_primitives/mlkem.py",
        "account.py",
        "aio/_account.py",
        "documents/_secrets.py",
        "hazmat.py",
        "identity/_mail.py",
        "recovery/_ahead.py",
        "recovery/_gate.py",
        "recovery/_recovered.py",
        "_keyserver/_keys.py",
        "recovery/_plans.py",
        "recovery/_provisional_server.py",
        "recovery/_second_lock_server.py",
        "recovery/_server.py",
        "relay/_relay.py",
        "relay/_ticket_key.py",
        "user/_new_device.py",
        "user/_user.py",
    }


def test_one_command_knows_of_the_vectors() -> None:
    named = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if VECTORS in path.read_text(encoding="utf-8")
    }
    assert named == {"cli/_vector_commands.py"}


# --- the checker ----------------------------------------------------------------------------------------

BROKEN: Final = {
    "_wire/message.py": (
        "from letterlock._session.peer_sessions import PeerSessions",
        "points upwards: _wire -> _session",
    ),
    "_ratchet/double.py": (
        "from letterlock._handshake import x3dh",
        "points upwards: _ratchet -> _handshake",
    ),
    "_handshake/x3dh.py": ("import letterlock.stores._memory", "points upwards: _handshake -> stores"),
    "stores/_memory.py": ("from letterlock._session import record", "points upwards: stores -> _session"),
    "_primitives/kdf.py": ("from letterlock._wire import cbor", "points upwards: _primitives -> _wire"),
    "errors.py": ("from letterlock.limits import DAY", "points upwards: errors -> limits"),
    "_session/peer_sessions.py": (
        "from letterlock.account import Account",
        "points upwards: _session -> account",
    ),
    "account.py": ("from letterlock import hazmat", "points upwards: account -> hazmat"),
    "limits.py": ("import letterlock", "imports the whole package: letterlock"),
    "_records/session.py": ("from nacl import bindings", "cryptography outside primitives: nacl"),
    "_session/sealing.py": (
        "import cryptography.hazmat.primitives.ciphers.aead",
        "cryptography outside primitives: cryptography",
    ),
    "_session/session.py": ("import os", "the outside world: os"),
    "_session/erasure.py": ("import asyncio", "the outside world: asyncio"),
    "_device/device.py": ("from letterlock import aio", "points upwards: _device -> aio"),
    "_device/peer.py": ("from time import time", "the outside world: time"),
    "_device/account_record.py": ("def now():\n    import random", "the outside world: random"),
    "_device/prekeys.py": ("import secrets as s", "the outside world: secrets"),
    "documents/_sealing.py": ("import io\nimport os", "the outside world: os"),
    "documents/_reading.py": ("from letterlock import aio", "points upwards: documents -> aio"),
    "_session/lifecycle.py": ("from pathlib import Path", "the outside world: pathlib"),
    "_ratchet/chain.py": ("import socket, json", "the outside world: socket"),
    "_ratchet/root.py": ("import sqlite3", "the outside world: sqlite3"),
    "_handshake/pqxdh.py": ("from protocol.letterlock.errors import PeerError", "imports by another name"),
    "_handshake/agreement.py": ("from ..errors import PeerError", "imports by another name"),
    "_handshake/transcript.py": ("import cbor2", "parses elsewhere: cbor2"),
    "_wire/cbor.py": ("import pickle", "parses elsewhere: pickle"),
    "_wire/prekey.py": ("from letterlock._primitives import xeddsa", "signs or verifies: letterlock"),
    "_wire/bundle.py": ("from letterlock._primitives.xeddsa import verify", "signs or verifies: letterlock"),
    "_wire/fields.py": ("import importlib\nimportlib.import_module('os')", "imports at run time"),
    "cli/_vector_commands.py": ("from letterlock_vectors.check import check", "needs another distribution"),
    "_wire/address.py": ("nacl = __import__('nacl')", "imports at run time"),
}

SOUND: Final = {
    "aio/_account.py": "import asyncio\nfrom letterlock.account import Account",
    "documents/_body.py": "import io\nfrom letterlock.account import Account",
    "cli/main.py": "import os, sqlite3\nimport letterlock\nfrom letterlock import Account",
    "cli/_message_commands.py": "from letterlock._wire import armor\nfrom letterlock.cli import main",
    "_primitives/aead.py": "import nacl\nimport os\nfrom cryptography import x509\n"
    "from letterlock import errors",
    "stores/_sqlite.py": "import sqlite3\nfrom pathlib import Path\nfrom letterlock._wire.prekey import Kind",
    "_wire/inspection.py": "import json\nimport cbor2\nfrom letterlock._wire import cbor",
    "hazmat.py": "from letterlock.account import Account\nfrom letterlock._ratchet import root",
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

"""The public API is a list, everything on it is documented, and the code keeps the design's sizes.

Not here: which modules are public (test_public_modules.py), and whether signatures mention public types
only (test_public_types.py).
"""

import ast
import builtins
import importlib
import inspect
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Final

import pytest

import letterlock
from letterlock import aio, documents, errors, hazmat, user
from letterlock.account import Account
from letterlock.errors import LetterlockError

PACKAGE: Final = Path(letterlock.__file__).parent
FILES: Final = sorted(PACKAGE.rglob("*.py"))

NAMES: Final = [
    "Account", "AccountExists", "Address", "AddressMismatch", "AuthenticationFailed", "BraidFailed", "Clock",
    "CorruptStore", "Due", "DuplicateMessage", "IdentityKey", "Inspection", "InvalidKey", "InvalidSignature",
    "LetterlockError", "MalformedMessage", "MemoryStore", "MlKem1024PublicKey", "NoAccount", "NoSession",
    "OneTimePrekey", "Peer", "PeerError", "PlaintextTooLong", "PrekeyBundle", "PrekeyKind", "PrekeyPair",
    "PublicKey", "PublicPrekey", "Publication", "ReplayRecordFull", "SafetyNumber", "SafetyNumberMismatch",
    "SessionEnded", "SessionStatus", "SignedPrekey", "SqliteStore", "StaleBundle", "Store", "StoreBusy",
    "StoreError", "Suite", "SuiteRefused", "TooManySkipped",
    "TrustError", "UnknownPrekey", "UnknownSession", "UnsupportedStore", "UnsupportedVersion",
    "UntrustedIdentity", "UsageError", "WrongKey", "verify_bundle", "verify_publication",
]  # fmt: skip
"""What `from letterlock import *` brings."""

BY_NAME: Final = ["inspect"]
"""Public too, but not in `__all__`: `import *` must not replace the standard library's module."""

EXPORTING: Final = [
    "letterlock",
    "letterlock.aio",
    "letterlock.blobs",
    "letterlock.hazmat",
    "letterlock.stores",
    "letterlock.cli",
    "letterlock.user",
    "letterlock.documents",
    "letterlock.groups",
]
"""The modules with an `__all__`."""

ACCOUNT: Final = {
    "accept_identity", "address", "bundle", "create", "decrypt", "due", "encrypt", "expire", "forget",
    "identity", "initiate", "open", "peers", "publish", "safety_number", "session", "transaction",
}  # fmt: skip


def test_the_list_of_names() -> None:
    assert sorted(letterlock.__all__) == NAMES
    assert len(letterlock.__all__) == len(set(letterlock.__all__))


def test_nothing_else_looks_public() -> None:
    found = {name for name in dir(letterlock) if name[0] != "_"}
    modules = {name for name in found if isinstance(getattr(letterlock, name), ModuleType)}
    assert found - modules == {*NAMES, *BY_NAME}


def taken(names: set[str]) -> set[str]:
    """Return the names that a module of the standard library or a builtin has already."""
    return names & {*sys.stdlib_module_names, *dir(builtins)}


@pytest.mark.parametrize("module", EXPORTING)
def test_a_star_import_shadows_nothing(module: str) -> None:
    scope: dict[str, object] = {}
    exec(f"from {module} import *", scope)
    names = set(scope) - {"__builtins__"}
    assert names == set(getattr(importlib.import_module(module), "__all__", names))
    assert taken(names) == set()


def test_what_would_shadow_is_seen() -> None:
    assert taken({"inspect", "open", "Account"}) == {"inspect", "open"}


def test_the_version_is_that_of_the_distribution() -> None:
    with (PACKAGE.parents[1] / "pyproject.toml").open("rb") as file:
        assert letterlock.__version__ == tomllib.load(file)["project"]["version"]


def test_the_methods_of_an_account() -> None:
    assert {name for name in dir(Account) if name[0] != "_"} == ACCOUNT


def test_the_methods_of_an_async_account() -> None:
    more = {"close", "run", "store", "undelivered"}
    assert {name for name in dir(aio.AsyncAccount) if name[0] != "_"} == ACCOUNT | more


def test_what_the_package_does_not_import() -> None:
    """A program should pay for no event loop, user layer or database that it does not use."""
    unwanted = {"asyncio", "json", "sqlite3", "pathlib", "letterlock.aio", "letterlock.user"}
    code = f"import sys, letterlock; print({unwanted} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"


LATE: Final = [
    "from letterlock import SqliteStore",
    "from letterlock.stores import SqliteStore",
    "from letterlock import *",
    "from letterlock.stores import *",
    "import letterlock; SqliteStore = letterlock.SqliteStore",
    "import letterlock.stores; SqliteStore = letterlock.stores.SqliteStore",
]


@pytest.mark.parametrize("first", LATE)
def test_the_store_that_is_imported_late_is_one_class(first: str) -> None:
    code = f"""{first}
import letterlock
from letterlock.stores._sqlite.store import SqliteStore as same
assert SqliteStore is same is letterlock.SqliteStore is letterlock.stores.SqliteStore
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("module", [letterlock, letterlock.stores], ids=lambda module: module.__name__)
def test_a_name_that_a_module_does_not_have(module: ModuleType) -> None:
    assert "SqliteStore" in dir(module)
    with pytest.raises(AttributeError, match=f"module '{module.__name__}' has no attribute 'Sqlite'"):
        module.Sqlite  # noqa: B018


def test_every_error_is_public_and_in_the_drawn_tree() -> None:
    classes = {name: value for name, value in vars(errors).items() if inspect.isclass(value)}
    tree = {name for name, value in classes.items() if issubclass(value, LetterlockError)}
    assert tree <= set(NAMES)
    drawn = re.findall(r"^ {4}[| `-]*([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)
    assert sorted(drawn) == sorted(tree)
    for name in tree - {"LetterlockError"}:
        line = next(line for line in (errors.__doc__ or "").splitlines() if re.search(rf"- {name}\b", line))
        kinds = {"UsageError", "PeerError", "TrustError", "StoreError"}
        depth = (line.index(name) - 4) // 4
        assert (depth == 1) == (name in kinds)
        assert depth == classes[name].__mro__.index(LetterlockError)


def public_members() -> Iterator[tuple[str, object]]:
    for module in (letterlock, aio, documents, hazmat, user):
        for name in [*module.__all__, *(BY_NAME if module is letterlock else ())]:
            value = getattr(module, name)
            if not inspect.isclass(value) and not inspect.isfunction(value):
                continue  # an alias of a type
            yield f"{module.__name__}.{name}", value
            if not inspect.isclass(value):
                continue
            for member, thing in vars(value).items():
                if member[0] != "_" and isinstance(
                    thing, FunctionType | property | classmethod | staticmethod
                ):
                    yield f"{name}.{member}", thing


def test_all_of_it_has_docstrings() -> None:
    members = list(public_members())
    assert len(members) > 400
    for name, thing in members:
        text = inspect.getdoc(thing) or ""
        assert len(text) >= len("See Store."), name
        assert not text.startswith(("str(object", "int(")), name


def test_public_classes_are_typed_throughout() -> None:
    for name in sorted(set(NAMES) - {"Clock"}):
        for member, thing in vars(getattr(letterlock, name)).items():
            if not isinstance(thing, FunctionType) or member.startswith("_dataclass"):
                continue
            hints = set(thing.__annotations__) - {"self"}
            arguments = set(inspect.signature(thing).parameters) - {"self", "cls"}
            if thing.__code__.co_filename.startswith(str(PACKAGE)):
                assert hints - {"return"} == arguments, (name, member)
                assert "return" in hints, (name, member)


def test_the_package_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


# --- sizes ------------------------------------------------------------------------------------------------


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.slow
def test_sizes_of_files_and_functions() -> None:
    for path in FILES:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 400, path
        assert max(map(len, lines), default=0) <= 110, path
        for function in functions(path):
            assert function.end_lineno is not None
            assert function.end_lineno - function.lineno + 1 <= 40, (path, function.name)
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            given = [each for each in arguments if each.arg not in {"self", "cls"}]
            assert len(given) <= 6, (path, function.name)


def test_the_median_file_is_short() -> None:
    sizes = [len(path.read_text(encoding="utf-8").splitlines()) for path in FILES]
    assert statistics.median(sizes) <= 150


@pytest.mark.slow
def test_modules_say_what_they_are() -> None:
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert len(ast.get_docstring(tree) or "") > 20, path
        banned = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
        assert banned == [], path  # `python -O` would remove them


@pytest.mark.slow
def test_nothing_prints_outside_the_command_line() -> None:
    for path in FILES:
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        names = {node.func.id for node in calls if isinstance(node.func, ast.Name)}
        if "cli" not in path.parts:
            assert not names & {"print", "input", "breakpoint"}, path.name

"""The shape of the package, counted: how long files and functions are, and how far one message travels.

A reader who follows one steady-state decryption enters few files. The trace counts every call and return of a
function of the package that lands in another file of the package.
"""

import ast
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

import letterlock
from letterlock import Account, Address, MemoryStore

pytestmark = pytest.mark.slow

PACKAGE: Final = Path(letterlock.__file__).parent
FILES: Final = sorted(PACKAGE.rglob("*.py"))
MAX_FILE_LINES: Final = 400
MAX_FUNCTION_LINES: Final = 40
MAX_FILES_OF_A_DECRYPTION: Final = 15
MAX_CHANGES_OF_FILE: Final = 100


def test_files_and_functions_are_short() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= MAX_FILE_LINES, path
        long = [each.name for each in functions(ast.parse(text)) if length(each) > MAX_FUNCTION_LINES]
        assert long == [], path


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return a function's lines without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def conversation() -> tuple[Account, bytes]:
    """Return Bob, in the middle of a conversation with Alice, and her next message."""
    alice_address, bob_address = Address("alice"), Address("bob")
    alice = Account.create(MemoryStore(), alice_address)
    bob = Account.create(MemoryStore(), bob_address)
    alice.initiate(bob_address, bob.bundle())
    bob.decrypt(alice_address, alice.encrypt(bob_address, b"first"))
    alice.decrypt(bob_address, bob.encrypt(alice_address, b"answer"))
    for _ in range(5):
        bob.decrypt(alice_address, alice.encrypt(bob_address, b"in order"))
    return bob, alice.encrypt(bob_address, b"traced")


def test_one_decryption_in_memory_enters_few_files() -> None:
    bob, wire = conversation()
    alice = Address("alice")
    visited: list[str] = []

    def profile(frame: FrameType | None, event: str, _: Any) -> None:
        if event == "return" and frame is not None and within(frame):
            frame = frame.f_back
        elif event != "call":
            return
        if frame is not None and within(frame):
            visited.append(frame.f_code.co_filename)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        bob.decrypt(alice, wire)
    finally:
        sys.setprofile(before)
    changes = sum(one != other for one, other in pairwise(visited))
    assert 5 < len(set(visited)) <= MAX_FILES_OF_A_DECRYPTION
    assert 20 < changes <= MAX_CHANGES_OF_FILE


def within(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(str(PACKAGE))

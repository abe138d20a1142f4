"""The native module is used if it is there, fits, and is not switched off. Everything else is said aloud.

Not here: that its answers are Python's (tests/native/).
"""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pytest

from letterlock._primitives import native
from letterlock._primitives.native import INTERFACE, Native, find

NAME = "letterlock_fast"


@pytest.fixture(autouse=True)
def _not_switched_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(native.PURE, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def stand_in(monkeypatch: pytest.MonkeyPatch, interface: object) -> ModuleType:
    module = ModuleType(NAME)
    vars(module)["INTERFACE"] = interface
    monkeypatch.setitem(sys.modules, NAME, module)
    return module


def test_a_module_of_the_right_interface_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = stand_in(monkeypatch, INTERFACE)
    assert find() is module


def test_no_module_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, NAME, None)  # as if it were not installed
    assert find() is None


@pytest.mark.parametrize("interface", [INTERFACE - 1, INTERFACE + 1, str(INTERFACE), None, b"1"])
def test_a_module_of_another_interface_is_not_used(
    monkeypatch: pytest.MonkeyPatch, interface: object
) -> None:
    stand_in(monkeypatch, interface)
    with pytest.warns(RuntimeWarning, match=f"asks for {INTERFACE}, so it is not used: install versions"):
        assert find() is None


def test_a_module_without_an_interface_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, NAME, ModuleType(NAME))
    with pytest.warns(RuntimeWarning, match="letterlock-fast has interface None"):
        assert find() is None


def test_a_module_that_cannot_be_loaded_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was built for another platform, perhaps."""

    class Broken(MetaPathFinder):
        def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
            if name == NAME:
                raise ImportError("wrong ELF class")
            return None

    monkeypatch.delitem(sys.modules, NAME, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.warns(RuntimeWarning, match="cannot be loaded, so it is not used: install it again"):
        assert find() is None


@pytest.mark.parametrize(("value", "is_used"), [("1", False), ("", True), ("0", True), ("11", True)])
def test_one_switches_it_off(monkeypatch: pytest.MonkeyPatch, value: str, is_used: bool) -> None:
    stand_in(monkeypatch, INTERFACE)
    monkeypatch.setenv(native.PURE, value)
    assert (find() is not None) is is_used


def test_switched_off_it_is_not_even_imported() -> None:
    program = f"import sys, letterlock; sys.exit({NAME!r} in sys.modules)"
    environment = os.environ | {native.PURE: "1"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)


def test_the_module_has_what_is_declared() -> None:
    """And nothing else: a function that nobody declares is a function that nobody tests."""
    module = pytest.importorskip(NAME)
    declared = {name for name in vars(Native) if not name.startswith("_")} | {"INTERFACE"}
    # Installed from a wheel, the module is a package with the extension inside.
    found = {name for name, value in vars(module).items() if not isinstance(value, ModuleType)}
    assert {name for name in found if not name.startswith("_")} == declared

"""PRIM-1 for the whole package: an object that holds a secret does not print it and cannot be copied.

An object of each class is built around the same 64 bytes, and a table pins what it prints. A new class that
holds a secret fails here until it is in the table.
"""

import base64
import copy
import dataclasses
import importlib
import inspect
import json
import pickle
import pkgutil
import pprint
import string
import typing
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

import letterlock
import letterlock_vectors
from letterlock._primitives import curve25519, mlkem
from letterlock._primitives.curve25519 import (
    RatchetKeyPair,
)
from letterlock._primitives.mlkem import MlKem1024KeyPair
from letterlock._primitives.secret import Secret, Uncopyable
from letterlock.stores._sqlite.table import SqliteTable
from support.secret_holders import (
    ABSTRACT,
    SECRETS,
    TABLE,
    words,
)
from support.secret_pq_holders import MATERIAL
from support.secret_store_holders import ON_DISK


@cache
def modules() -> tuple[ModuleType, ...]:
    """Return every module of both packages."""
    packages = (letterlock, letterlock_vectors)
    names = (
        each.name
        for package in packages
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    )
    return (*packages, *(importlib.import_module(name) for name in names if not name.endswith("__main__")))


def descendants(kind: type) -> set[str]:
    """Return names, because a slotted dataclass leaves a second class of the same name behind."""
    found: set[str] = set()
    below: list[type] = kind.__subclasses__()
    for each in below:
        if each.__module__.startswith(("letterlock.", "letterlock_vectors.")):
            found |= {each.__name__} | descendants(each)
    return found


def secret_of(name: str) -> Secret:
    role: type[Secret] = next(
        value for module in modules() for key, value in vars(module).items() if key == name
    )
    return role(MATERIAL[: role.LENGTH or 64])


@pytest.fixture
def holder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    name: str = request.param
    if name in SECRETS:
        yield secret_of(name)
    elif name in TABLE:
        yield TABLE[name][0]()
    else:
        made: Any = ON_DISK[name][0](tmp_path)
        yield made
        (made._database if isinstance(made, SqliteTable) else made).close()


EVERY = pytest.mark.parametrize("holder", [*SECRETS, *TABLE, *ON_DISK], indirect=True)


def forms_of(secret: bytes) -> set[str]:
    """Return the ways in which a text could show four bytes of a secret."""
    found = {base64.b64encode(secret[:30]).decode()[:8]}
    for start in range(len(secret) - 4):
        fragment = secret[start : start + 4]
        forms = {fragment.hex(), repr(fragment)[2:-1], str([*fragment])[1:-1], fragment.decode("latin-1")}
        forms |= {base64.b85encode(fragment).decode(), repr(fragment.decode("latin-1"))[1:-1]}
        found |= forms | {form.upper() for form in forms}
    return found


FORMS: Final = forms_of(MATERIAL)


def assert_hidden(text: str) -> None:
    """Check that a text has no four bytes of the secret, as hex, base64, escapes, integers or characters."""
    assert [form for form in FORMS if form in text] == []


# --- the table is complete ----------------------------------------------------------------------------


def test_every_class_with_a_secret_is_in_the_table() -> None:
    modules()
    assert descendants(Secret) == set(SECRETS)
    assert descendants(Uncopyable) - ABSTRACT - set(SECRETS) == set(TABLE) | set(ON_DISK)
    for name, (make, _) in TABLE.items():
        assert type(make()).__name__ == name


def test_a_dataclass_with_a_field_that_holds_a_secret_is_uncopyable() -> None:
    checked = 0
    for module in modules():
        if module.__name__.startswith("letterlock.cli"):
            continue  # its Profile is a pair of handles that cannot be copied themselves
        for value in vars(module).values():
            if (
                dataclasses.is_dataclass(value)
                and inspect.isclass(value)
                and value.__module__ == module.__name__
            ):
                kinds = [kind for hint in typing.get_type_hints(value).values() for kind in flattened(hint)]
                if any(inspect.isclass(kind) and issubclass(kind, Uncopyable) for kind in kinds):
                    assert issubclass(value, Uncopyable), value
                    checked += 1
    assert checked >= 20


def flattened(hint: object) -> list[object]:
    return [hint, *(each for argument in typing.get_args(hint) for each in flattened(argument))]


# --- printing ---------------------------------------------------------------------------------------------


@EVERY
def test_what_an_object_prints_is_pinned(holder: Any) -> None:
    name = type(holder).__name__
    if name in SECRETS:
        expected = f"<{name}: hidden>"
    else:
        template = (TABLE.get(name) or ON_DISK[name])[1]
        # A word of the template may contain further words.
        expected = string.Formatter().vformat(template, (), words() | {"OBJECT": object.__repr__(holder)})
    assert repr(holder) == str(holder) == f"{holder}" == f"{holder!s}" == expected
    assert "%s" % (holder,) == "{}".format(holder) == expected  # noqa: UP031, UP032


@EVERY
def test_no_way_of_printing_shows_the_secret(holder: Any) -> None:
    ways: list[Callable[[Any], str]] = [
        repr, str, ascii, format, pprint.pformat, lambda it: f"{it!r:>300}", lambda it: f"{[it]} {(it,)}",
        lambda it: str({"holder": it}), lambda it: f"{it!r} {it!a}",
    ]  # fmt: skip
    for way in ways:
        assert_hidden(way(holder))
    for specification in ("x", "s", "40", "b"):
        with pytest.raises(TypeError) as caught:
            format(holder, specification)
        assert_hidden(str(caught.value))


@EVERY
def test_an_object_is_neither_copied_nor_pickled(holder: Any) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: copy.copy(holder),
        lambda: copy.deepcopy(holder),
        lambda: copy.deepcopy([holder]),
        holder.__reduce__,
        lambda: dataclasses.asdict(holder),
        lambda: dataclasses.astuple(holder),
    ]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        attempts.append(lambda protocol=protocol: pickle.dumps(holder, protocol))  # type: ignore[misc]
        attempts.append(lambda protocol=protocol: pickle.dumps([holder], protocol))  # type: ignore[misc]
        attempts.append(lambda protocol=protocol: holder.__reduce_ex__(protocol))  # type: ignore[misc]
    for attempt in attempts:
        with pytest.raises(TypeError) as caught:
            attempt()
        assert_hidden(str(caught.value))


@EVERY
def test_an_object_converts_to_no_other_type(holder: Any) -> None:
    for operation in (bytes, bytearray, memoryview, json.dumps, vars, len, iter, int, float):
        with pytest.raises(TypeError) as caught:
            operation(holder)
        assert_hidden(str(caught.value))
    assert not hasattr(holder, "__dict__")


def test_the_words_of_pinned_texts_show_no_secret() -> None:
    for word in words().values():
        assert_hidden(word)
    assert curve25519.KeyPair in RatchetKeyPair.__mro__
    assert mlkem.KemKeyPair in MlKem1024KeyPair.__mro__


def test_printing_all_objects_at_once_shows_no_secret() -> None:
    """A debugger or a log line may do so."""
    made: list[object] = [secret_of(name) for name in SECRETS]
    assert_hidden(pprint.pformat([*made, *(make() for make, _ in TABLE.values())], width=200))

"""A public signature mentions public types only, and a public type has only public base classes.

The walk begins at what the public modules offer, resolves every annotation of every class, method, property,
function and dataclass field, and continues with each letterlock type that it meets. Such a type must be
exported by one of the modules in `EXPORTING`. A constructor that is not for applications says so in the first
words of its docstring, and is then no public signature.

Not here: which modules are public (test_public_modules.py) and which names (test_public_api.py).
"""

import dataclasses
import importlib
import inspect
import typing
from collections.abc import Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any, Final, Generic, NewType, Protocol, TypeVar

import pytest

from letterlock._wire.address import Address
from letterlock._wire.cbor import Value
from letterlock._wire.inspection import Shown
from letterlock._wire.suite import Suite
from letterlock.client import ClientAddresses, ClientRecovery, ClientSecondLock, Hardness

EXPORTING: Final = (
    "letterlock",
    "letterlock.stores",
    "letterlock.aio",
    "letterlock.user",
    "letterlock.documents",
    "letterlock.groups",
    "letterlock.blobs",
    "letterlock.client",
    "letterlock.hazmat",
    "letterlock.errors",
    "letterlock.limits",
)
PUBLIC: Final = (*EXPORTING, "letterlock.account", "letterlock.cli")

NOT_PUBLIC: Final = "Not for applications"
UNRESOLVED: Final = {
    "Value": Value,
    "Shown": Shown,
    "Address": Address,
    "Hardness": Hardness,
    "ClientAddresses": ClientAddresses,
    "ClientRecovery": ClientRecovery,
    "ClientSecondLock": ClientSecondLock,
}
"""Names that `typing` does not find: aliases that name themselves, and what errors.py imports for typing."""


def offered(module: ModuleType) -> dict[str, object]:
    """Return the names in `__all__`; without it, the names without an underscore that the module defines."""
    if hasattr(module, "__all__"):
        return {name: getattr(module, name) for name in module.__all__}
    return {
        name: value
        for name, value in vars(module).items()
        if name[0] != "_" and getattr(value, "__module__", None) == module.__name__
    }


def hints_of(thing: Any) -> dict[str, Any]:
    """Return the resolved annotations of a class or function."""
    return typing.get_type_hints(thing, localns=UNRESOLVED)


def types_in(annotation: object) -> Iterator[object]:
    """Yield every class, type variable's bound and `NewType` inside a resolved annotation."""
    if isinstance(annotation, list | tuple):  # the parameters of a Callable
        for each in annotation:
            yield from types_in(each)
    elif isinstance(annotation, TypeVar):
        yield from types_in((annotation.__bound__, *annotation.__constraints__))
    elif inspect.isclass(annotation) or isinstance(annotation, NewType):
        yield annotation
    elif typing.get_origin(annotation) is not None:
        yield from types_in((typing.get_origin(annotation), *typing.get_args(annotation)))


def functions_of(member: object) -> Iterator[FunctionType]:
    """Yield the functions behind a member: a property has up to three."""
    if isinstance(member, property):
        yield from (
            each for each in (member.fget, member.fset, member.fdel) if isinstance(each, FunctionType)
        )
    elif isinstance(member, classmethod | staticmethod):
        yield from functions_of(member.__func__)
    elif isinstance(member, FunctionType):
        yield member


def is_public(name: str) -> bool:
    """Return whether a member's name is for callers: no underscore in front, or a special method."""
    return name[0] != "_" or (name.startswith("__") and name.endswith("__"))


def signatures(thing: object) -> Iterator[tuple[str, object]]:
    """Yield where a function or class mentions a type, and the annotation or base class there."""
    if isinstance(thing, FunctionType):
        yield from hints_of(thing).items()
    elif isinstance(thing, NewType):
        yield "supertype", thing.__supertype__
    elif inspect.isclass(thing):
        yield from (("base class", base) for base in getattr(thing, "__orig_bases__", thing.__bases__))
        own = vars(thing).get("__annotations__", {})
        hints = hints_of(thing)
        yield from ((name, hints[name]) for name in own if is_public(name))
        for name, member in vars(thing).items():
            for function in functions_of(member) if is_public(name) else ():
                if name == "__init__" and (function.__doc__ or "").startswith(NOT_PUBLIC):
                    continue
                yield from ((f"{name}: {at}", hint) for at, hint in hints_of(function).items())


def not_exported(
    start: Iterable[object], exported: Iterable[object], package: str = "letterlock"
) -> list[str]:
    """Return `where -> type` for each type of the package that a signature mentions and nobody exports."""
    exports = list(exported)
    waiting, seen, found = list(start), list[object](), []
    while waiting:
        thing = waiting.pop()
        if any(thing is each for each in seen):
            continue
        seen.append(thing)
        for where, annotation in signatures(thing):
            for kind in types_in(annotation):
                if str(getattr(kind, "__module__", "")).split(".")[0] != package:
                    continue
                waiting.append(kind)
                if not any(kind is each for each in exports):
                    found.append(f"{getattr(thing, '__qualname__', thing)}, {where} -> {kind}")
    return sorted(set(found))


def everything(names: Iterable[str]) -> Iterator[object]:
    for name in names:
        yield from offered(importlib.import_module(name)).values()


# --- the package ----------------------------------------------------------------------------------------


def test_public_signatures_mention_public_types_only() -> None:
    assert not_exported(everything(PUBLIC), everything(EXPORTING)) == []


def test_an_exported_type_goes_by_its_own_name() -> None:
    for module in EXPORTING:
        for name, value in offered(importlib.import_module(module)).items():
            if inspect.isclass(value) or isinstance(value, FunctionType):
                assert value.__name__ == name


# --- the check itself -----------------------------------------------------------------------------------

HERE: Final = __name__.split(".", maxsplit=1)[0]


class Hidden:
    pass


class Mixin:
    pass


HiddenNumber = NewType("HiddenNumber", int)
Bounded = TypeVar("Bounded", bound=Hidden)
Plain = TypeVar("Plain")


class Box(Generic[Plain]):
    pass


class AsBase(Mixin):
    pass


class AsGenericBase(Box[Hidden]):
    pass


class AsParameter:
    def method(self, given: dict[str, list[Hidden]]) -> None: ...


class AsResult:
    @classmethod
    def make(cls) -> Hidden | None: ...


class AsProperty:
    @property
    def value(self) -> tuple[Hidden, ...]:
        raise NotImplementedError


class AsText:
    @staticmethod
    def make() -> "Hidden":
        raise NotImplementedError


class InInit:
    def __init__(self, given: Hidden) -> None: ...


class InMarkedMethod:
    def method(self, given: Hidden) -> None:
        """Not for applications: but only a constructor can say so."""


class AsBound:
    def method(self, given: Bounded) -> Bounded:
        raise NotImplementedError


class AsNewType:
    def method(self, given: HiddenNumber) -> None: ...


class InCallable:
    def method(self, given: "typing.Callable[[Hidden], int]") -> None: ...


class InProtocol(Protocol):
    def method(self) -> Hidden: ...


@dataclasses.dataclass
class AsField:
    value: Hidden | None


class Through:
    """Mentions an exported type whose own method mentions a hidden one."""

    def method(self) -> AsResult:
        raise NotImplementedError


class Sound:
    """Mentions hidden types only in private members, and a type of another package."""

    def __init__(self, given: Hidden) -> None:
        """Not for applications."""

    _private: Hidden

    def _method(self, given: Hidden) -> None: ...

    def method(self, given: dict[str, Any], suite: Suite) -> "Sound":
        raise NotImplementedError


def as_function(given: Hidden) -> None: ...


BREAKING: Final[list[Any]] = [
    AsBase, AsGenericBase, AsParameter, AsResult, AsProperty, AsText, InInit, InMarkedMethod, AsBound,
    AsNewType, InCallable, InProtocol, AsField, Through, as_function,
]  # fmt: skip


@pytest.mark.parametrize("thing", BREAKING, ids=lambda thing: thing.__name__)
def test_the_check_sees(thing: object) -> None:
    found = not_exported([thing], [*BREAKING, Sound, Box], HERE)
    assert {each.split(" -> ")[1] for each in found} <= {str(each) for each in (Hidden, Mixin, HiddenNumber)}
    assert found


def test_the_check_lets_pass_what_is_exported_or_private() -> None:
    assert not_exported([Sound], [Sound], HERE) == []
    assert not_exported(BREAKING, [*BREAKING, Box, Hidden, Mixin, HiddenNumber], HERE) == []

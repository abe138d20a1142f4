"""`dataclass(frozen=True, slots=True)`: the standard library's dataclasses, made and used in less time.

The standard library compiles six methods for each class, and that was much of the time to import letterlock.
Here `__init__` alone is compiled. Frozen dataclasses refuse assignment, so the standard `__init__` calls
`object.__setattr__`, which looks up every field by name. The one written here sets each slot through the
slot's own descriptor, which is faster: decrypting a message creates about a dozen such objects.

Type checkers see the standard library's decorator.

Not here: fields that are keyword-only or have a default factory; ordering.
"""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Never, TypeVar

T = TypeVar("T")
Values = Callable[[object], tuple[Any, ...]]


def _dataclass(**flags: bool) -> Callable[[type[T]], type[T]]:
    """Return the decorator. Type checkers need `frozen=True, slots=True`, and nothing else is made.

    With `repr=False` the class keeps the repr that it inherits. Methods that the class defines stay. Raises
    TypeError for other flags, and for fields of another kind.
    """
    with_repr = flags.pop("repr", True)
    if flags != {"frozen": True, "slots": True}:
        raise TypeError("frozen and slots are true, and repr is the only other flag")

    def decorate(cls: type[T]) -> type[T]:
        own = set(vars(cls))
        if "__eq__" in own and vars(cls)["__hash__"] is None:
            own.remove("__hash__")  # Python itself puts None beside an __eq__
        made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
        for method in _methods(made, with_repr=with_repr):
            name = method.__name__
            if name not in own:
                method.__module__, method.__qualname__ = cls.__module__, f"{cls.__qualname__}.{name}"
                setattr(made, name, method)
        for name, shared in _SHARED.items():
            if name not in own:
                setattr(made, name, shared)
        return made

    return decorate


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - exported
else:
    dataclass = _dataclass


def _methods(cls: type, *, with_repr: bool) -> list[Callable[..., Any]]:
    fields = dataclasses.fields(cls)
    values = _getter([each.name for each in fields if each.compare])
    methods = [_init(cls, fields), _eq(values), _hash(values)]
    return [*methods, _repr([each.name for each in fields if each.repr])] if with_repr else methods


def _init(cls: type, fields: Sequence[Field[Any]]) -> Callable[..., None]:
    if any(each.kw_only or each.default_factory is not MISSING for each in fields):
        raise TypeError(f"{cls.__name__} has a field that is not a plain positional parameter")
    given = [each for each in fields if each.init]
    names = [each.name for each in given]
    setters = {f"set_{name}": getattr(cls, name).__set__ for name in names}
    last = "self.__post_init__()" if hasattr(cls, "__post_init__") else "return None"
    lines = [
        f"def make({', '.join(setters)}):",
        f" def __init__(self, {', '.join(names)}):",
        *(f"  set_{name}(self, {name})" for name in names),
        f"  {last}",
        " return __init__",
    ]
    scope: dict[str, Any] = {}
    # As `dataclasses` does: the text holds field names alone, and whoever reads the annotations looks for
    # their names in the module of the class.
    exec("\n".join(lines), vars(sys.modules[cls.__module__]), scope)  # noqa: S102
    init: Any = scope["make"](**setters)
    init.__defaults__ = tuple(each.default for each in given if each.default is not MISSING)
    init.__annotations__ = {each.name: each.type for each in given} | {"return": None}
    return init  # type: ignore[no-any-return]


def _getter(names: Sequence[str]) -> Values:
    """Return a function from an object to the tuple of these attributes."""
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _: ()
    get = attrgetter(names[0])
    return lambda each: (get(each),)


def _eq(values: Values) -> Callable[..., Any]:
    def __eq__(self: object, other: object) -> bool:  # noqa: N807
        return values(self) == values(other) if type(other) is type(self) else NotImplemented

    return __eq__


def _hash(values: Values) -> Callable[..., int]:
    def __hash__(self: object) -> int:  # noqa: N807
        return hash(values(self))

    return __hash__


def _repr(names: Sequence[str]) -> Callable[..., str]:
    def __repr__(self: object) -> str:  # noqa: N807
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({shown})"

    return __repr__


def _setattr(_: object, name: str, __: object) -> Never:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(_: object, name: str) -> Never:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:  # noqa: ANN401
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:  # noqa: ANN401
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


_SHARED = {
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}

"""Dataclasses with `fast_init` do what the standard library's frozen dataclasses do."""

import inspect
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from letterlock._primitives.fast_init import fast_init


@dataclass(frozen=True, slots=True)
class Standard:
    number: int
    text: str
    last: bytes | None = None

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("negative")


@fast_init
@dataclass(frozen=True, slots=True)
class Fast:
    number: int
    text: str
    last: bytes | None = None

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("negative")


GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1, "a"), {}),
    ((1, "a", b"b"), {}),
    ((1,), {"last": b"b", "text": "a"}),
    ((), {"text": "a", "number": 1}),
]


@pytest.mark.parametrize(("args", "kwargs"), GIVEN)
def test_arguments_become_fields(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    made, expected = Fast(*args, **kwargs), Standard(*args, **kwargs)
    assert [getattr(made, each.name) for each in fields(made)] == [
        getattr(expected, each.name) for each in fields(expected)
    ]
    assert repr(made) == repr(expected).replace("Standard", "Fast")
    assert made == Fast(*args, **kwargs) != Fast(2, "a")
    assert hash(made) == hash(expected)


WRONG: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((1,), {}),
    ((1, "a", b"b", 4), {}),
    ((1, "a"), {"number": 2}),
    ((1, "a"), {"other": 2}),
]


@pytest.mark.parametrize(("args", "kwargs"), WRONG)
def test_wrong_arguments_are_refused_alike(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    for cls in (Standard, Fast):
        with pytest.raises(TypeError, match=r"__init__\(\)"):
            cls(*args, **kwargs)


def test_post_init_is_called() -> None:
    with pytest.raises(ValueError, match="negative"):
        Fast(-1, "a")
    with pytest.raises(ValueError, match="negative"):
        replace(Fast(1, "a"), number=-1)


def test_it_stays_frozen() -> None:
    made = Fast(1, "a")
    with pytest.raises(FrozenInstanceError):
        made.number = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del made.text
    with pytest.raises((AttributeError, TypeError)):
        made.other = 2  # type: ignore[attr-defined]
    assert made == Fast(1, "a")


def test_it_looks_the_same_from_outside() -> None:
    assert str(inspect.signature(Fast)) == str(inspect.signature(Standard))
    assert Fast.__match_args__ == ("number", "text", "last")
    assert Fast.__init__.__qualname__ == "Fast.__init__"
    assert Fast.__init__.__module__ == __name__


def test_other_kinds_of_fields_are_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Factory:
        items: list[int] = field(default_factory=list)

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named:
        number: int

    @dataclass(frozen=True, slots=True)
    class LeftOut:
        number: int = field(init=False, default=1)

    for cls in (Factory, Named, LeftOut):
        with pytest.raises(TypeError, match=cls.__name__):
            fast_init(cls)

"""Our dataclasses do what the standard library's frozen dataclasses with slots do."""

import copy
import dataclasses
import inspect
import pickle
import typing
from dataclasses import FrozenInstanceError, field, fields, replace
from typing import Any, Generic, TypeVar

import pytest

from letterlock._primitives.dataclass import dataclass


@dataclasses.dataclass(frozen=True, slots=True)
class Standard:
    number: int
    text: str
    last: bytes | None = None

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("negative")


@dataclass(frozen=True, slots=True)
class Fast:
    number: int
    text: str
    last: bytes | None = None

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("negative")


def both(cls: type) -> tuple[type, type]:
    """Return a class as the standard library makes it, and as we do."""
    flags = {"frozen": True, "slots": True}
    make: Any = dataclasses.dataclass
    ours: Any = dataclass
    copied = type(cls.__name__, cls.__bases__, dict(vars(cls)))
    return make(**flags)(cls), ours(**flags)(copied)


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


def test_some_fields_are_not_shown_or_compared_or_given() -> None:
    class Place:
        name: str
        number: int = 1
        row: Any = field(default=None, repr=False, compare=False)
        encoded: bytes = field(init=False, repr=False, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "encoded", f"{self.name} {self.number}".encode())

    for cls in both(Place):
        one, same, other = cls("a", row=1), cls("a", row=2), cls("a", 2)
        assert one == same
        assert hash(one) == hash(same)
        assert one != other
        assert (one == 1) is False
        assert repr(one).endswith("Place(name='a', number=1)")
        assert (one.encoded, replace(one, name="b").encoded) == (b"a 1", b"b 1")
        assert str(inspect.signature(cls)) == "(name: str, number: int = 1, row: Any = None) -> None"


class Nothing:
    """No fields."""


class Single:
    number: float


def test_few_fields() -> None:
    for cls in both(Nothing):
        assert cls() == cls()
        assert hash(cls()) == hash(())
        assert repr(cls()) == "Nothing()"
    nan = float("nan")
    for cls in both(Single):
        assert cls(1) == cls(1) != cls(2)
        assert cls(nan) == cls(nan)  # as in tuples, where the same object is equal to itself
        assert hash(cls(1)) == hash((1,))


def test_a_class_keeps_the_methods_that_it_defines() -> None:
    class Careful:
        number: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and abs(self.number) == abs(other.number)

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "careful"

    class Equal:  # noqa: PLW1641 - that is the point
        number: int

        def __eq__(self, other: object) -> bool:
            return True

    for cls in both(Careful):
        assert cls(1) == cls(-1)
        assert (hash(cls(1)), repr(cls(1))) == (7, "careful")
    for cls in both(Equal):
        assert cls(1) == cls(2)
        assert hash(cls(1)) == hash((1,))


def test_a_repr_that_is_inherited_can_stay() -> None:
    class Base:
        __slots__ = ()

        def __repr__(self) -> str:
            return "hidden"

    @dataclass(frozen=True, slots=True, repr=False)
    class Quiet(Base):
        number: int

    @dataclass(frozen=True, slots=True)
    class Loud(Base):
        number: int

    assert repr(Quiet(1)) == "hidden"
    assert repr(Loud(1)).endswith("Loud(number=1)")


def test_another_class_is_never_equal() -> None:
    @dataclass(frozen=True, slots=True)
    class Sub(Fast):
        pass

    assert Sub(1, "a") == Sub(1, "a")
    assert Sub(1, "a") != Fast(1, "a")
    assert Fast(1, "a") != Sub(1, "a")


Key = TypeVar("Key")


def test_generic_classes() -> None:
    @dataclass(frozen=True, slots=True)
    class Pair(Generic[Key]):
        key: Key
        number: int

    assert Pair("a", 1) == Pair[str]("a", 1)


def test_it_is_copied_and_pickled() -> None:
    made = Fast(1, "a", b"b")
    assert pickle.loads(pickle.dumps(made)) == made
    assert copy.copy(made) == copy.deepcopy(made) == made


def test_it_has_slots_alone() -> None:
    assert not hasattr(Fast(1, "a"), "__dict__")


def test_annotations_can_be_read() -> None:
    @dataclass(frozen=True, slots=True)
    class Later:
        number: "Number"

    assert typing.get_type_hints(Later.__init__) == {"number": Number, "return": type(None)}


class Number:
    """Defined after what mentions it."""


def test_other_kinds_of_fields_are_refused() -> None:
    class Factory:
        items: list[int] = field(default_factory=list)

    class Named:
        number: int = field(kw_only=True)

    for cls in (Factory, Named):
        with pytest.raises(TypeError, match=cls.__name__):
            dataclass(frozen=True, slots=True)(cls)


FLAGS: list[dict[str, bool]] = [
    {},
    {"frozen": True},
    {"slots": True},
    {"frozen": True, "slots": False},
    {"frozen": False, "slots": True},
    {"frozen": True, "slots": True, "order": True},
    {"frozen": True, "slots": True, "kw_only": True},
]


@pytest.mark.parametrize("flags", FLAGS, ids=str)
def test_other_flags_are_refused(flags: dict[str, bool]) -> None:
    make: Any = dataclass
    with pytest.raises(TypeError, match="frozen and slots"):
        make(**flags)

"""Every dataclass of the package is frozen and has slots.

The ratchet depends on it (RAT-6): after a message that does not authenticate the old state is still in use,
so nothing may have changed it. With slots, an assignment to a misspelt name is an error and makes no field.
"""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import letterlock
from letterlock._session.session import Established
from letterlock._wire.address import Address


def dataclasses_of_the_package() -> Iterator[type]:
    for found in pkgutil.walk_packages(letterlock.__path__, "letterlock."):
        if not found.name.endswith("__main__"):
            module = importlib.import_module(found.name)
            for each in vars(module).values():
                if (
                    inspect.isclass(each)
                    and dataclasses.is_dataclass(each)
                    and each.__module__ == module.__name__
                ):
                    yield each


def liberties(kind: type) -> list[str]:
    """Return which changes a value of this kind allows."""
    blank: object = object.__new__(kind)
    name = dataclasses.fields(kind)[0].name
    found = ["unlisted names"] if hasattr(blank, "__dict__") else []
    try:
        setattr(blank, name, None)
    except dataclasses.FrozenInstanceError:
        return found
    return ["assignment", *found]


def test_they_are_frozen_and_slotted() -> None:
    kinds = list(dataclasses_of_the_package())
    assert {Address, Established} < set(kinds)
    assert [(kind.__qualname__, liberties(kind)) for kind in kinds if liberties(kind)] == []


def test_the_check_sees_what_it_is_for() -> None:
    @dataclasses.dataclass
    class Loose:
        name: str

    @dataclasses.dataclass(frozen=True)
    class Unslotted:
        name: str

    assert liberties(Loose) == ["assignment", "unlisted names"]
    assert liberties(Unslotted) == ["unlisted names"]

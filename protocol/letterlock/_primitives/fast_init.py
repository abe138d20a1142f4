"""A faster `__init__` for frozen dataclasses with slots. Nothing else about them changes.

A frozen dataclass refuses assignment, so the `__init__` that the standard library writes calls
`object.__setattr__`, which looks up every field by name. The `__init__` written here sets each slot through
the slot's own descriptor, which is faster. Decrypting a message creates about a dozen such objects.
"""

from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

T = TypeVar("T")


def fast_init(cls: type[T]) -> type[T]:
    """Replace the `__init__` of a frozen dataclass with slots. Write the decorator above `dataclass`.

    Raises TypeError if a field is keyword-only, left out of `__init__`, or has a default factory.
    """
    all_fields: tuple[Field[Any], ...] = fields(cls)  # type: ignore[arg-type]
    if any(not each.init or each.kw_only or each.default_factory is not MISSING for each in all_fields):
        raise TypeError(f"{cls.__name__} has a field that is not a plain positional parameter")
    names = [each.name for each in all_fields]
    lines = [f"def __init__(self, {', '.join(names)}):", *(f" set_{name}(self, {name})" for name in names)]
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    scope: dict[str, Any] = {f"set_{name}": cls.__dict__[name].__set__ for name in names}
    exec("\n".join(lines), scope)  # noqa: S102 - as `dataclass` does; the text holds field names alone
    fast, standard = scope["__init__"], cls.__init__
    fast.__defaults__, fast.__annotations__ = standard.__defaults__, standard.__annotations__
    fast.__module__, fast.__qualname__ = cls.__module__, standard.__qualname__
    cls.__init__ = fast  # type: ignore[method-assign]
    return cls

"""Strategies for JSON objects, and for sections that share their fields out."""

from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

from letterlock._wire.json_fields import Path, fields_of
from letterlock._wire.json_scopes import Scopes
from letterlock.errors import MalformedMessage

TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
INTEGERS: Final = st.integers(1 - 2**53, 2**53 - 1)
DECIMALS: Final = st.builds(
    lambda number, places: Decimal(number).scaleb(-places) if number else Decimal("0.0"),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.integers(1, 6),
)
NAMES: Final = TEXTS.filter(lambda name: name != "__proto__")
JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | INTEGERS | DECIMALS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
OBJECTS: Final = st.dictionaries(NAMES, JSON, max_size=4)


@st.composite
def shared_out(draw: st.DrawFn) -> tuple[dict[str, Any], Scopes]:
    """Return an object and scopes of up to three sections: section 0 has what no other one has."""
    value = draw(OBJECTS.filter(bool))
    starts = [path[:at] for path, _ in fields_of(value) for at in range(1, len(path) + 1)]
    chosen = draw(st.lists(st.sampled_from(starts), max_size=4, unique=True))
    paths: dict[Path, int] = {(): 0}
    paths |= {path: draw(st.integers(1, 2)) for path in chosen}
    used = sorted(set(paths.values()))
    try:
        return value, Scopes({path: used.index(section) for path, section in paths.items()})
    except MalformedMessage as wrong:  # every scope is a path of the value
        raise AssertionError from wrong

"""The fifteen targets by name. A target is imported on demand, after a fuzzer has set up instrumentation."""

from functools import cache
from importlib import import_module
from typing import Final

from fuzz.harness import Target

NAMES: Final = (
    "cbor",
    "bundle",
    "initial",
    "ratchet",
    "record",
    "armor",
    "braid",
    "erasure",
    "content",
    "entry",
    "linking",
    "relay",
    "recovery",
    "group",
    "json",
)


@cache
def load(name: str) -> Target:
    """Return a target, with its live accounts."""
    target = import_module(f"fuzz.target_{name}").TARGET
    assert isinstance(target, Target)
    return target

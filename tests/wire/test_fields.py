"""WIRE-4: every field has its type, length and range, and an error that names it and not its value."""

from collections.abc import Callable
from typing import Any, TypeAlias

import cbor2
import pytest

from letterlock._wire.fields import Fields
from letterlock.errors import LetterlockError, MalformedMessage
from support.wire_samples import SAMPLES, TreePath, paths, samples, spoiled


class OwnInt(int):
    pass


class OwnList(list[object]):
    pass


ODD: dict[str, object] = {
    "true": True,
    "false": False,
    "0.0": 0.0,
    "1.0": 1.0,
    "nan": float("nan"),
    "infinity": float("inf"),
    "undefined": cbor2.undefined,
    "simple": cbor2.CBORSimpleValue(16),
    "minus one": -1,
    "text": "8451-text",
    "bytes": b"8451-bytes",
    "array": [1],
    "map": {"a": 1},
    "null": None,
}

Read: TypeAlias = Callable[[Fields], object]

# Each reader, what it takes of the above, and what its error says was expected.
READERS: dict[str, tuple[Read, set[str], str]] = {
    "uint": (lambda fields: fields.uint("it", 100), set(), "an unsigned integer of at most 100"),
    "optional_uint": (
        lambda fields: fields.optional_uint("it", 100),
        {"null"},
        "null or an unsigned integer of at most 100",
    ),
    "blob": (lambda fields: fields.blob("it", 4), set(), "a byte string of 4 bytes"),
    "blob_between": (lambda fields: fields.blob_between("it", 1, 4), set(), "a byte string of 1 to 4 bytes"),
    "text": (lambda fields: fields.text("it"), {"text"}, "a text string"),
    "array": (lambda fields: fields.array("it", 3), {"array"}, "an array of at most 3 elements"),
    "null": (lambda fields: fields.null("it"), {"null"}, "null"),
    "any": (lambda fields: fields.any(), set(ODD), ""),
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize(("read", "takes", "expected"), READERS.values(), ids=READERS.keys())
def test_every_reader_refuses_every_other_type(
    read: Read, takes: set[str], expected: str, value: object
) -> None:
    fields = Fields([value, "8451-next"], 2, "an example")
    if any(ODD[name] is value for name in takes):
        assert read(fields) is value
        return
    with pytest.raises(MalformedMessage) as caught:
        read(fields)
    assert str(caught.value) == f"it of an example is not {expected}"


@pytest.mark.parametrize("value", [0, 1, 99, 100])
def test_integers_within_the_range_are_read(value: int) -> None:
    assert Fields([value], 1, "an example").uint("it", 100) == value
    assert Fields([value], 1, "an example").optional_uint("it", 100) == value


@pytest.mark.parametrize("value", [-(2**64), -1, 101, 2**32, 2**64 - 1, OwnInt(5)])
def test_integers_outside_the_range_are_refused(value: int) -> None:
    for read in ("uint", "optional_uint"):
        with pytest.raises(MalformedMessage, match="an unsigned integer of at most 100"):
            getattr(Fields([value], 1, "an example"), read)("it", 100)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 5, 6])
def test_byte_strings_have_their_length(length: int) -> None:
    value = b"x" * length
    for name, arguments, right in (("blob", (3,), {3}), ("blob_between", (2, 5), {2, 3, 4, 5})):
        read = getattr(Fields([value], 1, "an example"), name)
        if length in right:
            assert read("it", *arguments) == value
        else:
            with pytest.raises(MalformedMessage, match="it of an example is not a byte string of"):
                read("it", *arguments)


def test_a_bytearray_is_no_byte_string() -> None:
    with pytest.raises(MalformedMessage):
        Fields([bytearray(3)], 1, "an example").blob("it", 3)


@pytest.mark.parametrize("length", range(6))
def test_arrays_have_a_bound(length: int) -> None:
    value = [0] * length
    fields = Fields([value], 1, "an example")
    if length <= 3:
        assert fields.array("it", 3) is value
    else:
        with pytest.raises(MalformedMessage, match="an array of at most 3 elements"):
            fields.array("it", 3)


@pytest.mark.parametrize("count", [0, 1, 3, 4])
def test_the_number_of_elements_is_exact(count: int) -> None:
    Fields([0] * count, count, "an example")
    for wrong in {0, 1, 2, 3, 4, 5} - {count}:
        with pytest.raises(MalformedMessage, match=f"an example has {count} elements; expected {wrong}"):
            Fields([0] * count, wrong, "an example")


@pytest.mark.parametrize("value", [None, 1, "ab", b"ab", (1, 2), {1: 2, 2: 3}, OwnList([1, 2])], ids=repr)
def test_only_a_list_is_an_array(value: object) -> None:
    with pytest.raises(MalformedMessage, match=r"^an example is not an array$"):
        Fields(value, 2, "an example")
    with pytest.raises(MalformedMessage):
        Fields([value], 1, "an example").array("it", 2) if value is not None else Fields(
            value, 0, "an example"
        )


def test_fields_are_read_in_order() -> None:
    fields = Fields([1, b"ab", "text", None, [5], None, 7], 7, "an example")
    assert fields.uint("a", 1) == 1
    assert fields.blob("b", 2) == b"ab"
    assert fields.text("c") == "text"
    assert fields.optional_uint("d", 9) is None
    assert fields.array("e", 1) == [5]
    fields.null("f")
    assert fields.any() == 7


# --- every node of every encoding -----------------------------------------------------------------

NULLABLE: dict[str, set[TreePath]] = {
    "bundle": {(6,), (7,)},
    "last-resort bundle": {(6,), (7,)},
    "x3dh bundle": {(6,), (7,)},
    "bare triple message": {(9,), (10,)},
    "initial message": {(6,)},
    "x3dh initial message": {(6,), (7,), (8,)},
}
NAMES: dict[str, set[TreePath]] = {
    name: {(2, 0)} for name in ("bundle", "last-resort bundle", "x3dh bundle", "publication")
}
PAIRS_AT: TreePath = (8,)
"""The list of pairs of a publication, which may be empty. A bundle has its signature there."""
NODES = [(name, at) for name, (data, _) in samples().items() for at in paths(cbor2.loads(data))]


@pytest.mark.parametrize(("name", "at"), NODES, ids=lambda value: str(value).replace(" ", ""))
def test_every_node_refuses_every_other_type(name: str, at: TreePath) -> None:
    """Type, length and range at once, through the public decoders: nothing is left to `any()`."""
    data, decode = samples()[name]
    more: dict[str, object] = {
        "2^32": 2**32,
        "2^64-1": 2**64 - 1,
        "empty text": "",
        "empty bytes": b"",
        "31 bytes": b"\x09" * 31,
        "33 bytes": b"\x09" * 33,
        "empty array": [],
        "nested arrays": [[[[]]]],
    }
    nullable, names = NULLABLE.get(name, set()), NAMES.get(name, set())
    empty = {PAIRS_AT} if name == "publication" else set()
    for odd, value in {**ODD, **more}.items():
        if at in {"null": nullable, "text": names, "empty array": empty}.get(odd, set()):
            decode(spoiled(data, at, value))
        else:
            with pytest.raises(LetterlockError) as caught:
                decode(spoiled(data, at, value))
            assert type(caught.value).__name__ in {"MalformedMessage", "UnsupportedVersion"}, odd
            assert "8451" not in str(caught.value), odd


@SAMPLES
@pytest.mark.parametrize("change", ["first left out", "last left out", "one more", "null more", "twice"])
def test_another_number_of_elements_is_refused(
    data: bytes, decode: Callable[[bytes], object], change: str
) -> None:
    def changed(tree: list[Any]) -> list[Any]:
        return {
            "first left out": tree[1:],
            "last left out": tree[:-1],
            "one more": [*tree, 0],
            "null more": [*tree, None],
            "twice": tree + tree,
        }[change]

    tree = cbor2.loads(data)
    with pytest.raises(LetterlockError):
        decode(cbor2.dumps(changed(tree)))
    for at in paths(tree):
        inner = tree
        for index in at:
            inner = inner[index]
        # A publication may have fewer pairs of prekeys.
        if isinstance(inner, list) and at != PAIRS_AT:
            with pytest.raises(MalformedMessage):
                decode(spoiled(data, at, changed(inner)))

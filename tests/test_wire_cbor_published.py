"""The examples of RFC 8949 appendix A: exactly which of them the strict decoder takes.

Source: github.com/cbor/test-vectors appendix_a.json (RFC 7049's list, which has f818 in addition), read
from the external folder, see external.py.

What is sent holds unsigned integers, byte and text strings, arrays and null. The decoder also passes
negative integers, booleans, undefined, simple values, maps with string keys, and those floats that cbor2
itself would write the same way; every field refuses them where it is read (test_wire_fields.py).
"""

import math
from typing import Final

import cbor2
import pytest

import external
from letterlock.errors import MalformedMessage
from letterlock.wire import cbor
from letterlock.wire.fields import Fields

REFUSED: Final = {
    "tags": {
        "c249010000000000000000",
        "c349010000000000000000",
        "c074323031332d30332d32315432303a30343a30305a",
        "c11a514b67b0",
        "c1fb41d452d9ec200000",
        "d74401020304",
        "d818456449455446",
        "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
    },
    "floats that are not of 64 bits": {
        "f90000",
        "f98000",
        "f93c00",
        "f93e00",
        "f97bff",
        "fa47c35000",
        "fa7f7fffff",
        "f90001",
        "f90400",
        "f9c400",
    },
    "infinities and nan that are not of 16 bits": {
        "fa7f800000",
        "fa7fc00000",
        "faff800000",
        "fb7ff0000000000000",
        "fb7ff8000000000000",
        "fbfff0000000000000",
    },
    "a long form": {"f818"},
    "a map whose keys are no strings": {"a201020304"},
    "indefinite lengths": {
        "5f42010243030405ff",
        "7f657374726561646d696e67ff",
        "9fff",
        "9f018202039f0405ffff",
        "9f01820203820405ff",
        "83018202039f0405ff",
        "83019f0203ff820405",
        "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
        "bf61610161629f0203ffff",
        "826161bf61626163ff",
        "bf6346756ef563416d7421ff",
    },
}


def entries() -> list[external.Case]:
    return list(external.load("cbor/appendix_a.json"))


def test_which_entries_are_accepted() -> None:
    refused = {each for group in REFUSED.values() for each in group}
    counts = {"accepted": 0, "refused": 0}
    for entry in entries():
        data = bytes.fromhex(entry["hex"])
        if entry["hex"] in refused:
            with pytest.raises(MalformedMessage):
                cbor.decode(data)
            counts["refused"] += 1
            continue
        value = cbor.decode(data)
        assert cbor2.dumps(value) == data
        assert entry["roundtrip"], entry["hex"]
        if "decoded" in entry:
            assert value == entry["decoded"], entry["hex"]
            assert type(value) is type(entry["decoded"]), entry["hex"]
        counts["accepted"] += 1
    assert counts == {"accepted": 45, "refused": len(refused)}


def test_the_reasons_are_what_the_bytes_show() -> None:
    major = {each: int(each[:2], 16) >> 5 for group in REFUSED.values() for each in group}
    assert {major[each] for each in REFUSED["tags"]} == {6}
    assert all(each.endswith("ff") or "9f" in each for each in REFUSED["indefinite lengths"])
    for each in REFUSED["floats that are not of 64 bits"]:
        assert math.isfinite(float(str(cbor2.loads(bytes.fromhex(each)))))


def test_no_field_takes_what_we_never_send() -> None:
    """Of the accepted entries, integers below zero, floats, booleans and the like end at the field."""
    odd = 0
    for entry in entries():
        data = bytes.fromhex(entry["hex"])
        try:
            value = cbor.decode(data)
        except MalformedMessage:
            continue
        major = data[0] >> 5
        if major in {0, 2, 3, 4} or entry["hex"] == "f6":
            continue
        odd += 1
        for read in ("uint", "optional_uint", "array"):
            with pytest.raises(MalformedMessage):
                getattr(Fields([value], 1, "an example"), read)("it", 2**64)
        with pytest.raises(MalformedMessage):
            Fields([value], 1, "an example").text("it")
        with pytest.raises(MalformedMessage):
            Fields([value], 1, "an example").blob_between("it", 0, 100)
        with pytest.raises(MalformedMessage):
            Fields(value, 1, "an example")
    assert odd == 19

"""The examples of RFC 8949 appendix A: exactly which of them the strict decoder takes.

Source: vectors/published/rfc8949_appendix_a.json, which sorts them in three:

    sent                   what our messages are made of; decodes to its value, and the value encodes to it
    passed to the fields   decodes, and every field refuses it where it is read (tests/wire/test_fields.py)
    refused                does not decode, for the reason given

The fields' share is what cbor2 itself would write the same way: integers below zero, booleans, undefined,
simple values, maps with string keys, and the shortest of some floats.
"""

import cbor2
import pytest

from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock.errors import MalformedMessage
from support import published
from support.external import Case

EXAMPLES = published.load("rfc8949_appendix_a")
SENT = EXAMPLES["sent"]
PASSED = EXAMPLES["passed_to_the_fields"]
REFUSED = [(group["reason"], case) for group in EXAMPLES["refused"] for case in group["cases"]]


def name(case: object) -> str | None:
    """Return the bytes of an example, under which it is run."""
    return str(case["hex"]) if isinstance(case, dict) else None


def value_of(case: Case) -> cbor.Value:
    """Return what an example decodes to: a byte string is in hex in a JSON file."""
    if "bytes" in case:
        return bytes.fromhex(case["bytes"])
    value: cbor.Value = case["value"]
    return value


def test_the_appendix_is_whole() -> None:
    every = [case["hex"] for case in SENT + PASSED] + [case["hex"] for _, case in REFUSED]
    assert len(every) == len(set(every)) == 81
    assert (len(SENT), len(PASSED), len(REFUSED)) == (25, 20, 36)


@pytest.mark.parametrize("case", SENT, ids=name)
def test_what_we_send_has_this_one_encoding(case: Case) -> None:
    data, value = bytes.fromhex(case["hex"]), value_of(case)
    decoded = cbor.decode(data)
    assert decoded == value
    assert type(decoded) is type(value)
    assert cbor.encode(value) == data
    assert data[0] >> 5 in {0, 2, 3, 4} or value is None


@pytest.mark.parametrize("case", PASSED, ids=name)
def test_no_field_takes_what_we_never_send(case: Case) -> None:
    data = bytes.fromhex(case["hex"])
    value = cbor.decode(data)
    assert cbor2.dumps(value) == data
    if type(value) is list:
        [_, value] = value  # the map is the second element
    for read in ("uint", "optional_uint", "array"):
        with pytest.raises(MalformedMessage):
            getattr(Fields([value], 1, "an example"), read)("it", 2**64)
    with pytest.raises(MalformedMessage):
        Fields([value], 1, "an example").text("it")
    with pytest.raises(MalformedMessage):
        Fields([value], 1, "an example").blob_between("it", 0, 100)
    with pytest.raises(MalformedMessage):
        Fields(value, 1, "an example")


@pytest.mark.parametrize(("reason", "case"), REFUSED, ids=name)
def test_the_rest_is_refused(reason: str, case: Case) -> None:
    data = bytes.fromhex(case["hex"])
    # The reason is what the bytes show.
    head, major = data[0], data[0] >> 5
    shown = {
        "a tag": major == 6,
        "a finite float of 16 or 32 bits": head in {0xF9, 0xFA} and not case["comment"][-1].isalpha(),
        "an infinity or nan of 32 or 64 bits": head in {0xFA, 0xFB} and case["comment"][-1].isalpha(),
        "a map with keys that are no strings": major == 5 and data[1] >> 5 != 3,
        "an indefinite length": data[-1] == 0xFF or b"\x9f" in data,
    }
    assert shown[reason]
    cbor2.loads(data)  # well-formed: it is we who are strict
    with pytest.raises(MalformedMessage):
        cbor.decode(data)

"""JSON that every program reads as the same value: DOC-100, DOC-101, DOC-102."""

import json
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._wire import json_text
from letterlock._wire.json_limits import MAX_JSON_DEPTH, MAX_JSON_NAME, MAX_JSON_TEXT
from letterlock._wire.json_text import decode_json, decode_scalar, encode_json, encode_scalar
from letterlock.errors import MalformedMessage, UsageError
from support.fhir_samples import OBSERVATION, PATIENT, PRESCRIPTION
from support.json_values import DECIMALS, INTEGERS, OBJECTS, TEXTS

DEEP: Final = b'{"a":' * MAX_JSON_DEPTH + b"1" + b"}" * MAX_JSON_DEPTH

READ: Final[dict[bytes, Any]] = {
    b"{}": {},
    b' { "a" : [ 1 , -2 , true , null ] } \n': {"a": [1, -2, True, None]},
    b'{"a":1.50,"b":-0.000000000000000000012}': {
        "a": Decimal("1.50"),
        "b": Decimal("-0.000000000000000000012"),
    },
    b'{"a":0.0}': {"a": Decimal("0.0")},
    b'{"a":9007199254740991,"b":-9007199254740991}': {"a": 2**53 - 1, "b": 1 - 2**53},
    b'{"":"\\u00e9\\ud83d\\ude00\\/\\u007f"}': {"": "\u00e9\U0001f600/\x7f"},
    b'{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\"[[["}': {"a": "[" * 36 + '"[[['},
    DEEP: json.loads(DEEP),
}

REFUSED: Final[dict[str, bytes]] = {
    "a member twice": b'{"dose":1,"dose":2}',
    "a member twice, one escaped": b'{"dose":1,"d\\u006fse":2}',
    "a member twice, deep": b'{"a":[{"b":1,"c":{},"b":1}]}',
    "__proto__": b'{"__proto__":{}}',
    "__proto__, escaped and deep": b'{"a":[{"\\u005f_proto__":1}]}',
    "10,001 fields": b'{"a":[' + b"0," * 9_999 + b'{}],"b":[]}',
    "no object: an array": b"[]",
    "no object: a string": b'"a"',
    "no object: a number": b"1",
    "no object: null": b"null",
    "nothing": b"",
    "spaces": b"  ",
    "two objects": b"{}{}",
    "text behind it": b"{} x",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "latin-1": b'{"a":"\xe9"}',
    "utf-16": '{"a":1}'.encode("utf-16"),
    "an overlong encoding": b'{"a":"\xc0\x80"}',
    "a surrogate in utf-8": b'{"a":"\xed\xa0\x80"}',
    "half a pair": b'{"a":"\\ud800"}',
    "the other half": b'{"a":"\\udc00x"}',
    "a pair the wrong way round": b'{"a":"\\ude00\\ud83d"}',
    "half a pair as a name": b'{"\\ud800":1}',
    "u+0000": b'{"a":"x\\u0000y"}',
    "u+0000 in a name": b'{"x\\u0000":1}',
    "a control character": b'{"a":"\n"}',
    "nan": b'{"a":NaN}',
    "infinity": b'{"a":Infinity}',
    "minus infinity": b'{"a":-Infinity}',
    "an exponent": b'{"a":1e3}',
    "an exponent of a fraction": b'{"a":1.5E-3}',
    "more than binary64 holds": b'{"a":1e400}',
    "minus zero": b'{"a":-0}',
    "minus zero with a fraction": b'{"a":-0.00}',
    "2^53": b'{"a":9007199254740992}',
    "-2^53": b'{"a":-9007199254740992}',
    "an integer of 5,000 digits": b'{"a":' + b"9" * 5000 + b"}",
    "16 digits": b'{"a":1.234567890123456}',
    "16 digits with the zeros": b'{"a":1.000000000000000}',
    "25 characters": b'{"a":0.00000000000000000000001}',
    "a leading zero": b'{"a":01}',
    "a plus": b'{"a":+1}',
    "no digit before the point": b'{"a":.5}',
    "no digit behind the point": b'{"a":1.}',
    "hexadecimal": b'{"a":0x10}',
    "a comma too many": b'{"a":1,}',
    "a comment": b'{"a":1/**/}',
    "single quotes": b"{'a':1}",
    "a name that is no string": b"{1:1}",
    "an open string": b'{"a":"x',
    "an open object": b'{"a":1',
    "33 deep": b'{"a":' + DEEP + b"}",
    "a million deep": b"[" * 1_000_000,
    "deep behind a string": b'{"s":"\\\\","a":' + b"[" * 40 + b"]" * 40 + b"}",
    "a long name": b'{"' + b"n" * (MAX_JSON_NAME + 1) + b'":1}',
    "1 MiB and one": b'{"a":"' + b"x" * (MAX_JSON_TEXT - 7) + b'"}',
}


@pytest.mark.parametrize("data", READ)
def test_what_is_read(data: bytes) -> None:
    found = decode_json(data)
    assert found == READ[data]
    assert decode_json(encode_json(found)) == found
    assert [type(each) for each in found.values()] == [type(each) for each in READ[data].values()]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        decode_json(REFUSED[name])
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_text_of_one_mebibyte_is_read() -> None:
    assert len(decode_json(b'{"a":"' + b"x" * (MAX_JSON_TEXT - 8) + b'"}')["a"]) == MAX_JSON_TEXT - 8


def test_only_bytes_are_read() -> None:
    for wrong in ('{"a":1}', bytearray(b"{}"), None):
        with pytest.raises(UsageError):
            decode_json(wrong)  # type: ignore[arg-type]


def test_open_strings_are_looked_at_once() -> None:
    """Looking from each of a million quotes to the end would take minutes."""
    assert len(json_text._BRACKETS.findall('{"' + '\\"' * 1000)) == 2


class Text(str):
    """A string of another type, as some frameworks have them."""

    __slots__ = ()


VALUES: Final[dict[str, Any]] = {
    "nan": float("nan"),
    "infinity": float("inf"),
    "a sum that has 17 digits": 0.1 + 0.2,
    "a float with an exponent": 1e22,
    "a small float": 1e-7,
    "minus zero": -0.0,
    "an integer above 2^53": 2**53,
    "a long integer": 10**5000,
    "a decimal of 16 digits": Decimal("1.234567890123456"),
    "a decimal without bound": Decimal("1E+999999999"),
    "a small decimal": Decimal("1E-999999999"),
    "nan as a decimal": Decimal("NaN"),
    "signalling": Decimal("sNaN"),
    "minus zero as a decimal": Decimal("-0"),
    "bytes": b"x",
    "a tuple": (1, 2),
    "a set": {1},
    "an object of ours": object(),
    "a name that is no string": {1: 2},
    "a name that is null": {None: 2},
    "__proto__": {"__proto__": 1},
    "half a pair": "\ud800",
    "u+0000": "\0",
    "half a pair as a name": {"\udc00": 1},
    "complex": 1j,
}


@pytest.mark.parametrize("name", VALUES)
def test_values_that_are_refused(name: str) -> None:
    for value in ({"a": VALUES[name]}, {"a": [{"b": VALUES[name]}]}):
        with pytest.raises(UsageError) as caught:
            encode_json(value)
        assert caught.value.__cause__ is caught.value.__context__ is None


def test_values_that_are_no_object() -> None:
    wrong: tuple[Any, ...] = (None, [], "a", 1, [{}], ())
    for value in wrong:
        with pytest.raises(UsageError, match="is an object"):
            encode_json(value)


def test_values_with_too_many_fields() -> None:
    """`{}` and `[]` are fields too."""
    most: dict[str, Any] = {"a": [{}] * 9_999, "b": []}
    assert decode_json(encode_json(most)) == most
    with pytest.raises(UsageError, match="more than 10000 fields"):
        encode_json({**most, "c": 1})


def test_values_that_are_too_deep_or_too_long() -> None:
    whole: Any = 1
    for _ in range(MAX_JSON_DEPTH):
        whole = {"a": whole}
    assert decode_json(encode_json(whole)) == whole
    loop: list[Any] = []
    loop.append(loop)
    for wrong in ({"a": whole}, {"a": loop}, {"a": "x" * MAX_JSON_TEXT}):
        with pytest.raises(UsageError):
            encode_json(wrong)
    with pytest.raises(UsageError):
        encode_json({"n" * (MAX_JSON_NAME + 1): 1})


def test_canonical_text() -> None:
    """The order of names is that of the example in RFC 8785, section 3.2.3."""
    names = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    text = encode_json({name: at for at, name in reversed(list(enumerate(names)))})
    expected = '{"\\r":0,"1":1,"\u0080":2,"\u00f6":3,"\u20ac":4,"\U0001f600":5,"\ufb33":6}'
    assert text.decode() == expected
    escaped = encode_json({"a": '\x08\t\n\x0c\r"\\/\x1f\x7f\u2028é'})
    assert escaped == '{"a":"\\b\\t\\n\\f\\r\\"\\\\/\\u001f\x7f\u2028é"}'.encode()
    words = encode_json(
        {"b": [True, False, None, {}, []], "a": Text("x"), "c": [1.0, 6.3, Decimal("6.30"), 5]}
    )
    assert words == b'{"a":"x","b":[true,false,null,{},[]],"c":[1.0,6.3,6.30,5]}'


def test_resources_survive() -> None:
    for each in (PATIENT, PRESCRIPTION):
        assert decode_json(encode_json(each)) == json.loads(json.dumps(each))
    observation = decode_json(OBSERVATION)
    assert observation["valueQuantity"]["value"] == Decimal("6.30")
    assert b'"value":6.30' in encode_json(observation)


SCALARS: Final = [
    " 1", "1 ", "1\n", "+1", "-0", "00", "1e1", "1.", ".1", "0x1", "٣", "1_0", "NaN", "nul", "True", "", " ",
    '"a', 'a"', '"a" ',
    '"\\u0061"', '"\\/"', '"\\u001F"', '"\n"', '"\\u0000"', '"\\ud800"', '"\ud800"', '"\0"',
    "{ }", '{"a":1}', "[1]", "[[]]", "9007199254740992", "1.000000000000000", "'a'", '"a""b"',
    '""""',
]  # fmt: skip


@pytest.mark.parametrize("text", SCALARS)
def test_scalars_that_are_refused(text: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        decode_scalar(text)
    assert caught.value.__context__ is None


def test_scalars_that_are_no_scalars() -> None:
    for value in ({"a": 1}, [1], b"", object()):
        with pytest.raises(UsageError):
            encode_scalar(value)  # type: ignore[arg-type]


# --- any value, any bytes ---------------------------------------------------------------------------------


@given(OBJECTS)
@settings(max_examples=80)
def test_every_object_is_read_as_it_was(value: dict[str, Any]) -> None:
    text = encode_json(value)
    assert decode_json(text) == value
    assert encode_json(decode_json(text)) == text
    # A program with binary64 alone reads the same numbers.
    assert json.loads(text) == json.loads(json.dumps(value, default=float))


@given(DECIMALS)
def test_binary64_gives_back_every_decimal(value: Decimal) -> None:
    assert Decimal(repr(float(encode_scalar(value)))) == value


@given(
    st.binary(max_size=40) | st.text('{}[]",:\\u0123456789.-+eE truefalsnl_po', max_size=40).map(str.encode)
)
@settings(max_examples=150)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = decode_json(b'{"a":' + data + b"}")
    except MalformedMessage:
        return
    assert decode_json(encode_json(value)) == value


@given(TEXTS | INTEGERS.map(str) | st.text(max_size=6))
def test_a_scalar_has_one_text(text: str) -> None:
    try:
        value = decode_scalar(text)
    except MalformedMessage:
        return
    assert encode_scalar(value) == text

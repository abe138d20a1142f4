"""JSON that every program reads as the same value, and the one text of each value.

    text      RFC 8259 in UTF-8: an object, at most 1 MiB, nested at most 32 deep                  [DOC-100]
    scalar    null / true / false / number / string / {} / []
    number    an integer of up to 2^53 - 1, or a decimal of up to 15 digits; no exponent, no -0    [DOC-101]
    canonical RFC 8785 (JCS), except that numbers stay as they are written                         [DOC-102]

A number with a fraction is a `Decimal`, because 1.50 is another measurement than 1.5.

Not here: where the fields of a text are (json_fields.py).
"""

import json
import re
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeAlias, cast

from letterlock._wire.json_limits import (
    MAX_JSON_DEPTH,
    MAX_JSON_DIGITS,
    MAX_JSON_FIELDS,
    MAX_JSON_INTEGER,
    MAX_JSON_NAME,
    MAX_JSON_NUMBER,
    MAX_JSON_TEXT,
)
from letterlock.errors import MalformedMessage, UsageError

JsonScalar: TypeAlias = str | int | float | Decimal | bool | None
"""A value without parts. Reading gives `Decimal` for numbers with a fraction, and never `float`."""

JsonValue: TypeAlias = "JsonScalar | list[JsonValue] | dict[str, JsonValue]"
"""Any value of JSON."""

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object: its values are str, int, float, Decimal, bool, None, list and dict."""

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_WORDS: Final[dict[str, JsonValue]] = {"null": None, "true": True, "false": False}


class _Wrong(Exception):
    """What is wrong with a value. It never leaves this module."""


def decode_json(data: bytes) -> JsonObject:
    """Return the object that a JSON text of at most 1 MiB holds. [DOC-100]

    Raises MalformedMessage for what programs read differently: a member that occurs twice, numbers that
    binary64 does not hold, half a surrogate pair, U+0000; and for more than the limits. Raises UsageError if
    `data` is not bytes.
    """
    if type(data) is not bytes:
        raise UsageError(f"a json text is bytes in utf-8, not {type(data).__name__}")
    if len(data) > MAX_JSON_TEXT:
        raise MalformedMessage(
            f"a json text of {len(data)} bytes; at most {MAX_JSON_TEXT}: seal it as a file"
        )
    value, problem = _parsed(data)
    if problem is not None:
        raise MalformedMessage(f"{problem}: correct the json text")
    return cast("JsonObject", value)


def encode_json(value: JsonObject) -> bytes:
    """Return the canonical text of an object, in UTF-8. [DOC-102]

    Raises UsageError for what `decode_json` would not read, and for values that are not of JSON.
    """
    text, problem = _encoded(value, whole=True)
    if problem is not None:
        raise UsageError(f"{problem}: correct the value")
    data = text.encode()
    if len(data) > MAX_JSON_TEXT:
        raise UsageError(f"a json text of {len(data)} bytes; at most {MAX_JSON_TEXT}: seal it as a file")
    return data


def encode_scalar(value: JsonValue) -> str:
    """Return the canonical text of a scalar, or of an empty object or array. Raises UsageError."""
    text, problem = _encoded(value, whole=False)
    if problem is not None:
        raise UsageError(f"{problem}: correct the value")
    return text


def decode_scalar(text: str) -> JsonValue:
    """Read what `encode_scalar` gives, and nothing else. Raises MalformedMessage."""
    value, problem = _parsed_scalar(text)
    if problem is not None:
        raise MalformedMessage(f"{problem}: discard the document")
    return value


def member_key(name: str) -> bytes:
    """Return what members are sorted by: their names in UTF-16, as RFC 8785 says. [DOC-102]"""
    return name.encode("utf-16-be")


def check_name(name: str) -> str | None:
    """Return what is wrong with the name of a member, or None."""
    try:
        _checked_name(name)
    except _Wrong as wrong:
        return str(wrong)
    return None


# --- reading ----------------------------------------------------------------------------------------------


def _parsed(data: bytes) -> tuple[JsonValue, str | None]:
    """Return the value and None, or None and what is wrong.

    The errors of the standard library quote the text, so they must not become the context of ours.
    """
    try:
        text = data.decode()
        _check_depth(text)
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_constant,
        )
        if type(value) is not dict:
            return None, "a json document is an object"
        _check(value)
        _check_fields(value)
    except _Wrong as wrong:
        return None, str(wrong)
    except (ValueError, RecursionError):
        return None, "this is not json in utf-8"
    return value, None


def _check_depth(text: str) -> None:
    """Count brackets outside of strings, before anything is built."""
    depth = 0
    for found in _BRACKETS.finditer(text):
        first = text[found.start()]
        if first in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                raise _Wrong(f"nested deeper than {MAX_JSON_DEPTH}")
        elif first != '"':
            depth -= 1


def _object(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Wrong("a member occurs twice in an object")
    return found


def _integer(text: str) -> int:
    # Checked before the conversion: its time grows with the square of the digits.
    if len(text) > MAX_JSON_NUMBER or text == "-0":
        raise _Wrong("a number is minus zero, or too long")
    return _checked_integer(int(text))


def _checked_integer(value: int) -> int:
    if abs(value) > MAX_JSON_INTEGER:
        raise _Wrong("an integer is greater than 2^53 - 1; write it as a string")
    return value


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise _Wrong("a number has an exponent; write it out")
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    if len(text) > MAX_JSON_NUMBER or len(digits) > MAX_JSON_DIGITS:
        raise _Wrong(f"a number has more than {MAX_JSON_DIGITS} digits; round it, or write it as a string")
    if not digits and text[0] == "-":
        raise _Wrong("a number is minus zero")
    return Decimal(text)


def _constant(_: str) -> NoReturn:
    raise _Wrong("a number is infinite or none")


def _check(value: JsonValue) -> None:
    """Check names and strings. The depth was checked before, so this recursion ends."""
    if type(value) is str:
        _checked_string(value)
    elif type(value) is list:
        for each in value:
            _check(each)
    elif type(value) is dict:
        for name, each in value.items():
            _checked_name(name)
            _check(each)


def _check_fields(value: JsonValue) -> None:
    if _field_count(value) > MAX_JSON_FIELDS:
        raise _Wrong(f"there are more than {MAX_JSON_FIELDS} fields")


def _field_count(value: JsonValue) -> int:
    if type(value) is list and value:
        return sum(map(_field_count, value))
    return sum(map(_field_count, value.values())) if type(value) is dict and value else 1


def _parsed_scalar(text: str) -> tuple[JsonValue, str | None]:
    if text in _WORDS:
        return _WORDS[text], None
    if text == "{}":
        return {}, None
    if text == "[]":
        return [], None
    try:
        value = _string(text) if text[:1] == '"' else _number(text)
    except _Wrong as wrong:
        return None, str(wrong)
    except (ValueError, RecursionError):
        value = None
    if value is None or _scalar_text(value) != text:
        return None, "a field is not the canonical text of a value"
    return value, None


def _string(text: str) -> str | None:
    value: JsonValue = json.loads(text)
    return _checked_string(value) if type(value) is str else None


def _number(text: str) -> int | Decimal | None:
    if _INTEGER.fullmatch(text):
        return _integer(text)
    return _decimal(text) if _DECIMAL.fullmatch(text) else None


def _checked_string(value: str) -> str:
    # Half a surrogate pair has no UTF-8, and some programs end a text at U+0000. DOC-101
    if "\0" in value:
        raise _Wrong("a string holds u+0000")
    try:
        value.encode()
    except UnicodeEncodeError:
        pass
    else:
        return value
    raise _Wrong("a string holds half a surrogate pair")


def _checked_name(name: str) -> None:
    if len(_checked_string(name).encode()) > MAX_JSON_NAME:
        raise _Wrong(f"the name of a member has more than {MAX_JSON_NAME} bytes")
    if name == "__proto__":
        raise _Wrong("a member has a name that makes no member when JavaScript assigns it")


# --- writing ----------------------------------------------------------------------------------------------


def _encoded(value: JsonValue, *, whole: bool) -> tuple[str, str | None]:
    """Return the text of an object, or of a scalar, and None; or nothing and what is wrong."""
    try:
        return (_object_text(value) if whole else _scalar_text(value)), None
    except _Wrong as wrong:
        return "", str(wrong)


def _object_text(value: JsonValue) -> str:
    if type(value) is not dict:
        raise _Wrong("a json document is an object")
    text = _text(value, 0)
    _check_fields(value)
    return text


def _text(value: JsonValue, depth: int) -> str:
    if depth > MAX_JSON_DEPTH or (depth == MAX_JSON_DEPTH and type(value) in {list, dict}):
        raise _Wrong(f"nested deeper than {MAX_JSON_DEPTH}")
    if type(value) is list:
        return "[" + ",".join([_text(each, depth + 1) for each in value]) + "]"
    if type(value) is dict:
        for name in value:
            if type(name) is not str:
                raise _Wrong("the name of a member is no string")
            _checked_name(name)
        names = sorted(value, key=member_key)
        members = [f"{_quoted(name)}:{_text(value[name], depth + 1)}" for name in names]
        return "{" + ",".join(members) + "}"
    return _scalar_text(value)


def _scalar_text(value: JsonValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(_checked_string(value))
        case int():
            return str(_checked_integer(value))
        case float() | Decimal():
            return _number_text(value)
        case {} | [] if not value:
            return "{}" if type(value) is dict else "[]"
        case _:
            raise _Wrong(f"a value of type {type(value).__name__} is no field of json")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number_text(value: float | Decimal) -> str:
    """Return a number as it was written: a decimal keeps its zeros, a float gets its shortest digits."""
    text = repr(value) if type(value) is float else _decimal_text(Decimal(value))
    if _INTEGER.fullmatch(text):
        _integer(text)
    else:
        _decimal(text)
    return text


def _decimal_text(value: Decimal) -> str:
    exponent = value.as_tuple().exponent
    # `format` writes a million zeros for a decimal that is itself a short text.
    if not isinstance(exponent, int) or max(abs(value.adjusted()), -exponent) > MAX_JSON_NUMBER:
        raise _Wrong(f"a number is infinite or none, or has more than {MAX_JSON_NUMBER} characters")
    return format(value, "f")

"""Texts: what every program reads alike, and the one text of each value."""

from typing import Final

from generators.support.family import Family, Json

READ: Final = {
    "an object without members": (b"{}", "{}"),
    "spaces, tabs and line ends": (b' \t\r\n{ "a" :\n[ 1 ,\t2 ] }\r\n', '{"a":[1,2]}'),
    "members in another order": (b'{"b":1,"a":2,"":3}', '{"":3,"a":2,"b":1}'),
    "names in UTF-16: a pair before U+FB01": (
        '{"\ufb01":1,"\U0001f600":2,"z":3}'.encode(), '{"z":3,"\U0001f600":2,"\ufb01":1}'
    ),
    "names that begin with another": (b'{"ab":1,"a":2,"a\\u0001":3}', '{"a":2,"a\\u0001":3,"ab":1}'),
    "true, false and null": (b'{"a":[true,false,null]}', '{"a":[true,false,null]}'),
    "empty objects and arrays": (b'{"a":{},"b":[[],{ }]}', '{"a":{},"b":[[],{}]}'),
    "escapes that are not needed": (b'{"a":"\\u0061\\/\\u00e9"}', '{"a":"a/\u00e9"}'),
    "escapes that are needed": (
        b'{"a":"\\u0008\\u0009\\u000a\\u000c\\u000d\\u0022\\u005c\\u001f"}',
        '{"a":"\\b\\t\\n\\f\\r\\"\\\\\\u001f"}',
    ),
    "an escaped surrogate pair": (b'{"a":"\\ud83d\\ude00"}', '{"a":"\U0001f600"}'),
    "U+007F, U+2028 and a noncharacter": (
        '{"a":"\x7f\u2028\uffff"}'.encode(), '{"a":"\x7f\u2028\uffff"}'
    ),
    "a composed and a decomposed name": ('{"\u00e9":1,"e\u0301":2}'.encode(), '{"e\u0301":2,"\u00e9":1}'),
    "zeros at the end of a number": (b'{"a":1.50,"b":0.0,"c":-0.10}', '{"a":1.50,"b":0.0,"c":-0.10}'),
    "the greatest integers": (
        b'{"a":9007199254740991,"b":-9007199254740991}', '{"a":9007199254740991,"b":-9007199254740991}'
    ),
    "15 digits": (b'{"a":-0.123456789012345}', '{"a":-0.123456789012345}'),
    "24 characters": (b'{"a":-0.000000000000000000012}', '{"a":-0.000000000000000000012}'),
    "brackets in strings": (
        b'{"a":"' + b"[{" * 40 + b'\\"}"}', '{"a":"' + "[{" * 40 + '\\"}"}'
    ),
    "32 arrays and objects inside each other": (
        b'{"a":' + b"[" * 31 + b"]" * 31 + b"}", '{"a":' + "[" * 31 + "]" * 31 + "}"
    ),
    "a name of 256 bytes": (
        b'{"' + "\u00e9".encode() * 128 + b'":1}', '{"' + "\u00e9" * 128 + '":1}'
    ),
    "names that objects have in JavaScript": (
        b'{"constructor":1,"toString":2,"proto":3}', '{"constructor":1,"proto":3,"toString":2}'
    ),
    "10,000 fields": (b'{"a":[' + b"0," * 9_999 + b"{}]}", '{"a":[' + "0," * 9_999 + "{}]}"),
}  # fmt: skip

REFUSED: Final[dict[str, dict[str, bytes]]] = {
    "DOC-100 Member": {
        "a member twice": b'{"dose":1,"dose":2}',
        "a member twice with one value": b'{"dose":1,"dose":1}',
        "a member twice, one escaped": b'{"dose":1,"d\\u006fse":2}',
        "a member twice, deep": b'{"a":[{"b":1,"c":{},"b":1}]}',
        "an empty name twice": b'{"":1,"":2}',
        "__proto__": b'{"__proto__":1}',
        "__proto__ in an array, escaped": b'{"a":[{"\\u005f_proto__":{}}]}',
    },
    "DOC-100 Limit": {
        "33 arrays and objects inside each other": b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
        "33 objects inside each other": b'{"a":' * 32 + b"{}" + b"}" * 32,
        "10,001 fields": b'{"a":[' + b"0," * 9_999 + b'{}],"b":[]}',
        "a name of 257 bytes": b'{"a' + "\u00e9".encode() * 128 + b'":1}',
        "deep, and without an end": b'{"a":' * 40,
    },
    "DOC-101 Number": {
        "2^53": b'{"a":9007199254740992}',
        "-2^53": b'{"a":-9007199254740992}',
        "16 digits with a fraction": b'{"a":1.234567890123456}',
        "16 digits of which the last are zeros": b'{"a":1.000000000000000}',
        "16 digits before the point": b'{"a":1234567890123456.0}',
        "25 characters": b'{"a":-0.0000000000000000000012}',
        "25 digits": b'{"a":1000000000000000000000000}',
        "an exponent": b'{"a":1e2}',
        "an exponent with a sign": b'{"a":1.5E-1}',
        "an exponent of a zero": b'{"a":0e0}',
        "minus zero": b'{"a":-0}',
        "minus zero with a fraction": b'{"a":-0.00}',
    },
    "DOC-101 NoJson": {
        "a zero in front": b'{"a":01}',
        "a zero in front of a fraction": b'{"a":-00.5}',
        "a plus": b'{"a":+1}',
        "a point at the end": b'{"a":1.}',
        "a point at the beginning": b'{"a":.5}',
        "a minus alone": b'{"a":-}',
        "two points": b'{"a":1.2.3}',
        "a number in hexadecimal": b'{"a":0x10}',
        "NaN": b'{"a":NaN}',
        "Infinity": b'{"a":-Infinity}',
        "a digit that is not ASCII": '{"a":\u0661}'.encode(),
    },
    "DOC-101 Text": {
        "the first half of a pair": b'{"a":"\\ud800"}',
        "the second half of a pair": b'{"a":"\\udc00x"}',
        "a pair the wrong way round": b'{"a":"\\ude00\\ud83d"}',
        "two first halves": b'{"a":"\\ud83d\\ud83d\\ude00"}',
        "half a pair in a name": b'{"\\ud800":1}',
        "half a pair in UTF-8": b'{"a":"\xed\xa0\x80"}',
        "U+0000": b'{"a":"x\\u0000y"}',
        "U+0000 in a name": b'{"x\\u0000":1}',
        "a byte of zero": b'{"a":"\x00"}',
    },
    "DOC-100 Text": {
        "a line end in a string": b'{"a":"\n"}',
        "a tab in a name": b'{"\t":1}',
        "Latin-1": b'{"a":"\xe9"}',
        "an overlong encoding": b'{"a":"\xc0\x80"}',
        "a code point above U+10FFFF": b'{"a":"\xf4\x90\x80\x80"}',
        "a byte of UTF-8 missing": b'{"a":"\xe2\x82"}',
        "UTF-16": '{"a":1}'.encode("utf-16-le"),
        "a byte order mark": b"\xef\xbb\xbf{}",
        "an escape that is none": b'{"a":"\\x41"}',
        "an escape of three digits": b'{"a":"\\u041"}',
        "an escape of other digits": b'{"a":"\\u00g1"}',
    },
    "DOC-100 NoJson": {
        "nothing": b"",
        "spaces": b" \n",
        "an array": b"[]",
        "a string": b'"a"',
        "a number": b"1",
        "null": b"null",
        "two objects": b"{}{}",
        "something behind it": b"{} x",
        "a byte of zero behind it": b"{}\0",
        "no end": b'{"a":1',
        "an end too many": b'{"a":1}}',
        "another bracket at the end": b'{"a":[1}}',
        "a comma at the end of an object": b'{"a":1,}',
        "a comma at the end of an array": b'{"a":[1,]}',
        "a comma at the beginning": b'{,"a":1}',
        "no comma": b'{"a":1 "b":2}',
        "no colon": b'{"a" 1}',
        "a name without quotes": b"{a:1}",
        "single quotes": b"{'a':1}",
        "a number as a name": b"{1:1}",
        "a name without a value": b'{"a":}',
        "a comment": b'{"a":1} // b',
        "True": b'{"a":True}',
        "undefined": b'{"a":undefined}',
        "another space": '{"a":\u00a01}'.encode(),
        "a vertical tab": b'{"a":\x0b1}',
        "a string without an end": b'{"a":"b}',
    },
}


def given(text: bytes) -> Json:
    """Return the input of json.canonical."""
    return {"text": text.hex()}


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("json.canonical", "texts that every program reads alike")
    for comment, (text, canonical) in READ.items():
        group.valid(comment, given(text), rules=["DOC-102"], output={"text": canonical})
    group = family.group("json.canonical", "texts that are refused")
    for heading, texts in REFUSED.items():
        rule, flag = heading.split()
        for comment, text in texts.items():
            group.invalid(comment, given(text), "MalformedMessage", flags=[flag], rules=[rule])

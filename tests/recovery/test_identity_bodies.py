"""The bodies of identity checks: what is read, and what is refused."""

from typing import Any, Final

import cbor2
import pytest

from letterlock._wire.relay_body import RelayBody
from letterlock.errors import MalformedMessage, UnsupportedVersion, UsageError
from letterlock.recovery import BindIdentity, Challenged, Identify, Prove, Proven

HASH: Final = bytes(range(32))
BODIES: Final[list[tuple[type[RelayBody], list[Any]]]] = [
    (Identify, [1, 36, "mail", b"anna@example.org"]),
    (Identify, [1, 36, "a-1", None]),
    (Challenged, [1, b"c", 0]),
    (Challenged, [1, None, 2**32 - 1]),
    (Prove, [1, 37, b"c" * 512, b"p" * 8192]),
    (Proven, [1, b"p", HASH, 0]),
    (Proven, [1, b"p", None, 0]),
    (Proven, [1, None, None, 3]),
    (BindIdentity, [1, 40, HASH, b"p", 1, bytes(1952), bytes(3373)]),
]
WRONG: Final[list[Any]] = [-1, 2**64 - 1, 1.0, True, "", "X", "a" * 17, "a_", b"", bytes(9000), [], {}]


@pytest.mark.parametrize(("kind", "array"), BODIES)
def test_a_body_is_an_array(kind: type[RelayBody], array: list[Any]) -> None:
    body = kind.decode(cbor2.dumps(array))
    assert body.encode() == cbor2.dumps(array)


@pytest.mark.parametrize(("kind", "array"), BODIES)
def test_an_element_of_another_form_is_refused(kind: type[RelayBody], array: list[Any]) -> None:
    for at in range(len(array)):
        for wrong in WRONG:
            with pytest.raises((MalformedMessage, UnsupportedVersion)):
                kind.decode(cbor2.dumps([*array[:at], wrong, *array[at + 1 :]]))


@pytest.mark.parametrize(("kind", "array"), BODIES)
def test_elements_more_or_less_are_refused(kind: type[RelayBody], array: list[Any]) -> None:
    data = cbor2.dumps(array)
    for wrong in (cbor2.dumps(array[:-1]), cbor2.dumps([*array, 0]), data[:-1], data + b"\0", b""):
        with pytest.raises(MalformedMessage):
            kind.decode(wrong)


@pytest.mark.parametrize(
    "array",
    [[1, None, HASH, 1], [1, b"p", HASH, 4], [1, b"p" * 513, None, 0], [1, b"p", HASH[1:], 0]],
)
def test_an_answer_that_contradicts_itself_is_refused(array: list[Any]) -> None:
    with pytest.raises(MalformedMessage):
        Proven.decode(cbor2.dumps(array))


def test_what_is_too_long_is_not_sent() -> None:
    with pytest.raises(UsageError):
        Identify("mail", bytes(2000)).encode()


@pytest.mark.parametrize(
    "body",
    [Identify("mail", b"anna@"), Challenged(b"anna@"), Prove(b"anna@", b"anna@"), Proven(b"anna@")],
)
def test_no_body_prints_an_identity_or_a_secret(body: RelayBody) -> None:
    assert "anna" not in repr(body)

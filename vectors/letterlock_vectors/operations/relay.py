"""relay.*: bodies that relays and clients send to each other; logins, tickets, tokens, account keys.

A body is shown by the fields of its class. An address is two fields, and so is the name of a shelf. A counter
of 63 bits is 8 bytes.
"""

import dataclasses
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, Final, cast

from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519PublicKey, Ed25519Seed
from letterlock._wire.address import Address
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_calls import CALLS
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_group import FollowFrame, GroupFrame, StoredText
from letterlock._wire.relay_login import (
    AuthenticateRequest,
    account_key,
    login_input,
    read_token_text,
    token_text,
)
from letterlock._wire.relay_mail import Delivery, MailFrame, read_frame, read_sent_frame
from letterlock._wire.relay_newer import newer_input
from letterlock._wire.relay_place import Step
from letterlock._wire.relay_shelf import ShelfFrame, ShelfKind, ShelfName, ShelveOutcome
from letterlock._wire.relay_ticket import Ticket
from letterlock.errors import MalformedMessage, UsageError
from letterlock_vectors.inputs import Input, Operation, Output, unhex
from letterlock_vectors.operations.bodies import body_of, shown_bytes

_WIDE: Final = {"counter", "highest", "size"}
"""Fields of 63 bits, which numbers in JSON may not hold."""

_ANSWERS: Final = {
    # Of two calls with the same answer the first one names it.
    each.answer: "done" if each.answer.FORM.elements == 1 else f"{each.name}-answer"
    for each in reversed(CALLS)
}
_NAMES: Final[Mapping[type[RelayBody], str]] = {
    **{each.request: each.name for each in CALLS},
    **_ANSWERS,
    ErrorAnswer: "error",
    FollowFrame: "follow-frame",
    GroupFrame: "group-frame",
    MailFrame: "mail-frame",
    ShelfFrame: "shelf-frame",
    Ticket: "ticket",
}
_KINDS: Final = {name: body for body, name in _NAMES.items()}
"""The bodies by the names of their rules in spec/relay.cddl."""


def _kind(given: Input) -> type[RelayBody]:
    kind = _KINDS.get(given.text("kind"))
    if kind is None:
        raise UsageError("`kind` must be a rule of spec/relay.cddl")
    return kind


# --- bodies as json ----------------------------------------------------------------------------------------


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return shown_bytes(value)
    if isinstance(value, tuple) and value and isinstance(value[0], ShelfName):
        name, parcel = cast("tuple[ShelfName, bytes]", value)
        return {**_shelf(name), "parcel": _shown(parcel)}
    if isinstance(value, tuple):
        return _shown_tuple(cast("tuple[object, ...]", value))
    if isinstance(value, Delivery):
        return _fields(value)
    return int(value) if isinstance(value, IntEnum) else value


def _shown_tuple(value: tuple[object, ...]) -> object:
    if isinstance(value, StoredText):
        return {**value._asdict(), "text": _shown(value.text)}
    return [_shown(each) for each in value]


def _shelf(name: ShelfName) -> Output:
    return {"kind": int(name.kind), "id": name.id.hex()}


def _fields(body: RelayBody | Delivery) -> Output:
    found: Output = {}
    for name in _types(type(body)):
        value = getattr(body, name)
        if isinstance(value, Address):
            found |= {"name": value.name, "device": value.device_id}
        elif isinstance(value, ShelfName):
            found |= _shelf(value)
        else:
            found[name] = value.to_bytes(8, "big").hex() if name in _WIDE else _shown(value)
    return found


def _types(kind: type[RelayBody | Delivery]) -> dict[str, Any]:
    """Return the fields of a body with their types; a body without fields is no dataclass."""
    if not dataclasses.is_dataclass(kind):
        return {}
    return {each.name: each.type for each in dataclasses.fields(kind)}


def _uint(given: Input, name: str) -> int:
    return int.from_bytes(given.sized(name, 8), "big") if name in _WIDE else given.number(name)


def _blobs(given: Input, name: str) -> tuple[bytes, ...]:
    return tuple(unhex(each, name) for each in given.items(name))


def _messages(given: Input, name: str) -> tuple[tuple[int, bytes], ...]:
    pairs = [cast("list[Any]", each) for each in given.items(name)]
    return tuple((device, unhex(message, name)) for device, message in pairs)


def _shelf_name(given: Input, _: str) -> ShelfName:
    kind = given.number("kind")
    if kind not in set(ShelfKind):
        raise UsageError("`kind` must be that of a shelf")
    return ShelfName(ShelfKind(kind), given.hex("id"))


def _parcels(given: Input, name: str) -> tuple[tuple[ShelfName, bytes], ...]:
    return tuple((_shelf_name(each, name), each.hex("parcel")) for each in given.nested_list(name))


def _texts(given: Input, name: str) -> tuple[StoredText, ...]:
    return tuple(
        StoredText(each.number("number"), each.number("time"), each.hex("text"))
        for each in given.nested_list(name)
    )


_READERS: Final[Mapping[Any, Callable[[Input, str], Any]]] = {
    Address: lambda given, _: Address(given.text("name"), given.number("device")),
    bool: Input.flag,
    bytes: Input.hex,
    bytes | None: Input.optional_hex,
    int: _uint,
    ShelfName: _shelf_name,
    RelayCode: lambda given, name: RelayCode(given.number(name)),
    Step: lambda given, name: Step(given.number(name)),
    str: Input.text,
    tuple[bytes, ...]: _blobs,
    tuple[bytes | None, ...]: lambda given, name: tuple(
        None if each is None else unhex(each, name) for each in given.items(name)
    ),
    tuple[Delivery, ...]: lambda given, name: tuple(
        _read(Delivery, each) for each in given.nested_list(name)
    ),
    tuple[int, ...]: lambda given, name: tuple(given.items(name)),
    tuple[tuple[int, bytes], ...]: _messages,
    tuple[tuple[ShelfName, bytes], ...]: _parcels,
    tuple[StoredText, ...]: _texts,
    tuple[ShelveOutcome, ...]: lambda given, name: tuple(
        ShelveOutcome(cast("int", each)) for each in given.items(name)
    ),
}


def _read(kind: type[Any], given: Input) -> Any:
    return kind(**{name: _READERS[type_](given, name) for name, type_ in _types(kind).items()})


# --- operations --------------------------------------------------------------------------------------------


def _decode(given: Input) -> Output:
    return _fields(_kind(given).decode(body_of(given)))


def _encode(given: Input) -> Output:
    kind = _kind(given)
    data = cast("RelayBody", _read(kind, given.nested("body"))).encode()
    try:
        kind.decode(data)
    except MalformedMessage as refused:
        raise UsageError(str(refused)) from None
    return {"data": data.hex()}


def _read_frame(given: Input) -> Output:
    return _shown_frame(read_frame(body_of(given)))


def _read_sent_frame(given: Input) -> Output:
    return _shown_frame(read_sent_frame(body_of(given)))


def _shown_frame(frame: RelayBody) -> Output:
    return {"kind": _NAMES[type(frame)], "body": _fields(frame)}


def _pair(given: Input) -> Ed25519KeyPair:
    return Ed25519KeyPair(Ed25519Seed(given.sized("seed", 32)))


def _sign_login(given: Input) -> Output:
    address = Address(given.text("name"), given.number("device"))
    signed = login_input(given.text("relay"), address, given.hex("challenge"), _uint(given, "counter"))
    return {"signed": signed.hex(), "signature": _pair(given).sign(signed).hex()}


def _sign_newer(given: Input) -> Output:
    address = Address(given.text("name"), given.number("device"))
    signed = newer_input(given.text("relay"), address, given.hex("challenge"), given.number("after"))
    return {"signed": signed.hex(), "signature": _pair(given).sign(signed).hex()}


def _verify_login(given: Input) -> Output:
    request = AuthenticateRequest.decode(given.hex("request"))
    signed = login_input(given.text("relay"), request.address, request.challenge, request.counter)
    Ed25519PublicKey(given.hex("key")).verify(signed, request.signature)
    return {}


def _sign_ticket(given: Input) -> Output:
    name, nonce, replace = given.text("name"), given.sized("nonce", 16), given.flag("may_replace")
    ticket = Ticket.sign(_pair(given), name, given.counter("not_after"), nonce, may_replace=replace)
    return {"ticket": ticket.encode().hex()}


def _verify_ticket(given: Input) -> Output:
    Ticket.decode(given.hex("ticket")).verify(Ed25519PublicKey(given.hex("key")))
    return {}


def _read_token(given: Input) -> Output:
    token = read_token_text(given.text("text"))
    if token is None:
        raise MalformedMessage("not the one text of a token")
    return {"token": token.hex()}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "relay.account_key": lambda given: {"key": account_key(given.text("name")).hex()},
    "relay.decode": _decode,
    "relay.encode": _encode,
    "relay.read_frame": _read_frame,
    "relay.read_sent_frame": _read_sent_frame,
    "relay.read_token": _read_token,
    "relay.sign_login": _sign_login,
    "relay.sign_newer": _sign_newer,
    "relay.sign_ticket": _sign_ticket,
    "relay.verify_login": _verify_login,
    "relay.verify_ticket": _verify_ticket,
    "relay.write_token": lambda given: {"text": token_text(given.hex("token"))},
}

"""Sessions of items."""

import hmac

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from generators.families.grants.scene import SESSION, SESSION_KEY
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.made_grants import session_commitment

ID = draw("an item", 16)
COMMITMENT = session_commitment(SESSION_KEY, SESSION)


def item(
    text: bytes,
    *,
    key: bytes = SESSION_KEY,
    id_: bytes = ID,
    begin: bytes = b"\1" + SESSION,
    commitment: bytes | None = None,
) -> bytes:
    """Return an item with a text that is padded already."""
    both = hmac.digest(key, b"letterlock-v1 item of a session" + id_, "sha512")
    head = begin + id_ + (both[32:] if commitment is None else commitment)
    return head + ChaCha20Poly1305(both[:32]).encrypt(bytes(12), text, head)


def padded(content: bytes) -> bytes:
    """Return a content with its padding."""
    return content + b"\x80" + bytes(-(len(content) + 1) % 32)


def given(sealed: bytes, key: bytes = SESSION_KEY, commitment: bytes = COMMITMENT) -> Json:
    """Return the input of item.open."""
    return {
        "key": key.hex(), "session": SESSION.hex(), "commitment": commitment.hex(), "item": sealed.hex(),
    }  # fmt: skip


def add(family: Family) -> None:
    """Add the groups."""
    sealing = family.group("item.seal", "items")
    opening = family.group("item.open", "items")
    for content in (b"", b"a", bytes(31), bytes(32), b"\x80" * 40, draw("content of an item", 1000)):
        wanted = {
            "key": SESSION_KEY.hex(), "session": SESSION.hex(), "item_id": ID.hex(), "content": content.hex(),
        }  # fmt: skip
        comment = f"{len(content)} bytes"
        output = {"item": item(padded(content)).hex()}
        sealing.valid(comment, wanted, rules=["DOC-47"], output=output)
        opening.valid(
            comment, given(item(padded(content))), rules=["DOC-47"], output={"content": content.hex()}
        )
    opening.valid("65,536 bytes", given(item(padded(bytes(65_536)))), rules=["DOC-47"])
    usual = item(padded(b"content"))
    other = draw("another session key", 32)
    for comment, sealed in (
        ("the id of another item", usual[:17] + draw("another item", 16) + usual[33:]),
        ("a commitment that was changed", flipped(usual, 40)),
        ("a text that was changed", flipped(usual, 65)),
        ("a tag that was changed", flipped(usual, -1)),
        ("under another session key", item(padded(b"content"), key=other)),
        ("the commitment of another key, over a text under this one",
         usual[:33] + item(padded(b"content"), key=other)[33:65] + usual[65:]),
        ("sealed for a commitment of another key", item(padded(b"content"), commitment=bytes(32))),
        ("the text of another item",
         usual[:65] + item(padded(b"content"), id_=draw("another item", 16))[65:]),
        ("sealed for another format", b"\1" + item(padded(b"content"), begin=b"\2" + SESSION)[1:]),
        ("without a byte at the end, and one longer", item(padded(bytes(40)))[:-1]),
    ):  # fmt: skip
        opening.invalid(comment, given(sealed), "AuthenticationFailed", flags=["Changed"], rules=["DOC-47"])
    for comment, sealed in (
        ("no byte", b""),
        ("112 bytes", usual[:112]),
        ("another format", b"\2" + usual[1:]),
        ("a text of zeros", item(bytes(32))),
        ("no padding", item(b"c" * 32)),
        ("a block of padding too many", item(padded(b"c") + bytes(32))),
        ("a padding that is one byte short", item(b"c" * 40 + b"\x80" + bytes(22))),
        ("a byte behind the mark", item(b"c\x80" + bytes(29) + b"\1")),
        ("65,537 bytes", item(padded(bytes(65_568)))),
    ):
        opening.invalid(comment, given(sealed), "MalformedMessage", flags=["Shape"], rules=["DOC-47"])
    for comment, wrong in (
        ("another key than the commitment's", given(usual, key=other)),
        ("another commitment", given(usual, commitment=draw("no commitment", 32))),
        (
            "the commitment of another session",
            given(usual, commitment=session_commitment(SESSION_KEY, bytes(16))),
        ),
        ("a key of 64 bytes", given(usual, key=SESSION_KEY * 2)),
    ):
        opening.invalid(comment, wrong, "WrongGrantedKey", flags=["WrongKey"], rules=["DOC-46"])

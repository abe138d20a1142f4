"""Logins, tickets, tokens and account keys. Another library than the one under test makes the signatures."""

import base64
import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped

SEED, OTHER_SEED = draw("relay seed", 32), draw("relay other seed", 32)
CHALLENGE, NONCE = draw("relay challenge", 48), draw("relay nonce", 16)
RELAY: Final = "relay.example:8443"
LOGIN: Final = b"letterlock-v1 relay login"
NEWER: Final = b"letterlock-v1 relay newer lists"
TICKET: Final = b"letterlock-v1 relay ticket"
ORDER: Final = 2**252 + 27742317777372353535851937790883648493


def key_of(seed: bytes) -> bytes:
    """Return the public key of a seed."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def signed(seed: bytes, label: bytes, values: list[Value]) -> bytes:
    """Return the signature over a label and the encoding of some values."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(label + encode(values))


def second_form(signature: bytes) -> bytes:
    """Return the signature with s + q for s."""
    return signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")


BAD_KEYS: Final = (
    ("a key of low order", bytes(32)), ("a key that is not canonical", b"\xff" * 32),
    ("a key of 31 bytes", key_of(SEED)[1:]),
)  # fmt: skip


def logins(family: Family) -> None:
    """Add what a device signs to log in, and how it is verified."""
    group = family.group("relay.sign_login", "what a device signs to get a token")
    for comment, relay, name, device, challenge, counter in (
        ("a login", RELAY, "alice", 7, CHALLENGE, 5),
        ("a relay without a port", "relay.example", "alice", 7, CHALLENGE, 5),
        ("a name of another script", RELAY, "\u6771\u4eac", 7, CHALLENGE, 5),
        ("the last device", RELAY, "alice", 2**32 - 1, CHALLENGE, 5),
        ("the shortest challenge", RELAY, "alice", 7, b"\0", 0),
        ("the greatest counter", RELAY, "alice", 7, CHALLENGE, 2**63 - 1),
    ):
        values: list[Value] = [relay, name, device, challenge, counter]
        asked: Json = {
            "seed": SEED.hex(), "relay": relay, "name": name, "device": device, "challenge": challenge.hex(),
            "counter": counter.to_bytes(8, "big").hex(),
        }  # fmt: skip
        output = {"signed": (LOGIN + encode(values)).hex(), "signature": signed(SEED, LOGIN, values).hex()}
        group.valid(comment, asked, rules=["RLY-5"], output=output)
    verified = family.group("relay.verify_login", "a login that a relay verifies")
    good = signed(SEED, LOGIN, [RELAY, "alice", 7, CHALLENGE, 5])

    def request(
        name: str = "alice", device: int = 7, challenge: bytes = CHALLENGE, counter: int = 5, by: bytes = good
    ) -> Json:
        body = encode([1, 2, name, device, challenge, counter, by])
        return {"relay": RELAY, "key": key_of(SEED).hex(), "request": body.hex()}

    verified.valid("a login", request(), rules=["RLY-5"], output={})
    array: list[Value] = [RELAY, "alice", 7, CHALLENGE, 5]
    for comment, asked in (
        ("for another relay", {**request(), "relay": "relay.example"}),
        ("for a relay in capitals", {**request(), "relay": RELAY.upper()}),
        ("of another key", {**request(), "key": key_of(OTHER_SEED).hex()}),
        ("of another name", request(name="bob")),
        ("of another device", request(device=8)),
        ("of another challenge", request(challenge=flipped(CHALLENGE, 0))),
        ("of a shorter challenge", request(challenge=CHALLENGE[:-1])),
        ("of another counter", request(counter=6)),
        ("with a bit changed in R", request(by=flipped(good, 0))),
        ("with a bit changed in s", request(by=flipped(good, 40))),
        ("with s in a second form", request(by=second_form(good))),
        ("with zeros for a signature", request(by=bytes(64))),
        ("signed under the label of tickets", request(by=signed(SEED, TICKET, array))),
        ("signed without a label", request(by=signed(SEED, b"", array))),
        ("signed with the version before it", request(by=signed(SEED, LOGIN, [1, *array]))),
        ("signed without the relay", request(by=signed(SEED, LOGIN, array[1:]))),
    ):
        verified.invalid(comment, asked, "InvalidSignature", flags=["Signature"], rules=["RLY-5"])
    for comment, key in BAD_KEYS:
        asked = {**request(), "key": key.hex()}
        verified.invalid(comment, asked, "InvalidKey", flags=["BadKey"], rules=["PRIM-12"])


def newer(family: Family) -> None:
    """Add what a device signs to ask for its own newer lists without a token."""
    group = family.group("relay.sign_newer", "what a device signs that gets no token")
    for comment, relay, name, device, challenge, after in (
        ("a request", RELAY, "alice", 7, CHALLENGE, 5),
        ("a relay without a port", "relay.example", "alice", 7, CHALLENGE, 5),
        ("a name of another script", RELAY, "\u6771\u4eac", 7, CHALLENGE, 5),
        ("the last device", RELAY, "alice", 2**32 - 1, CHALLENGE, 5),
        ("the first version", RELAY, "alice", 7, b"\0", 1),
        ("the last version", RELAY, "alice", 7, CHALLENGE, 2**32 - 1),
    ):
        values: list[Value] = [relay, name, device, challenge, after]
        asked: Json = {
            "seed": SEED.hex(), "relay": relay, "name": name, "device": device, "challenge": challenge.hex(),
            "after": after,
        }  # fmt: skip
        output = {"signed": (NEWER + encode(values)).hex(), "signature": signed(SEED, NEWER, values).hex()}
        group.valid(comment, asked, rules=["RLY-45"], output=output)


def ticket(
    name: str = "alice",
    end: int = 1_700_000_000,
    nonce: bytes = NONCE,
    replace: int = 0,
    by: bytes | None = None,
) -> bytes:
    """Return a ticket, signed by the good key if no signature is given."""
    values: list[Value] = [1, name, end, nonce, replace]
    return encode([*values, signed(SEED, TICKET, values) if by is None else by])


def tickets(family: Family) -> None:
    """Add tickets that are signed and verified."""
    group = family.group("relay.sign_ticket", "a permission to register a name")
    verified = family.group("relay.verify_ticket", "a ticket that a relay verifies")
    for comment, name, end, replace in (
        ("a ticket", "alice", 1_700_000_000, False), ("that may replace", "alice", 1_700_000_000, True),
        ("that ended in 1970", "alice", 0, False), ("that ends last", "alice", 2**32 - 1, False),
        ("of a long name", "n" * 255, 1_700_000_000, False),
    ):  # fmt: skip
        data = ticket(name, end, NONCE, int(replace))
        asked: Json = {
            "seed": SEED.hex(), "name": name, "not_after": end, "nonce": NONCE.hex(), "may_replace": replace,
        }  # fmt: skip
        group.valid(comment, asked, rules=["RLY-9"], output={"ticket": data.hex()})
        asked = {"key": key_of(SEED).hex(), "ticket": data.hex()}
        verified.valid(comment, asked, rules=["RLY-9"], output={})
    array: list[Value] = [1, "alice", 1_700_000_000, NONCE, 0]
    good = signed(SEED, TICKET, array)
    for comment, data in (
        ("for another name", ticket("bob", by=good)),
        ("with a later end", ticket(end=1_700_000_001, by=good)),
        ("with another nonce", ticket(nonce=flipped(NONCE, 15), by=good)),
        ("that lets itself replace", ticket(replace=1, by=good)),
        ("with a bit changed in R", ticket(by=flipped(good, 31))),
        ("with a bit changed in s", ticket(by=flipped(good, 32))),
        ("with s in a second form", ticket(by=second_form(good))),
        ("with zeros for a signature", ticket(by=bytes(64))),
        ("signed by another key", ticket(by=signed(OTHER_SEED, TICKET, array))),
        ("signed under the label of logins", ticket(by=signed(SEED, LOGIN, array))),
        ("signed without its version", ticket(by=signed(SEED, TICKET, array[1:]))),
        ("signed without the last element", ticket(by=signed(SEED, TICKET, array[:-1]))),
    ):  # fmt: skip
        asked = {"key": key_of(SEED).hex(), "ticket": data.hex()}
        verified.invalid(comment, asked, "InvalidSignature", flags=["Signature"], rules=["RLY-9"])
    asked = {"key": key_of(OTHER_SEED).hex(), "ticket": ticket().hex()}
    verified.invalid(
        "verified with another key", asked, "InvalidSignature", flags=["Signature"], rules=["RLY-9"]
    )
    for comment, key in BAD_KEYS:
        asked = {"key": key.hex(), "ticket": ticket().hex()}
        verified.invalid(comment, asked, "InvalidKey", flags=["BadKey"], rules=["PRIM-12"])


def names(family: Family) -> None:
    """Add tokens as they stand in a header, and the keys of accounts."""
    written = family.group("relay.write_token", "a token in a header")
    read = family.group("relay.read_token", "a token out of a header")
    for size in (1, 2, 3, 90, 511, 512):
        token = draw(f"relay token {size}", size)
        text = base64.urlsafe_b64encode(token).decode().rstrip("=")
        written.valid(f"{size} bytes", {"token": token.hex()}, output={"text": text})
        read.valid(f"{size} bytes", {"text": text}, output={"token": token.hex()})
    both = {"token": "fbff", "text": "-_8"}
    written.valid("both other characters", {"token": both["token"]}, output={"text": both["text"]})
    read.valid("both other characters", {"text": both["text"]}, output={"token": both["token"]})
    long = base64.urlsafe_b64encode(bytes(513)).decode().rstrip("=")
    for comment, text in (
        ("nothing", ""), ("a padded text", "-_8="), ("padding alone", "="), ("one character", "A"),
        ("five characters", "AAAAA"), ("bits left over in two characters", "AB"),
        ("bits left over in three characters", "-_9"), ("the characters of base64", "+/8"),
        ("a space before it", " -_8"), ("a line break after it", "-_8\n"), ("a line break in it", "AA\nAA"),
        ("a letter beyond ASCII", "\u00e4AA"), ("a character of the full width", "\uff21AAA"),
        ("a dot", "AA.A"), ("a word before it", "Bearer -_8"), ("513 bytes", long),
        ("1,025 characters", "A" * 1025), ("a null character", "-_8\0"),
    ):  # fmt: skip
        read.invalid(comment, {"text": text}, "MalformedMessage", flags=["Token"])
    keys = family.group("relay.account_key", "what stands for a name in a database")
    for name in ("alice", "Alice", "\u6771\u4eac", "n" * 255, "a"):
        digest = hashlib.sha256(b"letterlock-v1 relay account" + name.encode()).digest()
        keys.valid(f"{name[:10]}", {"name": name}, rules=["RLY-1"], output={"key": digest[:16].hex()})


def add(family: Family) -> None:
    """Add the groups."""
    logins(family)
    newer(family)
    tickets(family)
    names(family)

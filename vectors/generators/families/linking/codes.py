"""Codes as bytes and as text, bundles, and the six digits."""

import base64
import hashlib
import hmac

from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.labels import draw
from generators.support.owner import keys
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed

LABEL = b"letterlock-v1 linking digits"
HASH, SECRET = draw("a linking bundle's hash", 32), draw("a linking secret", 32)
CODE = [1, 11, HASH, SECRET, 1_700_000_600, "relay.example/meet"]


def text_of(data: bytes, checksum: bytes | None = None) -> str:
    """Return the text of a code, by the formulae of spec/user.md."""
    tail = hashlib.sha256(data).digest()[:4] if checksum is None else checksum
    letters = base64.b32encode(data + tail).decode().rstrip("=")
    return "-".join(letters[at : at + 5] for at in range(0, len(letters), 5))


def fields(code: list[Value]) -> dict[str, object]:
    """Return the fields of a code, as operations have them."""
    _, _, bundle_hash, secret, expires, place = code
    assert isinstance(bundle_hash, bytes)
    assert isinstance(secret, bytes)
    return {"bundle_hash": bundle_hash.hex(), "secret": secret.hex(), "expires": expires, "place": place}


def add(family: Family) -> None:
    """Add the groups."""
    codes(family)
    bundles(family)
    digits(family)


def codes(family: Family) -> None:
    """Add codes."""
    sound = encode(CODE)
    group = family.group("linking.write_code", "a code as bytes and as text")
    for comment, changed in (
        ("a code", CODE),
        ("without a place", [*CODE[:5], ""]),
        ("with the longest place", [*CODE[:5], "\u00f8" * 127 + "x"]),
        ("at the end of time", [*CODE[:4], 2**32 - 1, ""]),
    ):
        data = encode(changed)
        group.valid(comment, fields(changed), output={"data": data.hex(), "text": text_of(data)})
    group = family.group("linking.read_code", "a code that somebody typed")
    text = text_of(sound)
    group.valid("as it was shown", {"text": text}, output=fields(CODE))
    group.valid("in lower case, without hyphens", {"text": text.lower().replace("-", "")}, flags=["Loose"])
    group.valid("with spaces", {"text": f" {text.replace('-', '  ')}\n"}, flags=["Loose"])
    alike = text.replace("O", "0").replace("I", "1").replace("B", "8")
    group.valid("with 0, 1 and 8 for O, I and B", {"text": alike}, flags=["Loose"])
    for comment, flag, wrong in (
        ("a letter changed", "Mistyped", text.replace(text[40], "Z" if text[40] != "Z" else "A", 1)),
        ("two letters exchanged", "Mistyped", text[:12] + text[13] + text[12] + text[14:]),
        ("the last group missing", "Mistyped", text.rpartition("-")[0]),
        ("the first group missing", "Mistyped", text.partition("-")[2]),
        ("another checksum", "Mistyped", text_of(sound, bytes(4))),
        ("no checksum", "Mistyped", text_of(sound, b"")),
        ("a character that base32 has not", "Mistyped", text[:-1] + "9"),
        ("nothing", "Mistyped", ""),
        ("the checksum alone", "Mistyped", text_of(b"", None)),
        ("another kind, with its checksum", "Shape", text_of(encode([1, 10, *CODE[2:]]))),
        (
            "a secret of 31 bytes, with its checksum",
            "Shape",
            text_of(encode([*CODE[:3], bytes(31), *CODE[4:]])),
        ),
    ):
        group.invalid(comment, {"text": wrong}, "MalformedMessage", flags=[flag], rules=["WIRE-4"])
    group.invalid(
        "version 2, with its checksum", {"text": text_of(encode([2, *CODE[1:]]))}, "UnsupportedVersion",
        flags=["Shape"], rules=["WIRE-1"],
    )  # fmt: skip
    group = family.group("linking.decode_code", "a code from a QR code")
    group.valid("a code", {"data": sound.hex()}, output=fields(CODE))
    for comment, flag, data in (
        ("a place of 256 bytes", "Shape", encode([*CODE[:5], "\u00f8" * 128])),
        ("a place that is a byte string", "Shape", encode([*CODE[:5], b"here"])),
        ("no expiry", "Shape", encode([*CODE[:4], None, ""])),
        ("a hash of 33 bytes", "Shape", encode([1, 11, bytes(33), *CODE[3:]])),
        ("a seventh element", "Shape", encode([*CODE, None])),
        ("a byte after the end", "LongForm", sound + b"\0"),
        ("the kind in two bytes", "LongForm", sound[:2] + b"\x18\x0b" + sound[3:]),
        ("cut short", "LongForm", sound[:-1]),
    ):
        group.invalid(comment, {"data": data.hex()}, "MalformedMessage", flags=[flag], rules=["WIRE-4"])


def bundles(family: Family) -> None:
    """Add bundles."""
    device = keys("a device to link")
    receiving = XWingKeyPair(XWingSeed(draw("a receiving key", 32))).public.data
    signing = device.signing.public
    sound: list[Value] = [
        1, 10, device.identity.public.data, signing.ed25519.data, signing.ml_dsa.data, receiving,
        hashlib.sha256(draw("a linking nonce", 32)).digest(),
    ]  # fmt: skip
    group = family.group("linking.decode_bundle", "the keys of a new device")
    group.valid("a bundle", {"data": encode(sound).hex()})
    for comment, error, rule, flag, at, value in (
        ("an identity key of low order", "InvalidKey", "PRIM-2", "BadKey", 2, bytes(32)),
        ("an Ed25519 key of low order", "InvalidKey", "PRIM-12", "BadKey", 3, b"\x01" + bytes(31)),
        ("an X-Wing key with a coefficient above q", "InvalidKey", "PRIM-15", "BadKey", 5, b"\xff" * 1216),
        ("an X-Wing key with a curve key of low order", "InvalidKey", "PRIM-15", "BadKey", 5,
         receiving[:1184] + bytes(32)),
        ("an ML-DSA key of 1,951 bytes", "MalformedMessage", "WIRE-4", "Shape", 4, bytes(1951)),
        ("an X-Wing key of 1,215 bytes", "MalformedMessage", "WIRE-4", "Shape", 5, receiving[:-1]),
        ("a nonce's hash of 31 bytes", "MalformedMessage", "WIRE-4", "Shape", 6, bytes(31)),
        ("another kind", "MalformedMessage", "WIRE-4", "Shape", 1, 11),
    ):  # fmt: skip
        changed: list[Value] = [*sound[:at], value, *sound[at + 1 :]]
        group.invalid(comment, {"data": encode(changed).hex()}, error, flags=[flag], rules=[rule])


def digits(family: Family) -> None:
    """Add digits, computed here from the formulae of spec/user.md."""
    group = family.group("linking.digits", "what both screens show")
    for comment in ("one linking", "another linking"):
        bundle_hash, secret, nonce = (draw(f"{comment} {what}", 32) for what in ("hash", "secret", "nonce"))
        offer = draw(f"{comment} offer", 3000)
        key = hmac.digest(bytes(32), secret, "sha256")
        info = LABEL + bundle_hash + hashlib.sha256(offer).digest() + nonce
        number = int.from_bytes(hmac.digest(key, info + b"\1", "sha256")[:8], "big") % 1_000_000
        given = {
            "bundle_hash": bundle_hash.hex(), "secret": secret.hex(), "nonce": nonce.hex(),
            "sealed_offer": offer.hex(),
        }  # fmt: skip
        group.valid(comment, given, rules=["USR-19"], output={"digits": f"{number:06d}"})

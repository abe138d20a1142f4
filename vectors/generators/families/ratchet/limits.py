"""Ratchet plays at the limits, with malformed messages, and with wrong derivations."""

import hmac
from typing import Final

from generators.support.cbor_nodes import blob
from generators.support.family import Family
from generators.support.people import FEW_BAD_KEYS
from generators.support.ratchet_script import Script, with_header
from generators.support.wire_nodes import INITIAL, RATCHET
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import ROOT_STEP
from letterlock._ratchet.keys import MessageKey
from letterlock._session.sealing import pad


def too_far(family: Family) -> None:
    group = family.group("ratchet.play", "too far ahead, then in order")
    for distance in (2001, 2002, 65536, 2**32 - 2):
        script = Script("recipient", f"ratchet {distance} new")
        genuine = script.far.write("genuine")
        script.refused(with_header(genuine, number=distance), "TooManySkipped")
        script.state("Waiting")
        script.receive(genuine, "genuine")
        script.add(group, f"N {distance} in a new chain", rules=["RAT-5"], flags=["Limit"])

    for distance in (2001, 2002, 2**32 - 3):
        script = Script("recipient", f"ratchet {distance} known")
        script.receive(script.far.write("0"), "0")
        genuine = script.far.write("genuine")
        script.refused(with_header(genuine, number=1 + distance), "TooManySkipped")
        script.state("Hearing")
        script.receive(genuine, "genuine")
        script.add(group, f"{distance} ahead in a known chain", rules=["RAT-5"], flags=["Limit"])


def pn_too_far(family: Family) -> None:
    group = family.group("ratchet.play", "too far ahead by PN, or at the last number")
    for distance in (2001, 2**32 - 2):
        script = Script("recipient", f"ratchet {distance} PN")
        script.receive(script.far.write("0"), "0")
        script.send("an answer")
        genuine = script.far.write("genuine")
        script.refused(with_header(genuine, previous_length=1 + distance), "TooManySkipped")
        script.state("Speaking")
        script.receive(genuine, "genuine")
        script.add(group, f"PN {distance} ahead of the chain it ends", rules=["RAT-5"], flags=["Limit"])

    sound = Script("recipient", "ratchet 2001 sound")
    sound.far.skip(2001)
    sound.refused(sound.far.write("beyond"), "TooManySkipped")
    sound.state("Waiting")
    sound.add(group, "a genuine message, 2,001 ahead", rules=["RAT-5"], flags=["Limit"])

    script = Script("recipient", "ratchet last number")
    script.receive(script.far.write("0"), "0")
    genuine = script.far.write("genuine")
    script.refused(with_header(genuine, number=2**32 - 1), "AuthenticationFailed")
    script.receive(genuine, "genuine")
    script.add(group, "N 2^32 - 1 in a known chain", rules=["RAT-10"], flags=["Limit"])


def oldest_goes(family: Family) -> None:
    group = family.group("ratchet.play", "more skipped keys than the limit")
    script = Script("recipient", "ratchet 4001")
    script.receive(script.far.write("0"), "0")
    oldest, second = script.far.write("the oldest"), script.far.write("the second")
    script.far.skip(1998)
    script.send("an answer")
    script.far.skip(2000)
    script.receive(script.far.write("far ahead"), "far ahead")
    script.state("Hearing", 4000)
    newest = script.far.write("the newest")
    script.receive(script.far.write("one more"), "one more")
    script.state("Hearing", 4000)
    script.refused(oldest, "DuplicateMessage")
    script.receive(second, "the second")
    script.receive(newest, "the newest")
    script.state("Hearing", 3998)
    script.add(group, "the 4,001st key drops the oldest", rules=["RAT-7"], flags=["Limit", "Duplicate"])


def too_early(family: Family) -> None:
    group = family.group("ratchet.play", "an action that the state does not allow")
    script = Script("recipient", "ratchet too early")
    script.send_refused("too early", "UsageError")
    script.state("Waiting")
    script.receive(script.far.write("first"), "first")
    script.send("in time")
    script.add(group, "the recipient sends before it has received", rules=["RAT-6"], flags=["NotYet"])


PADDINGS: Final = {
    "no mark": bytes(32),
    "the mark left out": b"text" + bytes(28),
    "another mark": b"text\x01" + bytes(27),
    "something after the mark": b"text\x80" + bytes(26) + b"\x01",
    "padded further than it need be": b"text\x80" + bytes(59),
    "not padded far enough": b"x" * 65 + b"\x80" + bytes(2),
    "one byte further than PADME says": b"x" * 40 + b"\x80" + bytes(4),
}
"""Paddings that a peer might seal: 32 bytes or more, so that the message is well-formed."""


def bad_padding(family: Family) -> None:
    group = family.group("ratchet.play", "a wrong padding, then a right one of the same number")
    for what, padded in PADDINGS.items():
        script = Script("recipient", f"ratchet padding {what}")
        wrong, right = script.far.twice(padded, "genuine")
        script.refused(wrong, "MalformedMessage")
        script.state("Waiting")
        script.receive(right, "genuine")
        script.add(group, what, rules=["WIRE-9", "SES-2"], flags=["BadPadding"])

    script = Script("recipient", "ratchet late padding")
    wrong, right = script.far.twice(bytes(32), "genuine")
    script.receive(script.far.write("in time"), "in time")
    script.refused(wrong, "MalformedMessage")
    script.state("Hearing", 1)
    script.receive(right, "genuine")
    script.add(group, "a late one: its key is still there", rules=["WIRE-9"], flags=["BadPadding", "Late"])


def no_messages(family: Family) -> None:
    group = family.group("ratchet.play", "not a ratchet message, then a genuine one")
    for what, data, expect, flag, rule in (
        ("nothing", b"", "MalformedMessage", "Malformed", "WIRE-4"),
        ("an initial message", INITIAL.encode(), "MalformedMessage", "Malformed", "WIRE-4"),
        ("version 2", RATCHET.at((0,), b"\2"), "UnsupportedVersion", "Malformed", "WIRE-1"),
        *((what, RATCHET.at((2,), blob(key)), "InvalidKey", "InvalidKey", "PRIM-2")
          for what, key in FEW_BAD_KEYS.items()),
    ):  # fmt: skip
        # The label keeps an old word of the comment, because it chooses the random bytes.
        script = Script(
            "recipient", f"ratchet malformed {what.replace('another encoding', 'another spelling')}"
        )
        script.refused(data, expect)
        script.state("Waiting")
        script.receive(script.far.write("genuine"), "genuine")
        script.add(group, what, rules=[rule], flags=[flag])

    script = Script("recipient", "ratchet cut")
    genuine = script.far.write("genuine")
    script.refused(genuine[:-1], "MalformedMessage")
    script.refused(genuine + b"\0", "MalformedMessage")
    script.receive(genuine, "genuine")
    script.add(group, "cut by a byte, and longer by one", rules=["WIRE-2"], flags=["Malformed"])


def derivations(family: Family) -> None:
    """Messages that another root or chain step would open."""
    group = family.group("ratchet.play", "sealed under a key from another derivation, then the right one")
    script = Script("initiator", "ratchet derivations")
    script.send("first")
    root = script.far.state.root.expose()  # in Hearing: the far side will make a new chain of it
    genuine_header, genuine_key = script.far.next()
    state = script.far.state
    agreement = state.ours.agree(state.receiving.ratchet_key).expose()
    chain = hkdf_sha256(root, agreement, ROOT_STEP, 64)[32:]
    assert hmac.digest(chain, b"\x01", "sha256") == genuine_key.expose()
    for what, rule, key in (
        ("salt and input of the root step exchanged", "RAT-1",
         step(hkdf_sha256(agreement, root, ROOT_STEP, 64)[32:])),
        ("the root step without a salt", "RAT-1", step(hkdf_sha256(b"", agreement, ROOT_STEP, 64)[32:])),
        ("the root step with another label", "RAT-1",
         step(hkdf_sha256(root, agreement, b"letterlock-v1 root", 64)[32:])),
        ("the halves of the root step exchanged", "RAT-1",
         step(hkdf_sha256(root, agreement, ROOT_STEP, 64)[:32])),
        ("the chain's constants exchanged", "RAT-2", step(chain, b"\x02")),
        ("the chain key itself", "RAT-2", chain),
        ("the constant 0x00", "RAT-2", step(chain, b"\x00")),
        ("a message key that was stepped before", "RAT-2", step(step(chain, b"\x02"))),
    ):  # fmt: skip
        script = Script("initiator", "ratchet derivations")
        script.send("first")
        script.refused(script.far.seal_with(genuine_header, key, "x"), "AuthenticationFailed")
        script.receive(script.far.write("genuine"), "genuine")
        script.add(group, what, rules=[rule], flags=["OtherDerivation"])

    script = Script("recipient", "ratchet nonce prefix")
    header, key = script.far.next()
    for prefix in (b"\1" + bytes(3), b"\xff" * 4):
        wrong = script.far.seal_padded(header, MessageKey(key.expose()), pad(b"x"), prefix)
        script.refused(wrong, "AuthenticationFailed")
    script.receive(script.far.seal_padded(header, key, pad(b"genuine")), "genuine")
    comment = "four bytes before the nonce that are not zero"
    script.add(group, comment, rules=["SES-1"], flags=["OtherDerivation"])


def step(chain: bytes, constant: bytes = b"\x01") -> bytes:
    return hmac.digest(chain, constant, "sha256")


ALL: Final = (too_far, pn_too_far, oldest_goes, too_early, bad_padding, no_messages, derivations)

"""Ratchet plays with refusals, which must change nothing."""

import hmac
from collections.abc import Callable
from typing import Final

from generators.support.family import Family
from generators.support.labels import draw
from generators.support.people import ratchet_pair
from generators.support.ratchet_script import FarSide, Script, key_of, with_header, with_sealed
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import ROOT_STEP
from letterlock._session.sealing import pad
from letterlock._wire.message import Header, RatchetMessage

STRANGE: Final = ratchet_pair("ratchet a stranger's key").public


SEEDS = {"Unanswered": "Opening", "Speaking": "Speaking", "Hearing": "Hearing"}
"""The names in the labels of the random bytes."""


def states(label: str) -> dict[str, Script]:
    """Return a play in each state that can receive."""
    waiting, opening = Script("recipient", f"{label} waiting"), Script("initiator", f"{label} opening")
    opening.send("first")
    hearing, speaking = Script("recipient", f"{label} hearing"), Script("initiator", f"{label} speaking")
    hearing.receive(hearing.far.write("heard"), "heard")
    speaking.send("first")
    speaking.receive(speaking.far.write("heard"), "heard")
    speaking.send("second")
    return {"Waiting": waiting, "Unanswered": opening, "Hearing": hearing, "Speaking": speaking}


def changed(family: Family) -> None:
    group = family.group("ratchet.play", "changed in transit, then the genuine one")
    headers: dict[str, Callable[[bytes], bytes]] = {
        "PN + 1": lambda it: with_header(it, previous_length=pn(it) + 1),
        "N + 1": lambda it: with_header(it, number=number(it) + 1),
        "another ratchet key": lambda it: with_header(it, ratchet_key=STRANGE),
    }
    texts: dict[str, Callable[[bytes], bytes]] = {
        "a bit of the nonce": lambda it: with_sealed(it, 0),
        "a bit of the ciphertext": lambda it: with_sealed(it, 8),
        "a bit of the tag": lambda it: with_sealed(it, -1),
    }
    for flag, edits in (("ChangedHeader", headers), ("ChangedText", texts)):
        for what, edit in edits.items():
            for state, script in states(f"ratchet {what}").items():
                genuine = script.far.write("genuine")
                script.refused(edit(genuine), "AuthenticationFailed")
                script.state(state)
                script.receive(genuine, "genuine")
                script.state("Hearing")
                rules = ["RAT-6", "RAT-8" if flag == "ChangedHeader" else "SES-2"]
                if what == "another ratchet key" and state == "Hearing":
                    rules.append("RAT-4")
                script.add(group, f"{state}: {what}", rules=rules, flags=[flag])


def pn(message: bytes) -> int:
    return RatchetMessage.decode(message).header.previous_length


def number(message: bytes) -> int:
    return RatchetMessage.decode(message).header.number


def late_and_changed(family: Family) -> None:
    group = family.group("ratchet.play", "late messages that were changed")
    edits: dict[str, Callable[[bytes], bytes]] = {
        "PN": lambda it: with_header(it, previous_length=7),
        "a bit of the text": lambda it: with_sealed(it, 9),
        "N of another late one": lambda it: with_header(it, number=1),
    }
    for what, edit in edits.items():
        script = Script("recipient", f"ratchet late changed {what}")
        late = script.far.write("late")
        script.far.skip(1)
        script.receive(script.far.write("in time"), "in time")
        script.refused(edit(late), "AuthenticationFailed")
        script.state("Hearing", 2)
        script.receive(late, "late")
        script.state("Hearing", 1)
        script.add(group, f"{what} changed: its key is still there", rules=["RAT-6", "RAT-8"],
                   flags=["ChangedHeader", "Late"])  # fmt: skip


def forged(family: Family) -> None:
    group = family.group("ratchet.play", "forged")
    for state, script in states("ratchet forged ahead").items():
        genuine = script.far.write("genuine")
        key = STRANGE if state in ("Waiting", "Unanswered") else key_of(genuine)
        ahead = script.far.seal_with(Header(key, 0, 500), draw("forged key", 32), "forged")
        script.refused(ahead, "AuthenticationFailed")
        script.state(state)
        script.receive(genuine, "genuine")
        script.state("Hearing")
        script.add(group, f"{state}: 500 ahead: no skipped key is kept", rules=["RAT-6"], flags=["Forged"])

    script = states("ratchet forged turn")["Speaking"]
    known = script.far.copy()
    turn = script.far.seal_with(Header(STRANGE, 3, 5), draw("forged key", 32), "forged")
    script.refused(turn, "AuthenticationFailed")
    script.state("Speaking")
    script.receive(known.write("genuine"), "genuine")
    script.add(group, "Speaking: a turn with a new key, PN 3 and N 5", rules=["RAT-6"], flags=["Forged"])


def forged_keys(family: Family) -> None:
    group = family.group("ratchet.play", "forged, with the signed prekey as ratchet key")
    script = states("ratchet the signed prekey")["Unanswered"]
    prekey = type(STRANGE)(script.signed.public.data)
    script.refused(
        script.far.seal_with(Header(prekey, 0, 0), draw("forged key", 32), "x"), "AuthenticationFailed"
    )
    script.state("Unanswered")
    genuine = script.far.write("genuine")
    script.receive(genuine, "genuine")
    script.add(group, "Unanswered: the signed prekey as ratchet key", rules=["RAT-3"], flags=["Forged"])

    signed_prekey_agreed(group)


def elsewhere(family: Family) -> None:
    group = family.group("ratchet.play", "genuine in another session")
    for state, label in (("Unanswered", "Opening"), ("Speaking", "Speaking"), ("Hearing", "Hearing")):
        script = states(f"ratchet reflected {label}")[state]
        mine = script.send("mine") if state != "Hearing" else with_header(script.send("mine"), number=0)
        script.refused(mine, "AuthenticationFailed")
        genuine = script.far.write("genuine")
        script.receive(genuine, "genuine")
        script.add(group, f"{state}: its own message comes back", rules=["SES-2"], flags=["Forged"])

    script = Script("recipient", "ratchet one session")
    other = Script("recipient", "ratchet another session")
    script.refused(other.far.write("for another"), "AuthenticationFailed")
    script.receive(script.far.write("genuine"), "genuine")
    script.add(group, "Waiting: a message of another session", rules=["SES-2"], flags=["Forged"])

    script = Script("recipient", "ratchet another ad")
    header, key = script.far.next()
    other_ad = FarSide(script.far.state, draw("another ad", 32), "ratchet another ad")
    script.refused(other_ad.seal_padded(header, key, pad(b"x")), "AuthenticationFailed")
    script.receive(script.far.seal_padded(header, key, pad(b"genuine")), "genuine")
    script.add(group, "Waiting: sealed with other associated data", rules=["RAT-8"], flags=["Forged"])


def signed_prekey_agreed(group) -> None:
    """RAT-3: the message is sealed with the keys that a wrong agreement would give."""
    script = states("ratchet the signed prekey, agreed")["Unanswered"]
    root = script.far.state.root  # ours is the same: a turn with the signed prekey would start from it
    prekey = type(STRANGE)(script.signed.public.data)
    mine = script.send("second")
    agreement = script.signed.agree(key_of(mine))
    okm = hkdf_sha256(root.expose(), agreement.expose(), ROOT_STEP, 64)
    key = hmac.digest(okm[32:], b"\x01", "sha256")
    script.refused(script.far.seal_with(Header(prekey, 0, 0), key, "x"), "AuthenticationFailed")
    script.receive(script.far.write("genuine"), "genuine")
    script.add(group, "Unanswered: the signed prekey as ratchet key, with the agreement made",
               rules=["RAT-3"], flags=["Forged"])  # fmt: skip


def duplicates(family: Family) -> None:
    group = family.group("ratchet.play", "repeated")
    script = Script("recipient", "ratchet twice")
    one = script.far.write("one")
    script.receive(one, "one")
    script.refused(one, "DuplicateMessage")
    script.receive(script.far.write("two"), "two")
    script.refused(one, "DuplicateMessage")
    script.state("Hearing")
    script.add(group, "in order", rules=["RAT-9"], flags=["Duplicate"])

    script = Script("recipient", "ratchet late twice")
    late = script.far.write("late")
    script.receive(script.far.write("in time"), "in time")
    script.receive(late, "late")
    script.refused(late, "DuplicateMessage")
    script.state("Hearing")
    script.add(group, "a late one", rules=["RAT-9"], flags=["Duplicate", "Late"])


def twice_over(family: Family) -> None:
    group = family.group("ratchet.play", "repeated, from a finished chain")
    for state in ("Hearing", "Speaking"):
        script = Script("recipient", f"ratchet finished {state}")
        one, late = script.far.write("one"), script.far.write("late")
        script.receive(one, "one")
        script.send("an answer")
        script.receive(script.far.write("a turn"), "a turn")
        if state == "Speaking":
            script.send("another answer")
        script.refused(one, "DuplicateMessage")
        script.receive(late, "late")
        script.refused(late, "DuplicateMessage")
        script.refused(with_header(one, number=9), "DuplicateMessage")
        script.state(state)
        script.add(group, f"{state}: of a finished chain, known numbers and others", rules=["RAT-9"],
                   flags=["Duplicate"])  # fmt: skip

    script = Script("recipient", "ratchet forged duplicate")
    one = script.far.write("one")
    script.receive(one, "one")
    script.refused(with_sealed(one, 10), "DuplicateMessage")
    script.receive(script.far.write("two"), "two")
    script.add(group, "an old number with another text", rules=["RAT-9"], flags=["Duplicate"])


ALL: Final = (changed, late_and_changed, forged, forged_keys, elsewhere, duplicates, twice_over)

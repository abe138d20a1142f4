"""Triple plays with refusals, which must change nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from generators.families.triple.changes import CARRIED, CHANGES, with_sealed_bit
from generators.support.cbor_nodes import (
    NULL,
    array_node,
    blob,
    blob_node,
    head,
    null_node,
    number_node,
    uint,
)
from generators.support.family import Family
from generators.support.labels import draw, flipped
from generators.support.triple_script import (
    Script,
    pq_header_of,
    stripped,
    with_pq_header,
    words,
)
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import PQ_HYBRID, PQ_SPLIT
from letterlock._primitives.mlkem import KemSeed, MlKem768KeyPair
from letterlock._primitives.mlkem_split import split
from letterlock._ratchet import double, sparse
from letterlock._ratchet.keys import MessageKey, RootKey
from letterlock._ratchet.pq_keys import PqSharedSecret
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._wire.message import RatchetMessage

LAST: Final = 2**32 - 1


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


def show(script: Script, name: str, skipped: int = 0) -> None:
    script.state(name, script.braid, script.ratchet.braid.epoch, skipped)


def changed(family: Family) -> None:
    group = family.group("triple.play", "changed in transit, then the genuine one")
    for what, (edit, error) in (CHANGES | CARRIED).items():
        for state, script in states(f"changed {what}").items():
            genuine = script.far.write("genuine")
            if what in CARRIED and not pq_header_of(genuine).codewords:
                continue  # what the recipient sends has none in these states
            script.refused(edit(genuine), error)
            show(script, state)
            script.receive(genuine, "genuine")
            flag = "ChangedText" if what.startswith("the t") else "ChangedHeader"
            rules = ["RAT-6", "PQR-8"] if edit is stripped else ["RAT-6", "RAT-8"]
            flags = ["Downgrade"] if edit is stripped else [flag]
            script.add(group, f"{state}: {what}", rules=rules, flags=flags)


def late_and_changed(family: Family) -> None:
    group = family.group("triple.play", "late messages that were changed")
    for what, edit in {
        "PN of n": lambda it: with_pq_header(it, previous=7),
        "n of another late one": lambda it: with_pq_header(it, number=2),
        "n, not kept": lambda it: with_pq_header(it, number=4),
        "a bit of a codeword": CARRIED["a bit of a codeword"][0],
        "a bit of the text": lambda it: with_sealed_bit(it, 9),
        "stripped to a ratchet message": stripped,
    }.items():
        script = Script("recipient", f"late changed {what}")
        late = script.far.write("late")
        script.far.skip(1)
        script.receive(script.far.write("in time"), "in time")
        script.refused(edit(late), "AuthenticationFailed")
        show(script, "Hearing", 4)
        script.receive(late, "late")
        show(script, "Hearing", 2)
        flags = ["Downgrade" if edit is stripped else "ChangedHeader", "Late"]
        comment = f"{what}: both keys are still there"
        script.add(group, comment, rules=["RAT-6", "PQR-8" if edit is stripped else "RAT-8"], flags=flags)


def downgraded(family: Family) -> None:
    """Messages sealed with only one of the two keys, or with another combination of both."""
    group = family.group("triple.play", "sealed without one of the two keys, then with both")
    for state in ("Waiting", "Unanswered", "Hearing", "Speaking"):
        for what in KEYS:
            script = states(f"downgraded {what}")[state]
            first, second, sent = halves(script)
            wrong = KEYS[what](first, second)
            script.refused(script.far.seal(sent, "x", key=wrong), "AuthenticationFailed")
            show(script, state)
            script.receive(script.far.seal(sent, "genuine"), "genuine")
            flag = "Downgrade" if "alone" in what else "OtherDerivation"
            script.add(group, f"{state}: {what}", rules=["PQR-2"], flags=[flag])

    for state in ("Waiting", "Hearing", "Speaking"):
        script = states("plain")[state]
        first, _, sent = halves(script)
        plain = script.far.seal_plain(sent.header, MessageKey(first), "x")
        script.refused(plain, "AuthenticationFailed")
        hybrid = script.far.seal_plain(sent.header, sent.key, "x")
        script.refused(hybrid, "AuthenticationFailed")
        show(script, state)
        script.receive(script.far.seal(sent, "genuine"), "genuine")
        comment = f"{state}: a ratchet message, under the double ratchet's key and under the right one"
        script.add(group, comment, rules=["PQR-8", "PQR-2"], flags=["Downgrade"])


KEYS: Final[dict[str, Callable[[bytes, bytes], bytes]]] = {
    "the double ratchet's key alone": lambda first, _: first,
    "the sparse ratchet's key alone": lambda _, second: second,
    "both, with salt and input exchanged": lambda first, second: hkdf_sha256(first, second, PQ_HYBRID, 32),
    "both, with another label": lambda first, second: hkdf_sha256(second, first, PQ_SPLIT, 32),
    "their sum": lambda first, second: bytes(a ^ b for a, b in zip(first, second, strict=True)),
}


def halves(script: Script):
    """Return both keys of the far side's next message, and the message to seal."""
    state = script.far.state
    turned = double.send(state.double, again(script))
    _, _, second = sparse.send(LETTERLOCK, state.sparse, 0)
    sent = script.far.next("genuine")
    assert LETTERLOCK.hybrid(turned.key, second).expose() == sent.key.expose()
    return turned.key.expose(), second.expose(), sent


def again(script: Script):
    """Return entropy that predicts the far side's next draw."""
    count = script.far._drawn + 1
    return lambda length: draw(f"{script.far._label} far {count}", length)


def derivations(family: Family) -> None:
    """Another split of SK, or none, gives other keys."""
    group = family.group("triple.play", "from another derivation of SK, then from the right one")
    label = "derivations"
    secret = bytes.fromhex(Script("recipient", label).given()["secret"])
    okm = hkdf_sha256(bytes(32), secret, PQ_SPLIT, 64)
    for what, rule, root, shared in (
        ("SK is the double ratchet's root key", "PQR-6", secret, okm[32:]),
        ("SK starts the sparse ratchet", "PQR-6", okm[:32], secret),
        ("the halves are exchanged", "PQR-6", okm[32:], okm[:32]),
        ("the directions are exchanged", "PQR-1", okm[:32], None),
    ):
        script = Script("recipient", label)
        far = script.far
        first = double.initiator(RootKey(root), script.signed.public, first_key(script))
        chains = sparse.start(LETTERLOCK, PqSharedSecret(shared or okm[32:]), is_initiator=shared is not None)
        sound = far.state
        sent = far.next("x")
        _, _, second = sparse.send(LETTERLOCK, chains, 0)
        key = LETTERLOCK.hybrid(double.send(first, far.draw).key, second).expose()
        assert sound.double.ours.public == first.ours.public
        script.refused(far.seal(sent, "x", key=key), "AuthenticationFailed")
        show(script, "Waiting")
        script.receive(far.seal(sent, "genuine"), "genuine")
        script.add(group, what, rules=[rule], flags=["OtherDerivation"])


def first_key(script: Script):
    return lambda length: draw(f"{script.far._label} far first ratchet key", length)


def wrong_epochs(family: Family) -> None:
    group = family.group("triple.play", "authentic, of an epoch without a chain, then the genuine one")
    for state in ("Waiting", "Unanswered", "Hearing", "Speaking"):
        for epoch in (2, 3, LAST):
            script = states(f"wrong epoch {epoch}")[state]
            sent = script.far.next("x")
            ahead = script.far.seal(sent, "x", pq_header=replace(sent.pq_header, epoch=epoch))
            script.refused(ahead, "AuthenticationFailed")
            show(script, state)
            script.receive(script.far.seal(sent, "genuine"), "genuine")
            script.add(group, f"{state}: epoch {epoch}", rules=["PQR-4"], flags=["NoChain"])


def elsewhere(family: Family) -> None:
    group = family.group("triple.play", "genuine in another session")
    for state in ("Unanswered", "Speaking"):
        script = states(f"reflected {SEEDS[state]}")[state]
        script.refused(script.send("mine"), "AuthenticationFailed")
        script.receive(script.far.write("genuine"), "genuine")
        script.add(group, f"{state}: its own message comes back", rules=["SES-2"], flags=["Forged"])
    script, other = Script("recipient", "one session"), Script("recipient", "another session")
    script.refused(other.far.write("for another"), "AuthenticationFailed")
    script.receive(script.far.write("genuine"), "genuine")
    script.add(group, "Waiting: a message of another session", rules=["SES-2"], flags=["Forged"])
    for state, script in states("forged ahead").items():
        sent = script.far.next("genuine")
        ahead = replace(sent.pq_header, number=sent.pq_header.number + 500)
        script.refused(
            script.far.seal(sent, "x", pq_header=ahead, key=draw("forged", 32)), "AuthenticationFailed"
        )
        show(script, state)
        script.receive(script.far.seal(sent, "genuine"), "genuine")
        comment = f"{state}: 500 ahead in the sparse chain: no skipped key is kept"
        script.add(group, comment, rules=["RAT-6", "RAT-11"], flags=["Forged"])


def malformed(family: Family) -> None:
    """A message is decoded as a whole before anything else, so the tag is not checked."""
    group = family.group("triple.play", "not a triple message, then the genuine one")
    for what, index, data, rule in (
        ("half a codeword", 10, blob(bytes(48)), "WIRE-12"),
        ("65 codewords", 10, blob(bytes(65 * 32)), "WIRE-12"),
        ("no codewords", 10, blob(b""), "WIRE-12"),
        ("codewords are null", 10, NULL, "WIRE-12"),
        ("index 65536", 9, uint(65536), "WIRE-12"),
        ("index is null", 9, NULL, "WIRE-12"),
        ("type 7", 8, uint(7), "WIRE-12"),
        ("type 0 with codewords", 8, uint(0), "WIRE-12"),
        ("epoch 0", 5, uint(0), "WIRE-4"),
        ("n is 0", 6, uint(0), "WIRE-4"),
        ("n is 2^32", 6, uint(2**32), "WIRE-4"),
        ("PN of n is 2^32", 7, uint(2**32), "WIRE-4"),
    ):
        script = Script("recipient", f"malformed {what}")
        genuine = script.far.write("genuine")
        script.refused(node_of(genuine).at((index,), data), "MalformedMessage")
        show(script, "Waiting")
        script.receive(genuine, "genuine")
        script.add(group, what, rules=[rule], flags=["Malformed"])

    script = Script("recipient", "malformed last index")
    sent = script.far.next("genuine")
    beyond = replace(sent.pq_header, first=65535, codewords=bytes(64))
    script.refused(script.far.seal(sent, "x", pq_header=beyond), "MalformedMessage")
    script.receive(script.far.seal(sent, "genuine"), "genuine")
    script.add(group, "two codewords from the last index on", rules=["WIRE-12"], flags=["Malformed"])

    script = Script("recipient", "malformed cut")
    genuine = script.far.write("genuine")
    script.refused(genuine[:-1], "MalformedMessage")
    script.refused(genuine + b"\0", "MalformedMessage")
    script.refused(head(4, 6) + genuine[1:], "MalformedMessage")
    script.receive(genuine, "genuine")
    comment = "cut by a byte, longer by one, and with another count"
    script.add(group, comment, rules=["WIRE-2", "WIRE-3"], flags=["Malformed"])


def node_of(message: bytes):
    """Return a triple message as nodes."""
    decoded = RatchetMessage.decode(message)
    header, pq_header = decoded.header, pq_header_of(message)
    first, codewords = pq_header.fields()[4:]
    return array_node(
        "the message",
        number_node("", 1),
        number_node("", 5),
        blob_node("", header.ratchet_key.data),
        number_node("", header.previous_length),
        number_node("", header.number),
        number_node("", pq_header.epoch),
        number_node("", pq_header.number),
        number_node("", pq_header.previous),
        number_node("", int(pq_header.type)),
        null_node("") if first is None else number_node("", first),
        null_node("") if codewords is None else blob_node("", codewords),
        blob_node("", decoded.sealed),
    )


def ended(script: Script, genuine: bytes) -> None:
    """The session has no keys any more: it opens nothing, and it seals nothing."""
    script.ended()
    script.refused(genuine, "AuthenticationFailed")
    script.send_refused("into the void", "SessionEnded")
    script.ended()


def contradictions(family: Family) -> None:
    group = family.group(
        "triple.play", "authentic, but contradicting earlier messages: delivered, and the end"
    )
    for what, index in (("rho", 0), ("the hash", 40), ("the MAC", 95)):
        script = Script("recipient", f"contradiction {what}")
        wrong, right = script.far.twice(lambda it, at=index: flipped(it, at), words(3))
        script.refused(flipped(wrong, -1), "AuthenticationFailed")
        show(script, "Waiting")
        script.receive(wrong, words(3))
        ended(script, right)
        comment = f"Waiting: a header, with a bit of {what} inverted"
        script.add(group, comment, rules=["PQR-5"], flags=["Contradiction"])

    script = Script("recipient", "contradiction late")
    wrong, right = script.far.twice(lambda it: flipped(it, 31), "late")
    script.receive(script.far.write(words(2)), words(2))
    script.refused(flipped(wrong, -1), "AuthenticationFailed")
    show(script, "Hearing", 2)
    script.receive(wrong, "late")
    ended(script, right)
    comment = "a late message with the header's last codeword: its text, and no skipped key is left"
    script.add(group, comment, rules=["PQR-5"], flags=["Contradiction", "Late"])
    later_contradictions(group)


def later_contradictions(group) -> None:
    other = split(MlKem768KeyPair(KemSeed(draw("triple another key", 64))).public)[1]
    script = Script("recipient", "contradiction vector")
    script.receive(script.far.write(words(3)), words(3))
    script.send(words(30))
    wrong, right = script.far.twice(lambda _: other, words(36))
    script.receive(wrong, words(36))
    ended(script, right)
    comment = "Speaking: a vector of another key"
    script.add(group, comment, rules=["PQR-5", "PRIM-11"], flags=["Contradiction"])

    for index in (5, 31):
        script = Script("initiator", f"contradiction ct2 {index}")
        script.turn()
        script.send(words(36))
        pq_header, last = words(4), "the last codeword"
        script.receive(script.far.write(pq_header), pq_header)
        wrong, right = script.far.twice(lambda it, at=index: flipped(it, at), last)
        script.receive(wrong, last)
        ended(script, right)
        comment = f"Hearing: a ciphertext, with a bit of its MAC's last codeword inverted, in byte {index}"
        script.add(group, comment, rules=["PQR-5"], flags=["Contradiction"])


ALL: Final = (
    changed,
    late_and_changed,
    downgraded,
    derivations,
    wrong_epochs,
    elsewhere,
    malformed,
    contradictions,
)

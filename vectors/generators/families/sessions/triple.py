"""Account plays with sessions of suite 2, whose messages are triple messages."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from generators.families.sessions.first import initial_parts
from generators.support.account_script import Friend, Script
from generators.support.cbor_nodes import blob
from generators.support.family import Family, GenerationError
from generators.support.labels import draw, flipped
from generators.support.people import ALICE, BOB
from generators.support.triple_script import (
    ENOUGH,
    pq_header_of,
    stripped,
    with_header,
    with_pq_header,
    words,
)
from letterlock._ratchet import triple
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.triple import Triple
from letterlock._session.sealing import padded_length, seal_message
from letterlock._session.session import Initiated
from letterlock._wire import cbor
from letterlock._wire.message import RatchetMessage
from letterlock._wire.pq_header import PqType
from letterlock._wire.suite import Suite


def begun(label: str, *, by_her: bool = True) -> tuple[Script, Friend]:
    """Return a play in which the first message was decrypted."""
    script = Script(label)
    alice = script.friend()
    if by_her:
        alice.initiate(BOB.bundle(kem=300), Suite.PQXDH)
        script.receive(alice.write("hello"), "hello")
    else:
        script.initiate(ALICE.bundle(kem=300), 2)
        alice.read(script.encrypt("hello"), "hello")
    return script, alice


def braid_of(friend: Friend) -> str:
    ratchet = friend.stored_sessions()[0].session.ratchet
    assert isinstance(ratchet, Triple)
    return type(ratchet.braid).__name__


def epoch_of(friend: Friend) -> int:
    ratchet = friend.stored_sessions()[0].session.ratchet
    assert isinstance(ratchet, Triple)
    return ratchet.braid.epoch


OPPOSITE: Final = {"KeysSampled": 30, "HeaderSent": 30, "NoHeaderReceived": 3, "Ct1Sampled": 36,
                   "Ct1Acknowledged": 36, "EkReceivedCt1Sampled": 36, "Ct1Received": 5,
                   "EkSentCt1Received": 5}  # fmt: skip
"""How many codewords the other side must send, by the state of this side's braid."""


def heals(family: Family) -> None:
    group = family.group("account.play", "PQXDH sessions that heal")
    for by_her in (True, False):
        script, alice = begun(f"heals {by_her}", by_her=by_her)
        while epoch_of(alice) < 2:
            text = words(OPPOSITE.get(braid_of(alice), 1), "b")
            alice.read(script.encrypt(text), text)
            text = words(ENOUGH.get(braid_of(alice), 1), "a")
            script.receive(alice.write(text), text)
        alice.read(script.encrypt("healed"), "healed")
        script.receive(alice.write("so it is"), "so it is")
        script.sessions(1)
        who = "she" if by_her else "the account"
        script.add(group, f"{who} began; to the second epoch", rules=["PQR-1", "PQR-7", "PQR-8"])


def lost_and_late(family: Family) -> None:
    group = family.group("account.play", "PQXDH messages in another order")
    script = Script("triple repeats")
    alice = script.friend()
    alice.initiate(BOB.bundle(kem=300), Suite.PQXDH)
    one, two, three = (alice.write(text) for text in ("one", "two", "three"))
    script.receive(two, "two")
    script.sessions(1, 2)
    script.receive(one, "one")
    script.sessions(1)
    script.receive(three, "three")
    script.refused(one, "DuplicateMessage")
    script.refused(two, "DuplicateMessage")
    comment = "the second initial message arrives first; both are repeated"
    script.add(group, comment, rules=["SES-3", "RAT-9"], flags=["Replay"])

    script, alice = begun("triple archive")
    late, later = alice.write("late"), alice.write("later")
    script.receive(alice.write("in time"), "in time")
    script.sessions(1, 4)
    alice.initiate(BOB.bundle(one_time=None, kem=400), Suite.PQXDH)
    script.receive(alice.write("a new session"), "a new session")
    script.sessions(2, 4)
    script.receive(late, "late")
    script.sessions(2, 2)
    alice.read(script.encrypt("an answer"), "an answer")
    script.receive(later, "later")
    script.refused(later, "DuplicateMessage")
    script.sessions(2)
    comment = "late ones of a session in the archive, once and twice"
    script.add(group, comment, rules=["SES-3", "SES-4", "RAT-9"], flags=["Replay"])


def side_by_side(family: Family) -> None:
    group = family.group("account.play", "sessions of both suites with one peer")
    script = Script("both suites 1")
    alice = script.friend()
    alice.initiate(BOB.bundle())
    script.receive(alice.write("the older"), "the older")
    alice.read(script.encrypt("an answer in the older"), "an answer in the older")
    older = [alice.write(f"older {n}") for n in range(3)]
    alice.initiate(BOB.bundle(one_time=None, kem=400), Suite.PQXDH)
    script.receive(alice.write("the newer"), "the newer")
    script.receive(older[1], "older 1")
    script.receive(older[0], "older 0")
    alice.read(script.encrypt("an answer"), "an answer")
    script.receive(alice.write("goes on"), "goes on")
    script.receive(older[2], "older 2")
    script.sessions(2)
    comment = "letters of one of suite 1, while one of suite 2 is newer"
    script.add(group, comment, rules=["PQR-8", "SES-4"])


def not_its_kind(family: Family) -> None:
    """A session of one suite receives messages of the other."""
    group = family.group("account.play", "messages of the other suite, then the genuine one")
    for by_her in (True, False):
        script, alice = begun(f"stripped {by_her}", by_her=by_her)
        if by_her:
            alice.read(script.encrypt("an answer"), "an answer")
        genuine = alice.write("genuine")
        script.refused(stripped(genuine), "AuthenticationFailed")
        script.sessions(1)
        script.receive(genuine, "genuine")
        who = "she" if by_her else "the account"
        comment = f"suite 2, {who} began: stripped to a ratchet message"
        script.add(group, comment, rules=["PQR-8"], flags=["Stripped"])

    script = Script("stripped late")
    alice = script.friend()
    alice.initiate(BOB.bundle(kem=300), Suite.PQXDH)
    late = alice.write("late")
    script.receive(alice.write("in time"), "in time")
    script.refused(stripped(inner(late)), "AuthenticationFailed")
    script.sessions(1, 2)
    script.receive(late, "late")
    comment = "suite 2: a late one, stripped: its keys are still there"
    script.add(group, comment, rules=["PQR-8", "RAT-6"], flags=["Stripped"])

    script = Script("first stripped")
    alice = script.friend()
    alice.initiate(BOB.bundle(kem=300), Suite.PQXDH)
    hello = alice.write("hello")
    script.refused(around(hello, stripped(inner(hello))), "MalformedMessage")
    script.prekeys(100, 200, 300, 400)
    script.receive(hello, "hello")
    comment = "suite 2: a first message around a stripped one"
    script.add(group, comment, rules=["PQR-8"], flags=["Stripped"])
    suite_one(group)


def suite_one(group) -> None:
    script = Script("part put in")
    alice = script.friend()
    alice.initiate(BOB.bundle())
    hello = alice.write("hello")
    script.refused(around(hello, with_a_part(inner(hello))), "MalformedMessage")
    script.prekeys(100, 200, 300, 400)
    script.receive(hello, "hello")
    comment = "suite 1: a first message with an inserted post-quantum header"
    script.add(group, comment, rules=["PQR-8"], flags=["Stripped"])

    script = Script("part put in later")
    alice = script.friend()
    script.initiate(ALICE.bundle())
    alice.read(script.encrypt("hello"), "hello")
    genuine = alice.write("genuine")
    script.refused(with_a_part(genuine), "AuthenticationFailed")
    script.receive(genuine, "genuine")
    comment = "suite 1: a message with an inserted post-quantum header"
    script.add(group, comment, rules=["PQR-8"], flags=["Stripped"])


def inner(initial: bytes) -> bytes:
    """Return the message inside an initial message."""
    match cbor.decode(initial):
        case [*_, bytes(carried)]:
            return carried
        case _:
            raise GenerationError("no initial message")


def around(initial: bytes, message: bytes) -> bytes:
    """Return an initial message with another one inside."""
    return initial_parts(initial).at((9,), blob(message))


def with_a_part(message: bytes) -> bytes:
    """Return a ratchet message with an inserted post-quantum header and the same sealed text."""
    decoded = RatchetMessage.decode(message)
    other, _ = begun("a part to put in", by_her=False)
    donor = other.encrypt("a donor")
    pq_header = pq_header_of(inner(donor))
    return cbor.complete_array(decoded.header.encode_header(pq_header), decoded.sealed)


EDITS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "the epoch": lambda it: with_pq_header(it, epoch=2),
    "n": lambda it: with_pq_header(it, number=2),
    "PN of n": lambda it: with_pq_header(it, previous=1),
    "the type": lambda it: with_pq_header(it, type=PqType.EK),
    "the index": lambda it: with_pq_header(it, first=1),
    "a bit of a codeword": lambda it: with_pq_header(it, codewords=flipped(pq_header_of(it).codewords, 70)),
    "a codeword fewer": lambda it: with_pq_header(it, codewords=pq_header_of(it).codewords[:-32]),
    "N": lambda it: with_header(it, number=1),
    "a bit of the text": lambda it: flipped(it, -20),
}


def changes(family: Family) -> None:
    group = family.group("account.play", "a changed first triple message, then the genuine one")
    for what, edit in EDITS.items():
        script = Script(f"triple changed {what}")
        alice = script.friend()
        alice.initiate(BOB.bundle(kem=300), Suite.PQXDH)
        hello = alice.write("hello")
        script.refused(around(hello, edit(inner(hello))), "AuthenticationFailed")
        script.prekeys(100, 200, 300, 400)
        script.sessions(0)
        script.receive(hello, "hello")
        script.add(group, what, rules=["RAT-8", "HAND-7"], flags=["Changed"])


def far_ahead(family: Family) -> None:
    group = family.group("account.play", "a first triple message too far ahead, then the genuine one")
    for what, edit in {
        "n": lambda it: with_pq_header(it, number=2002),
        "N": lambda it: with_header(it, number=2001),
    }.items():
        script = Script(f"triple far {what}")
        alice = script.friend()
        alice.initiate(BOB.bundle(kem=300), Suite.PQXDH)
        hello = alice.write("hello")
        script.refused(around(hello, edit(inner(hello))), "TooManySkipped")
        script.prekeys(100, 200, 300, 400)
        script.receive(hello, "hello")
        script.add(group, f"2,001 ahead by {what}", rules=["RAT-5"], flags=["Changed", "Limit"])


def contradictory(friend: Friend, text: str, index: int) -> bytes:
    """Return the friend's next message, authentic, but with a wrong codeword. The friend does not advance."""
    entry = friend.stored_sessions()[0]
    session = entry.session
    assert isinstance(session.ratchet, Triple)
    head = session.header_bytes if isinstance(session, Initiated) else b""
    size = len(head) + padded_length(len(text))

    drawn = iter(range(9))
    entropy = lambda length: draw(f"sessions contradictory {text} {next(drawn)}", length)  # noqa: E731
    sent = triple.send(LETTERLOCK, session.ratchet, size, entropy)
    pq_header = replace(sent.pq_header, codewords=flipped(sent.pq_header.codewords, index))
    ad = session.origin.associated_data
    message = seal_message(sent.key, ad, sent.header, text.encode(), entropy(8), pq_header)
    return cbor.complete_array(head, message) if head else message


def contradictions(family: Family) -> None:
    group = family.group("account.play", "authentic messages that contradict earlier ones, and the end")
    script = Script("triple contradiction first")
    alice = script.friend()
    alice.initiate(BOB.bundle(kem=300), Suite.PQXDH)
    wrong = contradictory(alice, "wrong", 90)
    script.receive(wrong, "wrong")
    script.prekeys(100, 400)
    script.sessions(1)
    script.refused(wrong, "AuthenticationFailed")
    script.refused(alice.write("of the same handshake"), "AuthenticationFailed")
    script.encrypt_refused("SessionEnded")
    script.initiate(ALICE.bundle(kem=300), 2)
    script.sessions(1)
    alice.read(script.encrypt("anew"), "anew")
    comment = "a first message with a wrong header MAC: prekeys are used up, nothing is sent"
    script.add(group, comment, rules=["PQR-5", "HAND-7"], flags=["Contradiction"])

    script, alice = begun("triple contradiction archive")
    alice.read(script.encrypt("an answer"), "an answer")
    late = alice.write("late, of the first session")
    alice.initiate(BOB.bundle(one_time=None, kem=400), Suite.PQXDH)
    script.receive(contradictory(alice, "wrong", 90), "wrong")
    script.sessions(2)
    script.receive(late, "late, of the first session")
    script.encrypt_refused("SessionEnded")
    script.sessions(2)
    comment = "the second session ended: the first is read, and does not come back"
    script.add(group, comment, rules=["PQR-5", "SES-12", "SES-14"], flags=["Contradiction"])


def steps(family: Family) -> None:
    """The far side answers in the older one of two sessions: each trial costs N, and n beyond the last."""
    group = family.group("account.play", "chain steps while PQXDH sessions are tried")
    for last in (1999, 2000):
        script = Script(f"triple steps {last}")
        alice = script.friend()
        script.initiate(ALICE.bundle(kem=300), 2)
        alice.read(script.encrypt("the older session"), "the older session")
        script.initiate(ALICE.bundle(one_time=None, kem=400), 2)
        first = alice.write("number 0")
        for _ in range(last - 1):
            alice.write("lost")
        far = alice.write(f"number {last}")
        if last == 1999:
            script.receive(far, "number 1999")
            script.sessions(2, 2 * 1999)
            script.add(group, "7,998 steps: the second session opens", rules=["SES-9"], flags=["Limit"])
        else:
            script.refused(far, "AuthenticationFailed")
            script.sessions(2)
            script.receive(first, "number 0")
            script.receive(far, "number 2000")
            script.sessions(2, 2 * 1999)
            comment = "8,002 steps: it is not tried, until its ratchet key is known"
            script.add(group, comment, rules=["SES-9"], flags=["Limit"])


TRIPLE: Final = (
    heals,
    lost_and_late,
    side_by_side,
    not_its_kind,
    changes,
    far_ahead,
    contradictions,
    steps,
)

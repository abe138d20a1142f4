"""Account plays about first contact from either side, repeats, replays and changed first messages."""

from collections.abc import Callable
from typing import Any, Final

from generators.support.account_script import ALL, KEM_ONE_TIME, LAST_RESORT, NOW, ONE_TIME, SIGNED, Script
from generators.support.cbor_nodes import NULL, array_node, blob, blob_node, null_node, number_node, uint
from generators.support.family import Family
from generators.support.labels import flipped
from generators.support.people import ALICE, BOB, CAROL, MALLORY, Person, ratchet_public
from letterlock._wire import cbor
from letterlock._wire.message import InitialMessage
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.suite import Suite
from letterlock.limits import MAX_REPLAY_RECORDS

BUNDLES: Final[dict[str, tuple[int, dict[str, Any], list[int]]]] = {
    "X3DH with a one-time prekey": (1, {}, [100, 300, 400]),
    "X3DH without one": (1, {"one_time": None}, [100, 200, 300, 400]),
    "PQXDH with one-time prekeys of both kinds": (2, {"kem": 300}, [100, 400]),
    "PQXDH with a one-time curve prekey and the last resort": (2, {"kem": 400}, [100, 300, 400]),
    "PQXDH with a one-time KEM prekey alone": (2, {"one_time": None, "kem": 300}, [100, 200, 400]),
    "PQXDH with the last resort alone": (2, {"one_time": None, "kem": 400}, [100, 200, 300, 400]),
}
"""Suite, prekeys of the bundle, and the ids that remain afterwards."""


def contact(family: Family) -> None:
    group = family.group("account.play", "first contact")
    for comment, (suite, chosen, left) in BUNDLES.items():
        script = Script(f"recipient {comment}")
        alice = script.friend()
        alice.initiate(BOB.bundle(**chosen), Suite(suite))
        script.prekeys(100, 200, 300, 400)
        script.receive(alice.write("hello"), "hello")
        script.prekeys(*left)
        script.sessions(1)
        alice.read(script.encrypt("an answer"), "an answer")
        script.receive(alice.write("no header now"), "no header now")
        script.add(group, f"the recipient: {comment}", rules=["HAND-4", "HAND-7"])

        script = Script(f"initiator {comment}")
        alice = script.friend()
        script.initiate(ALICE.bundle(**chosen), suite)
        script.sessions(1)
        alice.read(script.encrypt("one"), "one")
        alice.read(script.encrypt("the same header"), "the same header")
        script.receive(alice.write("an answer"), "an answer")
        alice.read(script.encrypt("no header now"), "no header now")
        script.add(group, f"the initiator: {comment}", rules=["HAND-1", "HAND-6"])


def repeats(family: Family) -> None:
    group = family.group("account.play", "initial messages of one session")
    script = Script("repeats")
    alice = script.friend()
    alice.initiate(BOB.bundle())
    one, two, three = (alice.write(text) for text in ("one", "two", "three"))
    script.receive(two, "two")
    script.sessions(1, 1)
    script.receive(one, "one")
    script.receive(three, "three")
    script.sessions(1)
    script.prekeys(100, 300, 400)
    script.add(group, "the second comes first: one session", rules=["SES-3"])

    script = Script("repeats after an answer")
    alice = script.friend()
    alice.initiate(BOB.bundle())
    script.receive(alice.write("one"), "one")
    late = alice.write("late")
    alice.read(script.encrypt("an answer"), "an answer")
    script.receive(alice.write("a turn"), "a turn")
    script.receive(late, "late")
    script.sessions(1)
    script.add(group, "one that comes after the turn", rules=["SES-3"])


def repeats_in_the_archive(family: Family) -> None:
    group = family.group("account.play", "initial messages of earlier sessions")
    script = Script("repeat of a session in the archive")
    alice = script.friend()
    alice.initiate(BOB.bundle())
    script.receive(alice.write("one"), "one")
    two = alice.write("two")
    alice.initiate(BOB.bundle(one_time=None))
    script.receive(alice.write("anew"), "anew")
    script.receive(two, "two")
    script.sessions(2)
    script.add(group, "one whose session is in the archive", rules=["SES-3", "SES-4"])

    script = Script("repeat forged")
    alice = script.friend()
    alice.initiate(BOB.bundle())
    script.receive(alice.write("one"), "one")
    two = alice.write("two")
    script.refused(flipped(two, -1), "AuthenticationFailed")
    script.receive(two, "two")
    script.add(group, "one that was changed is opened in its session alone", rules=["SES-3", "SES-2"],
               flags=["Changed"])  # fmt: skip


def spliced(family: Family) -> None:
    """The header of one session around a message of another opens in neither session."""
    group = family.group("account.play", "the header of one session with the message of another")
    for kept in (False, True):
        script = Script(f"spliced {kept}")
        alice = script.friend()
        alice.initiate(BOB.bundle())
        first = alice.write("the first session")
        script.receive(first, "the first session")
        alice.initiate(BOB.bundle(one_time=None))
        script.receive(alice.write("the second session"), "the second session")
        other = alice.write("once more")
        if kept:
            script.receive(alice.write("after a gap"), "after a gap")
        node = initial_parts(first)
        script.refused(node.at((9,), blob(carried_by(other))), "AuthenticationFailed")
        script.sessions(2, 1 if kept else 0)
        script.receive(other, "once more")
        comment = "whose key is kept" if kept else "in order there"
        script.add(group, comment, rules=["SES-3"], flags=["Changed"])


def carried_by(initial: bytes) -> bytes:
    """Return the ratchet message inside an initial message."""
    carried = initial_parts(initial).items[9].content
    assert carried is not None
    return carried


def replays(family: Family) -> None:
    group = family.group("account.play", "repeated initial messages")
    for comment, (suite, chosen, left) in BUNDLES.items():
        once = "one-time" in comment
        script = Script(f"replay {comment}")
        alice = script.friend()
        alice.initiate(BOB.bundle(**chosen), Suite(suite))
        hello = alice.write("hello")
        script.receive(hello, "hello")
        if suite == 1:
            script.refused(hello, "DuplicateMessage")
        script.accept(MALLORY)
        script.sessions(0)
        script.accept(ALICE)
        script.refused(hello, "UnknownPrekey" if once else "DuplicateMessage")
        script.sessions(0)
        script.prekeys(*left)
        rules = ["HAND-7" if once else "HAND-8", "RAT-9"]
        script.add(
            group, f"{comment}: after use, and after its session is gone", rules=rules, flags=["Replay"]
        )


def records_full(family: Family) -> None:
    group = family.group("account.play", "handshakes with a reusable prekey")
    script = Script("two without a one-time prekey")
    for person in (ALICE, CAROL):
        friend = script.friend(person)
        friend.initiate(BOB.bundle(one_time=None))
        script.receive(friend.write("hello"), "hello", person)
    script.add(group, "two handshakes with one signed prekey", rules=["HAND-8"])

    for comment, suite, chosen, kind, id_ in (
        ("the signed prekey, suite 1", 1, {"one_time": None}, PrekeyKind.SIGNED, 100),
        ("the last resort, suite 2", 2, {"one_time": None, "kem": 400}, PrekeyKind.KEM_LAST_RESORT, 400),
    ):
        for free in (0, 1):
            record = {"kind": int(kind), "id": id_, "count": MAX_REPLAY_RECORDS - free}
            script = Script(f"full {comment} {free}", replays=record)
            alice = script.friend()
            if free:
                alice.initiate(BOB.bundle(**chosen), Suite(suite))
                script.receive(alice.write("the last"), "the last")
            carol = script.friend(CAROL)
            carol.initiate(BOB.bundle(**chosen), Suite(suite))
            script.refused(carol.write("one too many"), "ReplayRecordFull", CAROL)
            script.sessions(0, person=CAROL)
            carol.initiate(BOB.bundle(**({"kem": 300} if suite == 2 else {})), Suite(suite))
            script.receive(carol.write("with a one-time prekey"), "with a one-time prekey", CAROL)
            room = "room for one" if free else "no room"
            script.add(group, f"{comment}: {room} in its record", rules=["HAND-8"], flags=["RecordFull"])


def initial_parts(message: bytes):
    """Return an initial message as nodes."""
    initial = InitialMessage.decode(message)
    header, inner = initial.header, initial.message
    carried = message[-len(inner.header_bytes) - len(inner.sealed) - 2 :]
    return array_node(
        "the message",
        number_node("version", 1),
        number_node("kind", 1),
        number_node("suite", int(header.suite)),
        blob_node("identity key", header.identity.data),
        blob_node("ephemeral key", header.ephemeral.data),
        number_node("signed prekey id", header.signed_prekey_id),
        null_node("") if header.one_time_prekey_id is None else number_node("", header.one_time_prekey_id),
        null_node("") if header.kem is None else number_node("", header.kem.prekey_id),
        null_node("") if header.kem is None else blob_node("", header.kem.ciphertext),
        blob_node("ratchet message", carried),
    )


def ciphertext(message: bytes) -> bytes:
    """Return the CT of an initial message of suite 2."""
    kem = InitialMessage.decode(message).header.kem
    assert kem is not None
    return kem.ciphertext


Edit = Callable[[bytes], bytes]


def at(index: int, data: bytes) -> Edit:
    return lambda message: initial_parts(message).at((index,), data)


CHANGES: Final[dict[str, tuple[Edit, str, str]]] = {
    "signed prekey id: one that never was": (at(5, uint(99)), "UnknownPrekey", "HAND-7"),
    "signed prekey id: another signed prekey": (at(5, uint(101)), "AuthenticationFailed", "HAND-6"),
    "signed prekey id: a one-time prekey's": (at(5, uint(200)), "UnknownPrekey", "HAND-2"),
    "one-time prekey id: one that never was": (at(6, uint(99)), "UnknownPrekey", "HAND-7"),
    "one-time prekey id: another one-time prekey": (at(6, uint(201)), "AuthenticationFailed", "HAND-6"),
    "one-time prekey id: the signed prekey's": (at(6, uint(100)), "UnknownPrekey", "HAND-2"),
    "one-time prekey id: null": (at(6, NULL), "AuthenticationFailed", "HAND-4"),
    "identity key: mallory's": (at(3, blob(MALLORY.identity.public.data)), "AuthenticationFailed", "HAND-6"),
    "identity key: of low order": (at(3, blob(bytes(32))), "InvalidKey", "PRIM-2"),
    "identity key: the recipient's": (at(3, blob(BOB.identity.public.data)), "AddressMismatch", "HAND-11"),
    "ephemeral key: another": (at(4, blob(ratchet_public("another"))), "AuthenticationFailed", "HAND-6"),
    "ephemeral key: of low order": (at(4, blob(bytes(32))), "InvalidKey", "PRIM-2"),
    "sealed text: a bit": (lambda it: flipped(it, -20), "AuthenticationFailed", "SES-2"),
    "version 2": (at(0, uint(2)), "UnsupportedVersion", "WIRE-1"),
    "a long form": (lambda it: initial_parts(it).at((2,), b"\x18\x01"), "MalformedMessage", "WIRE-2"),
    "suite 3": (at(2, uint(3)), "MalformedMessage", "WIRE-4"),
    "cut": (lambda it: it[:-1], "MalformedMessage", "WIRE-2"),
}

KEM_CHANGES: Final[dict[str, tuple[Edit, str, str]]] = {
    "KEM prekey id: one that never was": (at(7, uint(99)), "UnknownPrekey", "HAND-7"),
    "KEM prekey id: the last resort's": (at(7, uint(400)), "AuthenticationFailed", "HAND-6"),
    "KEM prekey id: a one-time curve prekey's": (at(7, uint(200)), "UnknownPrekey", "HAND-2"),
    "CT: a bit": (
        lambda it: initial_parts(it).at(
            (8,), blob(flipped(InitialMessage.decode(it).header.kem.ciphertext, 700))
        ),
        "AuthenticationFailed",
        "HAND-6",
    ),
}


def changes(family: Family) -> None:
    group = family.group("account.play", "a changed first message, then the genuine one")
    more = [*ALL, (PrekeyKind.SIGNED, 101, None), (PrekeyKind.ONE_TIME, 201, None)]
    for suite, table in ((1, CHANGES), (2, KEM_CHANGES)):
        for comment, (edit, error, rule) in table.items():
            script = Script(f"changed {comment}", prekeys=more)
            alice = script.friend()
            alice.initiate(BOB.bundle(kem=300 if suite == 2 else None), Suite(suite))
            hello = alice.write("hello")
            script.refused(edit(hello), error)
            script.prekeys(100, 101, 200, 201, 300, 400)
            script.sessions(0)
            script.receive(hello, "hello")
            script.prekeys(*(each for each in (100, 101, 201, 300, 400) if each != 300 or suite == 1))
            script.sessions(1)
            script.add(group, comment, rules=list({rule: 0, "HAND-7": 0}), flags=["Changed"])


def elsewhere(family: Family) -> None:
    group = family.group("account.play", "a first message to or from somebody else")
    device = Person("bob", 2)
    script = Script("another device", person=device)
    other = script.friend(ALICE, to=device)
    script = Script("another device's")
    carried = BOB.bundle()
    other.initiate(Person(device.name, device.device_id, keys=BOB.label).bundle())
    script.refused(other.write("for device 2"), "AuthenticationFailed")
    script.prekeys(100, 200, 300, 400)
    alice = script.friend()
    alice.initiate(carried)
    script.receive(alice.write("for device 1"), "for device 1")
    script.add(group, "sealed for another device of the same keys", rules=["HAND-6"], flags=["OtherAddress"])

    script = Script("said to come from another")
    alice = script.friend()
    alice.initiate(BOB.bundle())
    hello = alice.write("hello")
    script.refused(hello, "AuthenticationFailed", CAROL)
    script.sessions(0, person=CAROL)
    script.receive(hello, "hello")
    carol = script.friend(CAROL)
    carol.initiate(BOB.bundle(one_time=None))
    script.receive(carol.write("i am carol"), "i am carol", CAROL)
    script.add(group, "from another stated address: no key is recorded", rules=["HAND-6", "SES-7"],
               flags=["OtherAddress"])  # fmt: skip


def not_ours(family: Family) -> None:
    group = family.group("account.play", "messages from our own address, or without a session")
    script = Script("from ourselves")
    alice = script.friend()
    alice.initiate(BOB.bundle())
    hello = alice.write("hello")
    script.refused(hello, "AddressMismatch", BOB)
    script.receive(hello, "hello")
    script.refused(alice.write("again"), "AddressMismatch", BOB)
    script.add(group, "from our own address, as stated", rules=["HAND-11"], flags=["OwnIdentity"])

    script = Script("without a session")
    alice = script.friend()
    alice.initiate(BOB.bundle())
    hello = alice.write("hello")
    carried = carried_by(hello)
    script.refused(carried, "UnknownSession")
    script.encrypt_refused("NoSession")
    script.receive(hello, "hello")
    script.refused(carried, "DuplicateMessage")
    script.add(group, "its ratchet message alone, without a session and with it", rules=["RAT-9"],
               flags=["NoSession"])  # fmt: skip


def stripped(family: Family) -> None:
    group = family.group("account.play", "the handshake around a repeated first message, stripped or added")
    for suite, chosen in ((Suite.X3DH, {}), (Suite.PQXDH, {"kem": 300})):
        script = Script(f"stripped {int(suite)}")
        alice = script.friend()
        alice.initiate(BOB.bundle(**chosen), suite)
        early, hello, again = (alice.write(text) for text in ("early", "hello", "again"))
        header = InitialMessage.decode(hello).header.encode_header()
        script.receive(hello, "hello")
        for message, text in ((again, "again"), (early, "early")):
            script.refused(carried_by(message), "AuthenticationFailed")
            script.receive(message, text)
        alice.read(script.encrypt("an answer"), "an answer")
        late, now = alice.write("late"), alice.write("now")
        for message, text in ((now, "now"), (late, "late")):
            script.refused(cbor.complete_array(header, message), "AuthenticationFailed")
            script.receive(message, text)
        script.sessions(1)
        comment = f"suite {int(suite)}: stripped in the first chain, added in the second, in order and late"
        script.add(group, comment, rules=["SES-15"], flags=["Changed"])


def expiry(family: Family) -> None:
    group = family.group("account.play", "expired prekeys")
    for comment, suite, chosen, expiring in (
        ("a one-time prekey", 1, {}, ONE_TIME),
        ("a retired signed prekey", 1, {"one_time": None}, SIGNED),
        ("a one-time KEM prekey", 2, {"one_time": None, "kem": 300}, KEM_ONE_TIME),
        ("a retired last resort", 2, {"one_time": None, "kem": 400}, LAST_RESORT),
    ):
        prekeys = [(kind, id_, NOW + 100 if id_ == expiring[1] else None) for kind, id_, _ in ALL]
        for second in (99, 100):
            script = Script(f"expiry {comment} {second}", prekeys=prekeys)
            alice = script.friend()
            alice.initiate(BOB.bundle(**chosen), Suite(suite))
            hello = alice.write("hello")
            script.wait(second)
            if second == 99:
                script.receive(hello, "hello")
                script.add(group, f"{comment}, a second before", rules=["HAND-9"])
            else:
                script.prekeys(*(id_ for _, id_, expires in prekeys if expires is None))
                script.refused(hello, "UnknownPrekey")
                script.sessions(0)
                script.add(group, f"{comment}, in that second", rules=["HAND-9"], flags=["Expired"])


FIRST: Final = (
    contact,
    repeats,
    repeats_in_the_archive,
    spliced,
    replays,
    records_full,
    changes,
    elsewhere,
    not_ours,
    expiry,
)

"""Grants that open nothing for this reader, have ended, or hold a wrong key."""

from generators.families.grants.scene import (
    BY_SERVERS,
    DOCUMENT,
    EPOCH_KEY,
    FRONT,
    HISTORY_KEY,
    KEY,
    LINK,
    MEMBER,
    NOW,
    OF_EPOCH,
    OF_SESSION,
    SALT,
    SECRET,
    TO_BOB,
    TO_LINK,
    TO_PASSWORD,
    TO_PERSON,
    TO_TEAM,
    USER,
    WITH_PASSWORD,
    given,
)
from generators.support.document_signers import ALICE, MALLORY
from generators.support.family import Family
from generators.support.labels import draw, flipped
from generators.support.made_grants import Note, assembled, fragment, in_halves, recipient, to_key, under
from generators.support.owner import document_key
from generators.support.sealed_documents import Document

BOB_KEY, FIRST, SECOND = (
    document_key("bob of documents 1"),
    document_key("server 1"),
    document_key("server 2"),
)
OTHER_KEY = document_key("nobody")


def add(family: Family) -> None:
    """Add the groups."""
    readers(family)
    secrets(family)
    lengths(family)
    commitments(family)
    ends(family)


def readers(family: Family) -> None:
    """Add readers for whom a grant is not."""
    group = family.group("grant.open", "grants for somebody else")
    other = draw("another secret", 32)
    for comment, making, reader in (
        ("another user", TO_BOB, {**USER, "user_id": MALLORY.user_id.hex()}),
        ("another generation", TO_BOB, {**USER, "generation": 2}),
        ("another seed", TO_BOB, {**USER, "seed": draw("another seed", 32).hex()}),
        ("another collection", TO_TEAM, {**MEMBER, "id": draw("another team", 16).hex()}),
        ("another epoch", TO_TEAM, {**MEMBER, "epoch": 4}),
        ("another link", TO_LINK, {**LINK, "fragment": fragment(other)}),
        ("another person", TO_PERSON, {**BY_SERVERS, "id": draw("another person", 32).hex()}),
        ("the two seeds exchanged", TO_PERSON,
         {**BY_SERVERS, "first": BY_SERVERS["second"], "second": BY_SERVERS["first"]}),
        ("another first seed", TO_PERSON, {**BY_SERVERS, "first": draw("another seed", 32).hex()}),
        ("a link, for a grant to a user", TO_BOB, LINK),
        ("a user, for a grant to a link", TO_LINK, USER),
        ("a password, for a grant to a link", TO_LINK, WITH_PASSWORD),
        ("a member, for a grant to a link", TO_LINK, MEMBER),
        ("a link, for a grant to a password", TO_PASSWORD, LINK),
    ):  # fmt: skip
        wrong = given(making.grant(), reader)
        group.invalid(comment, wrong, "NoGrant", flags=["Reader"], rules=["DOC-33"])
    for comment, changes in (
        ("a recipient of kind 6", {"recipient": [6, b"what a later release reads"]}),
        ("a recipient of kind 255", {"recipient": [255, b"\x80"]}),
        ("a subject of kind 100", {"subject": [100, *TO_LINK.subject[1:]]}),
        ("a subject of kind 255", {"subject": [255, *TO_LINK.subject[1:]]}),
    ):
        wrong = given(TO_LINK.with_(**changes).grant(), LINK)
        group.invalid(comment, wrong, "NoGrant", flags=["Unknown"], rules=["DOC-34"])


def secrets(family: Family) -> None:
    """Add grants whose key was sealed under another secret than their recipient has."""
    group = family.group("grant.open", "keys under another secret")
    other = draw("another secret", 32)
    sealed = TO_LINK.sealed()
    halves = TO_PERSON.sealed()
    middle = len(halves) // 2
    for comment, making, reader, flags in (
        ("a link", TO_LINK.with_(seal=under(other, KEY)), LINK, ["WrongKey"]),
        ("a collection", TO_TEAM.with_(seal=under(HISTORY_KEY, KEY)), MEMBER, ["WrongKey"]),
        ("another user's document key", TO_BOB.with_(seal=to_key(OTHER_KEY, KEY)), USER, ["WrongKey"]),
        ("another part of a key for two", TO_BOB.with_(seal=to_key(BOB_KEY, KEY, 1)), USER, ["WrongKey"]),
        ("the halves under each other's key", TO_PERSON.with_(seal=in_halves(SECOND, FIRST, KEY)),
         BY_SERVERS, ["Half"]),
        ("both halves as part 1", TO_PERSON.with_(seal=in_halves(FIRST, SECOND, KEY, (1, 1))), BY_SERVERS,
         ["Half"]),
        ("both halves as part 0", TO_PERSON.with_(seal=in_halves(FIRST, SECOND, KEY, (0, 0))), BY_SERVERS,
         ["Half"]),
        ("the first half for somebody else", TO_PERSON.with_(seal=in_halves(OTHER_KEY, SECOND, KEY)),
         BY_SERVERS, ["Half"]),
        ("the second half for somebody else", TO_PERSON.with_(seal=in_halves(FIRST, OTHER_KEY, KEY)),
         BY_SERVERS, ["Half"]),
    ):  # fmt: skip
        group.invalid(
            comment, given(making.grant(), reader), "AuthenticationFailed", flags=flags, rules=["DOC-35"]
        )
    for comment, wrong_sealed, making, reader in (
        ("a nonce that was changed", flipped(sealed, 0), TO_LINK, LINK),
        ("a text that was changed", flipped(sealed, 20), TO_LINK, LINK),
        ("a tag that was changed", flipped(sealed, -1), TO_LINK, LINK),
        ("an encapsulation that was changed", flipped(TO_BOB.sealed(), 0), TO_BOB, USER),
        ("a text for a user that was changed", flipped(TO_BOB.sealed(), -20), TO_BOB, USER),
        ("the halves exchanged", halves[middle:] + halves[:middle], TO_PERSON, BY_SERVERS),
        ("the first half twice", halves[:middle] * 2, TO_PERSON, BY_SERVERS),
    ):
        wrong = given(assembled(making.terms(), wrong_sealed, making.signer), reader)
        group.invalid(comment, wrong, "AuthenticationFailed", flags=["Changed"], rules=["DOC-35"])
    wrong = given(TO_PASSWORD.grant(), {"kind": "password", "password": "correct house"})
    group.invalid("another password", wrong, "AuthenticationFailed", flags=["Reader"], rules=["DOC-38"])


def lengths(family: Family) -> None:
    """Add sealed keys of other lengths, and recipients that the protocol does not allow."""
    group = family.group("grant.open", "sealed keys of another length, and weaker recipients")
    for comment, making, reader, key in (
        ("a key of 33 bytes for a link", TO_LINK, LINK, bytes(33)),
        ("a key of 48 bytes for a link", TO_LINK, LINK, bytes(48)),
        ("a key of 65 bytes for a collection", TO_TEAM, MEMBER, bytes(65)),
        ("a key of 96 bytes for a link", TO_LINK, LINK, bytes(96)),
    ):
        secret = SECRET if reader is LINK else EPOCH_KEY
        wrong = given(making.with_(seal=under(secret, key)).grant(), reader)
        group.invalid(comment, wrong, "MalformedMessage", flags=["Length"], rules=["DOC-36"])
    for comment, making, reader, sealed in (
        ("31 bytes for a user", TO_BOB, USER, TO_BOB.with_(seal=to_key(BOB_KEY, bytes(31))).sealed()),
        ("33 bytes for a user", TO_BOB, USER, TO_BOB.with_(seal=to_key(BOB_KEY, bytes(33))).sealed()),
        ("what is sealed for a link, for a user", TO_BOB, USER, TO_LINK.sealed()),
        ("what is sealed for a user, for a link", TO_LINK, LINK, TO_BOB.sealed()),
        ("half of what is sealed for two servers", TO_PERSON, BY_SERVERS, TO_BOB.sealed()),
        ("33 bytes for two servers", TO_PERSON, BY_SERVERS,
         TO_PERSON.with_(seal=in_halves(FIRST, SECOND, bytes(33))).sealed()),
        ("a byte behind what is sealed for a link", TO_LINK, LINK, TO_LINK.sealed() + b"\0"),
    ):  # fmt: skip
        wrong = given(assembled(making.terms(), sealed, making.signer), reader)
        group.invalid(comment, wrong, "MalformedMessage", flags=["Length"], rules=["DOC-36"])
    x25519 = draw("32 bytes of an X25519 share, and a sealed key", 32 + 32 + 16)
    wrong = given(assembled(TO_BOB.terms(), x25519, TO_BOB.signer), USER)
    comment = "what is sealed with X25519 alone, for a user"
    group.invalid(comment, wrong, "MalformedMessage", flags=["Suite", "Length"], rules=["DOC-36"])
    ml_kem = draw("ML-KEM-768 alone", 1088 + 32 + 16)
    wrong = given(assembled(TO_BOB.terms(), ml_kem, TO_BOB.signer), USER)
    comment = "what is sealed with ML-KEM-768 alone, for a user"
    group.invalid(comment, wrong, "MalformedMessage", flags=["Suite", "Length"], rules=["DOC-36"])
    for comment, passes, memory, salt in (
        ("2 passes", 2, 67_108_864, SALT),
        ("9 passes", 9, 67_108_864, SALT),
        ("64 MiB less a byte", 3, 67_108_863, SALT),
        ("256 MiB and a byte", 3, 268_435_457, SALT),
        ("8 KiB", 3, 8_192, SALT),
        ("no pass", 0, 67_108_864, SALT),
        ("a salt of 15 bytes", 3, 67_108_864, SALT[:15]),
    ):
        weak = TO_PASSWORD.with_(recipient=recipient(4, salt, passes, memory), seal=under(SECRET, KEY))
        wrong = given(weak.grant(), WITH_PASSWORD)
        group.invalid(
            f"a password with {comment}", wrong, "MalformedMessage", flags=["Suite"], rules=["DOC-38"]
        )


def commitments(family: Family) -> None:
    """Add grants whose key is not the one to which their subject commits."""
    group = family.group("grant.open", "keys to which the subject does not commit")
    other = draw("another key", 32)
    for comment, making, reader in (
        ("a session", OF_SESSION.with_(seal=under(SECRET, other)), LINK),
        ("a session with 64 bytes", OF_SESSION.with_(seal=under(SECRET, bytes(64))), LINK),
        ("a session under another id",
         OF_SESSION.with_(subject=[3, bytes(16), *OF_SESSION.subject[2:]]), LINK),
        ("an epoch", OF_EPOCH.with_(seal=to_key(BOB_KEY, other)), USER),
        ("an epoch, with its keys exchanged",
         OF_EPOCH.with_(seal=to_key(BOB_KEY, HISTORY_KEY + EPOCH_KEY)), USER),
        ("the key of an epoch under another number",
         OF_EPOCH.with_(subject=[2, OF_EPOCH.subject[1], 4, OF_EPOCH.subject[3]]), USER),
        ("a document with 64 bytes", TO_LINK.with_(seal=under(SECRET, KEY + KEY)), LINK),
    ):  # fmt: skip
        wrong = given(making.grant(), reader)
        group.invalid(comment, wrong, "WrongGrantedKey", flags=["WrongKey"], rules=["DOC-42", "DOC-46"])
    wrong = given(TO_LINK.with_(seal=under(SECRET, other)).grant(), LINK, front=FRONT)
    comment = "another key than the front commits to"
    group.invalid(comment, wrong, "DocumentDamaged", flags=["WrongKey"], rules=["DOC-8", "DOC-42"])
    version = Document("a granted document", version=2)
    front = version.body[: version.start].hex()
    for comment, making in (
        ("the front of another version", TO_LINK),
        ("another id than the front has", TO_LINK.with_(subject=[1, bytes(16), 2, version.commitment])),
        ("another commitment than the front has", TO_LINK.with_(subject=[1, version.id, 2, bytes(32)])),
    ):
        wrong = given(making.grant(), LINK, front=front)
        group.invalid(comment, wrong, "NoGrant", flags=["WrongKey"], rules=["DOC-42", "DOC-50"])


def ends(family: Family) -> None:
    """Add grants that have expired or were withdrawn, and notes that change nothing."""
    group = family.group("grant.open", "grants that have ended, and notes that end nothing")
    grant = TO_LINK.grant()
    for comment, end in (("an end a second ago", NOW - 1), ("an end in 1970", 0)):
        wrong = given(TO_LINK.with_(valid_until=end).grant(), LINK)
        group.invalid(comment, wrong, "NoGrant", flags=["Ended"], rules=["DOC-44"])
    other = draw("the hash of another grant", 32)
    withdrawal = Note(1, DOCUMENT.id, [TO_LINK.hash()])
    lists = [ALICE.snapshots[:2], MALLORY.snapshots]
    for comment, note in (
        ("withdrawn", withdrawal),
        ("withdrawn among others", withdrawal.with_(hashes=[other, TO_LINK.hash()])),
        ("withdrawn by another device of the same user", withdrawal.with_(signer=ALICE.at(2, 1))),
        ("withdrawn before it was granted", withdrawal.with_(issued=0)),
        ("erased by the granter", Note(2, DOCUMENT.id, [DOCUMENT.commitment], count=3)),
        ("erased, with other commitments", Note(2, DOCUMENT.id, [other])),
    ):
        wrong = given(grant, LINK, notes=[note.encode().hex()], lists=lists)
        group.invalid(comment, wrong, "NoGrant", flags=["Ended"], rules=["DOC-43", "DOC-44", "DOC-45"])
    for comment, note in (
        ("withdrawn by somebody else", withdrawal.with_(signer=MALLORY.at(1))),
        ("erased by somebody else", Note(2, DOCUMENT.id, [DOCUMENT.commitment], signer=MALLORY.at(1))),
        ("another grant is withdrawn", withdrawal.with_(hashes=[other])),
        ("withdrawn as of another document", withdrawal.with_(subject_id=bytes(16))),
        ("withdrawn as of a collection", withdrawal.with_(subject_kind=2)),
    ):
        right = given(grant, LINK, notes=[note.encode().hex()], lists=lists)
        group.valid(f"{comment}: it opens", right, rules=["DOC-43"])
    unsigned = withdrawal.encode(signer=MALLORY.at(1).naming(
        user_id=ALICE.user_id, list_hash=ALICE.lists[0].hash))  # fmt: skip
    wrong = given(grant, LINK, notes=[unsigned.hex()], lists=lists)
    comment = "withdrawn by a note that the granter did not sign"
    group.invalid(comment, wrong, "InvalidSignature", flags=["Author"], rules=["DOC-43"])

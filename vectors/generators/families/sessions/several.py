"""Account plays about several sessions with one peer, trust, and allowed suites."""

from typing import Final

from generators.support.account_script import Friend, Script
from generators.support.family import Family, GenerationError
from generators.support.people import ALICE, BOB, CAROL, NEW_ALICE
from generators.support.ratchet_script import key_of
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.suite import Suite


def crossed(family: Family) -> None:
    group = family.group("account.play", "both sides initiate at once")
    for lower in ("ours", "theirs"):
        script, alice = both_initiated(lower)
        hers = script.encrypt("in her session")
        once, twice = alice.write("in our session, once"), alice.write("in our session, twice")
        script.receive(once, "in our session, once")
        stays = key_of(script.encrypt("which session is active now?")) == key_of(hers)
        script.receive(twice, "in our session, twice")
        moved = key_of(script.encrypt("and now?")) != key_of(hers)
        if stays != (lower == "theirs") or not moved:
            raise GenerationError(f"{lower} is lower, and another session is active than should be")
        script.sessions(2)
        comment = f"the associated data of {lower} is lower; she answers twice in our session"
        script.add(group, comment, rules=["SES-4"], flags=["BothInitiated"])


def crossed_again(family: Family) -> None:
    """An activated session loses `promote_next`: archived again, it does not become active."""
    group = family.group("account.play", "both sides initiate at once, and then again")
    script, alice = both_initiated("theirs")
    hers = script.encrypt("in her session")
    letters = [alice.write(f"in our session, {number}") for number in range(3)]
    script.receive(letters[0], "in our session, 0")
    script.receive(letters[1], "in our session, 1")
    ours = script.encrypt("in our session: she insisted")
    alice.read(hers, "in her session")
    script.receive(alice.write("in her session again"), "in her session again")
    script.receive(letters[2], "in our session, 2")
    if key_of(script.encrypt("still in her session")) == key_of(ours):
        raise GenerationError("our session became active")
    comment = "theirs is lower; she keeps to ours, returns, and a message in ours follows"
    script.add(group, comment, rules=["SES-4"], flags=["BothInitiated"])


def both_initiated(lower: str) -> tuple[Script, Friend]:
    """Return a play in which both sessions exist on both sides, and hers is active.

    Which of the two has the lower associated data is a matter of chance, so labels are tried.
    """
    for attempt in range(100):
        script = Script(f"crossed {lower} {attempt}")
        alice = script.friend()
        script.initiate(ALICE.bundle())
        ours = script.encrypt("our session")
        alice.initiate(BOB.bundle())
        script.receive(alice.write("her session"), "her session")
        alice.read(ours, "our session")
        first, second = alice.stored_sessions()
        of_us, of_her = first.session.origin, second.session.origin
        if of_us.handshake_id is None or of_her.handshake_id is not None:
            raise GenerationError("the sessions stand in another order")
        if (of_us.associated_data < of_her.associated_data) == (lower == "ours"):
            return script, alice
    raise GenerationError("no luck")


def anew(family: Family) -> None:
    group = family.group("account.play", "a new session")
    script, alice = talking("anew")
    old = [alice.write(f"old {number}") for number in range(4)]
    script.initiate(ALICE.bundle(one_time=None))
    script.receive(old[1], "old 1")
    script.sessions(2, 1)
    hello = script.encrypt("the new session, not undone before it was used")
    if peek_kind(hello) is not Kind.INITIAL:
        raise GenerationError("a letter of the old session has undone the new one")
    script.receive(old[2], "old 2")
    text = "she may not know the new session: back to the old one"
    back = script.encrypt(text)
    alice.read(back, text)
    alice.read(hello, "the new session, not undone before it was used")
    begun_anew = active(alice)
    script.receive(alice.write("answered in the new session"), "answered in the new session")
    for number in (0, 3):
        script.receive(old[number], f"old {number}")
        text = f"the new session, after the old letter {number}"
        alice.read(script.encrypt(text), text)
        if active(alice) != begun_anew:
            raise GenerationError("another session is active than should be")
    comment = "letters of the old session, before and after the answer in the new one"
    script.add(group, comment, rules=["SES-4", "SES-12"])

    script, alice = talking("anew by her")
    old = [alice.write(f"old {number}") for number in range(2)]
    alice.initiate(BOB.bundle(one_time=None))
    script.receive(alice.write("her new session"), "her new session")
    for number in (0, 1):
        script.receive(old[number], f"old {number}")
        text = f"in her new session, {number}"
        before = active(alice)
        alice.read(script.encrypt(text), text)
        if active(alice) != before:
            raise GenerationError("the account has gone back to the old session")
    script.add(group, "letters of the old session, after she began anew", rules=["SES-12"])


def weaker(family: Family) -> None:
    group = family.group("account.play", "a session of a weaker suite")
    script, alice = talking("weaker")
    old = [alice.write(f"old {number}") for number in range(2)]
    script.initiate(ALICE.bundle(one_time=None, kem=300), 2)
    hello = script.encrypt("in suite 2")
    script.receive(old[0], "old 0")
    again = script.encrypt("still in suite 2")
    if peek_kind(again) is not Kind.INITIAL:
        raise GenerationError("a letter of suite 1 has undone a session of suite 2")
    alice.read(hello, "in suite 2")
    alice.read(again, "still in suite 2")
    script.receive(alice.write("answered in suite 2"), "answered in suite 2")
    script.receive(old[1], "old 1")
    before = active(alice)
    alice.read(script.encrypt("and still"), "and still")
    if active(alice) != before:
        raise GenerationError("a letter of suite 1 has undone a session of suite 2")
    script.initiate(ALICE.bundle(), 1, error="UsageError")
    script.sessions(2)
    comment = "its letters are read, and change nothing; nobody begins in it"
    script.add(group, comment, rules=["SES-11"], flags=["Suite"])

    script = Script("weaker first message")
    alice = script.friend()
    alice.initiate(BOB.bundle())
    first = alice.write("in suite 1")
    alice.initiate(BOB.bundle(one_time=None, kem=300), Suite.PQXDH)
    script.receive(alice.write("in suite 2"), "in suite 2")
    script.receive(first, "in suite 1")
    script.sessions(2)
    before = active(alice)
    alice.read(script.encrypt("an answer in suite 2"), "an answer in suite 2")
    if active(alice) != before:
        raise GenerationError("the first message of suite 1 has undone a session of suite 2")
    script.add(group, "its first message comes too late", rules=["SES-11"], flags=["Suite"])


def anew_without_the_old(family: Family) -> None:
    group = family.group("account.play", "a new session that replaces the old one")
    script, alice = talking("discarded")
    missing = alice.write("missing")
    script.receive(alice.write("after a gap"), "after a gap")
    script.sessions(1, 1)
    script.initiate(ALICE.bundle(one_time=None), discard=True)
    script.sessions(1, 0)
    script.refused(missing, "AuthenticationFailed")
    script.refused(alice.write("in the old session"), "AuthenticationFailed")
    alice.read(script.encrypt("in the new one"), "in the new one")
    script.receive(alice.write("an answer"), "an answer")
    script.add(group, "with the earlier ones discarded, and their kept keys", rules=["SES-5"], flags=["Gone"])

    script, alice = talking("she begins anew")
    alice.initiate(BOB.bundle(one_time=None))
    script.receive(alice.write("her new session"), "her new session")
    script.sessions(2)
    alice.read(script.encrypt("answered there"), "answered there")
    script.add(group, "by her: her new session becomes the active one", rules=["SES-5"])

    script, alice = talking("lost")
    late, turn = alice.write("late"), alice.write("one more")
    script.receive(turn, "one more")
    script.initiate(ALICE.bundle(one_time=None))
    script.refused(turn, "DuplicateMessage")
    script.receive(late, "late")
    script.refused(late, "DuplicateMessage")
    script.sessions(2)
    script.add(group, "a message of the old session is repeated", rules=["RAT-9", "SES-3"], flags=["Replay"])


def active(friend: Friend) -> bytes:
    """Return what distinguishes a friend's active session."""
    return friend.stored_sessions()[0].session.origin.associated_data


def talking(label: str) -> tuple[Script, Friend]:
    """Return a play with a session in which both have written."""
    script = Script(label)
    alice = script.friend()
    script.initiate(ALICE.bundle())
    alice.read(script.encrypt("hello"), "hello")
    script.receive(alice.write("hello yourself"), "hello yourself")
    return script, alice


def archive(family: Family) -> None:
    group = family.group("account.play", "more sessions than are kept")
    for count in (41, 42):
        script = Script(f"archive {count}")
        alice = script.friend()
        alice.initiate(BOB.bundle())
        script.receive(alice.write("the first session"), "the first session")
        second = alice.write("once more in the first session")
        for number in range(1, count):
            alice.initiate(BOB.bundle(one_time=None))
            text = f"session {number}"
            script.receive(alice.write(text), text)
        script.sessions(41)
        if count == 41:
            script.receive(second, "once more in the first session")
            script.add(group, "41 sessions: the first still opens", rules=["SES-5", "SES-3"], flags=["Limit"])
        else:
            script.refused(second, "UnknownPrekey")
            script.sessions(41)
            script.add(group, "42 sessions: the first is gone", rules=["SES-5"], flags=["Limit", "Gone"])

    script, alice = talking("archive answered")
    kept = alice.write("in the answered session")
    for number in range(41):
        text = f"session {number}"
        alice.initiate(BOB.bundle(one_time=None))
        script.receive(alice.write(text), text)
    script.sessions(41)
    script.refused(kept, "AuthenticationFailed")
    script.add(group, "41 newer ones: an answered one is gone", rules=["SES-5"], flags=["Limit", "Gone"])


def steps(family: Family) -> None:
    """The far side answers N = 2,000 in one of our sessions, so far back in the archive."""
    group = family.group("account.play", "chain steps while sessions are tried")
    for newer in (3, 4):
        script = Script(f"steps {newer}")
        alice = script.friend()
        script.initiate(ALICE.bundle())
        alice.read(script.encrypt("the oldest session"), "the oldest session")
        for _ in range(newer):
            script.initiate(ALICE.bundle(one_time=None))
        first = alice.write("number 0")
        for _ in range(1999):
            alice.write("lost")
        last = alice.write("number 2000")
        if newer == 3:
            script.receive(last, "number 2000")
            script.sessions(4, 2000)
            script.receive(first, "number 0")
            script.sessions(4, 1999)
            script.add(group, "the fourth session opens: 8,000 steps", rules=["SES-9"], flags=["Limit"])
        else:
            script.refused(last, "AuthenticationFailed")
            script.sessions(5)
            script.receive(first, "number 0")
            script.receive(last, "number 2000")
            script.sessions(5, 1999)
            comment = "the fifth is not tried any more, until its ratchet key is known"
            script.add(group, comment, rules=["SES-9"], flags=["Limit"])


def allowed(family: Family) -> None:
    group = family.group("account.play", "allowed and refused suites")
    script = Script("suite refused", suites=[2])
    alice = script.friend()
    alice.initiate(BOB.bundle())
    hello = alice.write("hello")
    script.refused(hello, "SuiteRefused")
    script.prekeys(100, 200, 300, 400)
    script.allow(1, 2)
    script.receive(hello, "hello")
    script.add(group, "a first message of X3DH", rules=["HAND-3"], flags=["Suite"])

    script = Script("suite refused, initiating", suites=[2])
    script.initiate(ALICE.bundle(), error="UsageError")
    script.sessions(0)
    script.initiate(ALICE.bundle(), 2, error="SuiteRefused")
    script.sessions(0)
    script.encrypt_refused("NoSession")
    comment = "initiating in X3DH where it is not allowed, and in PQXDH without a KEM prekey"
    script.add(group, comment, rules=["HAND-3", "HAND-5"], flags=["Suite"])


def taken_back(family: Family) -> None:
    group = family.group("account.play", "suites that are refused, then allowed again")
    script, alice = talking("suite taken back")
    script.allow(2)
    letter = alice.write("while it is not allowed")
    script.refused(letter, "UnknownSession")
    script.encrypt_refused("NoSession")
    script.sessions(1)
    script.allow(1)
    script.receive(letter, "while it is not allowed")
    alice.read(script.encrypt("allowed again"), "allowed again")
    script.add(
        group, "a session whose suite is taken back, and allowed again", rules=["SES-8"], flags=["Suite"]
    )

    script = Script("repeat of a suite taken back")
    alice = script.friend()
    alice.initiate(BOB.bundle())
    script.receive(alice.write("one"), "one")
    two = alice.write("two")
    script.allow(2)
    script.refused(two, "SuiteRefused")
    script.allow(1)
    script.receive(two, "two")
    script.sessions(1)
    comment = "a repeat of the first message, while its suite is taken back"
    script.add(group, comment, rules=["SES-8", "HAND-3"], flags=["Suite"])

    script, alice = talking("late while taken back")
    late = alice.write("late")
    script.receive(alice.write("in time"), "in time")
    script.allow(2)
    script.refused(late, "AuthenticationFailed")
    script.allow(1)
    script.sessions(1, 1)
    script.receive(late, "late")
    comment = "a late message whose key is kept, while the suite is taken back"
    script.add(group, comment, rules=["SES-8"], flags=["Suite"])


def trust(family: Family) -> None:
    group = family.group("account.play", "identity keys that change")
    script, alice = talking("changed identity")
    new = script.friend(NEW_ALICE)
    new.initiate(BOB.bundle())
    hello = new.write("new keys")
    script.refused(hello, "UntrustedIdentity")
    script.prekeys(100, 200, 300, 400)
    script.receive(alice.write("still here"), "still here")
    script.accept(NEW_ALICE)
    script.sessions(0)
    script.receive(hello, "new keys")
    script.refused(alice.write("the old keys"), "AuthenticationFailed")
    script.sessions(1)
    script.add(
        group, "a first message with another key, refused, then accepted", rules=["SES-7"], flags=["Identity"]
    )

    script, alice = talking("changed bundle")
    script.initiate(NEW_ALICE.bundle(), error="UntrustedIdentity")
    script.sessions(1)
    script.receive(alice.write("still here"), "still here")
    script.accept(NEW_ALICE)
    script.sessions(0)
    script.encrypt_refused("NoSession")
    script.initiate(NEW_ALICE.bundle())
    script.sessions(1)
    comment = "a bundle with another key, refused, then accepted"
    script.add(group, comment, rules=["SES-7"], flags=["Identity"])


def trusted(family: Family) -> None:
    group = family.group("account.play", "identity keys that stay")
    script, alice = talking("accepted again")
    script.accept(ALICE)
    script.sessions(1)
    script.receive(alice.write("nothing is deleted"), "nothing is deleted")
    script.add(group, "the recorded key accepted once more deletes nothing", rules=["SES-7"])

    script = Script("forged first contact")
    alice, mallory = script.friend(), script.friend(NEW_ALICE)
    mallory.initiate(BOB.bundle(one_time=None))
    forged = mallory.write("from mallory")
    script.refused(forged[:-1] + bytes([forged[-1] ^ 1]), "AuthenticationFailed")
    alice.initiate(BOB.bundle())
    script.receive(alice.write("from alice"), "from alice")
    comment = "a first message that does not authenticate records no key"
    script.add(group, comment, rules=["SES-7", "SES-2"], flags=["Changed"])


def no_messages(family: Family) -> None:
    group = family.group("account.play", "bytes that are not a message")
    script, alice = talking("no messages")
    for data, error in (
        (b"", "MalformedMessage"),
        (ALICE.bundle().encode(), "MalformedMessage"),
        (b"\x86\x02\x02", "UnsupportedVersion"),
        (b"\x87\x01\x03", "UnsupportedVersion"),
        (b"\x86\x01\x05", "MalformedMessage"),
    ):
        script.refused(data, error)
    script.receive(alice.write("a message"), "a message")
    script.add(
        group, "nothing, a bundle, another version, another kind", rules=["WIRE-1"], flags=["NoMessage"]
    )

    script, alice = talking("one of another")
    carol = script.friend(CAROL)
    carol.initiate(BOB.bundle())
    script.receive(carol.write("i am carol"), "i am carol", CAROL)
    letter = alice.write("i am alice")
    script.refused(letter, "AuthenticationFailed", CAROL)
    script.receive(letter, "i am alice")
    script.add(group, "a letter of one peer shown as another's", rules=["SES-2"], flags=["OtherAddress"])


SEVERAL: Final = (
    crossed,
    crossed_again,
    anew,
    weaker,
    anew_without_the_old,
    archive,
    steps,
    allowed,
    taken_back,
    trust,
    trusted,
    no_messages,
)

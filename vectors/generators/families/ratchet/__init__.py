"""Vectors of one side of a session, message by message."""

from generators.families.ratchet import limits, refusals
from generators.families.ratchet.notes import NOTES
from generators.support.family import Family
from generators.support.ratchet_script import Script


def in_order(group) -> None:
    script = Script("initiator", "ratchet initiator")
    script.state("Unanswered")
    for text in ("one", "", "three"):
        script.send(text)
    script.state("Unanswered")
    script.receive(script.far.write("an answer"), "an answer")
    script.state("Hearing")
    script.send("thanks")
    script.state("Speaking")
    script.receive(script.far.write("again"), "again")
    script.state("Hearing")
    script.add(group, "the initiator, in order", rules=["RAT-1", "RAT-2", "SES-1"])

    script = Script("recipient", "ratchet recipient")
    script.state("Waiting")
    for text in ("one", "two"):
        script.receive(script.far.write(text), text)
    script.state("Hearing")
    script.send("an answer")
    script.state("Speaking")
    script.receive(script.far.write("a turn"), "a turn")
    script.state("Hearing")
    script.add(group, "the recipient, in order", rules=["RAT-1", "RAT-2", "RAT-8"])


def turns(group) -> None:
    for role in ("initiator", "recipient"):
        script = Script(role, f"ratchet ping-pong {role}")
        if role == "initiator":
            script.send("first")
        for turn in range(5):
            script.receive(script.far.write(f"ping {turn}"), f"ping {turn}")
            script.send(f"pong {turn}")
        script.add(group, f"five turns of the {role}", rules=["RAT-1"])

    script = Script("recipient", "ratchet speaking")
    script.receive(script.far.write("a"), "a")
    script.send("b")
    script.state("Speaking")
    script.add(group, "a single answer", rules=["RAT-1"])

    for length in (31, 32, 63, 64, 1000):
        script = Script("recipient", f"ratchet length {length}")
        text = "x" * length
        script.receive(script.far.write(text), text)
        script.send(text)
        script.add(
            group, f"a plaintext of {length} bytes, there and back", rules=["WIRE-9"], flags=["Boundary"]
        )


def lost_and_late(group) -> None:
    script = Script("recipient", "ratchet lost")
    lost = [script.far.write(f"lost {n}") for n in range(3)]
    script.receive(script.far.write("the fourth"), "the fourth")
    script.state("Hearing", 3)
    script.receive(lost[1], "lost 1")
    script.state("Hearing", 2)
    script.receive(lost[0], "lost 0")
    script.receive(lost[2], "lost 2")
    script.state("Hearing", 0)
    script.receive(script.far.write("the fifth"), "the fifth")
    script.add(group, "the first to come is the fourth; the others follow", rules=["RAT-9"], flags=["Late"])

    script = Script("recipient", "ratchet late")
    late = [script.far.write("late 0"), script.far.write("late 1")]
    script.receive(script.far.write("in time"), "in time")
    end = script.far.write("the end of the chain")
    script.send("an answer")
    script.receive(script.far.write("the next chain"), "the next chain")
    script.state("Hearing", 3)
    script.send("another answer")
    script.receive(script.far.write("the chain after"), "the chain after")
    script.receive(end, "the end of the chain")
    script.receive(late[1], "late 1")
    script.state("Hearing", 1)
    script.send("still speaking")
    script.receive(late[0], "late 0")
    script.state("Speaking", 0)
    script.add(group, "late messages of a chain, two turns later", rules=["RAT-9"], flags=["Late"])

    script = Script("initiator", "ratchet whole chain lost")
    script.send("hello")
    script.receive(script.far.write("first chain"), "first chain")
    script.send("answer")
    missing = script.far.write("a chain of which nothing came in time")
    script.receive(script.far.write("the same chain"), "the same chain")
    script.receive(missing, "a chain of which nothing came in time")
    script.add(group, "the first message of a later chain comes second", rules=["RAT-9"], flags=["Late"])


def far_apart(group) -> None:
    script = Script("recipient", "ratchet 2000 new")
    script.far.skip(2000)
    script.receive(script.far.write("2000"), "2000")
    script.state("Hearing", 2000)
    script.add(group, "2,000 skipped in a new chain", rules=["RAT-5"], flags=["Limit"])

    script = Script("recipient", "ratchet 2000 known")
    script.receive(script.far.write("0"), "0")
    script.far.skip(2000)
    script.receive(script.far.write("2001"), "2001")
    script.state("Hearing", 2000)
    script.add(group, "2,000 skipped in a known chain", rules=["RAT-5"], flags=["Limit"])

    script = Script("recipient", "ratchet 4000")
    script.receive(script.far.write("0"), "0")
    oldest = script.far.write("the oldest")
    script.far.skip(1999)
    script.send("an answer")
    script.far.skip(2000)
    script.receive(script.far.write("far ahead"), "far ahead")
    script.state("Hearing", 4000)
    script.receive(oldest, "the oldest")
    comment = "2,000 skipped by PN and 2,000 by N: all are kept"
    script.add(group, comment, rules=["RAT-5", "RAT-7"], flags=["Limit"])


def restored(group) -> None:
    script = Script("recipient", "ratchet restored")
    script.receive(script.far.write("0"), "0")
    older = script.far.copy()
    for text in ("1", "2"):
        script.receive(script.far.write(text), text)
    answer = script.send("an answer")
    older.receive(answer)
    script.receive(older.write("from an older copy, with PN 1"), "from an older copy, with PN 1")
    script.state("Hearing", 0)
    script.add(group, "PN below what was received skips nothing", rules=["RAT-5"], flags=["Restored"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "ratchet",
        "Double Ratchet",
        [
            "The answers of one side to messages in order, late, lost, forged or repeated.",
            "The other side is not recorded. Its messages are in the steps.",
        ],
        NOTES,
    )
    group = family.group("ratchet.play", "conversations")
    in_order(group)
    turns(group)
    lost_and_late(group)
    far_apart(group)
    restored(group)
    for add in refusals.ALL + limits.ALL:
        add(family)
    return family

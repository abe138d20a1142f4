"""Triple plays with repeated messages, at the limits, and with wrong paddings."""

from typing import Final

from generators.support.family import Family, GenerationError
from generators.support.triple_script import Script, pq_header_of, with_header, with_pq_header

LAST: Final = 2**32 - 1


def show(script: Script, name: str, skipped: int = 0) -> None:
    script.state(name, script.braid, script.ratchet.braid.epoch, skipped)


def duplicates(family: Family) -> None:
    group = family.group("triple.play", "repeated")
    script = Script("recipient", "twice")
    one = script.far.write("one")
    script.receive(one, "one")
    script.refused(one, "DuplicateMessage")
    script.receive(script.far.write("two"), "two")
    script.refused(one, "DuplicateMessage")
    show(script, "Hearing")
    script.add(group, "in order", rules=["RAT-9"], flags=["Duplicate"])

    script = Script("recipient", "late twice")
    late = script.far.write("late")
    script.receive(script.far.write("in time"), "in time")
    script.receive(late, "late")
    script.refused(late, "DuplicateMessage")
    show(script, "Hearing")
    script.add(group, "a late one", rules=["RAT-9"], flags=["Duplicate", "Late"])

    script = Script("recipient", "old n")
    script.receive(script.far.write("one"), "one")
    script.receive(script.far.write("two"), "two")
    genuine = script.far.write("genuine")
    script.refused(with_pq_header(genuine, number=1), "DuplicateMessage")
    script.refused(with_pq_header(genuine, number=2), "DuplicateMessage")
    script.receive(genuine, "genuine")
    comment = "a new number in the double ratchet's chain, an old one in the sparse chain"
    script.add(group, comment, rules=["RAT-9"], flags=["Duplicate", "ChangedHeader"])

    script = Script("recipient", "old N")
    script.receive(script.far.write("one"), "one")
    genuine = script.far.write("genuine")
    script.refused(with_header(genuine, number=0), "DuplicateMessage")
    script.receive(genuine, "genuine")
    comment = "an old number in the double ratchet's chain, a new one in the sparse chain"
    script.add(group, comment, rules=["RAT-9"], flags=["Duplicate", "ChangedHeader"])


def twice_across(family: Family) -> None:
    group = family.group("triple.play", "repeated, across epochs")
    script = Script("initiator", "twice across")
    script.send("begin")
    late, lost = script.far.write("late"), script.far.write("lost")
    first = script.far.write("in time")
    script.receive(first, "in time")
    script.heal()
    script.send("in epoch 2")
    script.receive(script.far.write("in epoch 2 too"), "in epoch 2 too")
    script.refused(first, "DuplicateMessage")
    script.receive(late, "late")
    script.refused(late, "DuplicateMessage")
    script.refused(with_pq_header(lost, epoch=2, number=1), "DuplicateMessage")
    script.receive(lost, "lost")
    script.refused(lost, "DuplicateMessage")
    comment = "of epoch 1, in epoch 2: in time, late, and of an n that is gone"
    script.add(group, comment, rules=["PQR-3", "RAT-9"], flags=["Duplicate", "Late", "Epochs"])


def too_far(family: Family) -> None:
    group = family.group("triple.play", "too far ahead, then in order")
    for jump in (2001, 2002, 65536, LAST - 1):
        script = Script("recipient", f"n {jump}")
        genuine = script.far.write("genuine")
        script.refused(with_pq_header(genuine, number=1 + jump), "TooManySkipped")
        show(script, "Waiting")
        script.receive(genuine, "genuine")
        script.add(group, f"n, {jump} ahead, in a new chain", rules=["RAT-5"], flags=["Limit"])

    for jump in (2001, LAST - 2):
        script = Script("recipient", f"n known {jump}")
        script.receive(script.far.write("one"), "one")
        genuine = script.far.write("genuine")
        script.refused(with_pq_header(genuine, number=2 + jump), "TooManySkipped")
        show(script, "Hearing")
        script.receive(genuine, "genuine")
        script.add(group, f"n, {jump} ahead, in a known chain", rules=["RAT-5"], flags=["Limit"])

    for jump in (2001, LAST - 1):
        script = Script("recipient", f"N {jump}")
        genuine = script.far.write("genuine")
        script.refused(with_header(genuine, number=jump), "TooManySkipped")
        script.receive(genuine, "genuine")
        script.add(group, f"N {jump} in a new chain, n in order", rules=["RAT-5"], flags=["Limit"])

    script = Script("recipient", "2001 sound")
    script.far.skip(2001)
    script.refused(script.far.write("beyond"), "TooManySkipped")
    show(script, "Waiting")
    script.add(group, "a genuine message, 2,001 ahead in both", rules=["RAT-5"], flags=["Limit"])


def tails(family: Family) -> None:
    """The first message of a new epoch gives the length of the previous chain."""
    group = family.group("triple.play", "too far ahead at the change of epochs, then in order")
    script, genuine = at_the_change("tail")
    for jump in (2001, LAST - 2):
        script.refused(with_pq_header(genuine, previous=2 + jump), "TooManySkipped")
        script.refused(with_pq_header(genuine, number=1 + jump), "TooManySkipped")
    show(script, "Speaking")
    script.receive(genuine, "genuine")
    comment = "more than 2,000 missing of the previous chain, by PN of n, or skipped in the new one"
    script.add(group, comment, rules=["RAT-5", "PQR-3"], flags=["Limit", "Epochs"])

    script, genuine = at_the_change("tail changed")
    script.refused(with_pq_header(genuine, previous=4), "AuthenticationFailed")
    script.refused(with_pq_header(genuine, epoch=3), "AuthenticationFailed")
    show(script, "Speaking")
    script.receive(genuine, "genuine")
    show(script, "Hearing")
    comment = "PN of n and the epoch, changed: no chain is given up"
    script.add(group, comment, rules=["PQR-3", "PQR-4", "RAT-6"], flags=["ChangedHeader", "Epochs"])


def at_the_change(label: str) -> tuple[Script, bytes]:
    """Return a play in Ct2Sampled, and the first message of epoch 2."""
    script = Script("recipient", label)
    script.turn()
    script.turn()
    genuine = script.far.write("genuine")
    pq_header = pq_header_of(genuine)
    if (pq_header.epoch, pq_header.number, pq_header.previous) != (2, 1, 2) or script.braid != "Ct2Sampled":
        raise GenerationError(f"{label}: not at the change of epochs")
    return script, genuine


def far_apart(family: Family) -> None:
    group = family.group("triple.play", "as far ahead as allowed")
    script = Script("recipient", "2000 new")
    script.far.skip(2000)
    script.receive(script.far.write("2000"), "2000")
    show(script, "Hearing", 4000)
    script.add(group, "2,000 skipped in both chains", rules=["RAT-5"], flags=["Limit"])

    script = Script("recipient", "8000")
    oldest = [script.far.write(f"old {n}") for n in range(4)]
    script.far.skip(1996)
    script.receive(script.far.write("2000"), "2000")
    show(script, "Hearing", 4000)
    script.send("an answer")
    script.far.skip(2000)
    script.receive(script.far.write("far ahead"), "far ahead")
    show(script, "Hearing", 8000)
    script.far.skip(1)
    script.receive(script.far.write("one more"), "one more")
    show(script, "Hearing", 8000)
    script.refused(oldest[0], "DuplicateMessage")
    script.receive(oldest[3], "old 3")
    show(script, "Hearing", 7998)
    comment = "8,000 keys of both ratchets, and the next drop the oldest"
    script.add(group, comment, rules=["RAT-7"], flags=["Limit", "Duplicate"])


def too_early(family: Family) -> None:
    group = family.group("triple.play", "an action that the state does not allow")
    script = Script("recipient", "too early")
    script.send_refused("too early", "UsageError")
    show(script, "Waiting")
    script.receive(script.far.write("first"), "first")
    script.send("in time")
    script.add(group, "the recipient sends before it has received", rules=["RAT-6"], flags=["NotYet"])


def bad_padding(family: Family) -> None:
    group = family.group("triple.play", "a wrong padding, then a right one of the same number")
    for what, padded in {
        "no mark": bytes(32),
        "something after the mark": b"text\x80" + bytes(26) + b"\x01",
        "padded further than it need be": b"text\x80" + bytes(59),
    }.items():
        script = Script("recipient", f"padding {what}")
        sent = script.far.next("genuine")
        script.refused(script.far.seal(sent, "", padded=padded), "MalformedMessage")
        show(script, "Waiting")
        script.receive(script.far.seal(sent, "genuine"), "genuine")
        script.add(group, what, rules=["WIRE-9", "RAT-6"], flags=["BadPadding"])


ALL: Final = (duplicates, twice_across, too_far, tails, far_apart, too_early, bad_padding)

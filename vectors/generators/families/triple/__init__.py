"""Vectors of one side of a session of the triple ratchet, message by message."""

from generators.families.triple import limits, refusals
from generators.families.triple.notes import NOTES
from generators.support.family import Family, GenerationError, Group
from generators.support.triple_script import Script, pq_header_of, words


def in_order(group: Group) -> None:
    for role in ("initiator", "recipient"):
        script = Script(role, f"epochs {role}")
        first = ("Unanswered", "KeysUnsampled") if role == "initiator" else ("Waiting", "NoHeaderReceived")
        script.state(*first)
        script.heal(2)
        ratchet = script.ratchet
        script.state(type(ratchet.double).__name__, script.braid, ratchet.braid.epoch)
        comment = f"the {role}, to the third epoch, each text at once"
        script.add(group, comment, rules=["PQR-1", "PQR-2", "PQR-3", "PQR-6"], flags=["Epochs"])

        script = Script(role, f"short {role}")
        if role == "initiator":
            script.send("")
        for turn in range(8):
            script.receive(script.far.write(f"ping {turn}"), f"ping {turn}")
            script.send(f"pong {turn}")
        script.add(group, f"the {role}, short texts: a codeword a message", rules=["PQR-2", "PQR-7"])


def sizes(group: Group) -> None:
    """PQR-7: how many codewords a message carries."""
    for length, most in ((0, 1), (127, 1), (239, 1), (255, 2), (383, 3), (2000, 3)):
        script = Script("initiator", f"size {length}")
        count = len(pq_header_of(script.send("x" * length)).codewords) // 32
        if count != most:
            raise GenerationError(f"{length} bytes have {count} codewords")
        script.send("x" * length)
        comment = f"a header's three codewords, and a text of {length} bytes, twice"
        script.add(group, comment, rules=["PQR-7"], flags=["Boundary"])

    for length in (511, 4607):
        script = Script("recipient", f"size ct1 {length}")
        script.receive(script.far.write(words(3)), words(3))
        count = len(pq_header_of(script.send("x" * length)).codewords) // 32
        if count != min(30, (length + 1) // 128):
            raise GenerationError(f"{length} bytes have {count} codewords")
        comment = f"the 30 codewords of ct1, and a text of {length} bytes"
        script.add(group, comment, rules=["PQR-7"], flags=["Boundary"])


def spared(family: Family) -> None:
    """PQR-9: which messages of a long chain carry computed codewords."""
    group = family.group("triple.play", "long chains without an answer")
    for length, counts in ((0, [1] * 5 + [0, 0, 0, 1] * 2), (2000, [3] * 5 + [0, 0, 0, 1] * 2)):
        script = Script("initiator", f"spared {length}")
        require(script, ["x" * length] * len(counts), "codewords", counts)
        comment = f"thirteen messages with texts of {length} bytes: six of them have no codeword"
        script.add(group, comment, rules=["PQR-9"], flags=["Boundary"])

    script = Script("recipient", "spared ct1")
    script.receive(script.far.write(words(3)), words(3))
    texts = [*[words(5)] * 5, words(8), "", words(8), words(30), ""]
    require(script, texts, "codewords", [5, 5, 5, 5, 5, 5, 0, 0, 1, 0])
    comment = "of eight codewords of ct1 three would be computed: they are left out in the sixth message"
    script.add(group, comment, rules=["PQR-9"], flags=["Boundary"])

    script = Script("initiator", "spared acknowledgement")
    script.turn()
    script.state("Hearing", "Ct1Received")
    require(script, [words(36), *[""] * 8], "type", [3, 3, 3, 3, 3, 4, 4, 4, 3])
    comment = "the acknowledgement of ct1 goes on where the vector's codewords are left out"
    script.add(group, comment, rules=["PQR-9"])


def require(script: Script, texts: list[str], what: str, expected: list[int]) -> None:
    """Send texts in one chain, and check the number of codewords in each message, or its type."""
    sent = [pq_header_of(script.send(text)) for text in texts]
    found = [int(each.type) if what == "type" else len(each.codewords) // 32 for each in sent]
    if found != expected:
        raise GenerationError(f"{what}: {found} instead of {expected}")


def late(group: Group) -> None:
    script = Script("recipient", "lost")
    lost = [script.far.write(f"lost {n}") for n in range(3)]
    script.receive(script.far.write("the fourth"), "the fourth")
    script.state("Hearing", "NoHeaderReceived", skipped=6)
    script.receive(lost[1], "lost 1")
    script.state("Hearing", "NoHeaderReceived", skipped=4)
    script.receive(lost[0], "lost 0")
    script.state("Hearing", "HeaderReceived", skipped=2)
    script.receive(lost[2], "lost 2")
    script.state("Hearing", "HeaderReceived")
    script.send("an answer")
    comment = "the fourth is the first to come; the others follow, and bring the header"
    script.add(group, comment, rules=["RAT-9", "RAT-12"], flags=["Late"])

    script = Script("recipient", "late header")
    late_one = script.far.write("with the last codeword")
    script.receive(script.far.write(words(2)), words(2))
    script.send("no header yet")
    script.receive(late_one, "with the last codeword")
    script.state("Speaking", "HeaderReceived")
    script.send("Ct1 begins without a turn of the ratchet")
    comment = "a late message completes the header: m is drawn, and no ratchet key"
    script.add(group, comment, rules=["PQR-5"], flags=["Late"])


def across(group: Group) -> None:
    script = Script("recipient", "across")
    old = [script.far.write(f"old {n}") for n in range(3)]
    script.receive(script.far.write("in time"), "in time")
    script.heal()
    script.receive(script.far.write("of epoch 2"), "of epoch 2")
    script.send("an answer")
    script.receive(old[2], "old 2")
    script.receive(script.far.write("a turn"), "a turn")
    script.receive(old[0], "old 0")
    show = script.ratchet.braid
    script.state("Hearing", type(show).__name__, show.epoch, 2)
    comment = "messages of epoch 1 that come in epoch 2"
    script.add(group, comment, rules=["PQR-3", "RAT-9"], flags=["Late", "Epochs"])

    reordered(group)


def reordered(group: Group) -> None:
    script, rounds = Script("recipient", "reordered"), 0
    while script.ratchet.braid.epoch < 2:
        enough = {"KeysUnsampled": 3, "Ct2Sampled": 3}.get(script.far.braid, 18)
        texts = [words(enough, f"{n}") for n in (0, 1, 2)]
        messages = [script.far.write(text) for text in texts]
        for message, text in zip(messages[:0:-1], texts[:0:-1], strict=True):
            script.receive(message, text)
        script.send(words({"HeaderReceived": 30, "KeysUnsampled": 3, "Ct2Sampled": 5}.get(script.braid, 12)))
        rounds += 1
    script.state(type(script.ratchet.double).__name__, script.braid, 2, 2 * rounds)
    comment = "of three messages the first is lost and the others are reordered"
    script.add(group, comment, rules=["PQR-3", "RAT-12"], flags=["Late", "Epochs"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "triple",
        "Triple Ratchet: Double Ratchet, ML-KEM Braid",
        [
            "The answers of one side to messages in order, late, lost, forged or repeated, across epochs.",
            "The other side's messages are in the steps, without its keys. Long texts complete epochs soon.",
        ],
        NOTES,
    )
    group = family.group("triple.play", "conversations")
    in_order(group)
    sizes(group)
    late(group)
    across(group)
    for add in refusals.ALL + limits.ALL:
        add(family)
    spared(family)
    return family

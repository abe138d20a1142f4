"""Vectors of one side of the braid, state by state."""

from generators.families.braid import refusals
from generators.support.braid_script import STATES, WHOLE, Script, pq_header_json, reached
from generators.support.family import Family, GenerationError, Group
from generators.support.labels import draw
from letterlock._ratchet.braid import RECEIVES
from letterlock._ratchet.erasure import codeword
from letterlock._wire.pq_header import PqType

TABLE = {
    ("KeysUnsampled", "KeysSampled"), ("KeysSampled", "HeaderSent"), ("HeaderSent", "Ct1Received"),
    ("Ct1Received", "EkSentCt1Received"), ("EkSentCt1Received", "NoHeaderReceived"),
    ("NoHeaderReceived", "HeaderReceived"), ("HeaderReceived", "Ct1Sampled"),
    ("Ct1Sampled", "EkReceivedCt1Sampled"), ("Ct1Sampled", "Ct1Acknowledged"), ("Ct1Sampled", "Ct2Sampled"),
    ("EkReceivedCt1Sampled", "Ct2Sampled"), ("Ct1Acknowledged", "Ct2Sampled"),
    ("Ct2Sampled", "KeysUnsampled"),
    ("KeysSampled", "Ct1Received"), ("Ct1Received", "NoHeaderReceived"),
}  # fmt: skip
"""Every transition between states, including double transitions caused by one message."""

ROOMS = {True: ((1, 1), (5, 2), (4, WHOLE)), False: ((2, 5), (WHOLE, 4))}
"""Codewords in each message, of the side under test and of the other, by whether the first initiates."""

passed: set[tuple[str, str]] = set()


def add(script: Script, group: Group, comment: str, rules: list[str], flags: list[str]) -> None:
    passed.update(script.passed)
    script.add(group, comment, rules=rules, flags=flags)


def conversations(family: Family) -> None:
    group = family.group("braid.play", "conversations")
    for initiator in (True, False):
        who = "initiator" if initiator else "recipient"
        script = Script(f"at once {who}", initiator=initiator)
        for _ in range(3):
            script.agree()
        script.state(script.ours.name)
        add(script, group, f"the {who}, three epochs, each text at once", ["PQR-5"], ["AtOnce"])

        for ours, far in ROOMS[initiator]:
            script = Script(f"rooms {who} {ours} {far}", initiator=initiator)
            talk(script, ours, far)
            add(
                script,
                group,
                f"the {who}, {ours} codewords a message, and {far} from the other",
                ["PQR-5"],
                [],
            )


def talk(script: Script, ours: int, far: int) -> None:
    """One epoch up to the first message of the next. The state is shown after each change."""
    name = script.ours.name
    for _ in range(300):
        if script.ours.state.epoch == script.far.state.epoch == 2:
            break
        for act in (lambda: script.deliver(ours), lambda: script.receive(script.far.write(far))):
            act()
            if script.ours.name != name:
                name = script.ours.name
                script.state(name)
    if script.ours.secrets != script.far.secrets or len(script.ours.secrets) != 1:
        raise GenerationError("no secret")


def losses(family: Family) -> None:
    group = family.group("braid.play", "lost, late and repeated messages")
    for initiator in (True, False):
        who = "initiator" if initiator else "recipient"
        for every in (2, 3):
            script = Script(f"loss {who} {every}", initiator=initiator)
            for count in range(300):
                if script.ours.state.epoch == script.far.state.epoch == 2:
                    break
                ours, theirs = script.send(4), script.far.write(4)
                if count % every:
                    script.far.receive(ours)
                if (count + 1) % every:
                    script.receive(theirs)
            script.state(script.ours.name)
            comment = f"the {who}: of each side every {every} messages one is lost"
            add(script, group, comment, ["RAT-12"], ["Loss"])
    reordered(group)
    repeated(group)


def reordered(group: Group) -> None:
    for initiator in (True, False):
        script = Script(f"late {initiator}", initiator=initiator)
        for _ in range(60):
            if script.ours.state.epoch == script.far.state.epoch == 2:
                break
            theirs = [script.far.write(6) for _ in range(3)]
            ours = [script.send(6) for _ in range(3)]
            for pq_header in reversed(ours):
                script.far.receive(pq_header)
            for pq_header in reversed(theirs):
                script.receive(pq_header)
        script.state(script.ours.name)
        who = "initiator" if initiator else "recipient"
        add(script, group, f"the {who}: three messages at a time, the last first", ["RAT-12"], ["Loss"])


def repeated(group: Group) -> None:
    script = Script("twice", initiator=False)
    first, second = script.far.write(1), script.far.write(1)
    for pq_header in (first, first, second, first, second):
        script.receive(pq_header)
    script.useless(first | {"codewords": draw("braid other codeword", 32).hex()})
    script.state("NoHeaderReceived")
    script.receive(script.far.write(1))
    script.state("HeaderReceived")
    script.agree()
    comment = "the recipient: repeated codewords, one with other bytes: the first counts"
    add(script, group, comment, ["RAT-12"], ["Twice"])

    script = Script("twice at once", initiator=False)
    whole = script.far.write()
    script.receive(whole)
    script.useless(whole)
    script.state("HeaderReceived")
    script.agree()
    add(script, group, "the recipient: a header twice", ["RAT-12"], ["Twice"])

    script = Script("overlap", initiator=True)
    script.deliver()
    ct1 = script.far.write(20)
    script.receive(ct1)
    script.receive(ct1 | {"first": 10, "codewords": ct1["codewords"][640:]})
    script.receive(script.far.write(20))
    script.state("Ct1Received")
    script.agree()
    add(script, group, "the initiator: codewords that overlap", ["RAT-12"], ["Twice"])


def branches(family: Family) -> None:
    """Rare transitions."""
    group = family.group("braid.play", "other transitions of the table")
    script = Script("last indices", initiator=False)
    script.far.write()
    text = script.far.outgoing
    last = b"".join(codeword(text, index).data for index in (65534, 65535))
    script.receive(pq_header_json(1, PqType.HDR, 65534, last))
    script.receive(pq_header_json(1, PqType.HDR, 0, text[:32]))
    script.state("HeaderReceived")
    script.agree()
    add(script, group, "the recipient: a header by its last indices, and the first", ["RAT-12"], ["Loss"])

    script = reached("EkReceivedCt1Sampled", "acknowledged by Ct1Ack")
    script.receive(pq_header_json(1, PqType.CT1_ACK))
    script.state("Ct2Sampled")
    script.send()
    add(script, group, "EkReceivedCt1Sampled, on Ct1Ack", ["PQR-5"], [])

    for last_one in ("Ek", "EkCt1Ack"):
        script = Script(f"a late Ek {last_one}", initiator=False)
        script.receive(script.far.write())
        script.deliver(10)
        late = script.far.write(10)
        script.deliver(20)
        parts = [script.far.write(10), script.far.write(16)]
        for pq_header in [*parts, late] if last_one == "Ek" else [parts[0], late, parts[1]]:
            script.receive(pq_header)
        script.state("Ct2Sampled")
        script.deliver()
        comment = f"Ct1Acknowledged, a late Ek among EkCt1Ack, and {last_one} is the last"
        add(script, group, comment, ["PQR-5"], ["Loss"])

    for type_ in (PqType.HDR, PqType.CT1_ACK, PqType.CT2):
        script = reached("Ct2Sampled", f"next epoch by {type_.name}")
        script.receive(pq_header_json(2, type_, 0, draw("braid of the next epoch", 32)))
        script.state("KeysUnsampled")
        script.send(2)
        add(script, group, f"Ct2Sampled, on {type_.name} of the next epoch", ["PQR-5"], [])


def useless(family: Family) -> None:
    """Each state in epoch 2, and all headers that change nothing in it."""
    group = family.group("braid.play", "headers that change nothing")
    for name, state in STATES.items():
        script = reached(name, f"useless {name}", epoch=2)
        for epoch in (1, 2):
            for type_ in PqType:
                if epoch == 1 or (state, type_) not in RECEIVES:
                    script.useless(
                        pq_header_json(epoch, type_, 40, draw(f"braid useless {name} {epoch} {type_}", 32))
                    )
        script.state(name)
        script.receive(script.far.write(5))
        script.deliver(5)
        add(
            script,
            group,
            f"{name}: everything of the epoch before, and of other types",
            ["PQR-5"],
            ["NoEffect"],
        )


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "braid",
        "ML-KEM Braid, ML-KEM-768",
        [
            "What one side sends and receives, and the secrets it derives. The other side is not recorded.",
            "Received messages are already authenticated: a refusal means that the peer contradicts itself.",
        ],
        refusals.NOTES
        | {
            "AtOnce": "a message with a whole text, which takes two transitions of the table at once",
            "Loss": "lost messages, which later codewords replace",
            "NoEffect": "a post-quantum header that does not matter in the state and changes nothing",
            "Twice": "codewords that were received before",
        },
    )
    conversations(family)
    losses(family)
    branches(family)
    useless(family)
    if missing := TABLE - passed:
        raise GenerationError(f"no play passes {sorted(missing)}")
    refusals.add(family)
    return family

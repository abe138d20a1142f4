"""Vectors of the sparse chains of one side, epoch by epoch."""

import hmac
from collections.abc import Sequence
from typing import Final

from generators.support.family import Family, GenerationError, Group, Json, run
from generators.support.labels import draw, hexed
from letterlock._primitives import labels
from letterlock._primitives.kdf import hkdf_sha256

LAST: Final = 2**32 - 1
Place = tuple[int, int, int]
"""Epoch, number, and the length of the previous chain."""


class Chains:
    """Every key of both directions, computed from spec/pq-ratchet.md."""

    def __init__(self, secret: bytes, secrets: list[bytes]) -> None:
        self._first: list[tuple[bytes, bytes]] = []
        root, label = bytes(32), labels.PQ_CHAIN_START
        for each in (secret, *secrets):
            okm = hkdf_sha256(root, each, label, 96)
            root, label = okm[:32], labels.PQ_CHAIN_ADD_EPOCH
            self._first.append((okm[32:64], okm[64:]))

    def key(self, epoch: int, number: int, *, from_initiator: bool) -> str:
        chain = self._first[epoch][0 if from_initiator else 1]
        for n in range(1, number):
            chain = hmac.digest(chain, n.to_bytes(4, "big") + b"\x02", "sha256")
        return hmac.digest(chain, number.to_bytes(4, "big") + b"\x01", "sha256").hex()


class Script:
    """The steps of one play, with the expected answer to each."""

    def __init__(self, label: str, *, initiator: bool = False) -> None:
        self._label, self._initiator = f"sparse {label}", initiator
        self._secrets: list[bytes] = []
        self._sent: list[tuple[int, int]] = [(0, 0)]
        self._steps: list[Json] = []
        self._answers: list[Json] = []

    def given(self) -> Json:
        return {"secret": hexed(self._label, 32), "initiator": self._initiator, "steps": self._steps}

    def _key(self, epoch: int, number: int, *, ours: bool) -> str:
        chains = Chains(draw(self._label, 32), self._secrets)
        return chains.key(epoch, number, from_initiator=ours is self._initiator)

    def _step(self, answer: Json, **step: object) -> None:
        self._steps.append(dict(step))
        self._answers.append(answer)

    def add_epoch(self) -> None:
        epoch = len(self._secrets) + 1
        self._secrets.append(draw(f"{self._label} epoch {epoch}", 32))
        self._step({}, do="add_epoch", epoch=epoch, secret=self._secrets[-1].hex())

    def send(self, epoch: int, times: int = 1) -> None:
        """Send in an epoch: the same as before, or the next one."""
        for _ in range(times):
            last, number = self._sent[-1]
            if epoch != last:
                self._sent.append((epoch, 0))
                number = 0
            self._sent[-1] = (epoch, number + 1)
            previous = self._sent[-2][1] if len(self._sent) > 1 else 0
            answer = {"number": number + 1, "previous": previous}
            key = self._key(epoch, number + 1, ours=True)
            self._step(answer | {"key": key}, do="send", epoch=epoch)

    def receive(self, epoch: int, number: int, previous: int = 0) -> None:
        """Take the key of a message."""
        key = self._key(epoch, number, ours=False)
        self._step({"key": key}, do="receive", epoch=epoch, number=number, previous=previous)

    def refused(self, error: str, epoch: int, number: int, previous: int = 0) -> None:
        """Ask for a key that is refused."""
        self._step({"error": error}, do="receive", epoch=epoch, number=number, previous=previous)

    def add(self, group: Group, comment: str, rules: Sequence[str], flags: Sequence[str] = ()) -> None:
        expected = {"steps": self._answers}
        refused = [each["error"] for each in self._answers if "error" in each]
        if not refused:
            group.play(comment, self.given(), flags=flags, rules=rules, output=expected)
            return
        if run("sparse.play", self.given()) != expected:
            raise GenerationError(f"{comment}: other answers than expected")
        also = refused[1:]
        group.invalid_play(comment, self.given(), refused[0], flags=flags, rules=rules, also=also)


def in_order(group: Group) -> None:
    for initiator in (True, False):
        who = "initiator" if initiator else "recipient"
        script = Script(f"order {who}", initiator=initiator)
        for epoch in range(4):
            if epoch:
                script.add_epoch()
            script.send(epoch, 3)
            for number in (1, 2, 3):
                script.receive(epoch, number, 3 if epoch else 0)
        script.add(group, f"the {who}: four epochs, three messages each way in each", ["PQR-1", "PQR-3"])

    script = Script("sends on")
    script.send(0, 2)
    script.add_epoch()
    script.send(0, 2)
    script.receive(0, 1)
    script.send(1, 2)
    script.receive(1, 1, 1)
    script.send(1)
    script.add(group, "the chain of epoch 0 goes on, though epoch 1 is there", ["PQR-1", "PQR-3"])

    script = Script("hears on")
    script.add_epoch()
    script.send(1)
    script.receive(0, 1)
    script.receive(0, 2)
    script.receive(1, 1, 2)
    script.add(group, "a peer that still sends in epoch 0 is accepted", ["PQR-3"])


def late(group: Group) -> None:
    script = Script("late")
    script.receive(0, 4)
    for number in (2, 1, 3):
        script.receive(0, number)
    script.receive(0, 5)
    script.add(group, "the fourth first, then the others", ["RAT-9"], ["Late"])

    script = Script("late across")
    script.receive(0, 2)
    script.add_epoch()
    script.receive(1, 2, 5)
    for place in ((0, 4), (0, 1), (1, 1), (0, 5), (0, 3)):
        script.receive(*place)
    script.receive(1, 3, 5)
    script.add(group, "of the previous chain, among its missing messages", ["PQR-3"], ["Late"])

    script = Script("late across two")
    script.receive(0, 1)
    script.add_epoch()
    script.send(1)
    script.receive(1, 1, 3)
    script.add_epoch()
    script.receive(2, 1, 3)
    for place in ((0, 3), (1, 3), (0, 2), (1, 2)):
        script.receive(*place)
    script.add(group, "two epochs later", ["PQR-3"], ["Late"])

    script = Script("nothing missing")
    script.receive(0, 1)
    script.receive(0, 2)
    script.add_epoch()
    script.receive(1, 1, 2)
    script.receive(1, 2, 2)
    script.add(group, "PN of n that says nothing is missing", ["PQR-3"])

    script = Script("restored")
    for number in (1, 2, 3):
        script.receive(0, number)
    script.add_epoch()
    script.receive(1, 1, 1)
    script.add(group, "PN of n below what was received skips nothing", ["RAT-5"])


def far(group: Group) -> None:
    script = Script("2000 ahead")
    script.receive(0, 2001)
    script.receive(0, 1)
    script.receive(0, 2000)
    script.receive(0, 2002)
    script.add(group, "2,000 skipped in a chain", ["RAT-5"], ["Limit"])

    script = Script("2000 in both")
    script.receive(0, 1)
    script.add_epoch()
    script.receive(1, 2001, 2001)
    for place in ((0, 2), (0, 2001), (1, 1), (1, 2000)):
        script.receive(*place)
    script.add(group, "2,000 in the chain before, and 2,000 in the new one", ["RAT-5", "PQR-3"], ["Limit"])


def refusals(family: Family) -> None:
    group = family.group("sparse.play", "repeated messages")
    script = Script("twice")
    script.receive(0, 1)
    script.refused("DuplicateMessage", 0, 1)
    script.receive(0, 2)
    script.refused("DuplicateMessage", 0, 1)
    script.add(group, "twice, at once and later", ["RAT-9"], ["Duplicate"])

    script = Script("late twice")
    script.receive(0, 3)
    script.receive(0, 1)
    script.refused("DuplicateMessage", 0, 1)
    script.receive(0, 2)
    script.refused("DuplicateMessage", 0, 2)
    script.receive(0, 4)
    script.add(group, "late ones, twice", ["RAT-9"], ["Duplicate", "Late"])

    for epochs in (1, 2):
        script = Script(f"sealed {epochs}")
        script.receive(0, 2)
        for epoch in range(1, epochs + 1):
            script.add_epoch()
            script.send(epoch)
            script.receive(epoch, 1, 3 if epoch == 1 else 1)
        script.refused("DuplicateMessage", 0, 2)
        script.receive(0, 3)
        script.refused("DuplicateMessage", 0, 3)
        script.refused("DuplicateMessage", 0, 4)
        script.refused("DuplicateMessage", 0, LAST)
        script.receive(0, 1)
        script.receive(epochs, 2, 1)
        comment = f"of a chain that was given up {epochs} epochs ago, and beyond its end"
        script.add(group, comment, ["RAT-9", "PQR-3"], ["Duplicate", "Late"])

    script = Script("PN below")
    for number in (1, 2, 3):
        script.receive(0, number)
    script.add_epoch()
    script.receive(1, 1, 1)
    for number in (2, 3, 4):
        script.refused("DuplicateMessage", 0, number)
    script.receive(1, 2, 1)
    script.add(group, "of a chain whose PN of n was less than the received number", ["RAT-9"], ["Duplicate"])


def no_chain(family: Family) -> None:
    group = family.group("sparse.play", "epochs without a chain, then one with it")
    for count in (0, 1, 2):
        for ahead in (1, 2, LAST - 2):
            script = Script(f"ahead {count} {ahead}")
            for epoch in range(count):
                script.add_epoch()
                script.send(epoch + 1)
                script.receive(epoch + 1, 1, 0)
            script.refused("AuthenticationFailed", count + ahead, 1)
            script.receive(count, 2, 0)
            script.add_epoch()
            script.receive(count + 1, 1, 2)
            comment = f"epoch {count + ahead}, while the last one is {count}"
            script.add(group, comment, ["PQR-4"], ["NoChain"])

    script = Script("two at once")
    script.add_epoch()
    script.refused("AuthenticationFailed", 2, 1)
    script.send(1)
    script.receive(1, 1, 0)
    script.add_epoch()
    script.receive(2, 1, 1)
    script.add(group, "epoch 2, while the keys of 1 are there and not used", ["PQR-4"], ["NoChain"])

    script = Script("far and not there")
    script.refused("AuthenticationFailed", 1, LAST, LAST)
    script.receive(0, 1)
    comment = "an epoch without a chain, and far ahead: no work, and no word of it"
    script.add(group, comment, ["PQR-4"], ["NoChain"])


def too_far(family: Family) -> None:
    group = family.group("sparse.play", "too far ahead, then in order")
    for jump in (2001, 2002, 65536, LAST - 1):
        script = Script(f"far new {jump}")
        script.refused("TooManySkipped", 0, jump + 1)
        script.receive(0, 1)
        script.add(group, f"{jump} skipped from the start", ["RAT-5"], ["Limit"])

    for jump in (2001, LAST - 4):
        script = Script(f"far known {jump}")
        script.receive(0, 3)
        script.refused("TooManySkipped", 0, 4 + jump)
        script.receive(0, 2)
        script.receive(0, 4)
        script.add(group, f"{jump} skipped after the third", ["RAT-5"], ["Limit"])

    for jump in (2001, LAST - 1):
        script = Script(f"far next {jump}")
        script.receive(0, 1)
        script.add_epoch()
        script.refused("TooManySkipped", 1, jump + 1, 1)
        script.receive(0, 2)
        script.receive(1, 1, 2)
        script.add(group, f"{jump} skipped in the chain of a new epoch", ["RAT-5", "PQR-3"], ["Limit"])

    for jump in (2001, LAST - 1):
        script = Script(f"far tail {jump}")
        script.receive(0, 1)
        script.add_epoch()
        script.refused("TooManySkipped", 1, 1, jump + 1)
        script.receive(0, 2)
        script.receive(1, 1, 3)
        script.receive(0, 3)
        comment = f"{jump} missing of the chain before, by PN of n"
        script.add(group, comment, ["RAT-5", "PQR-3"], ["Limit"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "sparse",
        "the sparse post-quantum ratchet",
        [
            "Message keys by epoch and number. The secrets of the epochs are given.",
            "A refused step changes nothing: the keys after it are the same as without it.",
        ],
        {
            "Late": "a message that arrives after a later one of its chain or of a later epoch",
            "Limit": "the limit, or one more",
            "Duplicate": "a message whose key was used before, or deleted",
            "NoChain": "an epoch without a chain",
        },
    )
    conversations = family.group("sparse.play", "conversations")
    in_order(conversations)
    late(conversations)
    far(conversations)
    refusals(family)
    no_chain(family)
    too_far(family)
    return family

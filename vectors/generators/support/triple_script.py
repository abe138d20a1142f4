"""A script for a triple play: the side under test, and the far side that writes to it.

    script = Script("initiator", "label")
    script.send("a")                         # the side under test seals, and the far side opens it
    script.receive(script.far.write("b"))    # the far side seals, and the side under test must open it
    wrong, right = script.far.twice(edit)    # one number, with a contradicting header and with its own
    script.refused(wrong, "BraidFailed")
    script.add(group, "comment", rules=[...])

The far side is the library's pure functions, with keys from labels, so that it can seal invalid messages.

Not here: the plays themselves (families/triple/).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from generators.support.family import GenerationError, Group, Json
from generators.support.labels import draw
from generators.support.people import private
from letterlock._handshake.x3dh import SharedSecret
from letterlock._primitives import aead
from letterlock._primitives.curve25519 import SignedPrekeyPair
from letterlock._ratchet import triple
from letterlock._ratchet.braid_states import HeaderReceived, KeysUnsampled
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.ratchet import Sent, nothing_kept
from letterlock._ratchet.triple import Triple
from letterlock._session.sealing import open_message, pad, padded_length
from letterlock._wire import cbor
from letterlock._wire.message import Header, RatchetMessage
from letterlock._wire.pq_header import PqHeader
from letterlock._wire.suite import Suite
from letterlock_vectors.inputs import Input
from letterlock_vectors.operations.ratchets import SidePlayer

ENOUGH: Final = {
    "KeysUnsampled": 3, "HeaderSent": 36, "Ct1Received": 36, "HeaderReceived": 30, "Ct1Sampled": 30,
    "Ct2Sampled": 5,
}  # fmt: skip
"""How many codewords a state's whole text has. In the other states one is enough."""


def words(codewords: int, text: str = "") -> str:
    """Return a text that begins with `text` and is long enough for so many codewords."""
    length = 0 if codewords == 1 else 128 * codewords - 1
    return text + "." * (length - len(text))


class FarSide:
    """The far side: sends, receives, and breaks rules on purpose."""

    def __init__(self, state: Triple, associated_data: bytes, label: str) -> None:
        self.state, self.ad, self._label = state, associated_data, label
        self._drawn = 0

    @property
    def braid(self) -> str:
        """Return the name of the braid's state."""
        return type(self.state.braid).__name__

    def draw(self, length: int) -> bytes:
        """Return the next bytes of the label."""
        self._drawn += 1
        return draw(f"{self._label} far {self._drawn}", length)

    def next(self, text: str = "") -> Sent[Triple]:
        """Return both headers and the key of the next message, and count it as sent."""
        size = padded_length(len(text))
        sent = triple.send(LETTERLOCK, self.state, size, self.draw)
        self.state = sent.state
        return sent

    def skip(self, count: int) -> None:
        """Send `count` messages that are lost."""
        for _ in range(count):
            self.next()

    def write(self, text: str) -> bytes:
        """Return the next message."""
        return self.seal(self.next(text), text)

    def seal(
        self,
        sent: Sent[Triple],
        text: str,
        *,
        pq_header: PqHeader | None = None,
        key: bytes | None = None,
        padded: bytes | None = None,
    ) -> bytes:
        """Seal a text, or a padded text, with the given header or key instead of the right one."""
        header_bytes, nonce = sent.header.encode_header(pq_header or sent.pq_header), self.draw(8)
        data = pad(text.encode()) if padded is None else padded
        return cbor.complete_array(
            header_bytes,
            nonce + aead.seal(key or sent.key.expose(), bytes(4) + nonce, data, self.ad + header_bytes),
        )

    def seal_plain(self, header: Header, key: MessageKey, text: str) -> bytes:
        """Seal a message of the double ratchet alone."""
        header_bytes, nonce = header.encode_header(), self.draw(8)
        sealed = aead.seal(key.expose(), bytes(4) + nonce, pad(text.encode()), self.ad + header_bytes)
        return cbor.complete_array(header_bytes, nonce + sealed)

    def twice(self, edit: Callable[[bytes], bytes], text: str = "") -> tuple[bytes, bytes]:
        """Return the next message with other codewords, still authentic, and the valid one."""
        sent = self.next(text)
        changed = replace(sent.pq_header, codewords=edit(sent.pq_header.codewords))
        return self.seal(sent, text, pq_header=changed), self.seal(sent, text)

    def receive(self, message: bytes) -> bytes:
        """Open a message. This side stores no skipped keys."""
        decoded = RatchetMessage.decode(message)
        found = triple.find_message_key(LETTERLOCK, self.state, decoded, None, nothing_kept, self.ad)
        plaintext = open_message(found.key, self.ad, decoded)
        after = found.commit().state
        assert isinstance(after, Triple)
        self.state = after
        return plaintext


class Script:
    """The steps of one play, with the expected answer to each."""

    def __init__(self, role: str, label: str, *, silent: bool = False) -> None:
        """`silent`: what the side under test sends does not reach the far side."""
        self._role, self._label, self._silent = role, f"triple {label}", silent
        self._secret, self.ad = draw(f"{self._label} secret", 32), draw(f"{self._label} ad", 32)
        self.signed = SignedPrekeyPair.from_private(private(f"{self._label} signed prekey"))
        secret = SharedSecret(self._secret)
        if role == "initiator":
            state = triple.recipient(LETTERLOCK, secret, self.signed)
        else:
            first = partial(draw, f"{self._label} far first ratchet key")
            state = triple.initiator(LETTERLOCK, secret, self.signed.public, first)
        self.far = FarSide(state, self.ad, self._label)
        self._steps: list[Json] = []
        self._answers: list[Json] = []
        self._player = SidePlayer(Input(self.given()), Suite.PQXDH)

    def given(self) -> Json:
        """Return the input."""
        initiates = self._role == "initiator"
        return {
            "role": self._role,
            "secret": self._secret.hex(),
            "associated_data": self.ad.hex(),
            "signed_prekey": (self.signed.public.data if initiates else self.signed.private.expose()).hex(),
            "ratchet_private": draw(f"{self._label} first ratchet key", 32).hex() if initiates else None,
            "steps": self._steps,
        }

    @property
    def ratchet(self) -> Triple:
        """Return the state of the side under test."""
        state = self._player.ratchet()
        assert isinstance(state, Triple)
        return state

    @property
    def braid(self) -> str:
        """Return the name of its braid's state."""
        return type(self.ratchet.braid).__name__

    def send(self, text: str) -> bytes:
        """Let the side under test seal; return the message, which the far side has heard."""
        step = self._sending(text)
        answer = self._player.send(Input(step))
        message = bytes.fromhex(answer["message"])
        if not self._silent and self.far.receive(message) != text.encode():
            raise GenerationError(f"{self._label}: the far side reads something else")
        self._steps.append(step)
        self._answers.append(answer)
        return message

    def send_refused(self, text: str, name: str) -> None:
        """Let it try to."""
        self._steps.append(self._sending(text))
        self._answers.append({"error": name})

    def _sending(self, text: str) -> Json:
        label = f"{self._label} step {len(self._steps)}"
        state = self._player.ratchet()
        braid = type(state.braid) if isinstance(state, Triple) else None
        drawn = None if braid is None else {KeysUnsampled: 64, HeaderReceived: 32}.get(braid)
        return {
            "do": "send",
            "plaintext": text.encode().hex(),
            "nonce": draw(f"{label} nonce", 8).hex(),
            "ratchet_private": draw(f"{label} ratchet", 32).hex(),
            "entropy": None if drawn is None else draw(f"{label} braid", drawn).hex(),
        }

    def receive(self, message: bytes, text: str) -> None:
        """Let the side under test open a message."""
        step, answer = {"do": "receive", "message": message.hex()}, {"plaintext": text.encode().hex()}
        if self._player.receive(Input(step)) != answer:
            raise GenerationError(f"{self._label}: the side under test reads something else")
        self._steps.append(step)
        self._answers.append(answer)

    def refused(self, message: bytes, name: str) -> None:
        """Let it refuse one."""
        self._steps.append({"do": "receive", "message": message.hex()})
        self._answers.append({"error": name})

    def state(self, name: str, braid: str, epoch: int = 1, skipped: int = 0) -> None:
        """Let it show its state."""
        self._steps.append({"do": "state"})
        self._answers.append({"state": name, "braid": braid, "epoch": epoch, "skipped": skipped})

    def ended(self) -> None:
        """Let it show that it has no state any more."""
        self._steps.append({"do": "state"})
        self._answers.append({"state": "Ended", "braid": None, "epoch": None, "skipped": 0})

    def turn(self) -> None:
        """Let each send once, with a text long enough for all codewords: the far side first, if it began."""
        if self._role == "initiator":
            self.send(words(ENOUGH.get(self.braid, 1), "a"))
        text = words(ENOUGH.get(self.far.braid, 1), "b")
        self.receive(self.far.write(text), text)
        if self._role == "recipient":
            self.send(words(ENOUGH.get(self.braid, 1), "a"))

    def heal(self, epochs: int = 1) -> None:
        """Let them talk until both agree on a later epoch."""
        goal = self.ratchet.braid.epoch + epochs
        for _ in range(8 * epochs):
            if self.ratchet.braid.epoch >= goal and self.far.state.braid.epoch >= goal:
                return
            self.turn()
        raise GenerationError(f"{self._label}: not healed")

    def add(self, group: Group, comment: str, *, rules: Sequence[str], flags: Sequence[str] = ()) -> None:
        """Add the play to a group, if every answer is as expected."""
        expected: dict[str, Any] = {"steps": self._answers}
        refusals = [each["error"] for each in self._answers if "error" in each]
        if not refusals:
            group.play(comment, self.given(), flags=flags, rules=rules, output=expected)
            return
        expect, *others = refusals
        answer = group.invalid_play(comment, self.given(), expect, flags=flags, rules=rules, also=others)
        if answer != expected:
            pairs = [each for each in zip(answer["steps"], self._answers, strict=True) if each[0] != each[1]]
            raise GenerationError(f"{comment}: {pairs} (answered, expected)")


def pq_header_of(message: bytes) -> PqHeader:
    """Return what a triple message has more."""
    pq_header = RatchetMessage.decode(message).pq_header
    assert pq_header is not None
    return pq_header


def with_pq_header(message: bytes, **changes: Any) -> bytes:
    """Return a message with another post-quantum header and the same sealed text."""
    decoded = RatchetMessage.decode(message)
    return cbor.complete_array(
        decoded.header.encode_header(replace(pq_header_of(message), **changes)), decoded.sealed
    )


def with_header(message: bytes, **changes: Any) -> bytes:
    """Return a message with another header of the double ratchet, and the same sealed text."""
    decoded = RatchetMessage.decode(message)
    return cbor.complete_array(
        replace(decoded.header, **changes).encode_header(pq_header_of(message)), decoded.sealed
    )


def stripped(message: bytes) -> bytes:
    """Return a message of the double ratchet alone, with the same sealed text."""
    decoded = RatchetMessage.decode(message)
    return cbor.complete_array(decoded.header.encode_header(), decoded.sealed)

"""A script for a ratchet play: the side under test, and the far side that writes to it.

    script = Script("initiator", "label")
    script.send("a")                         # the side under test seals, and the far side opens it
    script.receive(script.far.write("b"))    # the far side seals, and the side under test must open it
    script.refused(forged, "AuthenticationFailed")
    script.add(group, "comment", rules=[...])

The far side is the library's pure functions, with keys from labels. Every answer is compared with
what the script expects.

Not here: the plays themselves (families/ratchet/).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from generators.support.family import GenerationError, Group, Json, run
from generators.support.labels import draw, flipped
from generators.support.people import private
from letterlock._primitives import aead
from letterlock._primitives.curve25519 import RatchetKey, SignedPrekeyPair
from letterlock._ratchet import double
from letterlock._ratchet.keys import MessageKey, RootKey
from letterlock._session.sealing import open_message, pad, seal_message
from letterlock._wire import cbor
from letterlock._wire.message import Header, RatchetMessage

NONCE: Final = 8


class FarSide:
    """The far side: sends, receives, and breaks rules on purpose."""

    def __init__(self, state: double.State, associated_data: bytes, label: str) -> None:
        self.state, self.ad, self._label = state, associated_data, label
        self._drawn = 0

    def draw(self, length: int) -> bytes:
        self._drawn += 1
        return draw(f"{self._label} far {self._drawn}", length)

    def copy(self) -> "FarSide":
        """Return a copy of this side, to restore later."""
        return FarSide(self.state, self.ad, f"{self._label} restored")

    def skip(self, count: int) -> None:
        """Send `count` messages that are lost."""
        for _ in range(count):
            self.state = double.send(self.state, self.draw).state

    def next(self) -> tuple[Header, MessageKey]:
        """Return header and key of the next message, and count it as sent."""
        sent = double.send(self.state, self.draw)
        self.state = sent.state
        return sent.header, sent.key

    def write(self, text: str) -> bytes:
        """Return the next message."""
        header, key = self.next()
        return seal_message(key, self.ad, header, text.encode(), self.draw(NONCE))

    def twice(self, padded: bytes, text: str) -> tuple[bytes, bytes]:
        """Return a message with the given padded text, and the valid message of the same number."""
        header, key = self.next()
        return self.seal_padded(header, key, padded), seal_message(
            key, self.ad, header, text.encode(), self.draw(NONCE)
        )

    def seal_padded(self, header: Header, key: MessageKey, padded: bytes, prefix: bytes = bytes(4)) -> bytes:
        """Seal a text that is already padded."""
        header_bytes, nonce = header.encode_header(), self.draw(NONCE)
        return cbor.complete_array(
            header_bytes, nonce + aead.seal(key.expose(), prefix + nonce, padded, self.ad + header_bytes)
        )

    def seal_with(self, header: Header, key: bytes, text: str) -> bytes:
        """Seal with a key or header that the chain does not give."""
        return self.seal_padded(header, MessageKey(key), pad(text.encode()))

    def receive(self, message: bytes) -> bytes:
        """Open a message. This side stores no skipped keys."""
        decoded = RatchetMessage.decode(message)
        received = double.receive(self.state, decoded.header)
        plaintext = open_message(received.key, self.ad, decoded)
        self.state = received.state
        return plaintext


class Script:
    """The steps of one play, with the expected answer to each."""

    def __init__(self, role: str, label: str, *, silent: bool = False) -> None:
        """`silent`: what the side under test sends does not reach the far side."""
        self._role, self._label, self._silent = role, label, silent
        self._secret, self.ad = draw(f"{label} secret", 32), draw(f"{label} ad", 32)
        self.signed = SignedPrekeyPair.from_private(private(f"{label} signed prekey"))
        root = RootKey(self._secret)
        if role == "initiator":
            self.far = FarSide(double.recipient(root, self.signed), self.ad, label)
        else:
            ours = partial(draw, f"{label} far first ratchet key")
            self.far = FarSide(double.initiator(root, self.signed.public, ours), self.ad, label)
        self._steps: list[Json] = []
        self._answers: list[Json] = []

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

    def send(self, text: str) -> bytes:
        """The side under test seals, and the far side opens it. Returns the message."""
        self._steps.append(self._sending(text))
        answer = run("ratchet.play", self.given())["steps"][-1]
        message = bytes.fromhex(answer["message"])
        if not self._silent and self.far.receive(message) != text.encode():
            raise GenerationError(f"{self._label}: the far side reads something else")
        self._answers.append(answer)
        return message

    def send_refused(self, text: str, name: str) -> None:
        """The side under test tries to seal, and is refused."""
        self._steps.append(self._sending(text))
        self._answers.append({"error": name})

    def _sending(self, text: str) -> Json:
        number = len(self._steps)
        nonce, key = (
            draw(f"{self._label} step {number} {use}", n) for use, n in (("nonce", 8), ("ratchet", 32))
        )
        plaintext = text.encode().hex()
        return {"do": "send", "plaintext": plaintext, "nonce": nonce.hex(), "ratchet_private": key.hex()}

    def receive(self, message: bytes, text: str) -> None:
        """The side under test opens a message."""
        self._steps.append({"do": "receive", "message": message.hex()})
        self._answers.append({"plaintext": text.encode().hex()})

    def refused(self, message: bytes, name: str) -> None:
        """The side under test refuses a message."""
        self._steps.append({"do": "receive", "message": message.hex()})
        self._answers.append({"error": name})

    def state(self, name: str, skipped: int = 0) -> None:
        """The side under test shows its state."""
        self._steps.append({"do": "state"})
        self._answers.append({"state": name, "skipped": skipped})

    def add(self, group: Group, comment: str, *, rules: Sequence[str], flags: Sequence[str] = ()) -> None:
        """Add the play to a group, if every answer is as expected."""
        expected = {"steps": self._answers}
        refusals = [each["error"] for each in self._answers if "error" in each]
        if not refusals:
            group.play(comment, self.given(), flags=flags, rules=rules, output=expected)
            return
        expect, *others = refusals
        answer = group.invalid_play(comment, self.given(), expect, flags=flags, rules=rules, also=others)
        if answer != expected:
            raise GenerationError(f"{comment}: {answer} where {expected} was expected")


def with_header(message: bytes, **changes: object) -> bytes:
    """Return a message with another header, and the same sealed text."""
    decoded = RatchetMessage.decode(message)
    header = replace(decoded.header, **changes)  # type: ignore[arg-type]
    return cbor.complete_array(header.encode_header(), decoded.sealed)


def with_sealed(message: bytes, index: int) -> bytes:
    """Return a message with one bit of its sealed text inverted."""
    decoded = RatchetMessage.decode(message)
    return cbor.complete_array(decoded.header_bytes, flipped(decoded.sealed, index))


def key_of(message: bytes) -> RatchetKey:
    """Return a message's ratchet key."""
    return RatchetMessage.decode(message).header.ratchet_key

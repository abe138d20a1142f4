"""A script for a braid play: the side under test, and the far side that it talks to.

    script = Script("label", initiator=True)
    script.deliver(64)                      # the side under test sends, and the far side receives it
    script.receive(script.far.write(64))     # the far side sends, and the side under test receives it
    script.refused(changed, "BraidFailed")
    script.add(group, "comment", rules=[...])

Both sides are the library's pure functions, with random bytes from labels. A copy of the side under test
predicts its answers.

Not here: the plays themselves (families/braid/).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from generators.support.family import GenerationError, Group, Json
from generators.support.labels import draw
from letterlock._ratchet import braid
from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.pq_keys import EpochSecret, PqSharedSecret
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._records.triple import STATES as RECORDED
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from letterlock.errors import LetterlockError

WHOLE: Final = 64
"""Enough codewords for any whole text."""

PqHeaderJson = dict[str, Any]
"""A post-quantum header in JSON: the answer of `send` without the secret, and the input of `receive`."""


class Side:
    """One side: its state, and the secrets it has derived."""

    def __init__(self, label: str, shared: bytes, *, initiator: bool) -> None:
        begin = braid.initiator if initiator else braid.recipient
        self.state: Braid = begin(LETTERLOCK, PqSharedSecret(shared))
        self.secrets: list[str] = []
        self.drawn: bytes | None = None
        self._label, self._count = label, 0

    @property
    def name(self) -> str:
        """Return the state's name."""
        return type(self.state).__name__

    @property
    def outgoing(self) -> bytes:
        """Return the text that is being sent."""
        state: Any = self.state
        text: bytes = state.outgoing
        return text

    def _draw(self, length: int) -> bytes:
        self._count += 1
        self.drawn = draw(f"{self._label} {self._count}", length)
        return self.drawn

    def answer(self, max_codewords: int) -> Json:
        """Send, and return the answer of a play. `drawn` are the random bytes it took, if any."""
        self.drawn = None
        sent = braid.send(LETTERLOCK, self.state, max_codewords, self._draw)
        self.state = sent.state
        header = pq_header_json(sent.epoch, sent.type, sent.first, sent.codewords)
        return header | {"secret": self._shown(sent.secret)}

    def write(self, max_codewords: int = WHOLE) -> PqHeaderJson:
        """Send, and return the header."""
        answer = self.answer(max_codewords)
        return {name: answer[name] for name in ("epoch", "type", "first", "codewords")}

    def receive(self, pq_header: PqHeaderJson) -> str | None:
        """Receive a header. Returns the secret if the epoch is now complete."""
        codewords = bytes.fromhex(pq_header["codewords"] or "")
        read = PqHeader(
            pq_header["epoch"], 1, 0, PqType(pq_header["type"]), pq_header["first"] or 0, codewords
        )
        braid.check_epoch(self.state, read)
        received = braid.receive(LETTERLOCK, self.state, read)
        self.state = received.state
        return self._shown(received.secret)

    def _shown(self, secret: EpochSecret | None) -> str | None:
        if secret is None:
            return None
        self.secrets.append(secret.expose().hex())
        return self.secrets[-1]


class Script:
    """The steps of one play, with the expected answer to each."""

    def __init__(self, label: str, *, initiator: bool) -> None:
        self._secret = draw(f"braid {label} secret", 32)
        self._initiator = initiator
        self.ours = Side(f"braid {label} ours", self._secret, initiator=initiator)
        self.far = Side(f"braid {label} far", self._secret, initiator=not initiator)
        self._steps: list[Json] = []
        self._answers: list[Json] = []
        self.passed: list[tuple[str, str]] = [("", self.ours.name)]

    def given(self) -> Json:
        """Return the input."""
        return {"secret": self._secret.hex(), "initiator": self._initiator, "steps": self._steps}

    def _step(self, step: Json, answer: Json) -> None:
        self._steps.append(step)
        self._answers.append(answer)

    def send(self, max_codewords: int = WHOLE) -> PqHeaderJson:
        """The side under test sends. The far side does not receive the header unless it is given to it."""
        before = self.ours.name
        answer = self.ours.answer(max_codewords)
        entropy = None if self.ours.drawn is None else self.ours.drawn.hex()
        self._step({"do": "send", "max_codewords": max_codewords, "entropy": entropy}, answer)
        self.passed.append((before, self.ours.name))
        return {name: answer[name] for name in ("epoch", "type", "first", "codewords")}

    def deliver(self, max_codewords: int = WHOLE) -> PqHeaderJson:
        """The side under test sends, and the far side receives."""
        pq_header = self.send(max_codewords)
        self.far.receive(pq_header)
        return pq_header

    def receive(self, pq_header: PqHeaderJson) -> None:
        """The side under test receives a header."""
        before = self.ours.name
        self._step({"do": "receive", **pq_header}, {"secret": self.ours.receive(pq_header)})
        self.passed.append((before, self.ours.name))

    def useless(self, pq_header: PqHeaderJson) -> None:
        """The side under test receives a header that changes nothing."""
        before = self.ours.state
        self.receive(pq_header)
        if self.ours.state != before:
            raise GenerationError(f"{pq_header} is of use")

    def refused(self, pq_header: PqHeaderJson, name: str) -> None:
        """The side under test refuses a header."""
        before = self.ours.state
        try:
            self.ours.receive(pq_header)
        except LetterlockError as error:
            if type(error).__name__ != name:
                raise
        else:
            raise GenerationError(f"not refused: {pq_header}")
        if self.ours.state != before:
            raise GenerationError(f"something was changed by {pq_header}")
        self._step({"do": "receive", **pq_header}, {"error": name})

    def state(self, name: str) -> None:
        """The side under test shows its state, which must be this one."""
        if self.ours.name != name:
            raise GenerationError(f"in {self.ours.name}, not {name}")
        self._step({"do": "state"}, {"state": name, "epoch": self.ours.state.epoch})

    def turn(self, ours: int = WHOLE, far: int = WHOLE) -> None:
        """Both sides send once and receive, the side under test first."""
        self.deliver(ours)
        self.receive(self.far.write(far))

    def agree(self) -> None:
        """Both sides send until both have the same secret of the epoch."""
        count = max(self.ours.state.epoch, self.far.state.epoch)
        for _ in range(8):
            if len(self.ours.secrets) >= count and len(self.far.secrets) >= count:
                break
            self.turn()
        if self.ours.secrets[:count] != self.far.secrets[:count] or len(self.ours.secrets) < count:
            raise GenerationError("both sides have other secrets")

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


def pq_header_json(epoch: int, type_: PqType | int, first: int = 0, codewords: bytes = b"") -> PqHeaderJson:
    """Return a header in JSON. Types without codewords have null for `first` and `codewords`."""
    bare = type_ in BARE
    return {
        "epoch": epoch,
        "type": int(type_),
        "first": None if bare else first,
        "codewords": None if bare else codewords.hex(),
    }


def edited(pq_header: PqHeaderJson, edit: Callable[[bytes], bytes]) -> PqHeaderJson:
    """Return a header with other codewords."""
    return pq_header | {"codewords": edit(bytes.fromhex(pq_header["codewords"])).hex()}


STATES: Final[dict[str, type[Braid]]] = {each.__name__: each for each in RECORDED}
BEGINNERS: Final = ("KeysUnsampled", "KeysSampled", "HeaderSent", "Ct1Received", "EkSentCt1Received")
"""The states of the side that sends the KEM key."""


def reached(name: str, label: str, epoch: int = 1) -> Script:
    """Return a play that has reached a state, with half of a text received where the state receives one."""
    begins = name in BEGINNERS
    script = Script(label, initiator=begins is (epoch == 1))
    if epoch == 2:
        script.agree()
        if not begins:
            script.deliver()
    _walk(script, name)
    if (script.ours.name, script.ours.state.epoch) != (name, epoch):
        raise GenerationError(f"{script.ours.name} reached, not {name}")
    return script


def _walk(script: Script, name: str) -> None:
    far = script.far
    match name:
        case "KeysUnsampled" | "KeysSampled":
            if name == "KeysSampled":
                script.deliver(2)
        case "HeaderSent":
            script.turn(far=10)
        case "Ct1Received":
            script.turn()
            script.deliver(10)
        case "EkSentCt1Received":
            script.turn()
            script.turn(far=2)
        case "NoHeaderReceived":
            script.receive(far.write(2))
        case _:
            script.receive(far.write())
            if name == "HeaderReceived":
                return
            script.deliver(10 if name in ("Ct1Sampled", "EkReceivedCt1Sampled") else WHOLE)
            script.receive(far.write(10 if name in ("Ct1Sampled", "Ct1Acknowledged") else WHOLE))
            if name == "Ct2Sampled":
                script.deliver(2)

"""A braid play as it is written: what the side under test does, and the far side that it talks to.

    script = Script("label", initiator=True)
    script.say(64)                      # the side under test sends; the far side hears it
    script.hear(script.far.say(64))     # the far side sends; the side under test takes it in
    script.refused(changed, "BraidFailed")
    script.add(group, "comment", rules=[...])

Both sides are the library's pure functions with bytes of labels; one runs beside the side under test, and
foretells its answers.

Not here: which plays there are (braid.py, refusals.py).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from generators.support.family import GenerationError, Group, Json
from generators.support.labels import draw
from letterlock._ratchet import braid
from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.pq_keys import EpochSecret, PqSharedSecret
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.side_data import Append, Slot, Write
from letterlock._records.triple import STATES as RECORDED
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from letterlock.errors import LetterlockError

WHOLE: Final = 64
"""Room for any text at once."""

Part = dict[str, Any]
"""What `send` answers, less the secret, and what `receive` is given."""


class Side:
    """One side: its state, what lies beside it, and the secrets that it came to."""

    def __init__(self, label: str, shared: bytes, *, initiator: bool) -> None:
        begin = braid.initiator if initiator else braid.recipient
        self.state: Braid = begin(LETTERLOCK, PqSharedSecret(shared))
        self.slots: dict[Slot, list[bytes]] = {slot: [] for slot in Slot}
        self.secrets: list[str] = []
        self.drawn: bytes | None = None
        self._label, self._count = label, 0

    @property
    def name(self) -> str:
        """Return the state's name."""
        return type(self.state).__name__

    def read(self, slot: Slot) -> list[bytes]:
        """Return a slot's entries."""
        return self.slots[slot]

    def _draw(self, length: int) -> bytes:
        self._count += 1
        self.drawn = draw(f"{self._label} {self._count}", length)
        return self.drawn

    def answer(self, room: int) -> Json:
        """Send, and return what a play answers; `drawn` are the bytes it took, if any."""
        self.drawn = None
        sent = braid.send(LETTERLOCK, self.state, room, self._draw, self.read)
        self._commit(sent.state, sent.writes)
        pq_header = piece(sent.epoch, sent.type, sent.first, sent.codewords)
        return pq_header | {"secret": self._shown(sent.secret)}

    def say(self, room: int = WHOLE) -> Part:
        """Send, and return the part."""
        answer = self.answer(room)
        return {name: answer[name] for name in ("epoch", "type", "first", "codewords")}

    def hear(self, pq_header: Part) -> str | None:
        """Take a part in; return the secret if one came of it."""
        codewords = bytes.fromhex(pq_header["codewords"] or "")
        read = PqHeader(
            pq_header["epoch"], 1, 0, PqType(pq_header["type"]), pq_header["first"] or 0, codewords
        )
        braid.check_epoch(self.state, read)
        received = braid.receive(LETTERLOCK, self.state, read, self.read)
        self._commit(received.state, received.writes)
        return self._shown(received.secret)

    def _commit(self, state: Braid, writes: tuple[Write, ...]) -> None:
        self.state = state
        for write in writes:
            if isinstance(write, Append):
                self.slots[write.slot].append(write.entry)
            else:
                self.slots[write.slot] = []

    def _shown(self, secret: EpochSecret | None) -> str | None:
        if secret is None:
            return None
        self.secrets.append(secret.expose().hex())
        return self.secrets[-1]


class Script:
    """The steps of one play, with the answer to each."""

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

    def send(self, room: int = WHOLE) -> Part:
        """Let it send; the part is lost unless it is given to the far side."""
        before = self.ours.name
        answer = self.ours.answer(room)
        entropy = None if self.ours.drawn is None else self.ours.drawn.hex()
        self._step({"do": "send", "max_codewords": room, "entropy": entropy}, answer)
        self.passed.append((before, self.ours.name))
        return {name: answer[name] for name in ("epoch", "type", "first", "codewords")}

    def say(self, room: int = WHOLE) -> Part:
        """Let it send, and the far side hear it."""
        pq_header = self.send(room)
        self.far.hear(pq_header)
        return pq_header

    def hear(self, pq_header: Part) -> None:
        """Let it take a part in."""
        before = self.ours.name
        self._step({"do": "receive", **pq_header}, {"secret": self.ours.hear(pq_header)})
        self.passed.append((before, self.ours.name))

    def useless(self, pq_header: Part) -> None:
        """Let it take in a part that changes nothing."""
        before = self.ours.state
        self.hear(pq_header)
        if self.ours.state != before:
            raise GenerationError(f"{pq_header} is of use")

    def refused(self, pq_header: Part, name: str) -> None:
        """Let it refuse one."""
        before, slots = self.ours.state, {slot: [*each] for slot, each in self.ours.slots.items()}
        try:
            self.ours.hear(pq_header)
        except LetterlockError as error:
            if type(error).__name__ != name:
                raise
        else:
            raise GenerationError(f"not refused: {pq_header}")
        if (self.ours.state, self.ours.slots) != (before, slots):
            raise GenerationError(f"something was changed by {pq_header}")
        self._step({"do": "receive", **pq_header}, {"error": name})

    def state(self, name: str) -> None:
        """Let it show its state, which is this one."""
        if self.ours.name != name:
            raise GenerationError(f"in {self.ours.name}, not {name}")
        self._step({"do": "state"}, {"state": name, "epoch": self.ours.state.epoch})

    def turn(self, ours: int = WHOLE, far: int = WHOLE) -> None:
        """Let each send once, which the other hears: the side under test first."""
        self.say(ours)
        self.hear(self.far.say(far))

    def agree(self) -> None:
        """Let them talk until both have the secret of the epoch, the same."""
        count = max(self.ours.state.epoch, self.far.state.epoch)
        for _ in range(8):
            if len(self.ours.secrets) >= count and len(self.far.secrets) >= count:
                break
            self.turn()
        if self.ours.secrets[:count] != self.far.secrets[:count] or len(self.ours.secrets) < count:
            raise GenerationError("both sides have other secrets")

    def add(self, group: Group, comment: str, *, rules: Sequence[str], flags: Sequence[str] = ()) -> None:
        """Add the play to a group, if every answer is as foretold."""
        foretold = {"steps": self._answers}
        refusals = [each["error"] for each in self._answers if "error" in each]
        if not refusals:
            group.play(comment, self.given(), flags=flags, rules=rules, output=foretold)
            return
        expect, *others = refusals
        answer = group.invalid_play(comment, self.given(), expect, flags=flags, rules=rules, also=others)
        if answer != foretold:
            raise GenerationError(f"{comment}: {answer} where {foretold} was foretold")


def piece(epoch: int, type_: PqType | int, first: int = 0, codewords: bytes = b"") -> Part:
    """Return a part; those of types without codewords have null for both."""
    bare = type_ in BARE
    return {
        "epoch": epoch,
        "type": int(type_),
        "first": None if bare else first,
        "codewords": None if bare else codewords.hex(),
    }


def edited(pq_header: Part, edit: Callable[[bytes], bytes]) -> Part:
    """Return a part with other codewords."""
    return pq_header | {"codewords": edit(bytes.fromhex(pq_header["codewords"])).hex()}


STATES: Final[dict[str, type[Braid]]] = {each.__name__: each for each in RECORDED}
BEGINNERS: Final = ("KeysUnsampled", "KeysSampled", "HeaderSent", "Ct1Received", "EkSentCt1Received")
"""Of the side that sends the KEM key."""


def reached(name: str, label: str, epoch: int = 1) -> Script:
    """Return a play that has come to a state, half of a text having come where one comes."""
    begins = name in BEGINNERS
    script = Script(label, initiator=begins is (epoch == 1))
    if epoch == 2:
        script.agree()
        if not begins:
            script.say()
    _walk(script, name)
    if (script.ours.name, script.ours.state.epoch) != (name, epoch):
        raise GenerationError(f"{script.ours.name} reached, not {name}")
    return script


def _walk(script: Script, name: str) -> None:
    far = script.far
    match name:
        case "KeysUnsampled" | "KeysSampled":
            if name == "KeysSampled":
                script.say(2)
        case "HeaderSent":
            script.turn(far=10)
        case "Ct1Received":
            script.turn()
            script.say(10)
        case "EkSentCt1Received":
            script.turn()
            script.turn(far=2)
        case "NoHeaderReceived":
            script.hear(far.say(2))
        case _:
            script.hear(far.say())
            if name == "HeaderReceived":
                return
            script.say(10 if name in ("Ct1Sampled", "EkReceivedCt1Sampled") else WHOLE)
            script.hear(far.say(10 if name in ("Ct1Sampled", "Ct1Acknowledged") else WHOLE))
            if name == "Ct2Sampled":
                script.say(2)

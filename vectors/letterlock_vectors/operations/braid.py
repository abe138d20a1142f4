"""braid.play: one side of the braid, with chosen random bytes. Also reads post-quantum headers from JSON.

Not here: the messages that carry the headers (triple.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._ratchet import braid
from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.pq_keys import EpochSecret, PqSharedSecret
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from letterlock.errors import UsageError
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX, MAX_CODEWORDS
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.plays import ChosenEntropy, play


def braid_play(given: Input) -> Output:
    """Return the answer of each step."""
    player = BraidPlayer(given)
    table = {"send": player.send, "receive": player.receive, "state": player.state}
    return play(given.nested_list("steps"), table)


class BraidPlayer(Uncopyable):
    """The state, and the chosen random bytes."""

    __slots__ = ("_entropy", "_state")

    def __init__(self, given: Input) -> None:
        shared = PqSharedSecret(given.sized("secret", KEY_BYTES))
        begin = braid.initiator if given.flag("initiator") else braid.recipient
        self._state: Braid = begin(LETTERLOCK, shared)
        self._entropy = ChosenEntropy()

    def send(self, step: Input) -> Output:
        """Return the next header."""
        most = step.number("max_codewords")
        if not 1 <= most <= MAX_CODEWORDS:
            raise UsageError(f"`max_codewords` must be 1 to {MAX_CODEWORDS}")
        self._entropy.offer(step.optional_hex("entropy"))
        sent = braid.send(LETTERLOCK, self._state, most, self._entropy)
        self._state = sent.state
        bare = sent.type in BARE
        return {
            "epoch": sent.epoch,
            "type": int(sent.type),
            "first": None if bare else sent.first,
            "codewords": None if bare else sent.codewords.hex(),
            "secret": _shown(sent.secret),
        }

    def receive(self, step: Input) -> Output:
        """Receive the header of an authenticated message."""
        pq_header = _pq_header(step, number=1, previous=0)
        braid.check_epoch(self._state, pq_header)
        received = braid.receive(LETTERLOCK, self._state, pq_header)
        self._state = received.state
        return {"secret": _shown(received.secret)}

    def state(self, _step: Input) -> Output:
        """Return the name of the state and the epoch that is being agreed on."""
        return {"state": type(self._state).__name__, "epoch": self._state.epoch}


def read_pq_header(given: Input) -> PqHeader:
    """Return the post-quantum header of a triple message. Raises UsageError for impossible values."""
    return _pq_header(given, given.counter("number", 1), given.counter("previous"))


def _pq_header(given: Input, number: int, previous: int) -> PqHeader:
    epoch, type_ = given.counter("epoch", 1), given.number("type")
    first, codewords = given.optional_number("first"), given.optional_hex("codewords")
    if type_ not in set(PqType):
        raise UsageError("there is no type of post-quantum header with this number")
    if first is None or codewords is None:
        if type_ not in BARE or first is not None or codewords is not None:
            raise UsageError("`first` and `codewords` are null with types 0 and 4, and with them alone")
        return PqHeader(epoch, number, previous, PqType(type_))
    count, rest = divmod(len(codewords), CODEWORD_BYTES)
    if (
        type_ in BARE
        or rest
        or not 1 <= count <= MAX_CODEWORDS
        or not 0 <= first <= MAX_CODEWORD_INDEX + 1 - count
    ):
        raise UsageError("1 to 64 whole codewords, of indices up to 65,535, with types 1, 2, 3, 5 and 6")
    return PqHeader(epoch, number, previous, PqType(type_), first, codewords)


def _shown(secret: EpochSecret | None) -> str | None:
    return None if secret is None else secret.expose().hex()


OPERATIONS: Final[Mapping[str, Operation]] = {
    "braid.play": braid_play,
}

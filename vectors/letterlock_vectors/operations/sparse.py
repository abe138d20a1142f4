"""sparse.play: the sparse chains of one side, with given epoch secrets.

Skipped keys are kept here without a limit, which belongs to sessions.

Not here: where the secrets come from (braid.py), the double ratchet beside the chains (triple.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._ratchet import sparse
from letterlock._ratchet.pq_keys import EpochSecret, PqSharedSecret, SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.sparse import SparsePlace
from letterlock.errors import DuplicateMessage
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.plays import play


def sparse_play(given: Input) -> Output:
    """Return the answer of each step."""
    player = SparsePlayer(given)
    table = {"send": player.send, "receive": player.receive, "add_epoch": player.add_epoch}
    return play(given.nested_list("steps"), table)


class SparsePlayer(Uncopyable):
    """The chains, and the skipped keys by epoch and number."""

    __slots__ = ("_kept", "_state")

    def __init__(self, given: Input) -> None:
        shared = PqSharedSecret(given.sized("secret", KEY_BYTES))
        self._state = sparse.start(LETTERLOCK, shared, is_initiator=given.flag("initiator"))
        self._kept: dict[tuple[int, int], SparseMessageKey] = {}

    def send(self, step: Input) -> Output:
        """Return the key of the next message of an epoch."""
        self._state, place, key = sparse.send(LETTERLOCK, self._state, step.number("epoch"))
        return {"number": place.number, "previous": place.previous, "key": key.expose().hex()}

    def receive(self, step: Input) -> Output:
        """Return the key of a received message."""
        place = SparsePlace(step.counter("epoch"), step.counter("number", 1), step.counter("previous"))
        if sparse.is_late(self._state, place):
            kept = self._kept.pop((place.epoch, place.number), None)
            if kept is None:
                raise DuplicateMessage
            return {"key": kept.expose().hex()}
        received = sparse.receive(LETTERLOCK, self._state, place)
        for gap in received.gaps(LETTERLOCK):
            keys = enumerate(gap.keys(LETTERLOCK).expose_each(), gap.start)
            self._kept.update({(gap.epoch, number): SparseMessageKey(key) for number, key in keys})
        self._state = received.state
        return {"key": received.key.expose().hex()}

    def add_epoch(self, step: Input) -> Output:
        """Mix in the secret of the next epoch."""
        secret = EpochSecret(step.sized("secret", KEY_BYTES))
        self._state = sparse.add_epoch(LETTERLOCK, self._state, step.number("epoch"), secret)
        return {}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "sparse.play": sparse_play,
}

"""triple.play: one side of a session of the triple ratchet, with chosen keys, from its first state on.

Not here: the session itself (ratchets.py), the braid alone (braid.py), the sparse chains alone (sparse.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._ratchet.triple import Triple
from letterlock._session.session import Ended
from letterlock._wire.suite import Suite
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.plays import play
from letterlock_vectors.operations.ratchets import SidePlayer


def triple_play(given: Input) -> Output:
    """Return the answer of each step."""
    player = SidePlayer(given, Suite.PQXDH)

    def state(_step: Input) -> Output:
        match player.ratchet():
            case Triple(double, _, braid):
                return {
                    "state": type(double).__name__,
                    "braid": type(braid).__name__,
                    "epoch": braid.epoch,
                    "skipped": player.skipped(),
                }
            case Ended():
                return {"state": "Ended", "braid": None, "epoch": None, "skipped": player.skipped()}
            case _:  # pragma: no cover - the suite says so
                raise AssertionError

    table = {"send": player.send, "receive": player.receive, "state": state}
    return play(given.nested_list("steps"), table)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "triple.play": triple_play,
}

"""The people of the logs, and a log with three members."""

from typing import Final

from generators.support.collection_logs import ADMIN, CREATE, READER, WRITER, Log, in_order, member
from generators.support.document_signers import ALICE as ALICE_OWNER
from generators.support.document_signers import BOB as BOB_OWNER
from generators.support.document_signers import MALLORY as MALLORY_OWNER
from generators.support.document_signers import Signer
from generators.support.labels import draw


def somebody(name: str) -> Signer:
    """Return a signer without keys, for log.follow."""
    return Signer(1, 1, draw(f"list of {name}", 32), draw(f"user {name}", 32), name)


ALICE: Final = ALICE_OWNER.at(1, 1)
BOB: Final = BOB_OWNER.at(1)
MALLORY: Final = MALLORY_OWNER.at(1)
CAROL, DAVE = somebody("carol"), somebody("dave")
CHILD: Final = draw("a collection inside", 16)

CREATED: Final = Log().add(
    ALICE, CREATE, in_order(member(ALICE, ADMIN), member(BOB, WRITER), member(CAROL, READER))
)

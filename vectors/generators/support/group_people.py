"""People in logs of groups: an admin, a writer and a reader, somebody outside, and the log that begins so.

Alice, Bob and Mallory have keys, and sign. Whoever `somebody` names does neither.
"""

from typing import Final

from generators.support.collection_logs import ADMIN, CREATE, READER, WRITER, in_order, member
from generators.support.document_signers import ALICE as ALICE_OWNER
from generators.support.document_signers import BOB as BOB_OWNER
from generators.support.document_signers import MALLORY as MALLORY_OWNER
from generators.support.document_signers import Signer
from generators.support.group_logs import GroupLog
from generators.support.labels import draw

ALICE: Final = ALICE_OWNER.at(1, 1)
BOB: Final = BOB_OWNER.at(1)
MALLORY: Final = MALLORY_OWNER.at(1)


def somebody(name: str) -> Signer:
    """Return a signer without keys, for log.follow."""
    return Signer(1, 1, draw(f"list of {name}", 32), draw(f"user {name}", 32), name)


CAROL: Final = somebody("carol")
THREE: Final = in_order(member(ALICE, ADMIN), member(BOB, WRITER), member(CAROL, READER))
CREATED: Final = GroupLog().add(ALICE, CREATE, THREE)

"""What remains of a wish in the state of a log: what the loser of a race does by itself.

    ADD       members that are none yet                 REMOVE    members that are members still
    ROLE      members that have another role            LEAVE     if this user is a member
    RENAME    always                                    CLOSE     if the collection is not closed
    RENEW     if the epoch is still the one in which it was asked for

If nothing remains, somebody else did the same, and the wish is met. If the state does not allow what remains,
it is refused: this user lost the role, or the collection is closed.                                [DOC-79]

All of it is pure. Not here: keys and signatures (_changes.py).
"""

from dataclasses import dataclass

from letterlock._records.collection import CollectionPhase, LogState
from letterlock._records.collection_change import Asked, Wish
from letterlock._wire.collection_member import MemberName
from letterlock._wire.log_entry import Action
from letterlock.documents._log_rules import TABLES, least_role


@dataclass(frozen=True, slots=True)
class Rest:
    """What remains of a wish. `refused` says in words why it cannot be met any more; None if it can."""

    asked: tuple[Asked, ...] = ()
    is_met: bool = False
    refused: str | None = None


def rest_of(wish: Wish, state: LogState, user_id: bytes) -> Rest:
    """Return what remains of a wish of a user. [DOC-79]"""
    asked = tuple(each for each in wish.asked if _remains(wish.action, each, state))
    if _is_met(wish, asked, state, user_id):
        return Rest(is_met=True)
    if (state.phase, wish.action) not in TABLES[state.kind]:
        closed = (
            "the collection was closed"
            if state.phase is CollectionPhase.CLOSED
            else "a new epoch is due first"
        )
        return Rest(asked, refused=closed)
    if not state.has_role(user_id, least_role(wish.action, state.number + 1, state.phase)):
        return Rest(asked, refused="this user has no role that allows it")
    return Rest(asked)


def _remains(action: Action, asked: Asked, state: LogState) -> bool:
    member = state.members.get(asked.name)
    match action:
        case Action.ADD:
            return member is None
        case Action.REMOVE:
            return member is not None
        case Action.ROLE:
            return member is not None and member.role is not asked.role
        case _:
            return True


def _is_met(wish: Wish, asked: tuple[Asked, ...], state: LogState, user_id: bytes) -> bool:
    match wish.action:
        case Action.ADD | Action.REMOVE | Action.ROLE:
            return not asked
        case Action.LEAVE:
            return MemberName.user(user_id) not in state.members
        case Action.CLOSE:
            return state.phase is CollectionPhase.CLOSED
        case Action.RENEW:
            return state.epoch > wish.epoch
        case _:
            return False

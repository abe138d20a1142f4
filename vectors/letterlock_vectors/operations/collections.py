"""log.*, epoch.*, fork.check: the logs of collections, their keys, and evidence of forks.

log.follow applies the rules alone, log.read verifies signatures too.

Not here: grants of epochs (grants.py); what a store keeps of a log.
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.secret import KEY_BYTES
from letterlock._records.collection import LogState
from letterlock._wire.collection_member import Member, MemberName
from letterlock._wire.log_entry import LogEntry
from letterlock._wire.log_opening import (
    SEALED_LINK_BYTES,
    SEALED_NAME_BYTES,
    CollectionOpening,
    Link,
    SealedName,
)
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock.documents import CollectionFork
from letterlock.documents._epoch_keys import EpochKeys, open_link, open_name
from letterlock.documents._log import read_log
from letterlock.documents._log_rules import follow
from letterlock.errors import UsageError
from letterlock_vectors.inputs import Input, Operation, Output, unhex
from letterlock_vectors.operations import nesting
from letterlock_vectors.operations.known_lists import chains_of, lists_of


def state_of(given: Input) -> LogState | None:
    """Return what the `entries` come to by the rules alone, or None if there are none."""
    state: LogState | None = None
    for each in given.nested_list("entries"):
        signer = each.nested("signer")
        named = Signer(
            signer.sized("user_id", KEY_BYTES),
            signer.counter("device_id", 1),
            signer.counter("version", 1),
            signer.sized("hash", KEY_BYTES),
        )
        unsigned = SignedBy(named, b"", b"")
        state = follow(state, LogEntry.of(each.hex("terms"), Place(0, 1, ()), unsigned))
    return state


def _read(given: Input) -> Output:
    entries = [LogEntry.decode(unhex(each, "entries")) for each in given.items("entries")]
    steps = read_log(lists_of(given), None, entries)
    missing = steps.missing
    lacking = None if missing is None else {"user_id": missing.user_id.hex(), "version": missing.version}
    return {
        "taken": len(steps.taken),
        "unvouched": steps.unvouched,
        "missing": lacking,
        "state": _shown(steps.taken[-1].after) if steps.taken else None,
    }


def _shown(state: LogState | None) -> Output:
    if state is None:
        raise UsageError("a log has at least one entry")
    return {
        "collection": state.log_id.hex(),
        "number": state.number,
        "head": state.head.hex(),
        "phase": state.phase.value,
        "epoch": state.epoch,
        "members": [_member(state.members[each]) for each in sorted(state.members, key=_order)],
        "writers": [_name(each) for each in sorted(state.writers, key=_order)],
        "name": state.name.hex(),
    }


def _order(name: MemberName) -> tuple[int, bytes]:
    return int(name.kind), name.id


def _name(name: MemberName) -> list[int | str]:
    return [int(name.kind), name.id.hex()]


def _member(member: Member) -> list[int | str]:
    return [*_name(member.name), int(member.role), member.since, member.generation]


def _keys(given: Input) -> EpochKeys:
    return EpochKeys.from_text(given.counter("epoch", 1), given.hex("keys"))


def _opening(given: Input) -> CollectionOpening:
    """Return an opening of which only the commitments matter."""
    epoch, history = (given.sized(name, KEY_BYTES) for name in ("commitment", "history_commitment"))
    return CollectionOpening(epoch, history, None, SealedName(b""))


def _check(given: Input) -> Output:
    keys = _keys(given).check(_opening(given))
    return {"history": keys.history is not None}


def _earlier(given: Input) -> Output:
    link = given.nested("link")
    sealed = Link(link.counter("epoch", 1), link.sized("sealed", SEALED_LINK_BYTES))
    earlier = open_link(_keys(given), sealed, _opening(given))
    return {"epoch": earlier.epoch, "keys": earlier.text(history=True).expose().hex()}


def _epoch_name(given: Input) -> Output:
    return {"name": open_name(_keys(given), given.sized("sealed", SEALED_NAME_BYTES))}


def _check_fork(given: Input) -> Output:
    found = CollectionFork.check(given.hex("evidence"), chains_of(given))
    return {
        "collection": found.collection.hex(),
        "number": found.number,
        "ours": [each.hex() for each in found.ours],
        "theirs": [each.hex() for each in found.theirs],
    }


OPERATIONS: Final[Mapping[str, Operation]] = {
    "epoch.check": _check,
    "epoch.earlier": _earlier,
    "epoch.name": _epoch_name,
    "fork.check": _check_fork,
    "log.follow": lambda given: _shown(state_of(given)),
    "log.read": _read,
    **nesting.OPERATIONS,
}

"""Entries of logs as bytes: each is read in one encoding, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from letterlock._primitives.labels import COLLECTION_ENTRY
from letterlock._wire.collection_fork import ForkEntries
from letterlock._wire.collection_limits import MAX_COLLECTION_ENTRY, MAX_COLLECTION_TERMS
from letterlock._wire.collection_member import Renewed, Role, RoleChange
from letterlock._wire.log_entry import Action, EntryTerms, LogEntry, entry_leaf
from letterlock._wire.log_opening import LogKind
from letterlock.errors import MalformedMessage, UnsupportedVersion, UsageError
from support.collection_logs import Log, in_order, member, opened, sealed_name, sub, user

SAMPLES: dict[str, Callable[[Log], LogEntry]] = {
    "create": lambda log: log.entries[0],
    "add": lambda log: log.make("alice", Action.ADD, *in_order(member("new"), member(sub("team")))),
    "remove": lambda log: log.make("alice", Action.REMOVE, user("bob")),
    "leave": lambda log: log.make("bob", Action.LEAVE),
    "role": lambda log: log.make("alice", Action.ROLE, RoleChange(user("bob"), Role.WRITER)),
    "rename": lambda log: log.make("alice", Action.RENAME, sealed_name()),
    "renew": lambda log: log.make("alice", Action.RENEW, opening=opened(1, (Renewed(user("bob"), 2),))),
    "close": lambda log: log.make("alice", Action.CLOSE),
}


@pytest.fixture(params=SAMPLES)
def entry(request: pytest.FixtureRequest) -> LogEntry:
    return SAMPLES[request.param](Log(member("bob")))


def test_it_is_read_again(entry: LogEntry) -> None:
    found = LogEntry.decode(entry.encode())
    assert found == entry
    assert found.hash == entry.hash
    assert EntryTerms.decode(entry.encoded_terms) == entry.terms
    assert entry_leaf(LogKind.COLLECTION, entry.encoded_terms).startswith(COLLECTION_ENTRY)
    assert len(entry.leaf) == len(COLLECTION_ENTRY) + 32


def test_other_outer_shapes_are_refused(entry: LogEntry) -> None:
    elements = cbor2.loads(entry.encode())
    for index in range(len(elements)):
        others: list[list[object]] = [[], [elements[index]] * 2, [None], [b""], [2**32], [[]], ["x"]]
        for wrong in others:
            changed = cbor2.dumps([*elements[:index], *wrong, *elements[index + 1 :]])
            with pytest.raises((MalformedMessage, UnsupportedVersion)):
                LogEntry.decode(changed)
    wire = entry.encode()
    for cut in (wire[:-1], wire + b"\0", b"", wire[1:]):
        with pytest.raises((MalformedMessage, UnsupportedVersion)):
            LogEntry.decode(cut)
    with pytest.raises(UsageError):
        LogEntry.decode(bytearray(wire))  # type: ignore[arg-type]


def test_other_terms_are_refused(entry: LogEntry) -> None:
    elements = cbor2.loads(entry.encoded_terms)
    for index in range(len(elements)):
        for wrong in ([], [elements[index]] * 2, [1.5], [b""], [2**32], [True], ["x"], [-1]):
            with pytest.raises(MalformedMessage):
                EntryTerms.decode(cbor2.dumps([*elements[:index], *wrong, *elements[index + 1 :]]))


def changed(entry: LogEntry, index: int, value: Any) -> bytes:
    elements = cbor2.loads(entry.encoded_terms)
    elements[index] = value
    return cbor2.dumps(elements)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [1, bytes(32), 1, 0],
        [1, bytes(32), 1, 0, 1, 1],
        [1, bytes(16), 1, 0, 1],
        [2, bytes(32), 1, 0, 1],
        [3, bytes(32), 1, 0, 1],
        [0, bytes(32), 1, 0, 1],
        [1, bytes(32), 0, 0, 1],
        [1, bytes(32), 4, 0, 1],
        [1, bytes(32), 1, -1, 1],
        [1, bytes(32), 1, 0, 0],
        [1, bytes(32), 1, 0, 2**32],
        [1, bytes(32), True, 0, 1],
        None,
        bytes(40),
    ],
)
def test_what_is_no_member(wrong: object) -> None:
    entry = SAMPLES["add"](Log())
    EntryTerms.decode(changed(entry, 6, [[1, bytes(32), 1, 0, 1]]))
    with pytest.raises(MalformedMessage):
        EntryTerms.decode(changed(entry, 6, [wrong]))


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [bytes(31), bytes(32), None, bytes(284), []],
        [bytes(32), bytes(33), None, bytes(284), []],
        [bytes(32), bytes(32), [1], bytes(284), []],
        [bytes(32), bytes(32), [0, bytes(80)], bytes(284), []],
        [bytes(32), bytes(32), [1, bytes(79)], bytes(284), []],
        [bytes(32), bytes(32), [1, bytes(80), 1], bytes(284), []],
        [bytes(32), bytes(32), None, bytes(283), []],
        [bytes(32), bytes(32), None, None, []],
        [bytes(32), bytes(32), None, bytes(284), None],
        [bytes(32), bytes(32), None, bytes(284), [[1, bytes(32)]]],
        [bytes(32), bytes(32), None, bytes(284), [[1, bytes(32), 0]]],
        [bytes(32), bytes(32), None, bytes(284), [[2, bytes(32), 1]]],
    ],
)
def test_what_is_no_opening(wrong: object) -> None:
    entry = SAMPLES["renew"](Log())
    EntryTerms.decode(changed(entry, 8, [bytes(32), bytes(32), [1, bytes(80)], bytes(284), []]))
    with pytest.raises(MalformedMessage):
        EntryTerms.decode(changed(entry, 8, wrong))


def test_sizes_are_checked_first() -> None:
    with pytest.raises(MalformedMessage, match="at most"):
        LogEntry.decode(SAMPLES["leave"](Log(member("bob"))).encode().ljust(MAX_COLLECTION_ENTRY + 1))
    entry = SAMPLES["leave"](Log(member("bob")))
    elements = cbor2.loads(entry.encode())
    elements[2] = bytes(MAX_COLLECTION_TERMS + 1)
    with pytest.raises(MalformedMessage):
        LogEntry.decode(cbor2.dumps(elements))
    many = [[1, at.to_bytes(32, "big"), 1, 0, 1] for at in range(1001)]
    with pytest.raises(MalformedMessage):
        EntryTerms.decode(changed(SAMPLES["add"](Log()), 6, many))


def test_evidence_is_read_again() -> None:
    log = Log(member("bob"))
    one, other = log.make("alice", Action.RENEW), log.make("alice", Action.CLOSE)
    fork = ForkEntries((log.entries[0],), (one,), (other,))
    assert ForkEntries.decode(fork.encode()) == fork
    elements = cbor2.loads(fork.encode())
    for index in range(2, 5):
        for wrong in ([], [elements[index]] * 2, [None], [[1]], [[b""]], [b""]):
            with pytest.raises(MalformedMessage):
                ForkEntries.decode(cbor2.dumps([*elements[:index], *wrong, *elements[index + 1 :]]))
    with pytest.raises(UsageError, match="keep the logs"):
        replace(fork, shared=fork.shared * 501).encode()

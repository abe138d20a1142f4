"""Sessions of release 0.1.0: each reads as the session it was, and an edited one is CorruptStore."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from letterlock._ratchet.double import Hearing, Speaking
from letterlock._records.first_format import decode_any_session, decode_first_session
from letterlock._records.session import encode_session
from letterlock._session.session import Established, Initiated, Live, Origin
from letterlock._wire.suite import Suite
from letterlock.errors import CorruptStore
from letterlock.limits import MAX_COUNTER
from letterlock.stores._interface import Record
from support.double_pair import ROOT, hearing, speaking, states
from support.first_records import Slots, first_record, record
from support.pair import plain
from support.pq_sessions import BRAIDS, SPARSE, entries, session, session_at

AD = bytes(range(32))
_unanswered: Any = states()["Unanswered"]
PLAIN: dict[str, Live] = {
    "initiated": Initiated(Origin(Suite.X3DH, AD, None), b"a header", _unanswered),
    "hearing": Established(Origin(Suite.X3DH, AD, None), hearing(7)),
    "speaking": Established(Origin(Suite.X3DH, AD, AD), speaking(3, 4)),
    "due for promotion": Established(Origin(Suite.X3DH, AD, AD), hearing(MAX_COUNTER), promote_next=True),
}
TRIPLES: dict[str, Live] = {
    **{type(state).__name__: session(state) for state in BRAIDS},
    **{name: session_at(name) for name in SPARSE},
    "initiated, suite 2": Initiated(
        Origin(Suite.PQXDH, AD, None),
        b"a header",
        replace(session(BRAIDS[1]).ratchet, double=_unanswered),  # type: ignore[type-var]
    ),
}
SESSIONS = PLAIN | TRIPLES
EVERY = pytest.mark.parametrize("name", SESSIONS)


def refused(fields: Any, slots: Slots) -> None:
    with pytest.raises(CorruptStore) as caught:
        decode_first_session(record(fields), slots)
    assert ROOT.expose().hex() not in str(caught.value)


@EVERY
def test_a_session_of_the_first_release_reads_as_the_session_it_was(name: str) -> None:
    fields, slots = first_record(SESSIONS[name])
    assert plain(decode_first_session(record(fields), slots)) == plain(SESSIONS[name])
    joined = {slot: [b"".join(each)] for slot, each in slots.items()}  # one message may bring many codewords
    assert plain(decode_first_session(record(fields), joined)) == plain(SESSIONS[name])
    spelt_out: Slots = {slot: slots.get(slot, []) for slot in (1, 2, 3)}
    assert plain(decode_first_session(record(fields), spelt_out)) == plain(SESSIONS[name])


EDITS: dict[str, Callable[[list[Any]], Any]] = {
    "today's format": lambda it: [2, *it[1:]],
    "format zero": lambda it: [0, *it[1:]],
    "an unreleased length": lambda it: [*it, 0, 0],
    "another kind": lambda it: [1, 1 - it[1], *it[2:]],
    "an unknown kind": lambda it: [1, 2, *it[2:]],
    "an unknown suite": lambda it: [*it[:2], 0, *it[3:]],
    "a later suite": lambda it: [*it[:2], 3, *it[3:]],
    "of the other suite": lambda it: [*it[:2], 3 - it[2], *it[3:]],
    "short ad": lambda it: [*it[:3], it[3][1:], *it[4:]],
    "no ad": lambda it: [*it[:3], None, *it[4:]],
    "a long header": lambda it: [*it[:4], bytes(4097), *it[5:]],
    "promote_next is 2": lambda it: [*it[:5], 2, *it[6:]],
    "promote_next is true": lambda it: [*it[:5], True, *it[6:]],
    "no ratchet": lambda it: [*it[:6], []],
    "ratchet cut": lambda it: [*it[:6], it[6][:-1]],
    "ratchet lengthened": lambda it: [*it[:6], [*it[6], 0]],
    "one element fewer": lambda it: it[:-1],
    "not an array": lambda it: {"session": it},
}


@EVERY
@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_record_is_a_corrupt_store(name: str, edit: str) -> None:
    fields, slots = first_record(SESSIONS[name])
    refused(EDITS[edit](fields), slots)


WRONG: list[Any] = [None, -1, 2**32, True, "x", b"", b"\x11" * 31, b"\x11" * 33, [], 1.0]


@EVERY
def test_a_record_with_one_wrong_element_anywhere_is_a_corrupt_store(name: str) -> None:
    fields, slots = first_record(SESSIONS[name])
    tried = 0
    for path in paths(fields[6]):
        for value in WRONG:
            right = at(fields[6], path)
            if (type(value), value) != (type(right), right):
                refused([*fields[:6], put(fields[6], path, value)], slots)
                tried += 1
    assert tried > 40


def paths(value: Any, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    found = [path] if path else []
    for index, each in enumerate(value if isinstance(value, list) else ()):
        found += paths(each, (*path, index))
    return found


def at(whole: Any, path: tuple[int, ...]) -> Any:
    for index in path:
        whole = whole[index]
    return whole


def put(whole: list[Any], path: tuple[int, ...], value: Any) -> list[Any]:
    index, *rest = path
    inside = put(whole[index], tuple(rest), value) if rest else value
    return [*whole[:index], inside, *whole[index + 1 :]]


@pytest.mark.parametrize("name", TRIPLES)
@pytest.mark.parametrize("slot", [1, 2, 3])
def test_side_data_that_does_not_fit_is_a_corrupt_store(name: str, slot: int) -> None:
    """Whoever can write to the disk could delete rows of the first release."""
    fields, slots = first_record(SESSIONS[name])
    held = slots.get(slot, [])
    extra = entries(4242)
    wrong: list[list[bytes]] = [[*held, extra], [extra[:-1]], [bytes(65536)], [b"".join(held) + b"\0"]]
    if held:
        wrong += [[], held[:-1], [*held, held[-1]], [held[0][:-1], *held[1:]]]
        wrong += [held[::-1]] * (len(held) > 1)
    for each in wrong:
        refused(fields, slots | {slot: each})


@pytest.mark.parametrize("name", PLAIN)
def test_a_session_of_suite_1_has_no_side_data(name: str) -> None:
    fields, _ = first_record(SESSIONS[name])
    for slot in (1, 2, 3):
        refused(fields, {slot: [bytes(34)]})


@EVERY
def test_chains_in_epochs_that_do_not_fit_are_a_corrupt_store(name: str) -> None:
    fields, slots = first_record(SESSIONS[name])
    if name not in TRIPLES:
        return
    latest = fields[6][1][1]
    for other in (latest + 1, latest - 1):
        refused([*fields[:6], put(fields[6], (1, 1), other)], slots)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xf6", b"\x00", b"\xff", bytes(1000), b"\x02" + bytes(263)])
def test_arbitrary_bytes_are_a_corrupt_store(data: bytes) -> None:
    with pytest.raises(CorruptStore):
        decode_first_session(Record(data), {})


# --- joined with their side data, as a store migrates them ------------------------------------------------


def joined(name: str) -> bytes:
    fields, slots = first_record(SESSIONS[name])
    first = record(fields).expose()
    entries_ = [(1, first), *((slot, entry) for slot in sorted(slots) for entry in slots[slot])]
    return b"".join(bytes([number]) + len(each).to_bytes(4, "big") + each for number, each in entries_)


@EVERY
def test_a_migrated_session_reads_as_the_session_it_was(name: str) -> None:
    assert plain(decode_any_session(Record(joined(name)))) == plain(SESSIONS[name])


@EVERY
def test_a_session_of_today_reads_the_same_way(name: str) -> None:
    assert plain(decode_any_session(encode_session(SESSIONS[name]))) == plain(SESSIONS[name])


@pytest.mark.parametrize("name", ["speaking", "HeaderSent"])
def test_a_migrated_session_that_is_cut_is_a_corrupt_store(name: str) -> None:
    whole = joined(name)
    for length in range(len(whole)):
        with pytest.raises(CorruptStore):
            decode_any_session(Record(whole[:length]))


@pytest.mark.parametrize(
    "more", [b"\0", bytes(5), b"\4" + bytes(4), b"\1" + bytes(4), b"\3\xff\xff\xff\xff", b"\1"]
)
def test_a_migrated_session_with_more_behind_it_is_a_corrupt_store(more: bytes) -> None:
    for name in ("speaking", "HeaderSent"):
        with pytest.raises(CorruptStore):
            decode_any_session(Record(joined(name) + more))


def test_the_samples_have_every_state() -> None:
    assert {type(each.ratchet) for each in PLAIN.values()} >= {Hearing, Speaking}
    assert len(BRAIDS) == 11

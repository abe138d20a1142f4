"""The post-quantum part of a session's record: each decodes again, and an edited one is CorruptStore."""

import dataclasses
from typing import Any, Final

import pytest

from letterlock._primitives.mlkem import KemSeed
from letterlock._ratchet.braid_states import Braid, KeysSampled, KeysUnsampled, NoHeaderReceived
from letterlock._ratchet.triple import Triple
from letterlock._records.session import decode_session, encode_session
from letterlock._records.triple import LAYOUTS, STATES
from letterlock._session.session import Established
from letterlock.errors import CorruptStore
from letterlock.limits import MAX_COUNTER
from letterlock.stores._interface import Record
from support.flat_record import Fields, fields_of, joined, number, with_text
from support.pair import live, plain
from support.pq_sessions import BRAIDS, HAS_SECRET, SPARSE, entries, session, session_at

EVERY = pytest.mark.parametrize("state", BRAIDS, ids=[type(state).__name__ for state in BRAIDS])


def of(made: Established) -> Fields:
    return fields_of(encode_session(made).expose())


def refused(record: bytes) -> None:
    with pytest.raises(CorruptStore) as caught:
        decode_session(Record(record))
    assert (b"\x11" * 32).hex() not in str(caught.value)


def test_each_state_of_the_braid_has_its_number() -> None:
    assert [type(state) for state in BRAIDS] == list(STATES)
    assert [number(of(session(state)), "braid state") for state in BRAIDS] == list(range(11))


@EVERY
def test_a_braid_is_recorded_as_specified_and_decodes_again(state: Braid) -> None:
    made = session(state)
    record = encode_session(made)
    fields, held = of(made), _held(state)
    assert number(fields, "epoch") == state.epoch
    assert fields["authenticator root"] == state.authenticator.root.expose()
    assert fields["authenticator key"] == state.authenticator.key.expose()
    assert fields["secret"] == held.get("seed", held.get("m", b"")).ljust(64, b"\0")
    assert number(fields, "sent") == held.get("sent", 0)
    assert [fields[name] for name in ("outgoing", "incoming", "kept")] == [
        held.get(name, b"") for name in ("outgoing", "incoming", "kept")
    ]
    assert plain(decode_session(record)) == plain(made)
    assert encode_session(decode_session(record)) == record


def _held(state: Braid) -> dict[str, Any]:
    """Return the fields of a state after epoch and authenticator, with secrets exposed."""
    held = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)[2:]}
    return {name: value.expose() if hasattr(value, "expose") else value for name, value in held.items()}


def test_sparse_chains_are_recorded_as_specified() -> None:
    for name, state in SPARSE.items():
        made = session_at(name)
        fields = of(made)
        assert fields["sparse root"] == state.root.expose()
        assert number(fields, "latest") == state.latest
        assert number(fields, "sparse previous") == state.previous
        assert number(fields, "flags") == (0 if name == "of a recipient" else 2)
        for which, chain in (("sending", state.sending), ("receiving", state.receiving)):
            assert number(fields, f"{which} epoch") == chain.epoch
            assert fields[f"sparse {which}"] == chain.key.expose()
            assert number(fields, f"n {which}") == chain.number
            following = bytes(32) if chain.following is None else chain.following.expose()
            assert fields[f"following {which}"] == following
        assert plain(decode_session(encode_session(made))) == plain(made)
    has_next = [state.sending.following is not None for state in SPARSE.values()]
    assert set(has_next) == {True, False}


# --- edited records -----------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("other", [11, 12, 2**31, 2**32 - 1])
def test_a_braid_of_an_unknown_state_is_a_corrupt_store(state: Braid, other: int) -> None:
    refused(joined(of(session(state)), braid_state=other))


@EVERY
def test_a_braid_with_another_state_number_does_not_decode(state: Braid) -> None:
    """No two states hold the same texts. NoHeaderReceived may hold none, as KeysUnsampled does."""
    fields = of(session(state))
    for other, kind in enumerate(STATES):
        changed = joined(fields, braid_state=other)
        if (type(state), kind) == (KeysUnsampled, NoHeaderReceived):
            assert isinstance(_braid_of(changed), NoHeaderReceived)
        elif kind is not type(state):
            refused(changed)


def _braid_of(record: bytes) -> Braid:
    ratchet = live(decode_session(Record(record))).ratchet
    assert isinstance(ratchet, Triple)
    return ratchet.braid


@EVERY
def test_an_unused_field_must_be_zero(state: Braid) -> None:
    """STO-20: otherwise one session would have several records."""
    fields, layout = of(session(state)), LAYOUTS[BRAIDS.index(state)]
    unused = [] if layout.outgoing else ["sent"]
    unused += [] if isinstance(state, HAS_SECRET) else ["following sending", "following receiving"]
    for name in unused:
        length = len(fields[name])
        for at in (0, length - 1):
            refused(joined(fields | {name: bytes(at) + b"\1" + bytes(length - at - 1)}))
    held = 0 if layout.secret is None else 64 if layout.secret is KemSeed else 32
    for at in {held, 63} if held < 64 else ():
        refused(joined(fields, secret=fields["secret"][:at] + b"\1" + fields["secret"][at + 1 :]))


@EVERY
@pytest.mark.parametrize("name", ["outgoing", "kept"])
def test_a_text_has_its_length_and_no_other(state: Braid, name: str) -> None:
    fields = of(session(state))
    right = len(fields[name])
    for length in {0, 1, 31, 32, 64, 96, 160, 960, 1152, 65535, right - 1, right + 1} - {right, -1}:
        refused(with_text(fields, name, bytes(length)))


INCOMING: Final = {
    "half an index": b"\0",
    "an index alone": b"\0\1",
    "a codeword short by a byte": entries(1)[:-1],
    "a codeword long by a byte": entries(1) + b"\0",
    "an index twice": entries(1, 1),
    "an index twice, later": entries(7, 0, 65535, 7),
    "a whole vector": entries(*range(36)),
    "more than any text": entries(*range(37)),
}


@EVERY
@pytest.mark.parametrize("wrong", INCOMING)
def test_codewords_are_whole_different_and_too_few(state: Braid, wrong: str) -> None:
    refused(with_text(of(session(state)), "incoming", INCOMING[wrong]))


@EVERY
def test_codewords_are_fewer_than_the_text_has(state: Braid) -> None:
    fields, share = of(session(state)), LAYOUTS[BRAIDS.index(state)].incoming // 32
    for count in range(1, 38):
        changed = with_text(fields, "incoming", entries(*range(count)))
        if count < share:
            decode_session(Record(changed))
        else:
            refused(changed)


@EVERY
def test_lengths_that_are_not_those_of_the_texts_are_refused(state: Braid) -> None:
    fields = of(session(state))
    for name in ("outgoing", "incoming", "kept"):
        for other in {0, number(fields, f"{name} length") + 34, 65535} - {number(fields, f"{name} length")}:
            refused(joined(fields | {f"{name} length": other.to_bytes(2, "big")}))


@pytest.mark.parametrize("name", SPARSE)
@pytest.mark.parametrize("field", ["latest", "sending epoch", "receiving epoch", "epoch"])
def test_another_epoch_is_refused(name: str, field: str) -> None:
    """STO-8. Only at the beginning of an epoch may a chain be an epoch behind."""
    fields = of(session_at(name))
    now = number(fields, field)
    for other in {now - 1, now + 1, now + 2, 0, 2**32, 2**64 - 1} - {now, -1}:
        changed = joined(fields | {field: other.to_bytes(8, "big")})
        if not _may_be_behind(fields, field, other):
            refused(changed)


def _may_be_behind(fields: Fields, field: str, epoch: int) -> bool:
    """Return whether a chain may be in an epoch: its following key must then be there."""
    states = {"sending epoch": (0, 5, 6), "receiving epoch": (5,)}.get(field, ())
    begun = number(fields, "epoch") - 1
    allowed = {begun, begun - 1} if number(fields, "braid state") in states else {begun}
    which = field.removesuffix(" epoch")
    has_next = epoch == number(fields, "latest") - 1
    return bool(states) and epoch in allowed and (has_next or not any(fields[f"following {which}"]))


def test_no_epoch_is_beyond_what_a_message_can_name() -> None:
    for braid in BRAIDS:
        last = dataclasses.replace(braid, epoch=MAX_COUNTER)
        decode_session(encode_session(session(last)))
        beyond = dataclasses.replace(braid, epoch=MAX_COUNTER + 1)
        refused(encode_session(session(beyond)).expose())


@EVERY
def test_a_session_of_one_suite_does_not_decode_as_one_of_the_other(state: Braid) -> None:
    fields = of(session(state))
    refused(joined(fields, suite=1))
    refused(joined(fields, suite=1, flags=0))


@EVERY
def test_a_cut_or_lengthened_record_is_a_corrupt_store(state: Braid) -> None:
    whole = encode_session(session(state)).expose()
    for length in {*range(260, 620), *range(len(whole) - 40, len(whole))} & {*range(len(whole))}:
        refused(whole[:length])
    refused(whole + b"\0")
    refused(whole + whole)


def test_a_seed_of_zeros_and_an_m_of_zeros_are_held() -> None:
    """Zeros are unlikely, and not an absence: the state says what is there."""
    held = KeysSampled(2, BRAIDS[0].authenticator, KemSeed(bytes(64)), bytes(96), 0)
    assert plain(decode_session(encode_session(session(held)))) == plain(session(held))

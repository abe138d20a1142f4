"""Fuzzing the braid: authenticated headers of any type, epoch and codewords, in any of its eleven states.

An input is [state, header, header, ...]. A header is [epoch, type, first index / null, codewords / null], as
in a message. The headers are received one after the other:

    refused     as BraidFailed, or AuthenticationFailed for an unknown epoch
    accepted    the same header changes nothing the second time; the state survives a record, which also
                checks that its texts fit it; what is due can be sent
    secret      where an epoch ends, and nowhere else
"""

import random
from functools import partial
from typing import Any, Final

import cbor2

from fuzz.braid_samples import HELD, NAMES, TEXTS, Held
from fuzz.harness import ITEMS, Finding, Outcome, Target, attempt
from fuzz.tree import mutated
from letterlock._ratchet import braid
from letterlock._ratchet.braid import RECEIVES, BraidReceived
from letterlock._ratchet.braid_states import Ct1Received, EkSentCt1Received, KeysUnsampled
from letterlock._ratchet.erasure import codeword
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._records.session import decode_session, encode_session
from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from letterlock.errors import AuthenticationFailed, BraidFailed, PeerError
from letterlock.limits import CODEWORD_BYTES, MAX_CODEWORD_INDEX, MAX_CODEWORDS
from support.pair import plain
from support.pq_sessions import session
from support.wire_samples import pq_header_of

MOST_HEADERS: Final = 8


def check(data: bytes) -> None:
    read = attempt(data, lambda: _read(data), PeerError, ITEMS)
    if read.error is not None:
        return
    held, headers = read.accepted()
    for pq_header in headers:
        outcome = attempt(data, partial(_received, held, pq_header), PeerError)
        if outcome.error is None:
            held = _accepted(data, held, pq_header, outcome)
        elif not isinstance(outcome.error, BraidFailed | AuthenticationFailed):
            raise Finding(f"{type(outcome.error).__name__} for a header")


def _read(data: bytes) -> tuple[Held, list[PqHeader]]:
    items = cbor.decode(data)
    count = len(items) if isinstance(items, list) else 0
    fields = Fields(items, max(1, min(count, MOST_HEADERS + 1)), "input")
    held = HELD[NAMES[fields.uint("state", len(NAMES) - 1)]]
    return held, [_header(fields.array("pq_header", 4)) for _ in range(count - 1)]


def _header(items: list[object]) -> PqHeader:
    where, rest = items[:1], items[1:]
    return pq_header_of([*where, 1, 0, *rest])


def _received(held: Held, pq_header: PqHeader) -> BraidReceived:
    braid.check_epoch(held.state, pq_header)
    return braid.receive(LETTERLOCK, held.state, pq_header)


def _accepted(data: bytes, held: Held, pq_header: PqHeader, outcome: Outcome[BraidReceived]) -> Held:
    """Check what the module docstring says of an accepted header; return what a store then holds."""
    received = outcome.accepted()
    after = Held(received.state)
    before = held.state
    moves = (type(before), pq_header.type) in RECEIVES or isinstance(received.state, KeysUnsampled)
    if not moves and received.state != before:
        raise Finding(f"{pq_header.type.name} changes {type(before).__name__}")
    ends = isinstance(before, Ct1Received | EkSentCt1Received) and received.state.epoch == before.epoch + 1
    if ends is (received.secret is None):
        raise Finding("an epoch ends without its secret, or a secret comes before its end")
    again = attempt(data, partial(_received, after, pq_header), PeerError).accepted()
    if again.secret is not None or plain(again.state) != plain(received.state):
        raise Finding(f"{pq_header.type.name} changes {type(received.state).__name__} a second time")
    kept = session(received.state)
    if plain(decode_session(encode_session(kept))) != plain(kept):
        raise Finding(f"{type(received.state).__name__} does not come back from a record")
    _, due = after.send(MAX_CODEWORDS)
    if due.type is not braid.SENDS[type(received.state)] or (due.type in BARE) is bool(due.codewords):
        raise Finding(f"{type(received.state).__name__} sends {due.type.name}")
    return after


# --- inputs ---------------------------------------------------------------------------------------------


def _mutate(data: bytes, rng: random.Random, room: int) -> bytes:
    if rng.random() < 0.4:
        return mutated(data, rng, room)
    name = rng.choice(NAMES)
    headers = [_random_header(name, rng) for _ in range(rng.choice((1, 1, 2, 3, MOST_HEADERS)))]
    return _input(name, *headers)[:room]


def _random_header(name: str, rng: random.Random) -> list[Any]:
    """Return a header that the peer might send, or one with something wrong."""
    useful = [type_ for state, type_ in RECEIVES if state.__name__ == name]
    type_ = rng.choice((*useful * 4, *PqType))
    epoch = HELD[name].state.epoch + rng.choice((*(0,) * 12, 1, 1, -1, 2))
    if type_ in BARE:
        return [max(epoch, 0), int(type_), None, None]
    first = rng.choice(
        (
            0,
            0,
            1,
            20,
            rng.randrange(40),
            rng.randrange(MAX_CODEWORD_INDEX),
            MAX_CODEWORD_INDEX - MAX_CODEWORDS,
        )
    )
    count = rng.choice((1, 2, 5, 20, 36, MAX_CODEWORDS))
    text = TEXTS[name].get(type_, b"")
    if not text or rng.random() < 0.2:
        return [max(epoch, 0), int(type_), first, rng.randbytes(count * CODEWORD_BYTES)]
    return [max(epoch, 0), int(type_), first, _of(text, first, count)]


def _of(text: bytes, first: int, count: int) -> bytes:
    return b"".join(codeword(text, index).data for index in range(first, first + count))


def _input(name: str, *headers: list[Any]) -> bytes:
    return cbor2.dumps([NAMES.index(name), *headers])


def seeds() -> dict[str, bytes]:
    found = {}
    for state, type_ in RECEIVES:
        name = state.__name__
        label = f"{name.lower()}-{type_.name.lower()}"
        text, epoch = TEXTS[name].get(type_, bytes(1152)), HELD[name].state.epoch
        if type_ in BARE:
            found[label] = _input(name, [epoch, int(type_), None, None])
            continue
        share = len(text) // CODEWORD_BYTES
        found[label] = _input(name, [epoch, int(type_), 0, text])
        beyond = [epoch, int(type_), 1000, _of(text, 1000, 2)]
        found[f"{label}-in-pieces"] = _input(
            name, beyond, beyond, [epoch, int(type_), 2, _of(text, 2, share - 2)]
        )
        found[f"{label}-wrong"] = _input(name, [epoch, int(type_), 0, bytes(len(text))])
    for name in ("Ct2Sampled", "KeysUnsampled", "HeaderReceived"):
        epoch = HELD[name].state.epoch
        found[f"{name.lower()}-next-epoch"] = _input(name, [epoch + 1, 0, None, None])
        found[f"{name.lower()}-two-epochs"] = _input(name, [epoch + 2, 0, None, None])
    sample = [1, int(PqType.HDR), 65_535, bytes(CODEWORD_BYTES)]
    return found | {
        "last-index": _input("NoHeaderReceived", sample),
        "beyond-the-last-index": _input("NoHeaderReceived", [*sample[:3], bytes(2 * CODEWORD_BYTES)]),
        "no-part": _input("NoHeaderReceived"),
        "epoch-zero": _input("NoHeaderReceived", [0, *sample[1:]]),
    }


TARGET: Final = Target(check, _mutate, seeds)

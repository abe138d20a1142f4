"""Fuzzing linking: codes, what the two devices send each other, what is sealed in it, and payloads.

Whoever has seen a code can seal an offer and a package, so the text in them is a stranger's.
"""

from dataclasses import replace
from functools import partial
from typing import Any, Final

import cbor2

from fuzz.harness import ITEMS, Allowance, Finding, Target, attempt
from fuzz.tree import mutated
from letterlock._primitives import hpke
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import Snapshot
from letterlock._wire.linking import (
    LinkingAnswer,
    LinkingBundle,
    LinkingCode,
    LinkingOffer,
    LinkingPackage,
    LinkingPayload,
    LinkingSecret,
)
from letterlock._wire.linking_payload import ContactPin, DocumentSeed, PayloadContents, PinState
from letterlock.errors import PeerError
from letterlock.user import ListChain
from letterlock.user import _linking as linking
from letterlock.user._document_seeds import document_key_pair, seal_seeds, seeds_of
from letterlock.user._drafts import first_snapshot, next_snapshot
from letterlock.user._linking import CodeShown, DeviceKeys, OfferTaken, offer_link
from support.pair import NOON, entropy_of
from support.user_tools import FULL, keys

READERS: Final[tuple[Any, ...]] = (
    LinkingBundle,
    LinkingCode,
    LinkingOffer,
    LinkingAnswer,
    LinkingPackage,
)
NEW: Final = 2
COUNTED: Final = replace(ITEMS, steps=Allowance(30_000, 20), accepted=Allowance(30_000, 20))
"""A payload has up to 241,005 items, which are counted one by one before they are built. An empty array, of
one byte, takes 14 steps."""


def _unsigned(snapshot: Snapshot) -> DeviceList:
    """Return a device list without signatures: each signing gives other bytes."""
    return DeviceList(snapshot, (), 1, bytes(1952), bytes(3373))


def _chain() -> ListChain:
    """Return three versions, with three document keys and one device."""
    public = [document_key_pair(each).public.data for each in SEEDS]
    made = [_unsigned(first_snapshot((keys("carol 1").listed(1, FULL),), public[0], NOON))]
    for key in public[1:]:
        made.append(_unsigned(next_snapshot(made[-1], made[0].hash, NOON, document_key=key)))
    return ListChain(tuple(made))


SEEDS: Final = tuple(DocumentSeed(bytes([number]) * 32) for number in (1, 2, 3))
CHAIN: Final = _chain()
SHOWN: Final = CodeShown.begin(DeviceKeys.generate(entropy_of("new")), NOON, "", entropy_of("code"))
OFFERED: Final = offer_link(CHAIN, SHOWN.code, SHOWN.bundle, NOON, (NEW, FULL))
TAKEN: Final = SHOWN.receive(OFFERED.sealed, NOON, entropy_of("take"))


def check(data: bytes) -> None:
    _check_payload(data)
    for reader in READERS:
        found = attempt(data, partial(reader.decode, data), PeerError, ITEMS)
        if found.error is None and found.accepted().encode() != data:
            raise Finding(f"a {reader.__name__} encodes to other bytes")
    attempt(data, lambda: LinkingCode.from_text(data.decode("latin-1")), PeerError)
    attempt(data, lambda: hpke.open_sealed(SHOWN.keys.receiving, b"", data), PeerError)
    attempt(data, lambda: OFFERED.receive(data, NOON), PeerError, ITEMS)
    offer = _sealed(linking._offer_info(SHOWN.code), data)
    _check_offer(attempt(data, lambda: SHOWN.receive(offer, NOON, entropy_of("take")), PeerError, ITEMS))
    transcript = linking._transcript(TAKEN.code, TAKEN.sealed_offer, TAKEN.answer)
    package = _sealed(linking._package_info(TAKEN.code, transcript), data)
    if attempt(data, lambda: TAKEN.receive(package), PeerError, ITEMS).error is None:
        raise Finding("a package without signatures is taken")


def _sealed(info: bytes, data: bytes) -> bytes:
    return hpke.seal(SHOWN.keys.receiving.public, info, data)


def _check_offer(found: Any) -> None:
    if found.error is not None:
        return
    taken: OfferTaken = found.accepted()
    listed = taken.offer.snapshot.device(taken.offer.device_id)
    if listed is None or listed.identity != SHOWN.keys.identity.public:
        raise Finding("an offer that does not list this device is taken")


def _check_payload(data: bytes) -> None:
    found = attempt(data, lambda: PayloadContents.decode(data), PeerError, COUNTED)
    if found.error is not None:
        return
    contents = found.accepted()
    if contents.encode() != data:
        raise Finding("a payload encodes to other bytes")
    if contents.name in {each.name for each in contents.pins}:
        raise Finding("a user is a contact of itself")
    seeds = attempt(data, lambda: seeds_of(contents, CHAIN, 1), PeerError, ITEMS)
    if seeds.error is None and [each for _, each in seeds.accepted()] != list(SEEDS):
        raise Finding("other seeds than those of the document keys")


def _pin(name: str, version: int, state: PinState) -> ContactPin:
    return ContactPin(name, b"u" * 32, version, (b"u" if version == 1 else b"h") * 32, state)


def _payloads() -> dict[str, bytes]:
    pins = (_pin("bob", 3, PinState.VERIFIED), _pin("carol", 1, PinState.UNVERIFIED))
    whole = PayloadContents("alice", SEEDS[-1], seal_seeds(tuple(enumerate(SEEDS, 1)), CHAIN.user_id), pins)
    elements = cbor2.loads(whole.encode())

    def other(at: int, value: object) -> bytes:
        return cbor2.dumps([*elements[:at], value, *elements[at + 1 :]])

    return {
        "payload": whole.encode(),
        "payload-for-a-kiosk": replace(whole, seed=None, sealed=()).encode(),
        "payload-with-seeds-exchanged": replace(whole, sealed=whole.sealed[::-1]).encode(),
        "payload-with-another-seed": replace(whole, seed=SEEDS[0]).encode(),
        "payload-with-a-seed-missing": replace(whole, sealed=whole.sealed[:1]).encode(),
        "payload-with-pins-exchanged": replace(whole, pins=pins[::-1]).encode(),
        "payload-with-its-own-name": replace(whole, name="bob").encode(),
        "payload-without-a-seed-to-open": other(2, None),
        "payload-of-version-two": other(0, 2),
        "payload-of-empty-arrays": other(4, [[]] * 2000),
    }


def seeds() -> dict[str, bytes]:
    new = SHOWN.keys
    listed = keys("carol 2").listed(NEW, FULL)
    snapshot = OFFERED.offer.snapshot
    package = LinkingPackage(CHAIN.lists[:1], LinkingPayload(_payloads()["payload"]), bytes(3373))
    code = LinkingCode(b"h" * 32, LinkingSecret(b"s" * 32), NOON, "here")
    stranger = replace(snapshot, devices=(snapshot.devices[0], replace(listed, added=snapshot.version)))
    assert new.identity.public not in {each.identity for each in stranger.devices}
    return _payloads() | {
        "code": code.encode(),
        "code-as-text": code.text().encode(),
        "offer": OFFERED.offer.encode(),
        "offer-of-another-device": LinkingOffer(stranger, NEW).encode(),
        "package": package.encode(),
        "package-without-lists": cbor2.dumps([1, 14, [], b"", bytes(3373)]),
    }


TARGET: Final = Target(check, mutated, seeds)
"""Each encoding, and wrong ones of each kind of mistake."""

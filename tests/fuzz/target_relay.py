"""Fuzzing a relay: every body as relay and client read it, and every call with and without a token.

The store remembers nothing and has the same two people always, so an input gives the same answer twice.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from typing import Any, Final

from fuzz.harness import ITEMS, Finding, Target, attempt
from fuzz.tree import mutated
from letterlock import Address
from letterlock._records.collection import encode_log
from letterlock._wire.collection_member import Member, MemberName, Role
from letterlock._wire.group_text import GroupText, SenderName, TextPlace
from letterlock._wire.log_entry import Action, EntryTerms, LogEntry
from letterlock._wire.log_opening import CollectionOpening, GroupOpening, Link, LogKind
from letterlock._wire.parcel import Introduction, Parcel, ParcelItem, decode_contents, encode_contents
from letterlock._wire.relay_calls import CALLS, Call, TokenUse
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_group import (
    FollowFrame,
    GroupFrame,
    GroupSendRequest,
    GroupTextsRequest,
    log_key,
    texts_key,
)
from letterlock._wire.relay_lists import AppendRequest, RegisterRequest, UserRequest
from letterlock._wire.relay_log import LogAppendRequest, LogRequest
from letterlock._wire.relay_login import account_key
from letterlock._wire.relay_mail import MailFrame, read_frame, read_sent_frame
from letterlock._wire.relay_place import OpenPlaceRequest
from letterlock._wire.relay_prekeys import PublishRequest
from letterlock._wire.relay_shelf import (
    ShelfFrame,
    ShelfKind,
    ShelfName,
    ShelfRequest,
    ShelveRequest,
    UnshelveRequest,
)
from letterlock._wire.relay_ticket import Ticket
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock.documents._log_rules import follow
from letterlock.errors import CorruptStore, MalformedMessage, PeerError
from letterlock.relay._claims import ClaimState
from letterlock.relay._relay import Relay
from letterlock.relay._reply import Reply
from letterlock.relay._session import RelaySecret, Seals
from letterlock.relay._settings import RelaySettings
from letterlock.relay._store import (
    Delivered,
    Head,
    ListedKey,
    LogHead,
    Mail,
    Opened,
    Page,
    Posted,
    Published,
    Put,
    ShelfPage,
    Stock,
    Watch,
)
from letterlock.relay._verification import head_of
from support.collection_logs import digest, entry_of, sealed_name
from support.pair import entropy_of
from support.relay_samples import BODIES
from support.relay_town import NAME, NOW, Resident, Town, some_id
from support.user_tools import Owner

SECRET: Final = bytes(range(32))
READERS: Final[tuple[Any, ...]] = (
    *{kind for call in CALLS for kind in (call.request, call.answer)}, MailFrame, ErrorAnswer, Ticket,
    ShelfFrame, FollowFrame, GroupFrame, Parcel, Introduction,
)  # fmt: skip
SEALS: Final = Seals(RelaySecret(SECRET), entropy_of("fuzzed relay"))


class StillStore:
    """A store in which two people live, and nothing ever changes."""

    def __init__(self) -> None:
        # Signatures of device lists differ each time they are made, so these have none.
        self.chains = {
            account_key(each.name): [replace(one, signature=bytes(3373), proofs=()) for one in each.lists]
            for each in (ALICE, BOB)
        }

    async def secret(self, *_: object) -> bytes:
        return SECRET

    async def head(self, account: bytes) -> Head | None:
        chain = self.chains.get(account)
        return None if chain is None else head_of(chain[-1], chain[0].hash)

    async def lists(self, account: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
        assert most_bytes > 0
        return [each.encode() for each in self.chains.get(account, [])[after : after + most]]

    async def create(self, *_: object, replace: bool) -> None:
        del replace

    async def append(self, *_: object) -> None:
        pass

    async def publish(self, account: bytes, listed: ListedKey, page: Page, most: int) -> Published:
        assert account in self.chains
        assert listed.device == 1
        assert len(page.bundles) <= most
        return Published.STORED

    async def claim(self, account: bytes, devices: tuple[int, ...], *_: object) -> list[bytes | None]:
        assert account in self.chains
        return [b"bundle"] * len(devices)

    async def stock(self, *_: object) -> Stock:
        return Stock(7, 3, 1, 4)

    async def deliver(self, account: bytes, send: object) -> Delivered:
        assert send is not None
        return Delivered(unknown=account not in self.chains)

    async def fetch(self, account: bytes, device: int, *_: object) -> list[Mail]:
        assert account in self.chains
        return [Mail(device, some_id("mail"), NOW, ("bob", 1), b"text")]

    async def acknowledge(self, account: bytes, listed: ListedKey, *_: object) -> bool:
        assert account in self.chains
        return listed.device == 1

    def watch(self, *_: object) -> AbstractAsyncContextManager[Watch]:
        raise Finding("a fetch waits although there is mail")

    async def advance(self, *_: object) -> int:
        return 4

    async def spend(self, *_: object) -> bool:
        return True

    async def open_place(self, place: bytes, *_: object) -> Opened:
        return Opened.OPEN if place == PLACE else Opened.TAKEN

    async def user(self, user_id: bytes) -> tuple[bytes, Head] | None:
        found = [(key, chain) for key, chain in self.chains.items() if chain[0].hash == user_id]
        return (found[0][0], head_of(found[0][1][-1], user_id)) if found else None

    async def shelve(self, puts: list[Put]) -> list[bool]:
        return [put.putter != put.shelf for put in puts]

    async def shelf(self, shelf: bytes, after: int, most: int, most_bytes: int) -> ShelfPage:
        assert 1 <= most <= 100 < most_bytes
        if shelf == texts_key(GROUP.log_id):
            return ShelfPage(max(after, 7), ((after + 1, bytes(8) + b"text"),) if after < 7 else ())
        return ShelfPage(max(after, 7), ((after + 1, b"parcel"),) if after < 7 else ())

    async def unshelve(self, shelf: bytes, hashes: tuple[bytes, ...], putter: bytes | None) -> None:
        assert hashes
        assert putter is None or len(putter) == len(shelf) == 16

    async def shelved(self, shelf: bytes, hash_: bytes) -> int | None:
        return 7 if hash_[0] % 2 else None

    async def post(self, put: Put, log: bytes, before: LogHead) -> Posted:
        assert (log, before.hash) == (log_key(GROUP.log_id), GROUP.head)
        assert (put.shelf, put.time) == (texts_key(GROUP.log_id), NOW)
        return Posted(7)

    async def log_head(self, log: bytes) -> LogHead | None:
        return {TEAM.key: LOG_HEAD, log_key(GROUP.log_id): GROUP_HEAD}.get(log)

    async def log_entries(self, log: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
        assert min(most, most_bytes) > 0
        return [FIRST.encode()][after : after + most] if log == TEAM.key else []

    async def log_append(self, *_: object) -> bool:
        raise Finding("an entry that nobody signed enters a log")

    async def place_owner(self, place: bytes, *_: object) -> bytes | None:
        return account_key("alice") if place == PLACE else None

    async def put(self, place: bytes, *_: object) -> bool:
        return place == PLACE

    async def get(self, place: bytes, *_: object) -> tuple[int, bytes] | None:
        return (1, b"part") if place == PLACE else None


ALICE: Final = Owner("alice")
BOB: Final = Owner("bob")
PLACE: Final = some_id("place")


def _unsigned(terms: EntryTerms) -> LogEntry:
    """Return an entry of alice's whose signature nobody made."""
    signer = Signer(ALICE.user_id, 1, 1, ALICE.lists[0].hash)
    return entry_of(terms, SignedBy(signer, bytes(1952), bytes(3373)))


def _opening(epoch: int, link: Link | None) -> CollectionOpening:
    return CollectionOpening(digest(f"E {epoch}"), digest(f"H {epoch}"), link, sealed_name())


ADMIN: Final = Member(MemberName.user(ALICE.user_id), Role.ADMIN, 0, 1)
FIRST: Final = _unsigned(
    EntryTerms(1, None, None, NOW, Action.CREATE, (ADMIN,), 1, _opening(1, None)),
)
LOG: Final = follow(None, FIRST)
NEXT: Final = _unsigned(
    EntryTerms(2, LOG.log_id, LOG.head, NOW, Action.RENEW, (), 2, _opening(2, Link(1, digest("link", 80))))
)
GROUP_OPENING: Final = GroupOpening(digest("S of a group"), sealed_name())
GROUP: Final = follow(
    None,
    _unsigned(EntryTerms(1, None, None, NOW, Action.CREATE, (ADMIN,), 1, GROUP_OPENING, LogKind.GROUP)),
)
GROUP_HEAD: Final = LogHead(1, GROUP.head, encode_log(GROUP).expose())
TEXT: Final = GroupText.signed_with(
    TextPlace(GROUP.log_id, 1, 1, SenderName(ALICE.user_id, 1), 0),
    digest("sealed", 100),
    digest("signed", 64),
)
OWN: Final = ShelfName.of_user(ALICE.user_id)
TEAM: Final = ShelfName.of_collection(LOG.log_id)
LOG_HEAD: Final = LogHead(1, LOG.head, encode_log(LOG).expose())
STORE: Final[Any] = StillStore()
HEAD: Final = head_of(STORE.chains[account_key("alice")][0], ALICE.user_id)
TOKEN: Final = SEALS.token("alice", HEAD.devices[0], HEAD.user_id, NOW)
LOOP: Final = asyncio.new_event_loop()


def check(data: bytes) -> None:
    for reader in READERS:
        found = attempt(data, partial(reader.decode, data), PeerError, ITEMS)
        if found.error is None and found.accepted().encode() != data:
            raise Finding(f"a {reader.__name__} encodes to other bytes")
    attempt(data, lambda: read_frame(data), PeerError, ITEMS)
    attempt(data, lambda: read_sent_frame(data), PeerError, ITEMS)
    contents = attempt(data, lambda: decode_contents(data), PeerError, ITEMS)
    if contents.error is None and encode_contents(contents.accepted()) != data:
        raise Finding("what is in a parcel encodes to other bytes")
    state = attempt(data, lambda: ClaimState.decode(data), CorruptStore, ITEMS)
    if state.error is None and state.accepted().encode() != data:
        raise Finding("a record of claims encodes to other bytes")
    for call in CALLS:
        for token in (TOKEN, data):
            _check_call(call, data, token)


def _check_call(call: Call, data: bytes, token: bytes) -> None:
    # A relay answers: nothing may come out of it. The error that is allowed here is a finding below.
    reply = attempt(data, lambda: _handle(call, data, token), MalformedMessage, ITEMS).accepted()
    if reply.status == 200:
        call.answer.decode(reply.body)
        if token != TOKEN and call.token is TokenUse.ALWAYS:
            raise Finding("a call is carried out without a token")
        return
    error = ErrorAnswer.decode(reply.body)
    if reply.status != error.code.status or error.code in {RelayCode.UNAVAILABLE, RelayCode.SLOW_DOWN}:
        raise Finding(f"{error.code.name} for a first call to a store that works")


def _handle(call: Call, data: bytes, token: bytes) -> Reply:
    """Make one call to a relay that was just started, so that no earlier one counts."""

    async def handle() -> Reply:
        relay = Relay(STORE, RelaySettings(NAME), entropy=entropy_of("fuzzed relay"))
        await relay.start()
        relay.drain()
        return await relay.handle(call, data, token, NOW)

    return LOOP.run_until_complete(handle())


def seeds() -> dict[str, bytes]:
    alice, bob = Resident(Town(STORE), "alice"), Resident(Town(STORE), "bob")
    unsigned = replace(ALICE.make(new_key=True), signature=bytes(3373), proofs=())
    found = {f"{type(body).__name__.lower()}-{at}": body.encode() for at, (body, _) in enumerate(BODIES)}
    state, _, _ = ClaimState().publish(Page(3, bytes(32), 1, b"last", (b"one", b"two")), 200)
    state, _ = state.take(some_id("claim"), some_id("requester"), NOW)
    first = replace(ALICE.lists[0], signature=bytes(3373), proofs=())
    challenge = Seals(RelaySecret(SECRET), entropy_of("challenge")).challenge(Address("alice", 1), NOW)
    return found | {
        "claims": state.encode(),
        "login": alice.login(1, challenge).encode(),
        "registration-without-signature": RegisterRequest("carol", (first.encode(),)).encode(),
        "list-without-signature": AppendRequest(unsigned.encode()).encode(),
        "publication": PublishRequest(8, alice.publication(pairs=1).encode()).encode(),
        "publication-of-another": PublishRequest(8, bob.publication(pairs=0).encode()).encode(),
        "claim-of-alice": alice.claim(alice).encode(),
        "send-to-alice": bob.send(alice, {1: b"text"}).encode(),
        "place": OpenPlaceRequest(PLACE).encode(),
        "parcel": Parcel(ShelfKind.USER, 3, b"sealed").encode(),
        "parcel-contents": encode_contents([ParcelItem(1, b"grant"), ParcelItem(9, b"of later releases")]),
        "introduction": Introduction(ALICE.user_id, "alice").encode(),
        "shelve-for-both": ShelveRequest(((OWN, b"parcel"), (TEAM, b"parcel"))).encode(),
        "shelf-of-alice": ShelfRequest(OWN, 0, 1).encode(),
        "unshelve-of-alice": UnshelveRequest(OWN, (bytes(32),)).encode(),
        "unshelve-of-collection": UnshelveRequest(TEAM, (bytes(32),)).encode(),
        "log-of-collection": LogRequest(TEAM.id, 0).encode(),
        "entry-without-signature": LogAppendRequest(NEXT.encode()).encode(),
        "entry-again": LogAppendRequest(FIRST.encode()).encode(),
        "group-send-of-alice": GroupSendRequest(TEXT.encoded).encode(),
        "group-texts-of-alice": GroupTextsRequest(GROUP.log_id, 0, 9, 0).encode(),
        "user": UserRequest(ALICE.user_id, 0).encode(),
    }


TARGET: Final = Target(check, mutated, seeds)
"""Each body, and calls that reach everything behind the readers."""

"""Lies of a relay in the model of clients, over the wire: each call of a phone may be answered by one.

    any call        lost on the way, or on the way back; carried out twice; late; garbage; refused
    lists           withheld, old, none; other people's, a stranger's, a thief's; damaged, with gaps
    claim           none, a stranger's bundle, another device's, one that was given out before
    send, publish, ack      not carried out, and claimed to be
    fetch           withheld, repeated, reordered, damaged, renamed, misdirected
    authenticate    a counter, or a version, that never was

The relay behind the liar is honest, so what is true can be asked of it at any time.

Not here: whom the lies are told (clients_play.py).
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from letterlock import Address, MemoryStore
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.device_list import DeviceList
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_calls import CALL_OF_PATH
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import AppendRequest, ListsAnswer, RegisterRequest
from letterlock._wire.relay_login import AuthenticateAnswer
from letterlock._wire.relay_mail import Delivery, FetchAnswer, SendRequest
from letterlock._wire.relay_prekeys import ClaimAnswer, PublishAnswer
from letterlock.client import RelayUnavailable
from letterlock.client._transport import Reply
from letterlock.limits import HEAD_BYTES
from letterlock.user import Outcome, User
from support.client_town import Asked, refusal

Honest = Callable[[], Awaitable[Reply]]
Lie = Callable[["LyingRelay", Asked, Honest], Awaitable[Reply]]
Chain = tuple[DeviceList, ...]

DONE: Final = Reply(200, DoneAnswer().encode())
GARBAGE: Final = (b"", b"<html>", b"\x82\x02\x00", bytes(64))
REFUSALS: Final = (
    RelayCode.SLOW_DOWN, RelayCode.UNAVAILABLE, RelayCode.UNKNOWN, RelayCode.MALFORMED, RelayCode.STALE,
    RelayCode.CONFLICT, RelayCode.FULL, RelayCode.REFUSED, RelayCode.TOO_LARGE, RelayCode.TAKEN,
)  # fmt: skip


class Twin:
    """A user of the same name as somebody, with keys of its own, who works for the relay."""

    def __init__(self, name: str, clock: Callable[[], int]) -> None:
        self.user = User.create(MemoryStore(), name, clock=clock)
        self.chain = self.user.device_lists()

    def bundle(self) -> bytes:
        return self.user.account.bundle().encode()


@dataclass
class LyingRelay:
    """A relay that lies about one call in so many, and keeps all that it is shown."""

    rng: random.Random
    twins: dict[str, Twin]
    forks: dict[str, Chain]
    truth: dict[str, Chain]
    """What the honest relay behind this one has."""
    owners: dict[str, str]
    """Whose each phone is, by its label."""
    rate: float = 0.0
    always: dict[str, "Lie"] = field(default_factory=dict)
    """Lies that are told each time, by the call and perhaps the phone: `lists` or `lists alice1`."""
    told: Counter[str] = field(default_factory=Counter)
    lists: dict[bytes, DeviceList] = field(default_factory=dict)
    """All lists that somebody signed, by their heads."""
    sent: list[tuple[str, SendRequest]] = field(default_factory=list)
    delivered: list[Delivery] = field(default_factory=list)
    bundles: dict[tuple[str, int], list[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for chain in (
            *self.truth.values(),
            *self.forks.values(),
            *(each.chain for each in self.twins.values()),
        ):
            self._keep(*chain)

    def _keep(self, *lists: DeviceList) -> None:
        self.lists.update((each.hash[:HEAD_BYTES], each) for each in lists)

    async def answer(self, asked: Asked, ask: Honest) -> Reply:
        """See `Liar.answer`."""
        self._see(asked)

        async def honest() -> Reply:
            reply = await ask()
            if reply.status == 200:
                self._note(asked, CALL_OF_PATH[f"/v1/{asked.name}"].answer.decode(reply.body))
            return reply

        if told := self.always.get(asked.name) or self.always.get(f"{asked.name} {asked.client}"):
            return await told(self, asked, honest)
        if self.rng.random() >= self.rate:
            return await honest()
        lies = (*ANYWHERE, *LIES.get(asked.name, ()) * 3)
        lie = self.rng.choice(lies)
        self.told[f"{asked.name}: {lie.__name__}"] += 1
        return await lie(self, asked, honest)

    def _see(self, asked: Asked) -> None:
        request = asked.request
        if isinstance(request, AppendRequest):
            self._keep(DeviceList.decode(request.encoded))
        elif isinstance(request, RegisterRequest):
            self._keep(*map(DeviceList.decode, request.lists))
        elif isinstance(request, SendRequest):
            self.sent.append((asked.client, request))

    def _note(self, asked: Asked, answer: Any) -> None:
        """Keep what the honest relay answers, to tell it again."""
        request = asked.request
        if isinstance(answer, FetchAnswer):
            self.delivered += answer.deliveries
        elif isinstance(answer, ClaimAnswer):
            for device, bundle in zip(request.devices, answer.bundles, strict=True):
                if bundle is not None:
                    self.bundles.setdefault((request.name, device), []).append(bundle)
        elif isinstance(request, RegisterRequest):
            self.truth.setdefault(request.name, tuple(map(DeviceList.decode, request.lists)))
        elif isinstance(request, AppendRequest):
            new, name = DeviceList.decode(request.encoded), self.owners[asked.client]
            if new.snapshot.version == len(self.truth[name]) + 1:
                self.truth[name] = (*self.truth[name], new)

    async def changed(self, asked: Asked, honest: Honest, lie: Callable[[Any], Any]) -> Reply:
        """Return the honest answer, changed."""
        reply = await honest()
        if reply.status != 200:
            return reply
        return Reply(200, lie(CALL_OF_PATH[f"/v1/{asked.name}"].answer.decode(reply.body)).encode())


# --- about any call ---------------------------------------------------------------------------------------


async def is_lost(_: LyingRelay, __: Asked, ___: Honest) -> Reply:
    raise RelayUnavailable("lost on the way")


async def answer_is_lost(_: LyingRelay, __: Asked, honest: Honest) -> Reply:
    await honest()
    raise RelayUnavailable("lost on the way back")


async def is_repeated(_: LyingRelay, __: Asked, honest: Honest) -> Reply:
    await honest()
    return await honest()


async def is_late(liar: LyingRelay, _: Asked, honest: Honest) -> Reply:
    await asyncio.sleep(0.02 * liar.rng.random())
    reply = await honest()
    await asyncio.sleep(0.02 * liar.rng.random())
    return reply


async def garbage(liar: LyingRelay, _: Asked, __: Honest) -> Reply:
    return Reply(liar.rng.choice((200, 200, 404, 500, 502)), liar.rng.choice(GARBAGE))


async def refuses(liar: LyingRelay, _: Asked, honest: Honest) -> Reply:
    if liar.rng.random() < 0.5:
        await honest()
    number = liar.rng.choice((0, 1, 2, 3, 4, 9, 2**31))
    return refusal(liar.rng.choice(REFUSALS), number, liar.rng.choice((0, 1, 10**9)))


ANYWHERE: Final = (is_lost, answer_is_lost, is_repeated, is_late, garbage, refuses)


# --- about device lists -----------------------------------------------------------------------------------


async def false_lists(liar: LyingRelay, asked: Asked, _: Honest) -> Reply:
    """Show other lists than there are."""
    name, after, rng = asked.request.name, asked.request.after, liar.rng
    chain, other = liar.truth.get(name, ()), rng.choice(list(liar.truth.values()))
    until = rng.randrange(len(chain) + 1)
    whole = rng.random() < 0.3  # as if the phone had asked for all
    shown = {
        "withheld": chain[:until],
        "other": other,
        "stranger": liar.twins[name].chain if name in liar.twins else (),
        "fork": liar.forks.get(name, chain),
        "gap": chain[:after] + chain[after + 1 :],
        "again": (*chain, *chain[-1:]),
    }
    kind = rng.choice([*shown, "fork", "withheld"])
    lists = shown[kind][0 if whole else after :]
    liar.told[f"lists: {kind}"] += 1
    version = max(0, len(shown[kind]) + rng.choice((0, 0, 0, 0, -1, 1)))
    bodies = tuple(each.encode() for each in lists)[:20]
    if bodies and rng.random() < 0.1:
        bodies = (*bodies[:-1], bodies[-1][:-1] + bytes([bodies[-1][-1] ^ 1]))
    return Reply(200, ListsAnswer(version, bodies).encode())


async def false_login(liar: LyingRelay, asked: Asked, honest: Honest) -> Reply:
    """Show a counter or a version that never was."""

    def lie(answer: AuthenticateAnswer) -> AuthenticateAnswer:
        if liar.rng.random() < 0.3:
            return replace(answer, highest=answer.highest + liar.rng.choice((1, 3, 2**50)))
        return replace(answer, version=max(1, answer.version + liar.rng.choice((-2, -1, 1, 2))))

    return await liar.changed(asked, honest, lie)


# --- about prekeys ----------------------------------------------------------------------------------------


async def false_bundles(liar: LyingRelay, asked: Asked, honest: Honest) -> Reply:
    """Hand out other bundles than those of the devices."""
    name, rng = asked.request.name, liar.rng

    def other(device: int, bundle: bytes | None) -> bytes | None:
        kind = rng.choice(("none", "stranger", "another", "before", "right"))
        liar.told[f"bundle: {kind}"] += 1
        if kind == "stranger" and name in liar.twins:
            return liar.twins[name].bundle()
        if kind == "another" and liar.bundles:
            return rng.choice(rng.choice(list(liar.bundles.values())))
        if kind == "before" and (name, device) in liar.bundles:
            return rng.choice(liar.bundles[name, device])
        return None if kind == "none" else bundle

    def lie(answer: ClaimAnswer) -> ClaimAnswer:
        told = tuple(map(other, asked.request.devices, answer.bundles))
        return ClaimAnswer(told[: rng.choice((len(told), len(told), 1))])

    return await liar.changed(asked, honest, lie)


async def not_published(liar: LyingRelay, _: Asked, __: Honest) -> Reply:
    return Reply(200, PublishAnswer(liar.rng.choice((0, 8, 1000))).encode())


# --- about messages ---------------------------------------------------------------------------------------


async def not_done(_: LyingRelay, __: Asked, ___: Honest) -> Reply:
    """Claim to have taken a message, or to have deleted one."""
    return DONE


async def false_mail(liar: LyingRelay, asked: Asked, honest: Honest) -> Reply:
    """Deliver something else than there is."""
    rng = liar.rng

    def lie(answer: FetchAnswer) -> FetchAnswer:
        mail = list(answer.deliveries)
        kind = rng.choice(("withheld", "repeated", "reordered", "damaged", "renamed", "misdirected", "stock"))
        liar.told[f"mail: {kind}"] += 1
        if kind == "withheld":
            mail = mail[: rng.randrange(len(mail) + 1)] if mail else []
        if kind in {"repeated", "misdirected"}:
            again = rng.sample(liar.delivered, min(3, len(liar.delivered)))
            mail += [replace(each, id=rng.choice((each.id, system_entropy(16)))) for each in again]
        if kind == "reordered":
            rng.shuffle(mail)
        if kind == "damaged":
            mail = [_damaged(each, rng) for each in mail]
        if kind == "renamed":
            mail += [replace(each, id=system_entropy(16), sender=_anybody(rng)) for each in mail]
        once = {each.id: each for each in mail}
        return FetchAnswer(rng.choice((0, answer.stock)), tuple(once.values())[:100])

    return await liar.changed(asked, honest, lie)


# --- one lie alone, for the stories -------------------------------------------------------------------------


async def shows_fork(liar: LyingRelay, asked: Asked, honest: Honest) -> Reply:
    """Show what the thief signed, from the first version, whatever the phone knows."""
    chain = liar.forks.get(asked.request.name)
    if chain is None:
        return await honest()
    lists = tuple(each.encode() for each in chain)
    return Reply(200, ListsAnswer(max(len(chain), asked.request.after), lists).encode())


def _damaged(each: Delivery, rng: random.Random) -> Delivery:
    """Return a message with one bit changed. The true one is deleted when this one is acknowledged."""
    data = bytearray(each.message)
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return Delivery(each.id, each.time, each.sender, bytes(data))


def _anybody(rng: random.Random) -> Address:
    return Address(rng.choice(("alice", "bob", "carol", "nobody")), rng.randrange(1, 5))


LIES: Final[dict[str, tuple[Lie, ...]]] = {
    "lists": (false_lists,),
    "authenticate": (false_login,),
    "claim": (false_bundles,),
    "publish": (not_published,),
    "send": (not_done,),
    "ack": (not_done,),
    "fetch": (false_mail,),
}


# --- what it has learned ----------------------------------------------------------------------------------


def reads_nothing(liar: LyingRelay, addresses: dict[str, Address]) -> list[str]:
    """Let the twins try to read all that was sent, and return what they could read and must not."""
    found: list[str] = []
    for name, twin in liar.twins.items():
        for other, chain in liar.truth.items():
            if other != name:
                twin.user.learn(other, chain)
        for label, request in liar.sent:
            list_ = liar.lists.get(request.head)
            if request.name == name and label in addresses and list_ not in twin.chain:
                for _, message in request.messages:
                    if twin.user.receive(addresses[label], message).outcome is Outcome.READ:
                        found.append(f"the relay reads what {label} sent to {name}")
    return found


def misses_its_list(liar: LyingRelay, label: str, own: str, request: SendRequest) -> str | None:
    """Return what is wrong with a send: it goes to devices that its list does not have."""
    list_ = liar.lists.get(request.head)
    if list_ is None:
        return None if request.name == own else f"{label} sends for a list of {request.name} that nobody made"
    listed = {each.id for each in list_.snapshot.devices}
    if list_.snapshot.version != request.version or not {each for each, _ in request.messages} <= listed:
        return f"{label} sends to devices of {request.name} that are not in the list"
    return None

"""Relay: from a request to an answer, over any store. It reads nothing and decides nothing.

    handle      the body of a call, and a token  ->  the answer; never an exception for what a client sends
    session     whose token this is, as far as the relay knows without its store
    shelf_news  a watch of the shelf of the token's user
    group_news  a watch of the texts of a group
    expire      deletes what has ended

Which call is carried out by which method stands in one table, and what each call takes in another
(_wire/relay_calls.py).

Not here: HTTP, sockets, processes (the server); databases (the stores).
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from letterlock._primitives.entropy import Entropy, system_entropy
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_calls import Call, TokenUse
from letterlock._wire.relay_error import RelayCode
from letterlock.errors import PeerError, StoreError, UsageError
from letterlock.limits import DAY
from letterlock.relay._caller_signatures import CallerSignatures
from letterlock.relay._collection_logs import CollectionLogs
from letterlock.relay._errors import RateLimited
from letterlock.relay._group_texts import GroupNews, GroupTexts
from letterlock.relay._limits import ANSWER_SECONDS, BUSY_SECONDS
from letterlock.relay._login import Logins
from letterlock.relay._mailboxes import Mailboxes
from letterlock.relay._means import Means
from letterlock.relay._newer import NewerLists
from letterlock.relay._places import Places
from letterlock.relay._prekeys import Prekeys
from letterlock.relay._registry import Registry
from letterlock.relay._reply import Refused, Reply
from letterlock.relay._session import Seals, Session
from letterlock.relay._settings import RelaySettings
from letterlock.relay._shelves import News, Shelves
from letterlock.relay._store import Expired, RelayStore
from letterlock.relay._verification import Run, run_at_once

_SECRET: Final = "tokens"  # noqa: S105 - the name of it

_Anybodys = Callable[[Any, int], Awaitable[RelayBody]]
_Devices = Callable[[Any, Session, int], Awaitable[RelayBody]]


class _Work(NamedTuple):
    """Which method carries out which call: calls of anybody, of devices with a token, and `put`.

    Shelves and texts of groups are besides what sockets watch.
    """

    anybodys: dict[str, _Anybodys]
    devices: dict[str, _Devices]
    put: Callable[[Any, Session | None, int], Awaitable[RelayBody]]
    shelves: Shelves
    texts: GroupTexts


class Relay:
    """A relay over a store that is open. Await `start` before the first call.

    `run` runs what takes milliseconds: verifying device lists and publications. A server passes a function
    that uses a thread.
    """

    def __init__(
        self,
        store: RelayStore,
        settings: RelaySettings,
        *,
        entropy: Entropy = system_entropy,
        run: Run = run_at_once,
    ) -> None:
        self._means = Means(store, settings, run)
        self._entropy = entropy
        self._draining = asyncio.Event()
        self._begun: tuple[Seals, _Work] | None = None

    async def start(self) -> None:
        """Read the relay's secret from the store, which keeps a new one at the first start.

        Raises StoreError.
        """
        means = self._means
        secret = await means.store.secret(_SECRET, self._entropy(KEY_BYTES))
        seals = Seals.of(secret, self._entropy)
        self._begun = seals, _work(means, seals, self._draining, self._entropy)

    def drain(self) -> None:
        """End all calls that wait, and let none wait any more: the process is about to end."""
        self._draining.set()

    def session(self, token: bytes, now: int) -> Session | None:
        """Return whose token this is; None if it is not of this relay, or has ended.

        Every call checks besides whether the device is listed still. Nothing is read from the store here.
        """
        seals, _ = self._started()
        return seals.read_token(token, now)

    @asynccontextmanager
    async def shelf_news(self, token: bytes, now: int) -> AsyncGenerator[News]:
        """Watch the shelf of the user whose token this is. Raises Refused and StoreError."""
        _, work = self._started()
        async with work.shelves.watch(self._known(token, now), now) as news:
            yield news

    @asynccontextmanager
    async def group_news(self, token: bytes, group: bytes, now: int) -> AsyncGenerator[GroupNews]:
        """Watch the texts of a group of the user whose token this is. Raises Refused and StoreError."""
        _, work = self._started()
        async with work.texts.watch(self._known(token, now), group, now) as news:
            yield news

    def _known(self, token: bytes, now: int) -> Session:
        session = self.session(token, now)
        if session is None:
            raise Refused(RelayCode.UNKNOWN)
        return session

    async def handle(self, call: Call, body: bytes, token: bytes | Session | None, now: int) -> Reply:
        """Carry out a call. `now` is in seconds since 1970. Every body and token gets an answer. [RLY-2]

        Instead of a token, pass what `session` made of it: it is not verified again, and may have ended.
        """
        if isinstance(token, Session):
            session = token if now < token.until else None
        else:
            session = self.session(token, now) if token else None
        try:
            answer = await self._carry_out(call, body, session, now)
        except Refused as refused:
            return refused.reply()
        except PeerError:
            return Refused(RelayCode.MALFORMED).reply()
        except RateLimited as limited:
            return Refused(RelayCode.SLOW_DOWN, limited.seconds).reply()
        except (StoreError, TimeoutError):  # RLY-29, RLY-60
            return Refused(RelayCode.UNAVAILABLE, BUSY_SECONDS).reply()
        return Reply(200, answer.encode())

    async def _carry_out(self, call: Call, body: bytes, session: Session | None, now: int) -> RelayBody:
        """Return the answer. Raises Refused and what else `handle` makes an answer of."""
        _, work = self._started()
        if session is None and call.token is TokenUse.ALWAYS:
            raise Refused(RelayCode.UNKNOWN)  # before a stranger's body is parsed
        if len(body) > call.size:
            raise Refused(RelayCode.TOO_LARGE, call.size)  # RLY-3
        request = call.request.decode(body)
        async with asyncio.timeout(ANSWER_SECONDS + getattr(request, "wait", 0)):  # RLY-60
            if session is not None and call.token is TokenUse.ALWAYS:
                return await work.devices[call.name](request, session, now)
            if call.token is TokenUse.BY_STEP:
                return await work.put(request, session, now)
            return await work.anybodys[call.name](request, now)

    def _started(self) -> tuple[Seals, _Work]:
        if self._begun is None:
            raise UsageError("the relay was not started: await its start()")
        return self._begun

    async def expire(self, now: int) -> Expired:
        """Delete what has ended, a bounded number of rows at a time. Call it every few minutes. [RLY-27]"""
        means = self._means
        return await means.store.expire(now, now - means.settings.mail_days * DAY)


def _work(means: Means, seals: Seals, draining: asyncio.Event, entropy: Entropy) -> _Work:
    """Return which method carries out which call."""
    signatures = CallerSignatures(means.settings.names, entropy)
    logins, newer = Logins(means, seals, signatures), NewerLists(means, seals, signatures)
    registry, prekeys = Registry(means), Prekeys(means)
    mailboxes, places = Mailboxes(means, draining), Places(means, draining)
    shelves, logs, texts = Shelves(means), CollectionLogs(means), GroupTexts(means, draining)
    anybodys: dict[str, _Anybodys] = {
        "challenge": logins.challenge,
        "authenticate": logins.authenticate,
        "register": registry.register,
        "get": places.get,
        "newer": newer.newer,
    }
    devices: dict[str, _Devices] = {
        "lists": registry.lists,
        "append": registry.append,
        "publish": prekeys.publish,
        "claim": prekeys.claim,
        "send": mailboxes.send,
        "fetch": mailboxes.fetch,
        "ack": mailboxes.acknowledge,
        "state": prekeys.state,
        "open-place": places.open,
        "shelve": shelves.shelve,
        "shelf": shelves.shelf,
        "unshelve": shelves.unshelve,
        "log": logs.log,
        "log-append": logs.append,
        "user": registry.user,
        "group-send": texts.send,
        "group-texts": texts.texts,
    }
    return _Work(anybodys, devices, places.put, shelves, texts)

"""relay.group_play: the texts that a relay keeps of one group, and what it answers to each.

The play runs `letterlock.relay` over the tables of its SQLite store, in memory. Callers count as logged in,
and nobody is slowed down, so that a few texts fill a group.

Not here: what the log alone decides (relay_groups.py); bodies (relay.py); tokens.
"""

import asyncio
import hashlib
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Final, cast

from letterlock._primitives.secret import KEY_BYTES
from letterlock._records.collection import encode_log
from letterlock._wire.group_limits import GROUP_ID_BYTES
from letterlock._wire.group_text import SenderName
from letterlock._wire.relay_group import log_key, texts_key
from letterlock._wire.relay_limits import MAX_FETCHED_BYTES
from letterlock.relay._group_texts import GroupTexts, text_of
from letterlock.relay._means import Means
from letterlock.relay._reply import Refused
from letterlock.relay._settings import RelaySettings
from letterlock.relay._sqlite import logs, schema, shelves
from letterlock.relay._store import LogHead, Posted, Put, RelayStore
from letterlock.relay._verification import run_at_once
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.bodies import body_of
from letterlock_vectors.operations.collections import state_of
from letterlock_vectors.operations.plays import play

_NAME: Final = "relay.example"
_NOW: Final = 1_760_000_000
_TIME_BYTES: Final = 8
_PAGE: Final = 100


class _Tables:
    """What texts of groups need of a relay's store, without a file and its threads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def post(self, put: Put, log: bytes, before: LogHead) -> Posted:
        """See RelayStore."""
        return shelves.post(self._connection, put, log, before)

    async def shelved(self, shelf: bytes, hash_: bytes) -> int | None:
        """See RelayStore."""
        return shelves.shelved(self._connection, shelf, hash_)

    async def log_head(self, log: bytes) -> LogHead | None:
        """See RelayStore."""
        return logs.head(self._connection, log)


class _GroupPlayer:
    """A relay with one group, the log of which is given as a whole whenever it goes on."""

    def __init__(self, runner: asyncio.Runner, connection: sqlite3.Connection, given: Input) -> None:
        texts, size = given.counter("texts"), given.counter("bytes")
        settings = RelaySettings(_NAME, shelf_parcels=texts, shelf_bytes=size)
        self._runner, self._connection = runner, connection
        self._group = given.sized("group_id", GROUP_ID_BYTES)
        self._means = Means(cast("RelayStore", _Tables(connection)), settings, run_at_once)
        self._texts = GroupTexts(self._means, asyncio.Event())

    def log(self, step: Input) -> Output:
        """Let the log go on, to what the entries come to."""
        state, key = state_of(step), log_key(self._group)
        if state is not None:
            before = logs.head(self._connection, key)
            after = LogHead(state.number, state.head, encode_log(state).expose())
            logs.append(self._connection, key, before, b"", after)
        return {}

    def send(self, step: Input) -> Output:
        """Say under which number a text of the caller is there, or with which error it is refused."""
        caller = SenderName(step.sized("user_id", KEY_BYTES), step.counter("device_id", 1))
        try:
            text = text_of(body_of(step), caller)
            return {"stored": self._runner.run(self._texts.keep(text, _NOW))}
        except Refused as refused:
            return {"code": int(refused.code), "number": refused.number}

    def show(self, step: Input) -> Output:
        """Show the texts after a number, each by its number and hash."""
        key, after = texts_key(self._group), step.counter("after")
        page = shelves.shelf(self._connection, key, after, _PAGE, MAX_FETCHED_BYTES)
        texts = [
            [number, hashlib.sha256(parcel[_TIME_BYTES:]).hexdigest()] for number, parcel in page.parcels
        ]
        return {"newest": page.newest, "texts": texts}


def _play(given: Input) -> Output:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection, asyncio.Runner() as runner:
        schema.migrate(connection)
        player = _GroupPlayer(runner, connection, given)
        steps = {"log": player.log, "send": player.send, "show": player.show}
        return play(given.nested_list("steps"), steps)


OPERATIONS: Final[Mapping[str, Operation]] = {"relay.group_play": _play}

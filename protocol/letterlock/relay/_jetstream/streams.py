"""The streams of a relay, and the record that says how many there are and of which version.

    NAME_00 ... NAME_63    every subject of NAME.NN, one message to a subject, replicated

The number of streams decides in which one an account is. So it is fixed when the relay is opened first, and
stands in each stream. Replicas may be changed at any time by `nats stream edit`.

Not here: the subjects (subjects.py).
"""

from typing import Any, Final

from letterlock._wire.cbor import encode
from letterlock.errors import StoreError, UnsupportedStore, UsageError
from letterlock.relay._jetstream.connection import Message, Nats, raise_error
from letterlock.relay._jetstream.records import read
from letterlock.relay._jetstream.subjects import Names

VERSION: Final = 1
STREAMS: Final = 64
MOST_STREAMS: Final = 100

_NO_STREAM: Final = 10059
_LEAST_PAYLOAD: Final = 1024 * 1024
"""Bytes of one message that the servers must take: the longest message of a relay, with its envelope."""


async def prepare(nats: Nats, names: Names, replicas: int) -> None:
    """Create the streams if there are none. Raises UnsupportedStore, UsageError, Refused and Unsettled."""
    if nats.client.max_payload < _LEAST_PAYLOAD:
        raise UsageError(
            f"the NATS servers take too short messages: set max_payload to {_LEAST_PAYLOAD} or more"
        )
    for number in range(names.streams):
        await _create(nats, names, number, replicas)
        await _require_version(nats, names, number)


async def _require_version(nats: Nats, names: Names, number: int) -> None:
    """Write the record of a new stream, or raise UnsupportedStore or UsageError for another one."""
    stored = await nats.last(names.stream(number), names.version(number))
    if stored is None:
        record = encode([VERSION, names.streams])
        await nats.publish(Message(names.stream(number), names.version(number), record, 0))
        return
    version, streams = read(stored.data, 2)
    if version != VERSION:
        raise UnsupportedStore(f"the relay's streams have version {version}: upgrade letterlock")
    if streams != names.streams:
        raise UsageError(f"this relay has {streams} streams: open it with as many")


async def _create(nats: Nats, names: Names, number: int, replicas: int) -> None:
    """Create one stream, or leave it as it is. A cluster that has just begun has no leader yet."""
    name = names.stream(number)
    found = await nats.call(f"STREAM.INFO.{name}", {})
    if "error" not in found:
        _require(found["config"])
        return
    if found["error"].get("err_code") != _NO_STREAM:
        raise_error(found["error"])
    answer = await nats.call(f"STREAM.CREATE.{name}", _configuration(names, number, replicas))
    if "error" in answer:
        raise_error(answer["error"])


def _configuration(names: Names, number: int, replicas: int) -> dict[str, Any]:
    return {
        "name": names.stream(number),
        "subjects": [f"{names.relay}.{number:02}.>"],
        "retention": "limits",
        "discard": "new",  # a full stream refuses new mail; it never drops old mail
        "storage": "file",
        "num_replicas": replicas,
        "max_msgs_per_subject": 1,
        "discard_new_per_subject": False,
        "allow_direct": True,
        "allow_atomic": True,
        "allow_msg_ttl": True,
        "duplicate_window": 0,
    }


def _require(configuration: dict[str, Any]) -> None:
    """Raise StoreError for a stream of this name that would lose something."""
    kept = configuration.get("max_age", 0) == 0 and configuration.get("max_msgs_per_subject") == 1
    if not (kept and configuration.get("allow_atomic") and configuration.get("allow_direct")):
        raise StoreError("a stream of this name is set up otherwise: give the relay another name")

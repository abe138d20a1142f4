"""relay.group_*: what a relay answers about the texts of a group, by its log.

Not here: bodies (relay.py); the texts that are there, their numbers and bounds (relay_group_play.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.group_limits import GROUP_ID_BYTES
from letterlock._wire.group_text import SenderName
from letterlock._wire.relay_group import log_key, texts_key
from letterlock.relay._group_texts import refusal_of, require_member, text_of
from letterlock.relay._reply import Refused
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.collections import state_of


def _send(given: Input) -> Output:
    caller = SenderName(given.sized("user_id", KEY_BYTES), given.counter("device_id", 1))
    log = state_of(given)
    try:
        refused = refusal_of(log, text_of(given.hex("text"), caller).place)
    except Refused as error:
        refused = error
    return _answer(refused)


def _read(given: Input) -> Output:
    log = state_of(given)
    try:
        require_member(log, given.sized("user_id", KEY_BYTES))
    except Refused as refused:
        return _answer(refused)
    return _answer(None)


def _answer(refused: Refused | None) -> Output:
    return {} if refused is None else {"code": int(refused.code), "number": refused.number}


def _keys(given: Input) -> Output:
    group = given.sized("group_id", GROUP_ID_BYTES)
    return {"log": log_key(group).hex(), "texts": texts_key(group).hex()}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "relay.group_keys": _keys,
    "relay.group_send": _send,
    "relay.group_texts": _read,
}

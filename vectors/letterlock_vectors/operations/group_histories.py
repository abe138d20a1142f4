"""group.read_history: the content of a history, by what the receiver has on record.

Not here: the document around it (document_bodies.py); the letter that names it (content.py).
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Final

from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.group_limits import GROUP_ID_BYTES
from letterlock.groups._telling import Judge
from letterlock_vectors.inputs import Input, Operation, Output, unhex


def _ids(given: Input, name: str) -> frozenset[bytes]:
    return frozenset(unhex(each, name) for each in given.items(name))


def _read(given: Input) -> Output:
    entries = given.nested_list("entries")
    hashes = {each.counter("number", 1): each.sized("hash", HASH_BYTES) for each in entries}
    group = given.sized("group_id", GROUP_ID_BYTES)
    judge = Judge(group, _ids(given, "givers"), _ids(given, "writers"), {}, hashes)
    author, content = given.sized("author", HASH_BYTES), BytesIO(given.hex("content"))
    return {
        "texts": [
            {
                "user_id": each.user_id.hex(),
                "time": each.time,
                "text": each.text.hex(),
                "by_giver": each.by_giver,
            }
            for each in judge.texts(author, content.read)
        ]
    }


OPERATIONS: Final[Mapping[str, Operation]] = {"group.read_history": _read}

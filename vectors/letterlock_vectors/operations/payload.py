"""payload.*: what a linking package gives to a new device besides the device lists.

Not here: the package around it (linking.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.linking_payload import DocumentSeed, PayloadContents
from letterlock.user._document_seeds import seal_seeds, seeds_of
from letterlock_vectors.inputs import Input, Operation, Output, unhex
from letterlock_vectors.operations.linking import trusted_chain


def _decode(given: Input) -> Output:
    contents = PayloadContents.decode(given.hex("data"))
    return {
        "name": contents.name,
        "seed": None if contents.seed is None else contents.seed.expose().hex(),
        "sealed": [each.hex() for each in contents.sealed],
        "pins": [
            {
                "name": each.name,
                "user_id": each.user_id.hex(),
                "version": each.version,
                "hash": each.hash.hex(),
                "state": int(each.state),
            }
            for each in contents.pins
        ],
    }


def _seal_seeds(given: Input) -> Output:
    seeds = [DocumentSeed(each) for each in _byte_strings(given, "seeds")]
    sealed = seal_seeds(tuple(enumerate(seeds, 1)), given.sized("user_id", HASH_BYTES))
    return {"sealed": [each.hex() for each in sealed]}


def _seeds(given: Input) -> Output:
    chain = trusted_chain(_byte_strings(given, "snapshots"))
    contents = PayloadContents.decode(given.hex("payload"))
    seeds = seeds_of(contents, chain, given.counter("id", 1))
    return {"seeds": [seed.expose().hex() for _, seed in seeds]}


def _byte_strings(given: Input, name: str) -> list[bytes]:
    return [unhex(each, name) for each in given.items(name)]


OPERATIONS: Final[Mapping[str, Operation]] = {
    "payload.decode": _decode,
    "payload.seal_seeds": _seal_seeds,
    "payload.seeds": _seeds,
}

"""This library as an implementation that vectors are put to: every operation, by name.

    Library().run("kdf.chain", {"chain": "00..."})    ->  {"chain": "...", "message": "..."}
    Library().ask("kdf.chain", {"chain": "00..."})    ->  {"out": {"chain": "...", "message": "..."}}

Not here: the operations themselves (operations/), the line protocol (serve.py).
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from letterlock.errors import LetterlockError, UsageError
from letterlock.limits import PROTOCOL_VERSION
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations import (
    accounts,
    archives,
    braid,
    bundles,
    collections,
    content,
    decoding,
    derivation,
    documents,
    erasure,
    grants,
    group_histories,
    group_members,
    groups,
    handshakes,
    hpke,
    json_documents,
    keys,
    linking,
    payload,
    provisional,
    ratchets,
    records,
    recovery,
    recovery_bodies,
    relay,
    relay_group_play,
    relay_groups,
    safety_numbers,
    sealing,
    second_lock,
    sparse,
    split_kem,
    texts,
    triple,
    users,
    voprf,
    xeddsa,
)
from letterlock_vectors.operations.live_recovery import LiveRecovery
from letterlock_vectors.operations.live_users import LiveUsers
from letterlock_vectors.operations.parties import Parties
from letterlock_vectors.responder import Answer

_TABLES: Final = tuple(
    module.OPERATIONS
    for module in (
        accounts, archives, braid, bundles, collections, content, decoding, derivation, documents,
        erasure, grants, group_histories, group_members, groups, handshakes, hpke, json_documents, keys,
        linking, payload, provisional, ratchets, records, recovery, recovery_bodies, relay,
        relay_group_play, relay_groups, safety_numbers, sealing, second_lock, sparse, split_kem, texts,
        triple, users, voprf, xeddsa,
    )
)  # fmt: skip


class Library:
    """The installed letterlock. Each instance has live parties of its own; nothing else keeps state."""

    def __init__(self) -> None:
        users = LiveUsers()
        live = (Parties().operations(), users.operations(), LiveRecovery(users).operations())
        self._operations = joined([*_TABLES, *live, {"hello": self._hello}])

    def run(self, name: str, given: object) -> Output:
        """Return the output. Raises LetterlockError for a refusal, UsageError for a malformed request."""
        function = self._operations.get(name)
        if function is None:
            raise UsageError("there is no such operation: see vectors/README.md")
        try:
            return function(Input(given))
        except (TypeError, ValueError, OverflowError):
            # The called functions rely on lengths and ranges that the library's own types guarantee.
            raise UsageError("a value in `in` has a length or range that the operation cannot use") from None

    def ask(self, operation: str, given: Mapping[str, Any]) -> Answer:
        """Return the answer, which for a refusal is the name of the error. See Responder."""
        try:
            return {"out": self.run(operation, given)}
        except LetterlockError as error:
            return {"error": type(error).__name__}

    def _hello(self, _: Input) -> Output:
        """Say which implementation this is, and which operations it has."""
        try:
            installed = version("letterlock")
        except PackageNotFoundError:  # run from a source tree that was never installed
            installed = "0"
        return {
            "implementation": "letterlock",
            "version": installed,
            "protocol": PROTOCOL_VERSION,
            "operations": sorted(self._operations),
        }


def joined(tables: Iterable[Mapping[str, Operation]]) -> dict[str, Operation]:
    """Return one table of all operations. Raises ValueError if two of them have the same name."""
    found: dict[str, Operation] = {}
    for table in tables:
        twice = found.keys() & table.keys()
        if twice:
            raise ValueError(f"two operations have the same name: {sorted(twice)}")
        found.update(table)
    return found

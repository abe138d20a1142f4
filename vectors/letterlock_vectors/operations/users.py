"""composite.*, device_list.*, evidence.*, user_safety_number.*: users and their devices.

Not here: what a contact remembers between two questions.
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.composite import SEED_BYTES, CompositeSeed, DeviceSigningKey, DeviceSigningKeyPair
from letterlock._primitives.mldsa import MAX_CONTEXT
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import HASH_BYTES, Snapshot
from letterlock.errors import UsageError
from letterlock.user import Evidence, ListChain
from letterlock.user._rules import check_successor, rights
from letterlock.user._safety_number import user_safety_number
from letterlock.user._signatures import verify_signatures
from letterlock_vectors.inputs import Input, Operation, Output


def _from_seed(given: Input) -> Output:
    seed = CompositeSeed(given.sized("seed", SEED_BYTES))
    return {"public": DeviceSigningKeyPair(seed).public.data.hex()}


def _verify_composite(given: Input) -> Output:
    context = given.hex("context")
    if len(context) > MAX_CONTEXT:
        raise UsageError(f"`context` must have at most {MAX_CONTEXT} bytes")
    public = DeviceSigningKey.decode(given.hex("public"))
    public.verify(given.hex("message"), given.hex("signature"), context)
    return {}


def _decode(given: Input) -> Output:
    found = DeviceList.decode(given.hex("data"))
    return {
        "hash": found.hash.hex(),
        "snapshot": _snapshot_fields(found.snapshot),
        "proofs": [each.device_id for each in found.proofs],
        "signer": found.signer,
    }


def _snapshot_fields(snapshot: Snapshot) -> Output:
    key = snapshot.document_key
    return {
        "version": snapshot.version,
        "previous": None if snapshot.previous is None else snapshot.previous.hex(),
        "user_id": None if snapshot.user_id is None else snapshot.user_id.hex(),
        "issued": snapshot.issued,
        "devices": [
            {
                "id": each.id,
                "identity": each.identity.data.hex(),
                "ed25519": each.ed25519.hex(),
                "ml_dsa_hash": each.ml_dsa_hash.hex(),
                "class": int(each.device_class),
                "added": each.added,
            }
            for each in snapshot.devices
        ],
        "revoked": [[each.id, each.version] for each in snapshot.revoked],
        "document_key": None if key is None else {"generation": key.generation, "public": key.public.hex()},
    }


def _verify(given: Input) -> Output:
    """Verify version 1 if `before` is null, and otherwise the version after a snapshot that is trusted."""
    new, before = DeviceList.decode(given.hex("list")), given.optional_nested("before")
    if before is None:
        user_id = ListChain.verify([new]).user_id
    else:
        user_id = before.sized("user_id", HASH_BYTES)
        trusted = DeviceList(Snapshot.decode(before.hex("snapshot")), (), 1, b"", b"")
        verify_signatures(new, check_successor(trusted, user_id, new))
    messages = [each.id for each in new.snapshot.devices if rights(each).gets_messages]
    return {"hash": new.hash.hex(), "user_id": user_id.hex(), "gets_messages": messages}


def _check_evidence(given: Input) -> Output:
    found = Evidence.check(given.hex("evidence"))
    return {
        "name": found.name,
        "kind": found.kind.name,
        "version": found.version,
        "ours": _chain_fields(found.ours),
        "theirs": _chain_fields(found.theirs),
    }


def _chain_fields(chain: ListChain) -> Output:
    return {"user_id": chain.user_id.hex(), "version": chain.version, "head": chain.head.hex()}


def _safety_number(given: Input) -> Output:
    ours, theirs = (given.sized(name, HASH_BYTES) for name in ("ours", "theirs"))
    number = user_safety_number(ours, theirs)
    return {"digits": number.digits, "scannable": number.scannable.hex()}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "composite.from_seed": _from_seed,
    "composite.verify": _verify_composite,
    "device_list.decode": _decode,
    "device_list.verify": _verify,
    "evidence.check": _check_evidence,
    "user_safety_number.compute": _safety_number,
}

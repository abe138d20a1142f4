"""Version 1 of a device list: each rule broken alone, and who may begin a chain. USR-6."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from letterlock._wire.device_snapshot import DocumentKey, Snapshot
from letterlock.errors import InvalidKey
from letterlock.user import InvalidDeviceList, ListChain
from support.list_changes import follow, revoked, with_device
from support.user_tools import FULL, LIMITED, RECOVERY, Owner, document_key

FIRST: Final[dict[str, tuple[Callable[[Snapshot], Snapshot], int, str]]] = {
    "version 2": (lambda s: replace(s, version=2), 1, "version 1 has no version before"),
    "a hash before": (lambda s: replace(s, previous=bytes(32)), 1, "version 1 has no version before"),
    "a user id": (lambda s: replace(s, user_id=bytes(32)), 1, "version 1 has no version before"),
    "a revoked device": (revoked((50, 1)), 1, "nothing revoked"),
    "a document key of generation 2": (
        lambda s: replace(s, document_key=DocumentKey(2, document_key("second"))), 1, "of another generation",
    ),
    "no devices": (lambda s: replace(s, devices=(), document_key=None), 1, "1 may not sign"),
    "signed by a limited device": (lambda s: s, 2, "2 may not sign"),
    "signed by a device that it does not list": (lambda s: s, 3, "3 may not sign"),
    "a device added later": (with_device(2, added=2), 1, "later version"),
    "a second recovery device": (
        lambda s: replace(s, devices=tuple(replace(each, device_class=RECOVERY) for each in s.devices)), 1,
        "two recovery devices",
    ),
    "no device that may sign": (with_device(1, device_class=LIMITED), 1, "no device may change the list"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIRST)
def test_a_wrong_version_1_is_refused(name: str) -> None:
    """USR-6, and the rules of every version."""
    owner = Owner("first", [(1, FULL), (2, LIMITED)])
    change, signer, match = FIRST[name]
    wrong = owner.sign(change(owner.lists[0].snapshot), signer)
    with pytest.raises(InvalidDeviceList, match=match):
        ListChain.verify([wrong])


def test_a_document_key_that_is_none_is_refused() -> None:
    """PRIM-15, in version 1 and in a later one."""
    owner = Owner("no document key")
    for wrong in (b"\xff" * 1216, owner.lists[0].snapshot.document_key.public[:1184] + bytes(32)):  # type: ignore[union-attr]
        first = owner.sign(replace(owner.lists[0].snapshot, document_key=DocumentKey(1, wrong)), 1)
        with pytest.raises(InvalidKey):
            ListChain.verify([first])
        with pytest.raises(InvalidKey):
            follow(owner, owner.make(1, with_key(2, wrong)))


def with_key(generation: int, public: bytes) -> Callable[[Snapshot], Snapshot]:
    return lambda snapshot: replace(snapshot, document_key=DocumentKey(generation, public))


def test_a_recovery_device_may_begin_a_chain() -> None:
    """USR-6, USR-12: version 1 is signed by any device that may sign, and may add a recovery device."""
    assert Owner("recovered", [(9, RECOVERY), (1, FULL)]).chain.version == 1

"""Logs of groups written by hand from spec/groups.md.

    log = GroupLog().add(ALICE, CREATE, [member(ALICE, ADMIN)])

Not here: what logs of both kinds have (collection_logs.py); texts (group_texts.py).
"""

import hmac
from typing import Any, ClassVar, Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from generators.support.collection_logs import Log, derived, padded_name
from generators.support.encoding import Value
from generators.support.labels import draw

LABEL: Final = "letterlock-v1 group entry"


def epoch_secret(epoch: int, label: str = "") -> bytes:
    """Return the secret of an epoch."""
    return draw(f"epoch secret {epoch}{label}", 32)


def commitment(epoch: int, label: str = "") -> bytes:
    """Return what an opening commits to."""
    data = b"letterlock-v1 epoch secret of a group" + epoch.to_bytes(8, "big")
    return hmac.digest(epoch_secret(epoch, label), data, "sha256")


def sealed_name(epoch: int, padded: bytes, secret: bytes | None = None) -> bytes:
    """Return a name sealed under the secret of an epoch, or under another one."""
    nonce = draw(f"nonce of a group's name {epoch} {padded.hex()}", 12)
    key = derived(secret or epoch_secret(epoch), b"letterlock-v1 name of a group")
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, padded, epoch.to_bytes(4, "big"))


def opening(epoch: int, label: str = "", **changes: Value) -> list[Value]:
    """Return the opening of an epoch."""
    usual: dict[str, Value] = {
        "commitment": commitment(epoch, label), "name": sealed_name(epoch, padded_name(b"friends")),
        "renewed": [], "history": 0,
    }  # fmt: skip
    return list((usual | changes).values())


class GroupLog(Log):
    """The log of a group."""

    kept: ClassVar[dict[str, Any]] = {"label": LABEL, "kind": 30}

    def opening(self, epoch: int) -> list[Value]:
        """Return the usual opening of an epoch."""
        return opening(epoch)

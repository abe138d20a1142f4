"""What a relay is told of recovery: with a store of its own it is server 1.

Not here: the server (_keyserver/). It is imported only where a relay is server 1.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from letterlock.errors import InvalidKey, UsageError

if TYPE_CHECKING:
    from letterlock._keyserver._serving import RecoverySettings
    from letterlock._primitives.ed25519 import Ed25519PublicKey
    from letterlock.relay._server._settings import Settings

_NONE: Final = "none"
_RELAY: Final = 1
"""Evaluates for everybody. It has to be said. [REC-18]"""


def recovery_of(settings: "Settings") -> "RecoverySettings | None":
    """Return what server 1 is told, or None for a relay without recovery. Raises UsageError, OSError."""
    if not settings.recovery_store:
        if settings.recovery_keys or settings.recovery_tickets or settings.recovery_identity:
            raise UsageError("recovery needs a database: name it with --recovery-store")
        return None
    if not settings.recovery_keys:
        raise UsageError("name the key file with --recovery-keys: `letterlock keyserver keys` makes one")
    from letterlock._keyserver._keys import ServerKeys  # noqa: PLC0415
    from letterlock._keyserver._serving import RecoverySettings  # noqa: PLC0415
    from letterlock.cli._identity_checks import checks_named  # noqa: PLC0415
    from letterlock.recovery import Policy  # noqa: PLC0415

    return RecoverySettings(
        number=1,
        store=settings.recovery_store,
        keys=ServerKeys.read(Path(settings.recovery_keys)),
        tickets=_tickets(settings.recovery_tickets),
        checks=checks_named(settings.recovery_identity, _RELAY),
        policy=Policy(),
        address_calls=settings.address_calls,
        proxies=settings.proxies,
    )


def _tickets(text: str) -> "Ed25519PublicKey | None":
    from letterlock._primitives.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    if text == _NONE:
        return None
    try:
        return Ed25519PublicKey(bytes.fromhex(text))
    except (ValueError, InvalidKey):
        raise UsageError(
            "recovery-tickets must be the public key that `letterlock keyserver keys` printed, or `none`"
        ) from None

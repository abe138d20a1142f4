"""SyncRecovery: the calls of `ClientRecovery` for programs without asyncio.

Not here: what the calls do (_client_recovery.py).
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from letterlock._primitives.secret import Uncopyable
from letterlock.client._recovery_values import IdentityAnswer, RecoveryStatus
from letterlock.client._sync_json import Do
from letterlock.client._sync_second_lock import SyncSecondLock

if TYPE_CHECKING:
    from letterlock.client._client import Client
    from letterlock.recovery import Hardness


class SyncRecovery(Uncopyable):
    """Recovery of a client whose calls wait: each does what that of `ClientRecovery` does."""

    __slots__ = ("_client", "_do", "second_lock")

    def __init__(self, client: "Client", do: Do) -> None:
        """Not for applications, which use `client.recovery`."""
        self._client = client
        self._do = do
        self.second_lock: Final = SyncSecondLock(client, do)
        """How the user comes back without the password, as `ClientRecovery.second_lock`."""

    def setup(
        self,
        password: str,
        key_server: str,
        *,
        hardness: "Hardness | None" = None,
        allow_insecure: bool = False,
    ) -> None:
        """Have this password bring the user back. `key_server` is the URL of the second server."""
        call = partial(self._client.recovery.setup, hardness=hardness, allow_insecure=allow_insecure)
        self._do(partial(call, password, key_server))

    def change_password(
        self,
        password: str,
        *,
        old: str | None = None,
        key_server: str | None = None,
        hardness: "Hardness | None" = None,
        identities: Mapping[int, IdentityAnswer] | None = None,
    ) -> None:
        """Have another password bring the user back. The old one opens nothing afterwards."""
        call = partial(self._client.recovery.change_password, key_server=key_server, hardness=hardness)
        self._do(partial(call, password, old=old, identities=identities))

    def use_key_server(self, key_server: str, *, allow_insecure: bool = False) -> None:
        """Have this device know the key server, if another one set recovery up."""
        call = partial(self._client.recovery.use_key_server, key_server)
        self._do(partial(call, allow_insecure=allow_insecure))

    def bind_identity(self, server: int, answer: IdentityAnswer) -> None:
        """Have server 1 or 2 know this user by an identity, which is proven there now."""
        self._do(partial(self._client.recovery.bind_identity, server, answer))

    def refresh(self) -> None:
        """Go on with what was interrupted, and make a box if one is due."""
        self._do(self._client.recovery.refresh)

    def status(self) -> RecoveryStatus:
        """Return what is missing, and how many uses are left."""
        return self._do(self._client.recovery.status)

    def __repr__(self) -> str:
        return "<SyncRecovery>"

"""ClientReturn: how somebody without a device becomes a client again.

    first_login          a user whom an application enrolled chooses a password
    recover              a password                                                             one use
    ask_second_lock      no password: both servers are asked, and a delay begins
    recover_forgotten    after the delay, with a new password

Not here: the steps (_recovering.py, _asking.py), a user with devices (_client.py).
"""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Self

from letterlock._primitives.secret import Uncopyable
from letterlock.client._arrivals import Arrivals
from letterlock.client._http import RelayUrl
from letterlock.client._opening import WORLD, World
from letterlock.client._recovery_extra import asked, brought_back, recovered
from letterlock.client._recovery_values import RecoveryServers
from letterlock.client._second_lock_values import SecondLockAsked
from letterlock.client._stores import StoreOpener, StorePlace
from letterlock.client._thread import StoreThread

if TYPE_CHECKING:
    from letterlock.client._client_recovery import ClientRecovery
    from letterlock.client._recovering import Return


class ClientReturn(Uncopyable):
    """What `Client` offers to somebody who lost every device. It needs the extra `recovery`."""

    __slots__ = ()

    _world: ClassVar[World] = WORLD

    @classmethod
    async def recover(
        cls,
        store: StorePlace,
        *,
        name: str,
        password: str,
        servers: RecoveryServers,
        key: bytes | None = None,
        revoke_others: bool = False,
    ) -> Self:
        """Make this device one of a user who set recovery up and lost every other one. The store is empty.

        `revoke_others` takes the lost devices out of the list at once. Interrupted after the password was
        right, it goes on when it is called again with the same arguments. Raises WrongPassword, LockWaits,
        ServerAtFault, BoxRefused, RecoveryRefused, IdentityRefused, RelayUnavailable, RelayMisbehaves;
        RecoveryOvertaken, NewPasswordNeeded, AccountExists, UsageError.
        """
        from letterlock.client._recovering import Return  # noqa: PLC0415 (optional)

        how = Return(name, password, revoke_others=revoke_others)
        return await cls._back(StoreOpener.of(store, key), servers, how)

    @classmethod
    async def first_login(
        cls,
        store: StorePlace,
        *,
        name: str,
        password: str,
        new_password: str,
        servers: RecoveryServers,
        key: bytes | None = None,
    ) -> Self:
        """Make this device the first one of a user whom an application enrolled. The store is empty.

        `password` is the one that the application made. `new_password` replaces it, for a new recovery key:
        the application cannot read what is sealed for this user from then on. If it is interrupted, call it
        again with the same store: it goes on where it stopped and spends no guess, and the new password may
        be another one. Raises what `recover` raises; RecoveryOvertaken if another device
        was faster; UsageError if somebody has logged in before, or for a new password with fewer than 8
        characters besides the name.
        """
        from letterlock.client._recovering import Return  # noqa: PLC0415 (optional)

        how = Return(name, password, new_password=new_password)
        return await cls._back(StoreOpener.of(store, key), servers, how)

    @classmethod
    async def ask_second_lock(
        cls, store: StorePlace, *, name: str, servers: RecoveryServers, key: bytes | None = None
    ) -> SecondLockAsked:
        """Ask both servers for the recovery key of a user whose password nobody knows. The store is empty.

        `servers.identities` has an answer for each. The delay begins at each server once its notice is on its
        way; every device of the user sees it, and can stop it. Keep the store until then. Called again with
        the same arguments, it changes nothing and says how long it still takes. Raises IdentityRefused,
        RecoveryRefused if there is no second lock or a device has stopped somebody within a week;
        ServerAtFault, ServerUnavailable, AccountExists, UsageError.
        """
        return await asked(StoreOpener.of(store, key), cls._world, servers, name)

    @classmethod
    async def recover_forgotten(
        cls,
        store: StorePlace,
        *,
        name: str,
        new_password: str,
        servers: RecoveryServers,
        key: bytes | None = None,
        revoke_others: bool = False,
    ) -> Self:
        """Make this device one of the user's, after the delay of `ask_second_lock` with the same store.

        It goes on as `recover` does, with a new password; the second lock stays on. Interrupted, or overtaken
        by another device list (RecoveryOvertaken), call it again. Raises HalfWaits before the delay is over;
        RecoveryRefused if a device has stopped the wait; ServerAtFault if a half is not the one to which both
        servers commit; and what `recover` raises.
        """
        from letterlock.client._recovering import Return  # noqa: PLC0415 (optional)

        how = Return(name, new_password, is_forgotten=True, revoke_others=revoke_others)
        return await cls._back(StoreOpener.of(store, key), servers, how)

    @classmethod
    async def _back(cls, opener: StoreOpener, servers: RecoveryServers, how: "Return") -> Self:
        thread, arrivals = await recovered(opener, cls._world, servers, how)
        client = cls._over(thread, arrivals, RelayUrl(servers.relay, allow_insecure=servers.allow_insecure))
        try:
            await brought_back(client.recovery, how.next_password, opener)
        except BaseException:
            await client.close()
            raise
        return client

    @classmethod
    @abstractmethod
    def _over(cls, thread: StoreThread, arrivals: Arrivals, url: RelayUrl) -> Self: ...

    @property
    @abstractmethod
    def recovery(self) -> "ClientRecovery":
        """How this user comes back after the loss of every device."""
        ...

    @abstractmethod
    async def close(self) -> None:
        """End the tasks, the connections and the store."""
        ...

"""The URLs of both servers: two different ones, in the right order.

Not here: who owns them, which no client can see.
"""

from letterlock._wire.recovery_find import FindUser, UserFound
from letterlock.client._http import RelayUrl
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.errors import UsageError
from letterlock.recovery import IdentityRefused

_RELAY = 1


def key_server_of(url: str, relay_name: str, *, allow_insecure: bool) -> RelayUrl:
    """Return the URL of the key server beside a relay. Raises UsageError if they are one server."""
    found = RelayUrl(url, allow_insecure=allow_insecure)
    if found.name == relay_name:
        raise UsageError("the key server must be another server than the relay, of another owner")
    return found


async def find_user(calls: RecoveryCalls, name: str) -> bytes:
    """Return the user id of a name, or one that is made up. Raises what `calls` raises, and UsageError."""
    try:
        return (await calls.at(_RELAY, FindUser(name), UserFound)).user_id
    except IdentityRefused:  # no relay asks who somebody is for this call: a key server has no names
        raise UsageError(
            "the URL of the relay is that of a key server: perhaps both URLs changed places"
        ) from None

"""The relay of a profile, for commands about documents: people to meet, grants to take and to give.

A profile without a relay is left as it is: its contacts come from an exchange folder, and its grants travel
in files.

Not here: what a client does (client/).
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from letterlock.cli._output import warn
from letterlock.cli._profile import opener_of
from letterlock.errors import UsageError

if TYPE_CHECKING:
    from letterlock.client import SyncClient


@contextmanager
def relay_of(home: str | None) -> Generator["SyncClient | None"]:
    """Yield the client of a profile that has a relay, or None. Raises StoreError, OSError."""
    if find_spec("httpx") is None:  # a profile that has a relay was made with the extra `client`
        yield None
        return
    from letterlock.client import SyncClient  # noqa: PLC0415 - the rest does without it

    try:
        client = SyncClient.open(opener_of(home))
    except UsageError:  # no relay, or no user: the command itself finds out
        yield None
        return
    with client:
        yield client


def meet(client: "SyncClient | None", names: Iterable[str]) -> None:
    """Ask for the newest device lists of these users, who become contacts. Say so if nobody answers.

    Raises UnknownUser, RelayMisbehaves, UsageError, StoreError.
    """
    from letterlock.client import RelayUnavailable  # noqa: PLC0415

    for name in dict.fromkeys(names):
        if client is None or name == client.name:
            continue
        try:
            client.meet(name)
        except RelayUnavailable:
            warn(f"the relay cannot be reached: the device lists of {name} are those on record")
            return


def exchange(client: "SyncClient | None") -> bool:
    """Take what others have shared, and give what waits. Return whether the relay answered; say if not."""
    if client is None:
        return False
    from letterlock.client import RelayUnavailable  # noqa: PLC0415

    try:
        client.documents.refresh()
    except RelayUnavailable:
        warn("the relay cannot be reached: what waits for it is kept, and a later command sends it")
        return False
    return True


def asked(home: str | None, names: Iterable[str]) -> bool:
    """Meet these users, and take what others have shared. Return whether a relay answered."""
    with relay_of(home) as client:
        if client is None:
            return False
        meet(client, names)
        return exchange(client)


def require_relay(client: "SyncClient | None") -> "SyncClient":
    """Return the client. Raises UsageError for a profile without a relay."""
    if client is None:
        raise UsageError("this needs a relay: `letterlock register NAME --relay URL` makes a profile for one")
    return client

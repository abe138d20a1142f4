"""Asking a relay for the device lists of people, before something is sealed for them or opened.

A profile that has no relay is left as it is: its contacts come from an exchange folder.

Not here: what a client does (client/).
"""

from collections.abc import Iterable
from importlib.util import find_spec

from letterlock.cli._output import warn
from letterlock.cli._profile import opener_of
from letterlock.errors import UsageError


def meet(home: str | None, names: Iterable[str]) -> None:
    """Ask for the newest device lists of these users, who become contacts. Say so if nobody answers.

    Raises UnknownUser, RelayMisbehaves, UsageError, StoreError.
    """
    wanted = list(dict.fromkeys(names))
    if (
        not wanted or find_spec("httpx") is None
    ):  # a profile that has a relay was made with the extra `client`
        return
    from letterlock.client import RelayUnavailable, SyncClient  # noqa: PLC0415 - the rest does without it

    try:
        client = SyncClient.open(opener_of(home))
    except UsageError:  # no relay, or no user: the command itself finds out
        return
    with client:
        for name in wanted:
            if name == client.name:
                continue
            try:
                client.meet(name)
            except RelayUnavailable:
                warn(f"the relay cannot be reached: the device lists of {name} are those on record")
                return

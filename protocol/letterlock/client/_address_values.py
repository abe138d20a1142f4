"""What an application says and is told about addresses: people who have no account yet.

Not here: sharing and claiming (_client_addresses.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from letterlock.client._recovery_values import IdentityAnswer
from letterlock.documents import Granted, Shared


@dataclass(frozen=True, slots=True)
class PersonAddress:
    """Whom the checks of both servers would ask: a text of 1 to 320 bytes, and the kind of the check.

    `Anna@EXAMPLE.org` and `anna@example.org` are the same mail address. Addresses of other kinds are compared
    as they are.
    """

    text: str = field(repr=False)
    kind: str = "mail"


@dataclass(frozen=True, slots=True)
class ServerChecks:
    """How both servers are reached, and how whoever asks shows who they are.

    `identities` has an answer for server 1, the relay, and for server 2, the key server. A server checks
    again when the pass of its last check has ended. `key_server` is the URL of server 2, for a device on
    which recovery was not set up; `http` is for this machine only, unless `allow_insecure`.
    """

    identities: Mapping[int, IdentityAnswer] = field(default_factory=dict[int, IdentityAnswer])
    key_server: str | None = None
    allow_insecure: bool = False


NO_CHECKS: Final = ServerChecks()


@dataclass(frozen=True, slots=True)
class AddressShared:
    """What became of a document that was shared with an address.

    `invitation` is for the person: send it, it has up to 220 KiB and opens for nobody else. It is None if the
    person is a user by now: then the grants went to `user_id`, whose contact name is `reader`.
    """

    shared: Shared
    invitation: bytes | None = field(repr=False)
    end: int
    user_id: bytes | None = None
    reader: str | None = None


@dataclass(frozen=True, slots=True)
class SharedAddress:
    """What this device has shared with an address, until `end` (seconds since 1970).

    `grants` are the hashes of grants that wait to be claimed. `user_id`, 32 bytes, is who has claimed them as
    far as this device was told by both servers, and `is_withdrawn` says that nobody can any more.
    """

    id: bytes
    address: PersonAddress
    end: int
    grants: tuple[bytes, ...]
    user_id: bytes | None
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim brought. `grants` are this user's own now, on every device and after a recovery.

    `unopened` counts identities of this address for which no invitation was given: look for other ones.
    `disputed` counts those that another user has claimed at the same time: tell the granters.
    """

    grants: tuple[Granted, ...]
    unopened: int = 0
    disputed: int = 0

"""Users whom an application enrols in a town, and what cuts an enrolment or a first login short."""

from collections.abc import Callable
from typing import Any, Final

from letterlock import MemoryStore
from letterlock._wire.recovery_calls import BeginLock, FinishLock, SettleLock
from letterlock._wire.recovery_kept import PutBox
from letterlock.client import Client, Enrolment, NewUser
from letterlock.client._opening import World
from letterlock.client._transport import Reply
from support.client_recovery import BOTH, RecoveryAsked, Servers, Transport, hardness
from support.client_town import QUICK, Asked

ONCE: Final = "once for the first login"
CHOSEN: Final = "a password of her own"

Matches = Callable[[Any], bool]
"""Whether a call on its way to a server is the one that a test is about."""


async def enrolment(servers: Servers, store: Any = None, name: str = "enrolment") -> Enrolment:
    """Open an enrolment that reaches both servers of a town."""

    class TownEnrolment(Enrolment):
        __slots__ = ()
        _world = World(lambda url: Transport(servers, url, name), QUICK, servers.town.clock)

    place = MemoryStore() if store is None else store
    opened = await TownEnrolment.open(place, servers=BOTH, hardness=hardness())
    servers.town.stack.push_async_callback(opened.close)
    return opened


def new(servers: Servers, name: str = "ann", password: str = ONCE) -> NewUser:
    """Return a user to be enrolled, whose lists the town's server 1 can find."""
    servers.names.add(name)
    return NewUser(name, password)


async def enrolled(servers: Servers, name: str = "ann") -> bytes:
    """Enrol a user, and return the user id."""
    return await (await enrolment(servers)).enrol(new(servers, name))


async def log_in(
    servers: Servers, store: Any = None, device: str = "ann's phone", chosen: str = CHOSEN, **options: Any
) -> Client:
    """Log ann in for the first time, and return the client, which is not entered."""
    options = {"password": ONCE, "name": "ann", "servers": BOTH, **options}
    place = MemoryStore() if store is None else store
    return await servers.kind(device).first_login(place, new_password=chosen, **options)


async def require_one(servers: Servers, name: str, user_id: bytes) -> None:
    """Assert that a name has one user, with one lock at both servers and one box."""
    assert (await servers.lists(name))[0].hash == user_id
    for store in servers.stores:
        record = store.load(user_id)
        assert record is not None
        assert len(record.held) == 1
    assert user_id in servers.boxes


# --- what is cut short ------------------------------------------------------------------------------------


class Crash(Exception):
    """The process ends here."""


def is_call(asked: Any, kind: type, server: int) -> bool:
    """Return whether a call is one of recovery, of this kind and to this server."""
    return isinstance(asked, RecoveryAsked) and asked.server == server and isinstance(asked.request, kind)


def to_relay(name: str) -> Matches:
    """Return what recognises a call of a relay by its name."""
    return lambda asked: isinstance(asked, Asked) and asked.name == name


def to_server(kind: type, server: int) -> Matches:
    """Return what recognises a call of recovery."""
    return lambda asked: is_call(asked, kind, server)


LOCK_STEPS: Final = [
    ("begin at 1", to_server(BeginLock, 1)),
    ("begin at 2", to_server(BeginLock, 2)),
    ("settle at 1", to_server(SettleLock, 1)),
    ("settle at 2", to_server(SettleLock, 2)),
    ("finish at 1", to_server(FinishLock, 1)),
    ("finish at 2", to_server(FinishLock, 2)),
]
STEPS: Final = [("register", to_relay("register")), ("box", to_server(PutBox, 1)), *LOCK_STEPS]
"""The calls of an enrolment."""
LOGIN_STEPS: Final = [
    *LOCK_STEPS,
    ("append", to_relay("append")),
    ("publish", to_relay("publish")),
    ("box", to_server(PutBox, 1)),
]
"""The calls of a first login, once the device is in the store."""


def crash_at(servers: Servers, matches: Matches, *, answered: bool) -> list[Any]:
    """Have the process end at a call, once: before it is sent, or after its answer was lost.

    Return a list that then holds the call.
    """
    crashed = list[Any]()

    def crash(asked: Any) -> Reply | None:
        if matches(asked) and not crashed:
            crashed.append(asked)
            raise Crash
        return None

    def lose(asked: Any, given: Any) -> Any:
        crash(asked)
        return given

    for each in (servers.town, servers):
        if answered:
            each.changes.append(lose)
        else:
            each.rules.append(crash)
    return crashed

"""What the commands about documents work with: a user's documents and collections, and what people typed.

    NAME, user:NAME    a user: this one, or a contact
    team:NAME          a collection, by its name or its id
    FILE, or an id     a document, by its sealed file or by 32 hexadecimal digits

Not here: contacts that have to be made first (_relay_desk.py).
"""

import shlex
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from io import BufferedReader
from pathlib import Path
from typing import Final

from letterlock.cli._document_streams import sealed_source
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.cli._sealed_file import SealedFile, read_sealed
from letterlock.cli._user_profile import find_contact, name_of, open_user
from letterlock.documents import Collection, Collections, Conditions, Documents
from letterlock.errors import PeerError, TrustError, UsageError
from letterlock.user import Need, User

TEAM: Final = "team:"
USER: Final = "user:"
_MAKER: Final = "letterlock register NAME --relay URL"
_ID_DIGITS: Final = 32

TypedReader = str | bytes
"""The name of a user, or the id of a collection, 16 bytes."""


@dataclass(frozen=True, slots=True)
class DocumentDesk:
    """A user's documents and collections."""

    user: User
    documents: Documents
    collections: Collections


@contextmanager
def open_desk(home: str | None) -> Generator[DocumentDesk]:
    """Open a user's profile for one command. Raises UsageError, StoreError, OSError."""
    with open_user(home, _MAKER) as profile:
        yield desk_of(profile.user)


def desk_of(user: User) -> DocumentDesk:
    """Return the documents and collections of a user."""
    return DocumentDesk(user, Documents(user), Collections(user))


# --- readers ----------------------------------------------------------------------------------------------


def names_in(typed: Iterable[str]) -> list[str]:
    """Return the names of users among readers or members that were typed. Raises UsageError."""
    return [name_of(each.removeprefix(USER)) for each in typed if not each.startswith(TEAM)]


def readers_in(desk: DocumentDesk, typed: Iterable[str]) -> list[TypedReader]:
    """Return readers as they were typed: names, and ids of collections. Raises UsageError for the unknown."""
    return [
        collection_in(desk, each).id if each.startswith(TEAM) else known_name(desk, each) for each in typed
    ]


def known_name(desk: DocumentDesk, typed: str) -> str:
    """Return the name of this user or a contact. Raises UsageError."""
    name = name_of(typed.removeprefix(USER))
    if name != desk.user.name and find_contact(desk.user, name) is None:
        raise UsageError(f"no contact is called {name}: `letterlock user learn {shlex.quote(name)}` first")
    return name


def collection_in(desk: DocumentDesk, typed: str) -> Collection:
    """Return the collection of a name or an id. Raises UsageError unless there is exactly one."""
    known = desk.collections.all()
    typed = typed.removeprefix(TEAM)
    found = [each for each in known if each.id.hex() == typed] or [
        each for each in known if each.name == typed
    ]
    if not found:
        raise UsageError(f"no collection is called {typed}: `letterlock collection list` shows all of them")
    if len(found) > 1:
        ids = ", ".join(each.id.hex() for each in found)
        raise UsageError(f"more than one collection is called {typed}: name one by its id, of {ids}")
    return found[0]


def conditions_in(purpose: str, until: str | None) -> Conditions:
    """Return conditions as they were typed; a date means its whole day, in UTC. Raises UsageError."""
    if until is None:
        return Conditions(purpose)
    try:
        is_day = len(until) == len("2030-01-31")
        end = (
            datetime.combine(date.fromisoformat(until), time(23, 59, 59))
            if is_day
            else (datetime.fromisoformat(until))
        )
        moment = end.replace(tzinfo=UTC) if end.tzinfo is None else end
        return Conditions(purpose, int(moment.timestamp()))
    except (ValueError, OverflowError):
        raise UsageError(f"{until} is no date: write it as 2030-01-31, or 2030-01-31T18:00") from None


def stale(needs: Iterable[Need]) -> list[str]:
    """Return the names of readers whose device lists nobody has confirmed for a day."""
    return sorted({each.name for each in needs})


# --- documents --------------------------------------------------------------------------------------------


@contextmanager
def document_in(desk: DocumentDesk, typed: str) -> Generator[tuple[bytes, int | None, BufferedReader | None]]:
    """Yield a document's id, and of a file its version and the file itself. The grants beside it are taken.

    Raises MalformedMessage, UsageError, OSError.
    """
    if typed != STANDARD_STREAM and not Path(typed).exists() and _is_id(typed):
        yield bytes.fromhex(typed), None, None
        return
    with sealed_source(typed) as source:
        sealed = read_sealed(source)
        take_beside(desk, sealed)
        header = sealed.front.header
        yield header.id, header.version, source


def take_beside(desk: DocumentDesk, sealed: SealedFile) -> None:
    """Take the grants beside a document that are about it. What is wrong with one of them is its own."""
    for grant in sealed.grants:
        if grant.terms.subject == sealed.subject:
            try:
                desk.documents.take([grant.encode()])
            except (PeerError, TrustError):  # DOC-50
                continue


def _is_id(typed: str) -> bool:
    return len(typed) == _ID_DIGITS and typed.isascii() and all(each in "0123456789abcdef" for each in typed)

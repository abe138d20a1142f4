"""Device lists in a directory, for somebody without a profile: to check a record, or to open by a link.

    DIR/lists/NAME/VERSION.list    as in an exchange folder

Not here: what the lists are for (_access_record_commands.py, _visitor.py).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from letterlock._wire.device_list import DeviceList
from letterlock.cli._document_desk import DocumentDesk, open_desk
from letterlock.cli._folder import open_folder
from letterlock.cli._input import read_text
from letterlock.errors import UsageError
from letterlock.limits import MAX_DEVICE_LIST
from letterlock.user import ListChain
from letterlock.user._user import desk_behind

_LISTS: Final = "lists"


def _chains(desk: DocumentDesk) -> Iterator[tuple[str, ListChain]]:
    """Yield name and device lists of this user and of all contacts."""
    user = desk.user
    with user.transaction():
        book = desk_behind(user).book
        known = [(user.name, book.own().pin), *((each.name, each.pin) for each in book.contacts())]
        found = [(name, book.lists(name, pin, 0)) for name, pin in known]
    for name, lists in found:
        yield name, ListChain(tuple(lists))


def known_lists(home: str | None) -> dict[str, ListChain]:
    """Return the device lists that a profile has, by name. Raises UsageError, StoreError, OSError."""
    with open_desk(home) as desk:
        return dict(_chains(desk))


def write_lists(desk: DocumentDesk, directory: str, user_ids: Iterable[bytes]) -> None:
    """Write the device lists of these users, and of this one. Raises UsageError, OSError."""
    folder = open_folder(directory, make=True)
    wanted = {*user_ids, desk.user.user_id}
    for name, chain in _chains(desk):
        if chain.user_id in wanted:
            for version, each in enumerate(chain.lists, 1):
                folder.put_list(name, version, each.encode())


def read_lists(directory: Path) -> Iterator[tuple[str, ListChain]]:
    """Yield the verified device lists in a directory. Raises UsageError, PeerError, OSError."""
    found = sorted(each for each in (directory / _LISTS).glob("*") if each.is_dir())
    if not found:
        raise UsageError(f"there are no device lists in {directory}: name what `access-record --lists` wrote")
    for each in found:
        files = sorted(each.glob("*.list"), key=lambda path: (len(path.name), path.name))
        yield (
            each.name,
            ListChain.verify(DeviceList.decode(read_text(str(one), MAX_DEVICE_LIST)) for one in files),
        )

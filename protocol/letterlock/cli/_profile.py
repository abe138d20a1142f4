"""A profile: a directory with one account.

    store.db     the store
    store.key    its key, 64 hexadecimal digits; absent if the profile has a passphrase

Making one is repeatable at any instant: the key is whole and durable before there is a store, and an
account is in the store or not. Two that make it at once agree on the first one's key.

Not here: passphrases (passphrase.py), what an account does (letterlock.account).
"""

import os
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from letterlock._wire.address import Address
from letterlock.account import Account
from letterlock.cli._files import PartFile, new_token, part_path, part_paths, sync_directory
from letterlock.cli._parser import HOME_VARIABLE
from letterlock.cli._passphrase import known_passphrase, new_passphrase
from letterlock.errors import NoAccount, UsageError, WrongKey
from letterlock.stores._schema import peek
from letterlock.stores._sqlite import SqliteStore
from letterlock.stores._vault import KeyOpener

STORE_NAME: Final = "store.db"
KEY_NAME: Final = "store.key"
_KEY_BYTES: Final = 32
_KEY_USE: Final = "key"


@dataclass(frozen=True, slots=True)
class Profile:
    """An open one."""

    account: Account
    store: SqliteStore


def locate(home: str | None) -> Path:
    """Return the profile's directory, from --home or the environment. Raises UsageError."""
    found = home or os.environ.get(HOME_VARIABLE)
    if not found:
        raise UsageError(f"which profile? give --home DIR, or set {HOME_VARIABLE}")
    return Path(found)


def address_of(name: str) -> Address:
    """Return the address of a typed name: its first device. Raises UsageError.

    Keyboards differ in how they compose a letter; an address has one spelling.
    """
    return Address(unicodedata.normalize("NFC", name), 1)


@contextmanager
def opened(home: str | None) -> Generator[Profile]:
    """Open the profile for one command. Raises UsageError, StoreError."""
    directory = locate(home)
    if not (directory / STORE_NAME).exists():  # opening would make one
        raise NoAccount("no profile there")
    if (directory / KEY_NAME).exists():
        store = SqliteStore(directory / STORE_NAME, key=_read_key(directory))
    else:
        found = peek(directory / STORE_NAME)
        if found is not None and found.kind == KeyOpener.KIND:
            raise WrongKey(f"{KEY_NAME} is missing from the profile: restore it from a copy")
        store = SqliteStore.open(directory / STORE_NAME, passphrase=known_passphrase())
    with store:
        yield Profile(Account.open(store), store)


def create(home: str | None, address: Address, *, passphrase: bool) -> Account:
    """Make a profile, or finish one that was begun. Raises AccountExists if there is nothing to finish."""
    directory = locate(home)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_directory(directory.parent)
    with _make_store(directory, passphrase=passphrase) as store:
        return Account.create(store, address)


def _make_store(directory: Path, *, passphrase: bool) -> SqliteStore:
    has_key = (directory / KEY_NAME).exists()
    if passphrase and has_key:
        raise UsageError(f"this profile has a {KEY_NAME}: it cannot have a passphrase as well")
    if passphrase:
        return SqliteStore.open(directory / STORE_NAME, passphrase=new_passphrase())
    if not has_key and (directory / STORE_NAME).exists():
        raise UsageError(
            f"there is a {STORE_NAME} without a {KEY_NAME}: it was made with --passphrase, or the key is lost"
        )
    if not has_key:
        _make_key(directory)
    for left_over in part_paths(directory, _KEY_USE):  # of a run that was killed
        left_over.unlink(missing_ok=True)
    return SqliteStore(directory / STORE_NAME, key=_read_key(directory))


def _make_key(directory: Path) -> None:
    """Put a random key in place, whole, unless there is one by now."""
    path = directory / KEY_NAME
    part = PartFile(part_path(directory, _KEY_USE, new_token()))
    try:
        part.write(f"{os.urandom(_KEY_BYTES).hex()}\n".encode())
        _link(part.path, path)
        sync_directory(directory)
    finally:
        part.discard()


def _link(part: Path, path: Path) -> None:
    """Give a file its name, but never replace the key of somebody who was faster, as a rename would."""
    try:
        path.hardlink_to(part)
    except (FileExistsError, FileNotFoundError):
        pass  # FileNotFoundError: the faster one has cleaned up after both
    except OSError:
        # No links here, as on a memory card. Two that make a profile at once are not told apart.
        part.replace(path)


def _read_key(directory: Path) -> bytes:
    path = directory / KEY_NAME
    with path.open("rb") as file:
        text = file.read(2 * _KEY_BYTES + 2).removesuffix(b"\n")
    with suppress(ValueError):
        key = bytes.fromhex(text.decode("ascii"))
        if len(key) == _KEY_BYTES and len(text) == 2 * _KEY_BYTES:
            return key
    raise WrongKey(f"{KEY_NAME} does not hold {2 * _KEY_BYTES} hexadecimal digits: restore it from a copy")

"""A profile: a directory that holds one account.

    store.db     the store
    store.key    its key, 64 hexadecimal digits; absent if the profile has a passphrase

`create_profile` can be repeated after a kill at any instant: the key is whole and durable before there is a
store, and the store holds the whole account or none. Two processes that make the same profile at once agree
on the key of the first.

Not here: passphrases (_passphrase.py), what an account does (letterlock.account).
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
from letterlock.cli._output_file import (
    TemporaryOutput,
    new_token,
    sync_directory,
    temporary_path,
    temporary_paths,
)
from letterlock.cli._parser import HOME_VARIABLE
from letterlock.cli._passphrase import existing_passphrase, new_passphrase
from letterlock.errors import NoAccount, UsageError, WrongKey
from letterlock.stores._sqlite import SqliteStore
from letterlock.stores._sqlite.files import StoreFiles
from letterlock.stores._sqlite.opening import peek
from letterlock.stores._sqlite.wrapped_key import KeyOpener

STORE_NAME: Final = "store.db"
KEY_NAME: Final = "store.key"
_KEY_BYTES: Final = 32
_KEY_PURPOSE: Final = "key"


@dataclass(frozen=True, slots=True)
class Profile:
    """An open profile."""

    account: Account
    store: SqliteStore


def profile_directory(home: str | None) -> Path:
    """Return the profile's directory, from --home or else the environment. Raises UsageError."""
    directory = home or os.environ.get(HOME_VARIABLE)
    if not directory:
        raise UsageError(f"which profile? give --home DIR, or set {HOME_VARIABLE}")
    try:
        return Path(directory).expanduser()  # no shell expands the ~ in --home=~/profile or in a .env file
    except RuntimeError:
        raise UsageError(
            f"there is no home directory for the ~ in {directory}: give the whole path"
        ) from None


def address_of(name: str) -> Address:
    """Return the address of a typed name, with device id 1. Raises UsageError.

    The name is normalised to NFC, because keyboards compose an accented letter in different ways and
    addresses are compared byte by byte.
    """
    return Address(unicodedata.normalize("NFC", name), 1)


@contextmanager
def open_profile(home: str | None) -> Generator[Profile]:
    """Open the profile for one command. Raises UsageError, StoreError, OSError."""
    directory = profile_directory(home)
    if not (directory / STORE_NAME).exists():  # SqliteStore would create it
        raise NoAccount("no profile there")
    if (directory / KEY_NAME).exists():
        store = SqliteStore(directory / STORE_NAME, key=_read_key(directory))
    else:
        header = peek(StoreFiles(directory / STORE_NAME))
        if header is not None and header.kind == KeyOpener.KIND:
            raise WrongKey(f"{KEY_NAME} is missing from the profile: restore it from a copy")
        store = SqliteStore.open(directory / STORE_NAME, passphrase=existing_passphrase())
    with store:
        yield Profile(Account.open(store), store)


def create_profile(home: str | None, address: Address, *, passphrase: bool) -> Account:
    """Make a profile, or finish one that an interrupted run began.

    Raises AccountExists if the profile is complete, UsageError, StoreError, OSError.
    """
    directory = profile_directory(home)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_directory(directory.parent)
    with _make_store(directory, passphrase=passphrase) as store:
        return Account.create(store, address)


def _make_store(directory: Path, *, passphrase: bool) -> SqliteStore:
    has_key = (directory / KEY_NAME).exists()
    if passphrase and has_key:
        raise UsageError(f"this profile has a {KEY_NAME}: repeat the command without --passphrase")
    if passphrase:
        return SqliteStore.open(directory / STORE_NAME, passphrase=new_passphrase())
    if not has_key and (directory / STORE_NAME).exists():
        raise UsageError(
            f"this profile has a {STORE_NAME} but no {KEY_NAME}: repeat the command with --passphrase if it "
            f"was made that way, or else restore {KEY_NAME} from a copy"
        )
    if not has_key:
        _make_key(directory)
    for left_over in temporary_paths(directory, _KEY_PURPOSE):  # from a killed run
        left_over.unlink(missing_ok=True)
    return SqliteStore(directory / STORE_NAME, key=_read_key(directory))


def _make_key(directory: Path) -> None:
    """Put a whole random key in place, unless another process has put one there meanwhile."""
    path = directory / KEY_NAME
    temporary = TemporaryOutput(temporary_path(directory, _KEY_PURPOSE, new_token()))
    try:
        temporary.write(f"{os.urandom(_KEY_BYTES).hex()}\n".encode())
        _link(temporary.path, path)
        sync_directory(directory)
    finally:
        temporary.discard()


def _link(temporary: Path, path: Path) -> None:
    """Give the file its name without replacing another process's key, as a rename would."""
    try:
        path.hardlink_to(temporary)
    except (FileExistsError, FileNotFoundError):
        pass  # FileNotFoundError: the other process has also removed our temporary file
    except OSError:
        # The file system has no hard links, for example on a memory card. Here two processes that make a
        # profile at once may replace each other's key.
        temporary.replace(path)


def _read_key(directory: Path) -> bytes:
    path = directory / KEY_NAME
    with path.open("rb") as file:
        text = file.read(2 * _KEY_BYTES + 2).removesuffix(b"\n")
    with suppress(ValueError):
        key = bytes.fromhex(text.decode("ascii"))
        if len(key) == _KEY_BYTES and len(text) == 2 * _KEY_BYTES:
            return key
    raise WrongKey(f"{KEY_NAME} does not hold {2 * _KEY_BYTES} hexadecimal digits: restore it from a copy")

"""A profile: a directory that holds one account, alone or as the device of a user.

    store.db     the store
    store.key    its key, 64 hexadecimal digits; ignored if the store is opened with a passphrase

`create_profile` can be repeated after a kill at any instant: the key is whole and durable before there is a
store, and the store gets its name only when it holds the whole account. So a `store.db` without an account is
never an interrupted beginning, but a loss. Two processes that make the same profile at once agree on the key
of the first, and on its store.

`open_profile` takes the key file that fits, so that a kill of `letterlock rekey` locks nobody out.

Not here: key files (_key_file.py), passphrases (_passphrase.py), what an account does (letterlock.account).
"""

import os
import time
import unicodedata
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from letterlock._wire.address import Address
from letterlock.account import Account
from letterlock.cli._key_file import (
    FIRST_KEY,
    KEY_NAME,
    KeyFile,
    has_key_file,
    link,
    make_first_key,
    read_key_files,
)
from letterlock.cli._output_file import new_token, sync_directory, temporary_path, temporary_paths
from letterlock.cli._parsing import HOME_VARIABLE
from letterlock.cli._passphrase import existing_passphrase, first_passphrase
from letterlock.errors import AccountExists, NoAccount, StoreError, UsageError, WrongKey
from letterlock.stores import EntryKind
from letterlock.stores._sqlite import OpenedWith, SqliteStore, opened_with, require_place

_Result = TypeVar("_Result")

STORE_NAME: Final = "store.db"
_WRITTEN: Final = 1_735_689_600
"""The first second of 2025."""
_STORE_PURPOSE: Final = "store"
NO_ACCOUNT: Final = (
    f"{STORE_NAME} holds no account: it may be a copy that was made while the profile was in use, without "
    f"{STORE_NAME}-wal: restore both files together, or one that `letterlock backup` made"
)


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


def require_clock() -> None:
    """Raise UsageError if the clock stands before this program was written.

    Prekeys that are made then would have expired as soon as the clock is set.
    """
    if time.time() < _WRITTEN:
        raise UsageError("the clock of this machine says a year before 2025: set it, then repeat the command")


@contextmanager
def open_profile(home: str | None) -> Generator[Profile]:
    """Open the profile of a single device for one command. Raises UsageError, StoreError, OSError."""
    with open_store(home) as store:
        try:
            account = Account.open(store)
        except NoAccount:
            raise StoreError(NO_ACCOUNT) from None
        if has_entry(store, EntryKind.USER):
            raise UsageError("this profile is a user's: see `letterlock user --help` for its commands")
        yield Profile(account, store)


@contextmanager
def open_store(home: str | None, maker: str = "letterlock init NAME") -> Generator[SqliteStore]:
    """Open a profile's store, whatever it holds. `maker` is the command that makes such a profile.

    Raises UsageError, StoreError, OSError.
    """
    directory = profile_directory(home)
    path = directory / STORE_NAME
    if not path.exists():  # SqliteStore would create it
        if (directory / KEY_NAME).exists():
            raise StoreError(
                f"there is a {KEY_NAME} but no {STORE_NAME}: put it back from where it was moved, or from a "
                f"backup; if `{maker}` was interrupted, repeat it"
            )
        raise NoAccount(f"there is no complete profile in {directory}: check --home, or `{maker}` makes one")
    if not path.stat().st_size:
        raise StoreError(NO_ACCOUNT)
    with _open_store(directory) as store:
        yield store


def opener_of(home: str | None) -> Callable[[], SqliteStore]:
    """Return a function that opens a profile's store, in whichever thread calls it. Raises NoAccount."""
    directory = profile_directory(home)
    if not (directory / STORE_NAME).exists():
        raise NoAccount(f"there is no complete profile in {directory}: check --home")
    return lambda: _open_store(directory)


def store_of(home: str | None) -> tuple[Callable[[Path], SqliteStore], Path]:
    """Return a function that opens a profile's store, or one of another name beside it, and its path."""
    directory = profile_directory(home)
    return lambda path: _open_store(directory, path.name), directory / STORE_NAME


def discard_profile(home: str | None) -> None:
    """Delete the store of a profile that nobody knows, and that nobody ever will. The key file stays."""
    path = profile_directory(home) / STORE_NAME
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


@contextmanager
def open_complete(home: str | None) -> Generator[SqliteStore]:
    """Open the store of a profile of any kind. Raises as `open_store` does, and StoreError if it is empty."""
    with open_store(home) as store:
        with store.transaction():
            found = store.tables.account.load() is not None
        kinds = EntryKind.LINKING, EntryKind.ASKING
        if not found and not any(has_entry(store, kind) for kind in kinds) and not _is_enrolment(store):
            raise StoreError(NO_ACCOUNT)
        yield store


def has_entry(store: SqliteStore, kind: EntryKind) -> bool:
    """Return whether the store holds the one entry of a kind that has no key."""
    with store.transaction():
        return store.tables.entries.load(kind, b"") is not None


def _is_enrolment(store: SqliteStore) -> bool:
    with store.transaction():
        return any(True for _ in store.tables.entries.all(EntryKind.ENROLMENT))


class _RollBack(Exception):
    """Ends a transaction without a commit."""


def undone(account: Account, work: Callable[[], _Result]) -> _Result:
    """Return what `work` returns, and leave the store as it was before."""
    results: list[_Result] = []
    with suppress(_RollBack), account.transaction():
        results.append(work())
        raise _RollBack
    return results[0]


def store_opened_with(directory: Path) -> OpenedWith | None:
    """Return what opens a profile's store, or None if only opening it can tell."""
    return opened_with(directory / STORE_NAME)


def _open_store(directory: Path, name: str = STORE_NAME) -> SqliteStore:
    path = directory / name
    tried: set[bytes] = set()
    while True:
        kind = store_opened_with(directory)
        untried = [] if kind is OpenedWith.PASSPHRASE else _untried_key_files(directory, tried, kind)
        for file in untried:
            tried.add(file.key)
            with suppress(WrongKey):
                store = SqliteStore(path, key=file.key)
                file.put_in_place()
                return store
        if not untried:
            break
        # `letterlock rekey` may have changed the key since the files were read: look again.
    if kind is OpenedWith.KEY:
        raise WrongKey(f"{KEY_NAME} does not fit {STORE_NAME}: restore the two together from copies")
    return SqliteStore.open(path, passphrase=existing_passphrase())


def _untried_key_files(directory: Path, tried: set[bytes], kind: OpenedWith | None) -> list[KeyFile]:
    try:
        return [file for file in read_key_files(directory) if file.key not in tried]
    except WrongKey:
        if kind is None:  # perhaps there is a passphrase
            return []
        raise


def create_profile(home: str | None, make: Callable[[SqliteStore], _Result], *, passphrase: bool) -> _Result:
    """Make a profile, or finish one that an interrupted run began. Return what `make` made in its store.

    Raises AccountExists if the profile is complete, UsageError, StoreError, OSError.
    """
    directory = profile_directory(home)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_directory(directory.parent)
    path = directory / STORE_NAME
    _require_protection(directory, passphrase=passphrase)
    if path.exists():
        with open_complete(str(directory)):
            _remove_left_overs(directory)
            raise AccountExists
    require_place(path)  # a store.db-wal without its store.db is not to be replaced
    temporary = temporary_path(directory, _STORE_PURPOSE, new_token())
    try:
        with _make_store(directory, temporary, passphrase=passphrase) as store:
            made = make(store)
        link(temporary, path, exists_ok=False)
    except (StoreError, FileExistsError, FileNotFoundError):
        if not path.exists():
            raise
        raise AccountExists from None  # another process was first, and has removed our temporary store
    sync_directory(directory)
    _remove_left_overs(directory)
    return made


def _require_protection(directory: Path, *, passphrase: bool) -> None:
    has_key = has_key_file(directory)
    if passphrase and has_key and store_opened_with(directory) is not OpenedWith.PASSPHRASE:
        raise UsageError(f"this profile has a {KEY_NAME}: repeat the command without --passphrase")
    if not passphrase and not has_key and (directory / STORE_NAME).exists():
        raise UsageError(
            f"this profile has a {STORE_NAME} but no {KEY_NAME}: repeat the command with --passphrase if it "
            f"was made that way, or else restore {KEY_NAME} from a copy"
        )


def _make_store(directory: Path, path: Path, *, passphrase: bool) -> SqliteStore:
    if passphrase:
        return SqliteStore.open(path, passphrase=first_passphrase())
    if not (directory / KEY_NAME).exists():
        make_first_key(directory)
    return SqliteStore(path, key=read_key_files(directory)[0].key)


def _remove_left_overs(directory: Path) -> None:
    """Remove what killed runs left, and what a run that comes too late still makes: a store is in place."""
    for purpose in (FIRST_KEY, _STORE_PURPOSE):
        for left_over in temporary_paths(directory, purpose):
            left_over.unlink(missing_ok=True)

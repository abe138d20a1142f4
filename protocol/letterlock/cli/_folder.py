"""The exchange folder: what stands for a server, as files that any program may carry.

    lists/NAME/VERSION.list              a version of a user's device list
    bundles/NAME.ID/PREKEY-N.bundle      a bundle that one reader takes; PREKEY is its signed prekey's id
    bundles/NAME.ID/last-resort.bundle   the bundle for everybody, once the others have run out
    mail/NAME.ID/TIME-FROM.ID-TOKEN.message      a message for a device, from another one
    linking/HASH/STEP                    what a new device and the one that adds it tell each other

Anybody may have written what lies here. So a file is read only if it is a regular one, and no longer than its
kind can be. A name is used only if this module would spell it so, and links are not followed. A file appears
whole or not at all, and a reader ignores names that begin with a dot. Two processes may use a folder at once:
one bundle is taken by one of them, and a version is written once.

NAME is a user's name in which everything but letters, digits, `-` and `_` is percent-encoded.

Not here: what the bytes mean (letterlock.user), what a user does with them (_exchange.py).
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from heapq import nsmallest
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from letterlock._wire.address import Address
from letterlock.cli._key_file import link
from letterlock.cli._output_file import TemporaryOutput, move_into_place, new_token, temporary_path
from letterlock.cli._parsing import FOLDER_VARIABLE
from letterlock.errors import UsageError
from letterlock.limits import (
    MAX_BUNDLE,
    MAX_DEVICE_LIST,
    MAX_LINKING_ANSWER,
    MAX_LINKING_BUNDLE,
    MAX_LINKING_PACKAGE,
    MAX_PUBLISHED_ONE_TIME,
    MAX_SNAPSHOT,
)

_MAX_SPELLING: Final = 180
"""Characters of a name in a file name, which has at most 255 and holds a time and a token too."""

_MAX_MESSAGES: Final = 10_000
"""Messages that one command reads, the earliest first. Whoever fills the folder may not fill the memory."""

_MAX_LISTS: Final = 16 * 1024 * 1024
"""Bytes of all the device lists that are read at once: about 2,000 versions."""

_MAX_BUNDLES: Final = 2 * MAX_PUBLISHED_ONE_TIME
"""Bundles of one device that are looked at: as many as it publishes at once, and those of the week before."""

_LAST_RESORT: Final = "last-resort.bundle"
_BUNDLE: Final = re.compile(r"([0-9]{1,10})-[0-9]{1,10}\.bundle", re.ASCII)
_MESSAGE: Final = re.compile(r"[0-9]{20}-(.{1,180})\.([0-9]{1,10})-[0-9a-f]{16}\.message", re.ASCII)


class Step(Enum):
    """What passes between a new device and the one that adds it, in this order."""

    BUNDLE = "bundle"
    OFFER = "offer"
    ANSWER = "answer"
    PACKAGE = "package"


_SEALED: Final = 2048
"""Bytes that sealing adds, at most."""

_STEP_LIMITS: Final = {
    Step.BUNDLE: MAX_LINKING_BUNDLE,
    Step.OFFER: MAX_SNAPSHOT + _SEALED,
    Step.ANSWER: MAX_LINKING_ANSWER,
    Step.PACKAGE: MAX_LINKING_PACKAGE + _SEALED,
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A message file, and the device that its name says it comes from. Nothing proves that yet."""

    path: Path
    sender: Address


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, and what identifies the file as it was read. `data` is None if it is too long."""

    data: bytes | None
    identity: tuple[int, int, int]


class Folder:
    """An exchange folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    # --- device lists -----------------------------------------------------------------------------

    def lists(self, name: str, first: int) -> list[bytes]:
        """Return the consecutive versions of a user's device list from `first` on, encoded."""
        found: list[bytes] = []
        directory, room = self._inner("lists", spelling(name)), _MAX_LISTS
        for version in count(first):
            content = read(directory / f"{version}.list", min(room, MAX_DEVICE_LIST))
            if content is None or content.data is None:
                break
            found.append(content.data)
            room -= len(content.data)
        return found

    def put_list(self, name: str, version: int, data: bytes) -> bool:
        """Write a version of a device list, unless one is there. Return whether it holds these bytes."""
        directory = self._made("lists", spelling(name))
        path = directory / f"{version}.list"
        content = read(path, MAX_DEVICE_LIST)
        if content is None:
            _write(path, data, replace=False)
            content = read(path, MAX_DEVICE_LIST)
        return content is not None and content.data == data

    # --- prekey bundles ---------------------------------------------------------------------------

    def bundle_count(self, address: Address, signed_prekey: int) -> int:
        """Return how many single-use bundles of a device there are with this signed prekey."""
        return sum(prekey == signed_prekey for prekey, _ in self._bundles(address))

    def put_bundles(
        self, address: Address, signed_prekey: int, bundles: list[tuple[int, bytes]], last_resort: bytes
    ) -> None:
        """Write bundles, each with a number of its own, and remove those of other signed prekeys."""
        directory = self._made("bundles", spelling_of(address))
        for number, data in bundles:
            _write(directory / f"{signed_prekey}-{number}.bundle", data, replace=True)
        _write(directory / _LAST_RESORT, last_resort, replace=True)
        for prekey, path in self._bundles(address):
            if prekey != signed_prekey:
                with suppress(OSError):
                    path.unlink()

    def take_bundle(self, address: Address) -> Iterator[bytes]:
        """Yield bundles of a device until one serves. Nobody else gets one that this has yielded."""
        directory = self._inner("bundles", spelling_of(address))
        for _, path in self._bundles(address):
            taken = temporary_path(directory, "taken", new_token())
            try:
                path.rename(taken)
            except OSError:  # another process has taken it
                continue
            content = read(taken, MAX_BUNDLE)
            with suppress(OSError):
                taken.unlink()
            if content is not None and content.data is not None:
                yield content.data
        content = read(directory / _LAST_RESORT, MAX_BUNDLE)
        if content is not None and content.data is not None:
            yield content.data

    def _bundles(self, address: Address) -> list[tuple[int, Path]]:
        directory = self._inner("bundles", spelling_of(address))
        names = nsmallest(_MAX_BUNDLES, filter(_BUNDLE.fullmatch, _names(directory)))
        return [(int(name.partition("-")[0]), directory / name) for name in names]

    # --- messages ---------------------------------------------------------------------------------

    def post(self, address: Address, name: str, message: bytes) -> None:
        """Write a message for a device. The same name again replaces the file: it is the same message."""
        _write(self._made("mail", spelling_of(address)) / name, message, replace=True)

    def letters(self, address: Address) -> list[Letter]:
        """Return the messages for a device, the earliest first, at most 10,000."""
        directory = self._inner("mail", spelling_of(address))
        found = (Letter(directory / name, sender) for name in _names(directory) if (sender := _sender(name)))
        return nsmallest(_MAX_MESSAGES, found, key=lambda letter: letter.path.name)

    # --- linking ----------------------------------------------------------------------------------

    def put_step(self, bundle_hash: bytes, step: Step, data: bytes) -> None:
        """Write one step of a linking, in the place of an earlier one."""
        _write(self._made("linking", bundle_hash.hex()) / step.value, data, replace=True)

    def step(self, bundle_hash: bytes, step: Step) -> bytes | None:
        """Return one step of a linking, or None if it is not there yet, or too long to be one."""
        content = read(self._inner("linking", bundle_hash.hex()) / step.value, _STEP_LIMITS[step])
        return None if content is None else content.data

    def remove_steps(self, bundle_hash: bytes) -> None:
        """Remove what a linking left, once it is over."""
        directory = self._inner("linking", bundle_hash.hex())
        with suppress(OSError):
            for step in Step:
                (directory / step.value).unlink(missing_ok=True)
            directory.rmdir()

    # --- directories ------------------------------------------------------------------------------

    def _inner(self, *names: str) -> Path:
        return self.path.joinpath(*names)

    def _made(self, *names: str) -> Path:
        directory = self._inner(*names)
        directory.mkdir(parents=True, exist_ok=True)
        if directory.is_symlink() or directory.parent.is_symlink():
            raise OSError(errno.ELOOP, "is a link, which is not followed", str(directory))
        return directory


def open_folder(name: str | None, *, make: bool = False) -> Folder:
    """Return the folder that --folder names, or else the environment. Raises UsageError, OSError."""
    name = name or os.environ.get(FOLDER_VARIABLE)
    if not name:
        raise UsageError(f"which exchange folder? give --folder DIR, or set {FOLDER_VARIABLE}")
    path = Path(name)
    if make:
        path.mkdir(parents=True, exist_ok=True)
    if not path.is_dir():
        raise UsageError(
            f"there is no exchange folder {name}: check --folder, or `letterlock user publish` makes one"
        )
    return Folder(path)


def message_name(sender: Address, milliseconds: int) -> str:
    """Return the file name of a new message, which nobody else uses."""
    return f"{milliseconds:020}-{spelling_of(sender)}-{new_token().hex()}.message"


def spelling_of(address: Address) -> str:
    """Return how an address is spelt in a file name. Raises UsageError as `spelling` does."""
    return f"{spelling(address.name)}.{address.device_id}"


def spelling(name: str) -> str:
    """Return how a name is spelt in a file name. Raises UsageError if it is too long for one."""
    spelt = quote(name, safe="").replace(".", "%2E").replace("~", "%7E")
    if len(spelt) > _MAX_SPELLING:
        raise UsageError(
            f"a name in a file name has at most {_MAX_SPELLING} characters, and this one {len(spelt)}: "
            "choose a shorter one"
        )
    return spelt


def read(path: Path, limit: int) -> Content | None:
    """Return what a regular file holds, or None if it is none. A longer one than `limit` has no data."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = None if status.st_size > limit else file.read(limit + 1)
    finally:
        os.close(descriptor)
    whole = data is not None and len(data) <= limit
    return Content(data if whole else None, _identity(status))


def remove_if_unchanged(path: Path, content: Content) -> None:
    """Remove a file, unless it has been written to or replaced since it was read."""
    with suppress(OSError):
        if _identity(path.lstat()) == content.identity:
            path.unlink()


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _names(directory: Path) -> Iterator[str]:
    if directory.is_symlink() or directory.parent.is_symlink():
        return
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                yield entry.name
    except OSError:
        return


def _sender(name: str) -> Address | None:
    match = _MESSAGE.fullmatch(name)
    if match is None:
        return None
    spelt, device_id = match.groups()
    with suppress(UnicodeDecodeError, UsageError):
        sender = Address(unquote_to_bytes(spelt).decode(), int(device_id))
        if spelling_of(sender) == f"{spelt}.{device_id}":
            return sender
    return None


def _write(path: Path, data: bytes, *, replace: bool) -> None:
    """Write a file that appears whole. Without `replace`, a file that is there stays as it is."""
    temporary = TemporaryOutput(temporary_path(path.parent, "new", new_token()), mode=0o644)
    try:
        temporary.write(data)
        if replace:
            move_into_place(temporary.path, path)
        else:
            link(temporary.path, path, exists_ok=True)
    finally:
        temporary.discard()

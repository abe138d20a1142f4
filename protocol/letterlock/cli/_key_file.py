"""Key files: the key of a profile's store, as 64 hexadecimal digits and a newline.

    store.key                        the key
    .letterlock-key-*.part           a first key that `letterlock init` writes
    .letterlock-rekey-*.part         a new key that `letterlock rekey` writes, or that a killed run has left

A new key is durable in its hidden file before the store changes, and gets its name afterwards. So after a
kill either `store.key` fits the store, or a hidden file does, and the next command puts that one in place.

Not here: which key fits (_profile.py), when a key is changed (_rekey.py).
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from letterlock.cli._output import warn
from letterlock.cli._output_file import (
    TemporaryOutput,
    move_into_place,
    new_token,
    sync_directory,
    temporary_path,
    temporary_paths,
)
from letterlock.errors import WrongKey

KEY_NAME: Final = "store.key"
FIRST_KEY: Final = "key"
"""The purpose of the hidden file of a first key."""
NEW_KEY: Final = "rekey"
"""The purpose of the hidden file of a new key."""

_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file that was read."""

    path: Path
    key: bytes

    def put_in_place(self) -> None:
        """Give the file its name, if it has another one. Call it while the store is open with this key.

        While the store is open, nobody else can change its key. If the file cannot be renamed, it is found
        again the next time; if it is missing, another command has renamed it.
        """
        path = self.path.with_name(KEY_NAME)
        if self.path != path:
            with suppress(OSError):
                move_into_place(self.path, path)

    def __repr__(self) -> str:
        return f"<KeyFile {self.path.name!r}>"


def read_key_files(directory: Path) -> list[KeyFile]:
    """Return every key file that may fit the store, `store.key` first. Raises WrongKey, OSError.

    WrongKey is for a `store.key` that holds no key, or that is missing, if there is no hidden file either.
    """
    path = directory / KEY_NAME
    paths = [path, *new_key_paths(directory)]
    found: list[KeyFile] = []
    for each in paths:
        with suppress(FileNotFoundError):
            key = _read_key(each)
            if key is not None:  # a torn file, if its run was killed while it wrote
                found.append(KeyFile(each, key))
    if found:
        return found
    if path.exists():
        raise WrongKey(
            f"{KEY_NAME} does not hold {2 * _KEY_BYTES} hexadecimal digits: restore it from a copy"
        )
    raise WrongKey(f"{KEY_NAME} is missing from the profile: restore it from a copy")


def new_key_paths(directory: Path) -> list[Path]:
    """Return the hidden files of new keys."""
    return sorted(temporary_paths(directory, NEW_KEY))


def has_key_file(directory: Path) -> bool:
    """Return whether there is a key file, of whatever name."""
    return (directory / KEY_NAME).exists() or bool(new_key_paths(directory))


def write_key(directory: Path, purpose: str, key: bytes) -> TemporaryOutput:
    """Write a key to a hidden file, durably. Raises OSError, and then there is no such file."""
    temporary = TemporaryOutput(temporary_path(directory, purpose, new_token()))
    try:
        temporary.write(f"{key.hex()}\n".encode())
    except BaseException:
        temporary.discard()
        raise
    return temporary


def make_first_key(directory: Path) -> None:
    """Put a whole random key in place, unless another process has put one there meanwhile."""
    temporary = write_key(directory, FIRST_KEY, new_key())
    try:
        link(temporary.path, directory / KEY_NAME, exists_ok=True)
        sync_directory(directory)
    finally:
        temporary.discard()


def new_key() -> bytes:
    """Return 32 random bytes."""
    return os.urandom(_KEY_BYTES)


def link(temporary: Path, path: Path, *, exists_ok: bool) -> None:
    """Give a file its name without replacing another process's, as a rename would.

    Raises FileExistsError if there is one, and FileNotFoundError if the other process has also removed our
    temporary file, unless `exists_ok`.
    """
    try:
        path.hardlink_to(temporary)
    except (FileExistsError, FileNotFoundError):
        if not exists_ok:
            raise
    except OSError:
        # The file system has no hard links, for example on a memory card. Here two processes that make a
        # profile at once may replace each other's files.
        temporary.replace(path)


def _read_key(path: Path) -> bytes | None:
    """Return the key in a file, or None if it holds none."""
    with path.open("rb") as file:
        if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
            warn(f"other users of this machine may read {path}: `chmod 600` it")
        text = file.read(2 * _KEY_BYTES + 2).removesuffix(b"\n")
    with suppress(ValueError):
        key = bytes.fromhex(text.decode("ascii"))
        if len(key) == _KEY_BYTES and len(text) == 2 * _KEY_BYTES:
            return key
    return None

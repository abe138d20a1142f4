"""StoreFiles: the file of a store, and those that SQLite keeps beside it.

    store.db            the database
    store.db-wal        the write-ahead log: what was committed and is not yet in the database
    store.db-shm        an index of the log; processes that use the store lock each other out through it
    store.db-journal    the rollback journal, while the store is created

Not here: opening the database (opening.py).
"""

import os
import stat
from pathlib import Path
from typing import Final

from letterlock.errors import StoreError, UsageError

_BESIDE: Final = ("-wal", "-shm", "-journal")


class StoreFiles:
    """The files of one store. `path` is absolute."""

    __slots__ = ("_opened", "_real", "name", "path")

    def __init__(self, given: str | os.PathLike[str]) -> None:
        """Read a path as the application gives it, with `~` for the home directory.

        Raises UsageError for what cannot be a path, StoreError for a path that cannot be looked up or names
        something other than a file.
        """
        self.path = _absolute(given)
        self.name = self.path.name
        # SQLite follows links, and puts its files beside the file that it finds.
        self._real = os.path.realpath(self.path)
        self._opened: dict[str, tuple[str, int, int]] = {}
        found = self._look_up("")
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise StoreError(f"{self.name!r} is a directory: name a file in it")
        if found is not None and not stat.S_ISREG(found.st_mode):
            raise StoreError(f"{self.name!r} is not a regular file: name another file")

    def require_usable(self) -> None:
        """Raise StoreError if a file is read-only, or if a log lies there without its database."""
        sizes: dict[str, int] = {}
        for suffix in (*_BESIDE, ""):  # another process creates the database first, so it is looked up last
            found = self._look_up(suffix)
            if found is None:
                continue
            # SQLite would open the store nevertheless, give its other files the same mode, and fail later.
            usable = os.access(self._real + suffix, os.R_OK | os.W_OK)
            if not usable and self._look_up(suffix) is not None:  # another process may have deleted it
                raise StoreError(
                    f"{self.name + suffix!r} may not be read and written by this user: "
                    "correct its owner or its mode"
                )
            sizes[suffix] = found.st_size
        # SQLite would delete the log of a database that is missing or empty. While a store is created, an
        # empty database may have a journal, but never a log. STO-15
        log = "-wal" if sizes.get("-wal") else "-journal"
        missing = "" not in sizes or (log == "-wal" and not sizes[""])
        if missing and log in sizes:
            raise StoreError(
                f"{self.name!r} is missing or empty, but {self.name + log!r}, which belongs to it, is there: "
                "put back the file that was moved or copied without it, or restore a backup in another "
                "directory"
            )

    def remember(self, *suffixes: str) -> None:
        """Remember which files the names stand for: "" for the database, the others as they are."""
        for suffix in suffixes:
            # A link to the database may be changed too.
            name = self._real + suffix if suffix else str(self.path)
            found = self._look_up(suffix)
            if found is None:
                raise StoreError(f"{self.name + suffix!r} was deleted while the store was opened: try again")
            self._opened[suffix] = name, found.st_dev, found.st_ino

    def forget(self, *suffixes: str) -> None:
        """Expect no longer that these files stay, while the journal mode changes."""
        for suffix in suffixes:
            self._opened.pop(suffix, None)

    def require_unchanged(self) -> None:
        """Raise StoreError unless the names still stand for the files that were opened. STO-16

        If a file was deleted, moved or replaced, SQLite goes on with the old one, and another process begins
        with the new one: two copies of one ratchet. The same happens when this process itself opens and
        closes the database by other means, which drops SQLite's locks: another process then deletes the log.
        """
        stat = os.stat  # every transaction passes here, and a Path costs more
        for suffix, (name, device, inode) in self._opened.items():
            try:
                found = stat(name)
                if found.st_ino == inode and found.st_dev == device:
                    continue
            except OSError:
                pass
            raise self._changed(suffix)

    def log_size(self) -> int:
        """Return the size of the log in bytes. Raises StoreError if another one was opened. STO-16"""
        opened = self._opened.get("-wal")
        if opened is None:
            return 0
        name, device, inode = opened
        try:
            found = os.stat(name)  # noqa: PTH116 - as above
            if found.st_ino == inode and found.st_dev == device:
                return found.st_size
        except OSError:
            pass
        raise self._changed("-wal")

    def _changed(self, suffix: str) -> StoreError:
        return StoreError(
            f"{self.name + suffix!r} was deleted, moved or replaced while it was open: stop what uses the "
            "store, put the right files back together, and open it again"
        )

    def require_absent(self) -> None:
        """Raise UsageError if a file is at the path, or one beside it that SQLite would take for its own."""
        for suffix in ("", *_BESIDE):
            if self._look_up(suffix) is not None:
                raise UsageError(f"{self.name + suffix!r} exists already: name a new file")

    def size(self, suffix: str = "") -> int:
        """Return the size of the database, or of a file beside it, in bytes; 0 if it is missing."""
        found = self._look_up(suffix)
        return 0 if found is None else found.st_size

    def has_journal(self) -> bool:
        """Return whether a process creates the store or changes its key, or was killed meanwhile."""
        return self._look_up("-journal") is not None

    def _look_up(self, suffix: str) -> os.stat_result | None:
        try:
            return Path(self._real + suffix).stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise cannot_use(self.name + suffix, error) from None


def cannot_use(name: str, error: OSError) -> StoreError:
    """Return our error for one of the operating system's. It does not name the directory."""
    reason = (error.strerror or "unknown reason").lower()
    return StoreError(f"store file {name!r} cannot be used: {reason}: check its path and its permissions")


def _absolute(given: str | os.PathLike[str]) -> Path:
    try:
        path = Path(given)
        has_nul = b"\0" in os.fsencode(path)
    except (TypeError, UnicodeEncodeError):
        raise UsageError("the path of a store is a `str` or a path object") from None
    if has_nul:
        raise UsageError("the path of a store holds no NUL characters")
    if given == ":memory:":
        raise UsageError('a store in memory is `MemoryStore()`; a file of this name is "./:memory:"')
    first, *rest = path.parts or (".",)
    if first == "~" or (first.startswith("~") and rest):
        try:
            path = path.expanduser()
        except RuntimeError:
            raise UsageError(f"there is no home directory for {first!r}: give the whole path") from None
    return path.absolute()

"""How an application names its store: a path, a store, or a function that opens one.

Not here: what is kept there.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from letterlock.client._thread import StoreThread
from letterlock.errors import StoreError, UsageError
from letterlock.stores import SqliteStore, Store

StorePlace: TypeAlias = str | Path | Store | Callable[[], Store]
"""A path, for a `SqliteStore`; a store; or a function that opens one."""

BESIDE: Final = ("-wal", "-shm", "-journal")
"""Ends of the names of files that SQLite makes beside a store."""


def delete_store(path: Path) -> None:
    """Delete a store in a file, if it is there."""
    for end in ("", *BESIDE):
        path.with_name(path.name + end).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, repr=False)
class StoreOpener:
    """Opens the store that an application named."""

    open: Callable[[], Store]
    path: Path | None
    is_new: bool
    open_at: Callable[[Path], Store] | None = None
    """Opens a store in another file, under the same key."""

    @classmethod
    def of(cls, place: StorePlace, key: bytes | None) -> "StoreOpener":
        """Return how to open a store. Raises UsageError if the key does not fit."""
        if isinstance(place, str | Path):
            path = Path(place)
            if key is None:
                raise UsageError("a store in a file needs key=, 32 bytes; or pass a function that opens one")
            at = partial(SqliteStore, key=key)
            return cls(lambda: at(path), path, not path.exists(), at)
        if key is not None:
            raise UsageError("a key is for a store in a file: name its path")
        if not isinstance(place, type) and hasattr(place, "transaction"):
            given: Store = place  # type: ignore[assignment]
            return cls(lambda: given, None, is_new=False)
        if not callable(place):
            raise UsageError(f"a store is a path, a Store or a function, not a {type(place).__name__}")
        return cls(place, None, is_new=False)

    def made(self) -> "StoreOpener":
        """Return the same for a store whose whole content is ours to delete, whenever it was made."""
        return replace(self, is_new=True)

    async def discard(
        self,
        thread: StoreThread,
        is_unused: Callable[[], bool],
        keep: Callable[[Callable[[Path], Store], Path], bool] | None = None,
    ) -> None:
        """Close a store that came to nothing. Delete its file, if it was not there before.

        `is_unused` says that no other program has made a user or a linking of its own in it.        [CLN-9]
        `keep` may put another store in its place, and returns whether it has.
        """
        try:
            deletes = await thread.run(is_unused)
        except StoreError:
            deletes = False
        finally:
            await thread.close()
        if deletes:
            await asyncio.to_thread(self._delete_new, keep)

    def _delete_new(self, keep: Callable[[Callable[[Path], Store], Path], bool] | None) -> None:
        if self.path is None or not self.is_new:
            return
        if keep is None or self.open_at is None or not keep(self.open_at, self.path):
            delete_store(self.path)

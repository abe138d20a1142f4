"""Stores of users in files, and copies of them that go on beside the first one."""

from pathlib import Path

from letterlock import SqliteStore
from letterlock.user import User
from support.user_devices import World

KEY = bytes(32)


class Copies:
    """Stores of SQLite in a folder, and copies of them that are opened as users."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def __call__(self) -> SqliteStore:
        self.count += 1
        return SqliteStore(self.folder / f"{self.count}.db", key=KEY)

    def copy(self, user: User, made: World) -> User:
        """Return a user on a copy of another one's store."""
        self.count += 1
        path = self.folder / f"{self.count}.db"
        store = user._desk.book.store
        assert isinstance(store, SqliteStore)
        store.backup(path)
        return User.open(SqliteStore(path, key=KEY), clock=made.clock)

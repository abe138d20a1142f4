"""A reader without a profile, who opens by a link or a password: nothing of this user is stored.

The author's device lists come from a directory. So this reader knows the author as well as whoever made that
directory does.

Not here: the directory (_list_directory.py).
"""

from pathlib import Path

from letterlock._primitives.entropy import system_entropy
from letterlock.cli._document_desk import DocumentDesk, desk_of
from letterlock.cli._list_directory import read_lists
from letterlock.stores import MemoryStore
from letterlock.user import User


def visitor(directory: str) -> DocumentDesk:
    """Return the documents of a new user in memory who knows these lists. Raises UsageError, PeerError."""
    user = User.create(MemoryStore(), f"visitor {system_entropy(8).hex()}")  # nobody else's name
    for name, chain in read_lists(Path(directory)):
        user.learn(name, chain.lists)
    return desk_of(user)

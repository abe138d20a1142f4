"""A fresh machine keeps what it waits with, though its recovery was overtaken.                       [CLN-39]

Nobody knows the device of a recovery that another device list preceded, and a store holds one device only. So
a store without that device takes its place. The delay need not begin again.

Not here: when that is so (_recovery_desk.py), asking and taking (_asking.py).
"""

from collections.abc import Callable
from pathlib import Path

from letterlock.client._second_lock_rows import SecondLockTables
from letterlock.client._stores import BESIDE, delete_store
from letterlock.stores import Store

_NEW = ".new"


def keep_asking(open_at: Callable[[Path], Store], path: Path) -> bool:
    """Put a store that holds what somebody waits with, and nothing else, in the place of a closed one.

    One of the two is there at any moment, whole. Return False, and change nothing, if nobody waits with it.
    Raises StoreError, OSError.
    """
    old = open_at(path)
    try:
        with old.transaction():
            asking = SecondLockTables(old).asking()
    finally:
        old.close()
    if asking is None:
        return False
    fresh = path.with_name(path.name + _NEW)
    delete_store(fresh)  # of an attempt that was cut short
    new = open_at(fresh)
    try:
        with new.transaction():
            SecondLockTables(new).save_asking(asking)
    finally:
        new.close()
    for end in BESIDE:  # the old store was closed, so all of it is in its file
        path.with_name(path.name + end).unlink(missing_ok=True)
    fresh.replace(path)
    return True

"""Under which names the members of a group are known: parcels for its shelf.                     [GRP-49]

    seal_names      for all who have the secret of the newest epoch
    open_names      of any epoch whose secret is here; nothing that they say is proven             [GRP-50]

Every function runs inside the caller's transaction. Not here: who tells whom (client/_group_names.py).
"""

from collections.abc import Iterator, Mapping

from letterlock._wire.parcel import MAX_PARCEL_ITEMS, Introduction, ItemKind, Parcel, ParcelItem
from letterlock.documents._parcels import open_for_group, parcel_for_group
from letterlock.errors import PeerError
from letterlock.groups._desk import GroupDesk


def seal_names(at: GroupDesk, group: bytes, names: Mapping[bytes, str]) -> list[bytes] | None:
    """Return parcels with names by user ids; None if the secret of the newest epoch is not here."""
    epoch = at.require(group).epoch
    record = at.book.epoch(group, epoch)
    if record is None or record.secret is None:
        return None
    named = (Introduction(user_id, names[user_id]) for user_id in sorted(names))
    items = [ParcelItem(ItemKind.INTRODUCTION, each.encode()) for each in named]
    entropy = at.desk.environment.entropy
    return [
        parcel_for_group(record.secret, group, epoch, items[start : start + MAX_PARCEL_ITEMS], entropy)
        for start in range(0, len(items), MAX_PARCEL_ITEMS)
    ]


def open_names(at: GroupDesk, group: bytes, data: bytes) -> list[tuple[bytes, str]]:
    """Return user ids and names; nothing of what no secret opens that is here. [GRP-50]"""
    try:
        parcel = Parcel.decode(data)
        record = at.book.epoch(group, parcel.number)
        if record is None or record.secret is None:
            return []
        return list(_introduced(open_for_group(record.secret, group, parcel)))
    except PeerError:  # whoever knows the id can put anything on the shelf
        return []


def _introduced(items: tuple[ParcelItem, ...]) -> Iterator[tuple[bytes, str]]:
    for each in items:
        if each.kind == ItemKind.INTRODUCTION:
            found = Introduction.decode(each.data)
            yield found.user_id, found.name

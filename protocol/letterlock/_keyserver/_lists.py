"""Device lists that come with a call: verified, and compared with the newest list that the server has seen.

    whole       from the first list, whose hash is the user id, to the newest one
    later part  from the list that the server has seen as the newest one

    row LISTS   [1, version, hash of the newest list, whether the user stays]               [REC-19] [REC-57]

Not here: the rules of device lists (user/); what a device may do with its signature (recovery/, _boxes.py).
"""

from collections.abc import Sequence
from itertools import pairwise

from letterlock._primitives.dataclass import dataclass
from letterlock._records.entry import decode_entry, encode_entry
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.relay_error import RelayCode
from letterlock.errors import PeerError
from letterlock.limits import MAX_COUNTER
from letterlock.relay._reply import Refused
from letterlock.stores import Record
from letterlock.user import ListChain
from letterlock.user._rules import check_successor
from letterlock.user._signatures import verify_signatures


@dataclass(frozen=True, slots=True)
class SeenList:
    """The newest device list of a user that the server has seen. `hash` has 32 bytes.

    A user who does not stay is forgotten after some time (_newcomers.py).
    """

    version: int
    hash: bytes
    stays: bool = True

    def encode(self) -> Record:
        """Return the bytes that are stored."""
        return encode_entry(self.version, self.hash, int(self.stays))

    @classmethod
    def decode(cls, record: Record) -> "SeenList":
        """Read what `encode` gives. Raises CorruptStore."""
        return decode_entry(record, 3, "what was seen of device lists", cls._read)

    @classmethod
    def _read(cls, fields: Fields) -> "SeenList":
        version, hash_ = fields.uint("version", MAX_COUNTER), fields.blob("hash", HASH_BYTES)
        return cls(version, hash_, bool(fields.uint("stays", 1)))


@dataclass(frozen=True, slots=True)
class CheckedLists:
    """A user's lists, verified up to the newest one. They may begin with a later one than the first.

    It is `known` here, or else anybody may have made up all of them. `before` is what was seen before.
    """

    user_id: bytes
    lists: tuple[DeviceList, ...]
    known: bool
    before: SeenList | None = None

    @property
    def newest(self) -> DeviceList:
        """The newest version."""
        return self.lists[-1]

    @property
    def version(self) -> int:
        """Its number."""
        return self.newest.snapshot.version

    def seen(self) -> SeenList:
        """Return what a server notes of the newest one."""
        return SeenList(self.version, self.newest.hash)

    def hash_at(self, version: int) -> bytes | None:
        """Return the hash of a version, or None if it is not among them."""
        at = version - self.lists[0].snapshot.version
        return self.lists[at].hash if 0 <= at < len(self.lists) else None


def check_lists(user_id: bytes, encoded: Sequence[bytes], seen: SeenList | None) -> CheckedLists:
    """Verify lists. They begin with the first one, or with the one that was seen as the newest. [REC-19]

    A later part that begins with another list is refused by `require_newest`, and not here: whoever has no
    key of the user gets one answer, after the same work, whether this server has seen the user or not.

    Takes a millisecond or two for each. Raises Refused, REFUSED, for lists that break a rule.
    """
    try:
        lists = [DeviceList.decode(each) for each in encoded]
        first = lists[0]
        if first.hash == user_id:
            return CheckedLists(user_id, ListChain.verify(lists).lists, known=True, before=seen)
        for before, after in pairwise(lists):
            verify_signatures(after, check_successor(before, user_id, after))
    except PeerError:
        raise Refused(RelayCode.REFUSED) from None
    known = seen is not None and (first.snapshot.version, first.hash) == (seen.version, seen.hash)
    return CheckedLists(user_id, tuple(lists), known=known, before=seen)


def require_newest(lists: CheckedLists, seen: SeenList | None) -> SeenList:
    """Return what is seen now. Raises Refused if the server has seen a newer list, or another one. [REC-19]

    STALE with 0 is for a later part that begins with a list which this server did not know as the newest.
    Ask only for a caller whose signature was checked: what these answers tell is for the user alone.
    """
    if not lists.known:
        raise Refused(RelayCode.STALE)  # no number: the caller may have made up the lists and the key
    if seen is None:
        return lists.seen()
    if seen.version > lists.version:
        raise Refused(RelayCode.STALE, seen.version)
    if lists.hash_at(seen.version) != seen.hash:
        raise Refused(RelayCode.CONFLICT, seen.version)
    return lists.seen()


def seen_in(found: Record | None) -> SeenList | None:
    """Return what a row says of the newest list."""
    return None if found is None else SeenList.decode(found)

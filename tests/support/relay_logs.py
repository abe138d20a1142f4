"""Logs of collections and groups that residents of a relay sign, as real clients sign them.

SignedLog      a log that its people go on with; `make` returns an entry without keeping it
signed_entry    an entry with the signature of a resident's device
"""

from typing import Any

from letterlock._primitives.labels import GRANT_SIGNATURE
from letterlock._records.collection import LogState
from letterlock._wire.collection_member import Member, MemberName, Role
from letterlock._wire.log_entry import Action, Change, EntryTerms, LogEntry, entry_leaf
from letterlock._wire.log_opening import LogKind
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock.documents._leaves import signed_message
from letterlock.documents._log_rules import OPENS, follow
from letterlock.documents._signing import signed_bytes
from support.collection_logs import in_order, opened_for
from support.pair import NOON
from support.user_tools import Owner

ALONE = Place(0, 1, ())


def signed_entry(terms: EntryTerms, author: Owner, device: int = 1, version: int | None = None) -> LogEntry:
    """Return an entry that a device signs, naming a version of its list, or else the newest one."""
    newest = author.lists[-1] if version is None else author.lists[version - 1]
    signer = Signer(author.user_id, device, newest.snapshot.version, newest.hash)
    encoded = terms.encode()
    message = signed_bytes(signer, signed_message(entry_leaf(terms.kind, encoded), ALONE))
    pair = author.keys(device).signing
    signed_by = SignedBy(signer, pair.public.ml_dsa.data, pair.sign(message, GRANT_SIGNATURE))
    return LogEntry.of(encoded, ALONE, signed_by)


def user_member(owner: Owner, role: Role = Role.READER) -> Member:
    """Return a person as a member who reads all epochs."""
    return Member(MemberName.user(owner.user_id), role, 0, 1)


class SignedLog:
    """The log of one collection or group, made by a resident who is its admin."""

    def __init__(
        self, author: Owner, *members: Member, device: int = 1, kind: LogKind = LogKind.COLLECTION
    ) -> None:
        self.kind = kind
        changes = in_order(user_member(author, Role.ADMIN), *members)
        terms = EntryTerms(1, None, None, NOON, Action.CREATE, changes, 1, opened_for(kind), kind)
        first = signed_entry(terms, author, device)
        self.entries = [first]
        self.state: LogState = follow(None, first)

    @property
    def id(self) -> bytes:
        """The id of the log."""
        return self.state.log_id

    @property
    def encoded(self) -> tuple[bytes, ...]:
        """All entries."""
        return tuple(each.encode() for each in self.entries)

    def terms(self, action: Action, *changes: Change, **fields: Any) -> EntryTerms:
        """Return the terms that follow the newest entry, with some of them replaced."""
        state, opens = self.state, action in OPENS
        made: dict[str, Any] = {
            "number": state.number + 1,
            "log_id": state.log_id,
            "before": state.head,
            "issued": NOON,
            "action": action,
            "changes": changes,
            "epoch": state.epoch + opens,
            "opening": opened_for(self.kind, state.epoch) if opens else None,
            "kind": self.kind,
        }
        return EntryTerms(**(made | fields))

    def make(self, author: Owner, action: Action, *changes: Change, **fields: Any) -> LogEntry:
        """Return an entry after the newest one, without keeping it."""
        return signed_entry(self.terms(action, *changes, **fields), author)

    def keep(self, entry: LogEntry) -> LogEntry:
        """Go on with an entry. Raises InvalidEntry."""
        self.state = follow(self.state, entry)
        self.entries.append(entry)
        return entry

    def add(self, author: Owner, *members: Member) -> LogEntry:
        """Add members."""
        return self.keep(self.make(author, Action.ADD, *in_order(*members)))

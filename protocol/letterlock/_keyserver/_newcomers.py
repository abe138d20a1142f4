"""Newcomers: users whom a server without a directory has not seen, and how long it keeps their rows.

    without checks of identity    everybody stays
    with checks                   whoever has an identity bound here stays; others go after a month  [REC-57]

Anybody makes up users by the thousand. An identity is bound to one user, so those who stay are no more than
the identities that were proven. The lock of a user without one opens for nobody. [REC-31]

Not here: how many may come (_strangers.py); what was seen of device lists (_lists.py).
"""

from collections.abc import Callable
from dataclasses import replace

from letterlock._keyserver._gate import GuardsGuesses
from letterlock._keyserver._lists import CheckedLists, SeenList, require_newest, seen_in
from letterlock._keyserver._rows import Stored
from letterlock._keyserver._strangers import Strangers
from letterlock._primitives.entropy import Clock
from letterlock._wire.recovery_limits import UNBOUND_SECONDS
from letterlock.recovery import IdentityRefused
from letterlock.relay._reply import Refused
from letterlock.stores import Record


class Newcomers:
    """Those at one process. A server that `keeps_all` has a directory, and takes nobody else. [REC-49]"""

    __slots__ = ("_audit", "_clock", "_gate", "_keeps_all", "_strangers")

    def __init__(
        self,
        gate: GuardsGuesses | None,
        strangers: Strangers | None,
        clock: Clock,
        audit: Callable[[str, int], None],
        *,
        keeps_all: bool,
    ) -> None:
        self._gate = gate
        self._strangers = strangers
        self._clock = clock
        self._audit = audit
        self._keeps_all = keeps_all

    def admit(self, seen: SeenList | None, pass_: bytes | None) -> None:
        """Count a user who is new here. Raises Refused, SLOW_DOWN, if there are too many. [REC-56]"""
        if seen is None and not self._keeps_all and self._strangers is not None:
            try:
                self._strangers.user(self._proven(pass_), self._clock())
            except Refused:
                self._audit("newcomer refused", 0)
                raise

    def admit_box(self, size: int) -> None:
        """Count the bytes of a box. Raises Refused, SLOW_DOWN, if there are too many. [REC-56]"""
        if not self._keeps_all and self._strangers is not None:
            self._strangers.box(size, self._clock())

    def stays(self, seen: SeenList | None) -> bool:
        """Return whether a user is kept for ever."""
        return self._keeps_all or self._gate is None or (seen is not None and seen.stays)

    def until(self, *, stays: bool) -> int | None:
        """Return until when a row of a user is kept."""
        return None if stays else self._clock() + UNBOUND_SECONDS

    def noted(
        self, found: Record | None, lists: CheckedLists, *, binds: bool = False, looks: bool = False
    ) -> dict[int, Stored | None]:
        """Return what changes in a row of lists, the first of those that change. Raises Refused. [REC-19]

        `binds` is for a call that binds an identity to the user, `looks` for one that adds nobody.
        """
        seen = seen_in(found)
        stays = binds or self.stays(seen)
        newest = replace(require_newest(lists, seen), stays=stays)
        if (seen == newest and stays) or (looks and seen in {None, newest}):
            return {}  # all other calls write the row, and so begin its month anew
        return {0: Stored(newest.encode().expose(), self.until(stays=stays))}

    def _proven(self, pass_: bytes | None) -> bytes | None:
        """Return the tag of the identity that a pass proves, or None."""
        if self._gate is None or pass_ is None:
            return None
        try:
            return self._gate.proven(pass_).tag
        except IdentityRefused:
            return None

    def __repr__(self) -> str:
        return "<Newcomers>"

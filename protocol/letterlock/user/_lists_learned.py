"""ListsLearned: what `User.learn` returns.

Not here: learning (_learning.py).
"""

from dataclasses import dataclass

from letterlock.user._contact import ContactEvent
from letterlock.user._evidence import Evidence
from letterlock.user._values import Event, Need, Outgoing


@dataclass(frozen=True, slots=True)
class ListsLearned:
    """What the device lists of a name turned out to be.

    `event` is None for a name that was new. `evidence` is there
    if the lists contradict those on record. `outgoing` is what had waited for the lists.
    """

    event: ContactEvent | None
    evidence: Evidence | None = None
    events: tuple[Event, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    needs: tuple[Need, ...] = ()

"""Where two implementations of the post-quantum ratchet may differ: labels, and how keys are derived.

The state machines ask a profile and have no label of their own. A test runs them with the profile of deployed
Signal and compares the keys with published ones.

Not here: the formulae (sparse.py, authenticator.py).
"""

from typing import Final, Protocol

from letterlock._ratchet.authenticator import BraidKdf, LetterlockBraidKdf
from letterlock._ratchet.sparse import LetterlockSparseKdf, SparseKdf


class PqProfile(SparseKdf, BraidKdf, Protocol):
    """All that the post-quantum ratchet derives."""


class LetterlockProfile(LetterlockSparseKdf, LetterlockBraidKdf):
    """The profile of this protocol."""


LETTERLOCK: Final[PqProfile] = LetterlockProfile()

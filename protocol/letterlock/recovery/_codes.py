"""Codes that are sent to somebody: when one is made or sent again, and what a try does.

    ask         a challenge for the code of an identity, which may have to be sent                   [REC-25]
    guess       a try: the code serves once, and each challenge has three tries                      [REC-27]

Challenges share a code for twenty minutes, so that nobody keeps the owner from getting one: a stranger who
asks first only makes the mail come earlier. Each challenge has tries of its own for the same reason, and a
code goes on beside the next one until it ends: a stranger who asks then takes no code out of anybody's hands.

Not here: the code itself (_gate_keys.py); the transaction in which a try is counted (_gate.py).
"""

import hmac
from dataclasses import replace
from typing import Final, NamedTuple

from letterlock._primitives.entropy import Entropy
from letterlock._records.gate import SEED_BYTES, CodeRow
from letterlock._wire import identity_limits as limits
from letterlock.recovery._errors import IdentityRefused

_LAST: Final = limits.CHALLENGE_SECONDS - limits.FRESH_SECONDS
"""Seconds before its end in which a code gets no further challenges."""

_SEPARATORS: Final = b" -"


class Asked(NamedTuple):
    """What became of a request: the end of the challenge, or from when to ask again; whether to send."""

    ends: int | None
    not_before: int
    sends: bool


class Guess(NamedTuple):
    """A try: the rows after it, whether the code was right, and how many tries are left."""

    row: CodeRow
    tries: int
    is_right: bool

    @property
    def tries_left(self) -> int:
        """How many tries the challenge has left."""
        return limits.TRIES - self.tries


def ask(row: CodeRow | None, now: int, entropy: Entropy) -> tuple[CodeRow, Asked]:
    """Return the row with one more challenge, or as it was if none is possible now. [REC-25]"""
    if row is not None:
        # A row of a clock that was ahead holds nobody up.
        may_send = not row.last_mail <= now < row.last_mail + limits.MAIL_PAUSE
        is_fresh = row.ends - limits.CHALLENGE_SECONDS <= now < row.ends - _LAST
        if is_fresh and not row.is_spent:
            return _share(row, now, may_send=may_send)
        if not may_send:
            return row, Asked(None, row.last_mail + limits.MAIL_PAUSE, sends=False)
    ends = now + limits.CHALLENGE_SECONDS
    return CodeRow(entropy(SEED_BYTES), ends, now), Asked(ends, 0, sends=True)


def _share(row: CodeRow, now: int, *, may_send: bool) -> tuple[CodeRow, Asked]:
    if row.challenges >= limits.CHALLENGES:
        return row, Asked(None, row.ends - _LAST, sends=False)
    more = replace(row, challenges=row.challenges + 1)
    if may_send and row.mails < limits.MAILS:
        return replace(more, mails=row.mails + 1, last_mail=now), Asked(row.ends, 0, sends=True)
    return more, Asked(row.ends, 0, sends=False)


def goes_on(row: CodeRow | None, after: CodeRow) -> bool:
    """Return whether a code goes on beside another one, which a request made. [REC-25]"""
    return row is not None and row.seed != after.seed


def of_challenge(ends: int, *rows: CodeRow | None) -> CodeRow | None:
    """Return the code of which a challenge with this end is, if it is there."""
    return next((each for each in rows if each is not None and each.ends == ends), None)


def unsent(row: CodeRow) -> CodeRow:
    """Return the row without the mail that was counted last: it could not be sent."""
    return replace(row, mails=max(row.mails - 1, 0), last_mail=0)


def guess(row: CodeRow | None, tries: int, code: str, proof: bytes) -> Guess:
    """Return the rows after a try for a challenge of a code, and after `tries` wrong ones. [REC-27]

    Raises IdentityRefused if the code is gone, or has served.
    """
    if row is None or row.is_spent:
        raise IdentityRefused("the code of this challenge has served, or others took its place")
    if tries >= limits.TRIES:
        return Guess(row, tries, is_right=False)
    given = proof.translate(None, _SEPARATORS)
    if not hmac.compare_digest(given, code.encode()):
        return Guess(row, tries + 1, is_right=False)
    return Guess(replace(row, is_spent=True), tries, is_right=True)

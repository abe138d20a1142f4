"""Random plays of three people with up to four devices each: the model of users.

The network drops, repeats, reorders, damages and misdirects. The directory withholds lists, and shows old
ones, forks, other people's and invented ones. The prekey server hands out bundles of other devices. Stores
are put back to copies, devices are stolen, linked and revoked. At the end everybody is honest, and everything
arrives.

support/users_world.py says what holds at every step, and support/users_settling.py what holds at the end. A
seed decides a whole play:

    LETTERLOCK_PLAYS=1000 LETTERLOCK_SEED=7 python -m pytest tests/model/test_users.py
"""

import os
from typing import Final

import pytest

from letterlock.user import EventKind
from support.users_play import Play
from support.users_settling import settle

PLAYS: Final = int(os.environ.get("LETTERLOCK_PLAYS", "32"))
SEED: Final = int(os.environ.get("LETTERLOCK_SEED", "1"))
GROUP: Final = 16
"""Plays in one test: all of them together must see what a single one may not."""


@pytest.mark.slow
@pytest.mark.parametrize("first", range(SEED, SEED + PLAYS, GROUP))
def test_random_plays(first: int) -> None:
    events: set[EventKind] = set()
    for seed in range(first, min(first + GROUP, SEED + PLAYS)):
        play = Play(seed)
        try:
            play.run()
            settle(play)
        except BaseException as error:
            error.add_note("\n".join([f"play {seed}:", *play.world.story]))
            raise
        events |= {kind for _, kind, _, _ in play.world.events}
    if PLAYS % GROUP == 0:
        assert events >= {EventKind.CONFLICT, EventKind.DEVICES_CHANGED, EventKind.REVOKED}


def test_two_restored_devices_that_keep_up_at_the_same_moment_come_to_rest() -> None:  # USR-56
    """Each sent its receipts in the session that it was about to replace, day after day."""
    play = Play(31327)
    play.run()
    settle(play)


def test_a_seed_decides_a_play() -> None:
    plays = [Play(2), Play(2), Play(3)]
    for play in plays:
        play.run()
    one, same, other = ([each.message for each in play.world.sent] for play in plays)
    assert one
    assert one == same
    assert one != other

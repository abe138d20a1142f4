"""Random plays of people with a group, whose network loses mail and whose relay lies: the model of groups.

support/groups_play.py says what people, network and relay do, and what holds at every step and in the end. A
seed decides what they try; keys are new each time. LETTERLOCK_DEEP=1 plays twenty people with up to three
devices, and

    LETTERLOCK_PLAYS=200 LETTERLOCK_SEED=7 python -m pytest tests/model/test_groups.py

many short plays.
"""

import os
import random
from typing import Final

import pytest

from support.groups_play import GroupsPlay

DEEP: Final = os.environ.get("LETTERLOCK_DEEP") == "1"
PLAYS: Final = int(os.environ.get("LETTERLOCK_PLAYS", "4"))
SEED: Final = int(os.environ.get("LETTERLOCK_SEED", "1"))
NAMES: Final = (
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy",
    "kim", "leo", "mia", "nils", "olga", "paul", "quinn", "rita", "sam", "tess",
)  # fmt: skip


def played(seed: int, people: int, steps: int) -> GroupsPlay:
    """Return a play that went well to its end."""
    luck = random.Random(seed)
    devices = {name: luck.choice([1, 1, 2, 3]) for name in NAMES[:people]}
    play = GroupsPlay(seed, devices)
    try:
        play.run(steps)
        play.settle()
    except BaseException as error:
        error.add_note("\n".join([f"play {seed}:", *play.story]))
        raise
    return play


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + PLAYS))
def test_random_plays(seed: int) -> None:
    assert played(seed, 4, 60).town.sealed


@pytest.mark.slow
@pytest.mark.skipif(not DEEP, reason="minutes: LETTERLOCK_DEEP=1 runs it")
@pytest.mark.parametrize("seed", range(SEED, SEED + PLAYS))
def test_random_plays_of_twenty_people(seed: int) -> None:
    play = played(seed, 20, 400)
    assert any(each.read for each in play.town.phones.values())

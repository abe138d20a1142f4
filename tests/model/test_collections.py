"""Random plays of four people with collections, two of whom have two devices: the model of collections.

support/collections_play.py says what people and the server do, and what holds at every step. A seed decides a
whole play:

    LETTERLOCK_PLAYS=200 LETTERLOCK_SEED=7 python -m pytest tests/model/test_collections.py
"""

import os
from typing import Final

import pytest

from support.collections_play import CollectionPlay

PLAYS: Final = int(os.environ.get("LETTERLOCK_PLAYS", "4"))
SEED: Final = int(os.environ.get("LETTERLOCK_SEED", "1"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + PLAYS))
def test_random_plays(seed: int) -> None:
    play = CollectionPlay(seed)
    try:
        play.run()
        play.settle()
    except BaseException as error:
        error.add_note("\n".join([f"play {seed}:", *play.story]))
        raise
    assert play.sealed

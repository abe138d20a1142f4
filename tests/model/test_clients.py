"""Random plays of three people with up to three phones each, whose relay lies: the model of clients.

The relay loses calls and answers, repeats them, refuses for no reason, withholds, shows old device lists,
those of a thief and of strangers, hands out other people's bundles, and delivers messages again, damaged,
under other names and to others. Power and networks fail, phones are linked and revoked. At the end the relay
is honest, and everything arrives.

support/clients_settling.py says what must hold. A seed decides who does what, and the event loop when:

    LETTERLOCK_WIRE_PLAYS=300 LETTERLOCK_SEED=7 python -m pytest tests/model/test_clients.py
"""

import asyncio
import os
from pathlib import Path
from typing import Final

import pytest

from support.clients_cast import Cast, country, make_cast
from support.clients_play import Play
from support.clients_settling import settle

PLAYS: Final = int(os.environ.get("LETTERLOCK_WIRE_PLAYS", "1"))
SEED: Final = int(os.environ.get("LETTERLOCK_SEED", "2"))
PATIENCE: Final = 300.0
"""Seconds after which a play gives up. None takes so long unless something is broken."""


@pytest.fixture(scope="module")
def casts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cast, Cast]:
    folders = [tmp_path_factory.mktemp(each) for each in ("strangers", "friends")]
    return make_cast(folders[0], friends=False), make_cast(folders[1], friends=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + PLAYS))
def test_a_relay_that_lies(casts: tuple[Cast, Cast], tmp_path: Path, seed: int) -> None:
    asyncio.run(played(casts[seed % 2], tmp_path / "play", seed))


async def played(cast: Cast, folder: Path, seed: int) -> Play:
    async with asyncio.timeout(PATIENCE), country(cast.copied(folder), cast.now) as made:
        play = Play(seed, made, folder, cast)
        try:
            await play.begin()
            await play.run()
            await settle(play)
        except BaseException as error:
            told = [f"{count} x {lie}" for lie, count in play.liar.told.items()]
            error.add_note("\n".join([f"play {seed}:", *play.story, *told]))
            raise
        finally:
            for phone in play.phones:
                await phone.stop()
    return play

"""SES-4: every phase and event in the life of a session, against the table in the module's docstring.

The tests change the table to show that it drives what `PeerSessions` does.
"""

import itertools
import re

import pytest

from letterlock import NoSession
from letterlock._session import lifecycle, peer_sessions
from letterlock._session.lifecycle import TABLE, Event, Phase
from support.pair import Pair

CELLS = list(itertools.product(Phase, Event))


def documented() -> dict[tuple[str, str], str]:
    lines = [line.strip() for line in (lifecycle.__doc__ or "").splitlines()]
    start = next(index for index, line in enumerate(lines) if line.startswith("phase \\ event"))
    columns = lines[start].split()[3:]
    table = {}
    for line in lines[start + 2 : start + 2 + len(Phase)]:
        name, *cells = re.split(r"\s+", line)
        table.update({(name, column): cell for column, cell in zip(columns, cells, strict=True)})
    return table


def test_the_printed_table_is_complete() -> None:
    assert set(documented()) == {(phase.name, event.name) for phase, event in CELLS}


@pytest.mark.parametrize(("phase", "event"), CELLS, ids=lambda each: each.name)
def test_every_cell_is_as_printed(phase: Phase, event: Event) -> None:
    printed = documented()[phase.name, event.name]
    if printed == "-":
        assert (phase, event) not in TABLE
    else:
        assert TABLE[phase, event] is Phase[printed]


def test_only_an_active_session_encrypts() -> None:
    able = {phase for phase, event in TABLE if event is Event.ENCRYPT}
    assert able == {Phase.INITIATED, Phase.ESTABLISHED}
    assert {TABLE[phase, Event.ENCRYPT] for phase in able} == able


# --- the table drives the code ------------------------------------------------------------------------


def changed(monkeypatch: pytest.MonkeyPatch, cell: tuple[Phase, Event], to: Phase | None) -> None:
    table = {key: after for key, after in TABLE.items() if key != cell}
    monkeypatch.setattr(peer_sessions, "TABLE", table if to is None else table | {cell: to})


@pytest.mark.pure
def test_a_phase_without_the_event_cannot_encrypt(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.introduce()
    changed(monkeypatch, (Phase.INITIATED, Event.ENCRYPT), None)
    with pytest.raises(NoSession):
        pair.alice.write(b"hello")


@pytest.mark.parametrize("event", [Event.AUTHENTICATED, Event.BARRED], ids=lambda each: each.name)
def test_a_message_in_the_archive_does_what_the_table_says(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, event: Event
) -> None:
    """Bob still writes in the first session, whether or not Alice's second one has been answered."""
    pair.converse()
    late = [pair.bob.write(b"late"), pair.bob.write(b"later")]
    if event is Event.AUTHENTICATED:
        pair.alice.initiate()
        pair.alice.write(b"not answered")
    else:
        pair.converse()
    sessions = peer_sessions.PeerSessions(pair.alice.store, pair.alice.peer, frozenset(pair.suites))

    def active() -> int:
        with pair.alice.store.transaction():
            found = sessions.active()
        assert found is not None
        return found.id

    newest, usual = active(), TABLE[Phase.ARCHIVED, event]
    other = Phase.ARCHIVED if usual is Phase.ESTABLISHED else Phase.ESTABLISHED
    changed(monkeypatch, (Phase.ARCHIVED, event), other)
    pair.alice.read(late[0])
    assert (active() == newest) == (other is Phase.ARCHIVED)
    monkeypatch.undo()
    if event is Event.AUTHENTICATED:
        pair.alice.read(late[1])
        assert active() != newest


def test_the_phase_of_an_archived_session_comes_from_the_table(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.introduce()
    pair.introduce()
    changed(monkeypatch, (Phase.INITIATED, Event.SUPERSEDED), Phase.ESTABLISHED)
    sessions = peer_sessions.PeerSessions(pair.alice.store, pair.alice.peer, frozenset(pair.suites))
    with pair.alice.store.transaction():
        assert [stored.phase for stored in sessions.all()] == [Phase.INITIATED, Phase.ESTABLISHED]

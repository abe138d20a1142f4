"""SES-4: the life of a session, every phase x event, against the table printed in the module's docstring."""

import itertools
import re

import pytest

from letterlock._session import lifecycle
from letterlock._session.lifecycle import TABLE, Event, Phase, advance

PHASES = [phase for phase in Phase if phase is not Phase.GONE]
CELLS = list(itertools.product(PHASES, Event))


def documented() -> dict[tuple[str, str], str]:
    lines = [line.strip() for line in (lifecycle.__doc__ or "").splitlines()]
    start = next(index for index, line in enumerate(lines) if line.startswith("phase \\ event"))
    columns = lines[start].split()[3:]
    table = {}
    for line in lines[start + 2 : start + 2 + len(PHASES)]:
        name, *cells = re.split(r"\s+", line)
        table.update({(name, column): cell for column, cell in zip(columns, cells, strict=True)})
    return table


def test_the_printed_table_is_whole() -> None:
    assert set(documented()) == {(phase.name, event.name) for phase, event in CELLS}


@pytest.mark.parametrize(("phase", "event"), CELLS, ids=lambda each: each.name)
def test_every_cell_is_as_printed(phase: Phase, event: Event) -> None:
    printed = documented()[phase.name, event.name]
    if printed == "-":
        with pytest.raises(ValueError):
            advance(phase, event)
    else:
        assert advance(phase, event) is Phase[printed]


@pytest.mark.parametrize("event", Event, ids=lambda each: each.name)
def test_what_is_gone_stays_gone(event: Event) -> None:
    with pytest.raises(ValueError, match="gone"):
        advance(Phase.GONE, event)


def test_the_table_has_nothing_that_is_not_printed() -> None:
    printed = {cell for cell, after in documented().items() if after != "-"}
    assert {(phase.name, event.name) for phase, event in TABLE} == printed


def test_only_an_active_session_encrypts() -> None:
    able = {phase for phase, event in TABLE if event is Event.ENCRYPT}
    assert able == {Phase.INITIATED, Phase.ESTABLISHED}
    assert {TABLE[phase, Event.ENCRYPT] for phase in able} == able

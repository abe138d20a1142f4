"""Reading the names of a group's members from the group's shelf, when they are needed. [GRP-50]

Not here: which are needed, and what becomes of them (_group_names.py).
"""

from typing import Final

from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import MAX_SHELF_PARCELS
from letterlock._wire.relay_shelf import ShelfAnswer, ShelfName, ShelfRequest
from letterlock.client._errors import RelayMisbehaves, RelayRefused
from letterlock.client._office import Office

_MAX_PAGES: Final = 16
"""Pages of a shelf that are read at a time. Whoever knows the id of a group can fill a part of its shelf."""


async def read_names(office: Office) -> None:
    """Read the lists of all groups in which names are needed. Raises what calls raise."""
    names = office.groups.names
    for group in await office.run(names.due):
        await _read(office, group)
    if await office.run(names.pop_told):
        office.shelf_wake.set()


async def _read(office: Office, group: bytes) -> None:
    names, shelf = office.groups.names, ShelfName.of_collection(group)
    after = await office.run(names.begin, group)
    for _ in range(_MAX_PAGES):
        try:
            answer = await office.call(ShelfRequest(shelf, after, MAX_SHELF_PARCELS), ShelfAnswer)
        except RelayRefused as refused:
            if refused.code is not RelayCode.UNKNOWN:
                raise
            return  # the relay has lost the log
        if not answer.parcels:
            return
        if answer.parcels[0][0] <= after:
            raise RelayMisbehaves("shows parcels that were not asked for")
        after = answer.parcels[-1][0]
        await office.run(names.take, group, [data for _, data in answer.parcels])
        office.fetcher_wake.set()
    await office.run(names.go_on_after, group, after)

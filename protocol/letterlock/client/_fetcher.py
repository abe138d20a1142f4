"""The fetcher: meets needs, of device lists and of prekey bundles.

Whatever the relay answers goes through the user, who verifies it. A lie changes nothing but the time of the
next question, which comes later each time.                                                          [CLN-5]

    lists that do not fit those on record      the whole chain is asked for: it may be a fork, which is kept
                                               as evidence
    no bundle, or a wrong one                  asked for again later
    a stale claim                              the lists are fetched first

Several names are asked about at once, and what is shown of them is learned in one commit. A client that dies
before that still has the needs.

Not here: what a need is (user/), when lists are asked for again (_queue.py).
"""

from collections.abc import Iterable, Sequence
from typing import Final

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.device_list import DeviceList
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import RELAY_ID_BYTES
from letterlock._wire.relay_lists import ListsAnswer, ListsRequest
from letterlock._wire.relay_prekeys import ClaimAnswer, ClaimRequest
from letterlock.client._errors import RelayMisbehaves, RelayRefused
from letterlock.client._events import RelayEventKind
from letterlock.client._office import Office
from letterlock.client._pace import together, woken
from letterlock.errors import PeerError, TrustError, UsageError
from letterlock.limits import MAX_DEVICES, MAX_EVIDENCE_LISTS
from letterlock.user import ContactFrozen, Need, NeedKind

_BATCH: Final = 64
AT_ONCE: Final = 8
"""Names that are asked about at the same time. A group of 1,000 needs the lists and bundles of them all."""
_IDLE: Final = 3600.0
_LEAST_IDLE: Final = 0.1
_MAX_CLAIMS: Final = 256


class Fetcher:
    """One client's task that asks for lists and bundles."""

    __slots__ = ("_claims", "_office")

    def __init__(self, office: Office) -> None:
        self._office = office
        self._claims: dict[tuple[str, tuple[int, ...]], bytes] = {}

    async def step(self) -> None:
        """Meet the needs that there are, or wait until there are some."""
        office = self._office
        needs = await office.run(office.queue.needs.due, _BATCH)
        if not needs:
            due = await office.run(office.queue.needs.next_due)
            idle = _IDLE if due is None else min(max(office.pace.scale * due, _LEAST_IDLE), _IDLE)
            await woken(office.fetcher_wake, idle)
            return
        lists = [each for each in needs if each.kind is NeedKind.LISTS]
        for at in range(0, len(lists), AT_ONCE):
            await self._meet_lists(lists[at : at + AT_ONCE])
        bundles: dict[str, list[int]] = {}
        for need in needs:
            if need.kind is NeedKind.BUNDLE:
                bundles.setdefault(need.name, []).append(need.device or 0)
        names = list(bundles)
        for at in range(0, len(names), AT_ONCE):
            await together(self._meet_bundles(name, bundles[name]) for name in names[at : at + AT_ONCE])
        office.wake_all()

    # --- lists ----------------------------------------------------------------------------------------

    async def _meet_lists(self, needs: Sequence[Need]) -> None:
        wrong = await self.refresh_all([each.name for each in needs])
        for need in needs:
            match wrong.get(need.name):
                case None:
                    pass
                case RelayMisbehaves():
                    self._office.tell(RelayEventKind.MISBEHAVES, need.name)
                    await self._unmet([need])
                case RelayRefused() as refused:
                    await self._refused(refused, need.name, [need])

    async def refresh(self, name: str, *, whole: bool = False) -> None:
        """Ask for the newer lists of a name, or for all of them, and learn them.

        Raises RelayMisbehaves for lists that are wrong, and what calls raise.
        """
        after = 0 if whole else await self._office.run(self._office.queue.known_version, name)
        await self._learn(name, after, await self._lists(name, after))
        await self._note_learned()

    async def refresh_all(self, names: Sequence[str]) -> dict[str, RelayMisbehaves | RelayRefused]:
        """Do the same for a few names at once. Return what was wrong, by names.

        What the relay shows of them is learned in one commit, unless some of it is wrong. Raises what calls
        raise, except these two.
        """
        office, queue = self._office, self._office.queue
        wrong: dict[str, RelayMisbehaves | RelayRefused] = {}
        shown: dict[str, tuple[int, list[DeviceList]]] = {}

        async def ask(name: str, after: int) -> None:
            try:
                shown[name] = after, await self._lists(name, after)
            except (RelayMisbehaves, RelayRefused) as error:
                wrong[name] = error

        known = await office.run(lambda: {name: queue.known_version(name) for name in names})
        await together(ask(name, after) for name, after in known.items())
        try:
            await office.run(lambda: [queue.learn(name, lists) for name, (_, lists) in shown.items()])
        except (PeerError, TrustError, UsageError):  # and nothing was learned
            for name, (after, lists) in shown.items():
                try:
                    await self._learn(name, after, lists)
                except (RelayMisbehaves, RelayRefused) as error:
                    wrong[name] = error
        if len(wrong) < len(known):
            await self._note_learned()
        return wrong

    async def _learn(self, name: str, after: int, lists: Sequence[DeviceList]) -> None:
        """Learn lists after a version, or else the whole chain. Raises RelayMisbehaves, what calls raise."""
        office, queue = self._office, self._office.queue
        try:
            await office.run(queue.learn, name, lists)
        except ContactFrozen:
            await office.run(queue.needs.met, Need(NeedKind.LISTS, name))
        except (PeerError, TrustError, UsageError):
            if after == 0:
                raise RelayMisbehaves("shows device lists that are wrong") from None
            await self._learn(name, 0, await self._lists(name, 0))

    async def _note_learned(self) -> None:
        office = self._office
        office.note_learned()
        if await office.run(office.documents.rows.held.count):
            office.shelf_wake.set()

    async def look(self, name: str) -> None:
        """Learn newer lists of a name, if there are any. Nobody is woken for a list that is known."""
        if await self._lists(name, await self._office.run(self._office.queue.known_version, name)):
            await self.refresh(name)

    async def _lists(self, name: str, after: int) -> list[DeviceList]:
        """Return the lists that the relay shows after a version. Raises what calls raise."""
        lists: list[DeviceList] = []
        while len(lists) < MAX_EVIDENCE_LISTS:
            answer = await self._office.call(ListsRequest(name, after + len(lists)), ListsAnswer)
            try:
                lists += map(DeviceList.decode, answer.lists)
            except PeerError:
                raise RelayMisbehaves("shows device lists that cannot be read") from None
            if answer.version < after:
                raise RelayMisbehaves("shows an older device list than before")
            if answer.version <= after + len(lists):
                return lists
            if not answer.lists:
                raise RelayMisbehaves("names a device list that it does not show")
        raise RelayMisbehaves("shows more device lists than there can be")

    # --- bundles --------------------------------------------------------------------------------------

    async def _meet_bundles(self, name: str, devices: Sequence[int]) -> None:
        for at in range(0, len(devices), MAX_DEVICES):
            await self._meet_some_bundles(name, tuple(devices[at : at + MAX_DEVICES]))

    async def _meet_some_bundles(self, name: str, devices: tuple[int, ...]) -> None:
        office = self._office
        needs = [Need(NeedKind.BUNDLE, name, each) for each in devices]
        head = await office.run(office.queue.head, name)
        if head is None:  # no lists yet, or a conflict
            await self._unmet(needs)
            return
        listed = await office.run(office.queue.listed, name)
        for need in needs:
            if need.device not in listed:
                await office.run(office.queue.needs.met, need)
        asked = tuple(each for each in devices if each in listed)
        if asked:
            await self._claim(name, asked, head)

    async def _claim(self, name: str, devices: tuple[int, ...], head: tuple[int, bytes]) -> None:
        id_ = self._claims.setdefault((name, devices), system_entropy(RELAY_ID_BYTES))
        needs = [Need(NeedKind.BUNDLE, name, each) for each in devices]
        try:
            answer = await self._office.call(ClaimRequest(id_, name, *head, devices), ClaimAnswer)
        except RelayMisbehaves:
            self._office.tell(RelayEventKind.MISBEHAVES, name)
            await self._unmet(needs)
            return
        except RelayRefused as refused:
            await self._refused(refused, name, needs, known=head[0])
            return
        self._claims.pop((name, devices), None)
        bundles = (*answer.bundles, *(None for _ in devices))  # a relay may answer with too few
        for need, bundle in zip(needs, bundles, strict=False):
            await self._begin(need, bundle)

    async def _begin(self, need: Need, bundle: bytes | None) -> None:
        office = self._office
        if bundle is None:
            await self._unmet([need])
            return
        try:
            address = Address(need.name, need.device or 0)
            await office.run(office.queue.begin, address, PrekeyBundle.decode(bundle))
        except ContactFrozen:
            await self._unmet([need])
        except (PeerError, TrustError):
            office.tell(RelayEventKind.MISBEHAVES, need.name, need.device)
            await self._unmet([need])
        except UsageError:  # the device is no longer listed, or this one was revoked
            await office.run(office.queue.needs.met, need)
        office.sender_wake.set()

    # --- what cannot be met now -------------------------------------------------------------------------

    async def _refused(
        self, refused: RelayRefused, name: str, needs: Iterable[Need], known: int | None = None
    ) -> None:
        if len(self._claims) > _MAX_CLAIMS:
            self._claims.clear()
        match refused.code:
            case RelayCode.STALE if known is not None:
                await self.refresh(name, whole=refused.number <= known)
                if await self._office.run(self._office.queue.known_version, name) > known:
                    return
                self._office.tell(RelayEventKind.MISBEHAVES, name)
            case RelayCode.UNKNOWN:
                self._office.tell(RelayEventKind.UNKNOWN_USER, name)
                if known is None:
                    await self._office.run(self._office.queue.needs.unknown, name)
                    return
            case RelayCode.SLOW_DOWN:
                self._office.tell(RelayEventKind.SLOWED, name)
            case _:
                self._office.tell(RelayEventKind.MISBEHAVES, name)
        await self._unmet(needs, refused.number if refused.code is RelayCode.SLOW_DOWN else 0)

    async def _unmet(self, needs: Iterable[Need], least: int = 0) -> None:
        """Meet needs later."""
        for need in needs:
            await self._office.run(self._office.queue.needs.unmet, need, least)

"""An exchange: what one command of a user fetches from the folder and leaves there.

    learn      device lists under a name
    collect    what a call of the user returned: messages are recorded, needs are noted
    meet       fetch what is needed, as long as that leads to anything new
    post       write the recorded messages

Each call of the user and what it has to send are one transaction. What cannot be met is no error: a later
command meets it.

Not here: the files (_folder.py), the table of outgoing messages (_user_profile.py).
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock.cli._error_report import NotPosted
from letterlock.cli._folder import Folder
from letterlock.cli._user_profile import UserProfile, find_contact
from letterlock.errors import PeerError, TrustError, UsageError
from letterlock.user import (
    ContactFrozen,
    DeviceList,
    Event,
    InvalidDeviceList,
    ListsLearned,
    Need,
    NeedKind,
    Outgoing,
)

_MAX_STRANGERS: Final = 20
"""New names that one command looks at. Whoever fills the folder with messages of people who do not exist may
not fill the list of contacts at once."""


class Exchange:
    """What one command does with the exchange folder. It gathers what there is to report."""

    def __init__(self, profile: UserProfile, folder: Folder) -> None:
        self.user = profile.user
        self.events: list[Event] = []
        self.waiting: list[Need] = []
        self.problems: list[str] = []
        self.recorded: list[Address] = []
        self._outgoing = profile.outgoing
        self._folder = folder
        self._failure: OSError | None = None
        self._strangers = 0
        self._needs: deque[Need] = deque()
        self._seen: set[Need] = set()

    # --- what a call returned ---------------------------------------------------------------------

    def record(self, outgoing: Iterable[Outgoing]) -> None:
        """Record what is to be sent. Call it in the transaction that encrypted it."""
        outgoing = tuple(outgoing)
        self._outgoing.add(outgoing)
        self.recorded += (each.address for each in outgoing)

    def note(self, events: Iterable[Event] = (), needs: Iterable[Need] = ()) -> None:
        """Note what happened and what is needed, after the commit."""
        self.events += (each for each in events if each not in self.events)
        self._needs += (each for each in needs if each not in self._seen)
        self._seen |= set(needs)

    def post(self) -> None:
        """Write every recorded message to the folder. What cannot be written stays recorded."""
        self._failure = self._outgoing.post(self._folder)

    def require_posted(self) -> None:
        """Raise NotPosted if the last `post` left something, once the result of the command was printed."""
        if self._failure is not None:
            raise NotPosted(self._failure)

    # --- what this device gives -------------------------------------------------------------------

    def publish_lists(self) -> int:
        """Write every version of this user's device list, and return how many there are.

        If another device of the user was faster, its version counts, and what this one revoked is revoked
        again. Raises TrustError if the folder has another version in the place of one that others know.
        """
        if self._put_lists() is not None:
            self._learn_own()
        version = self._put_lists()
        if version is not None:
            raise TrustError(
                f"the folder has another version {version} of your device list: if no other device of "
                "yours made it, remove that file, then repeat the command"
            )
        self._learn_own()
        return len(self.user.device_lists())

    def _put_lists(self) -> int | None:
        """Write every version; return the first one in whose place the folder has another."""
        for each in self.user.device_lists():
            version = each.snapshot.version
            if not self._folder.put_list(self.user.name, version, each.encode()):
                return version
        return None

    def _learn_own(self) -> None:
        """Learn what the folder has under the user's own name: others may then know it."""
        try:
            self._learn(self.user.name, self._folder.lists(self.user.name, 1))
        except (PeerError, TrustError) as error:
            self.problems.append(f"the folder shows wrong device lists of {self.user.name}: {error}")

    def publish_bundles(self, wanted: int, *, rotate: bool = False) -> int:
        """Fill the folder up to so many single-use bundles of this device; return how many are new."""
        user = self.user
        with user.transaction():
            publication = user.publish(0, rotate=rotate)
            there = self._folder.bundle_count(user.address, publication.signed.id)
            if there < wanted:
                publication = user.publish(wanted - there)
        bundles = [
            (each.one_time.id if each.one_time else 0, each.encode()) for each in publication.bundles()
        ]
        last_resort = publication.last_resort_bundle().encode()
        self._folder.put_bundles(user.address, publication.signed.id, bundles, last_resort)
        return len(bundles)

    # --- what the folder has ----------------------------------------------------------------------

    def meet(self) -> bool:
        """Fetch what is needed. Return whether anything was found."""
        found = False
        while self._needs:
            need = self._needs.popleft()
            met = self._meet_lists(need) if need.kind is NeedKind.LISTS else self._meet_bundle(need)
            found |= met
            if not met:
                self.waiting.append(need)
        return found

    def refresh(self, name: str) -> bool:
        """Learn the newest device lists under a name, if there are any. Return whether there were.

        Lists that are wrong become a problem to report; those on record stay in force.
        """
        try:
            return self.learn(name) is not None
        except ContactFrozen:
            return True
        except (PeerError, TrustError) as error:
            self.problems.append(f"the folder shows wrong device lists of {name}: {error}")
            return True

    def learn(self, name: str) -> ListsLearned | None:
        """Learn the device lists under a name. Return None if the folder has none, or no later ones.

        It returns None also for another new name, once it has seen 20 of them. Raises ContactFrozen,
        PeerError, TrustError for lists that are wrong, UsageError for a name that the folder cannot have.
        """
        known = self._known_version(name)
        if not known and self._strangers == _MAX_STRANGERS:
            return None
        lists = self._folder.lists(name, max(known, 1))
        if not lists:
            return None
        self._strangers += not known
        try:
            return self._learn(name, lists)
        except (InvalidDeviceList, UsageError):
            if known <= 1:
                raise
        # They do not connect to what is on record, or nothing is on record but a hash. So look at all.
        return self._learn(name, self._folder.lists(name, 1))

    def _learn(self, name: str, lists: list[bytes]) -> ListsLearned:
        decoded = [DeviceList.decode(each) for each in lists]
        with self.user.transaction():
            learned = self.user.learn(name, decoded)
            self.record(learned.outgoing)
        self.note(learned.events, learned.needs)
        return learned

    def _known_version(self, name: str) -> int:
        if name == self.user.name:
            return len(self.user.device_lists())
        contact = find_contact(self.user, name)
        return 0 if contact is None else contact.version

    def _meet_lists(self, need: Need) -> bool:
        return self.refresh(need.name)

    def _meet_bundle(self, need: Need) -> bool:
        for data in self._folder.take_bundle(need.address):
            try:
                self._begin(need.address, PrekeyBundle.decode(data))
            except (PeerError, TrustError, UsageError) as error:
                self.problems.append(f"a prekey bundle of {need.address} in the folder is of no use: {error}")
            else:
                return True
        return False

    def _begin(self, address: Address, bundle: PrekeyBundle) -> None:
        with self.user.transaction():
            self.record(self.user.begin(address, bundle).outgoing)

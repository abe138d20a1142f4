"""user.*, new_device.*: live users with fresh randomness, so that two implementations can link devices.

    user.create  ->  user.offer  ->  user.take_answer  ->  user.confirm
    new_device.begin  ->  new_device.take_offer  ->  new_device.take_package: from then on a user

Not here: messages between users; anything that could be recorded.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass
from letterlock._wire.linking import LinkingCode
from letterlock.errors import UsageError
from letterlock.stores._memory import MemoryStore
from letterlock.user import Link, NewDevice, User
from letterlock_vectors.inputs import Input, Operation, Output, unhex

MAX_USERS: Final = 64

T = TypeVar("T")


class LiveUsers(Uncopyable):
    """Devices by the name that the asker chose, 64 at most. A name used again is a new device."""

    __slots__ = ("_links", "_new", "_users")

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._new: dict[str, NewDevice] = {}
        self._links: dict[str, Link] = {}

    def operations(self) -> Mapping[str, Operation]:
        """Return the operations on these devices, by name."""
        return {
            "user.create": self.create,
            "user.lists": self.lists,
            "user.learn": self.learn,
            "user.contacts": self.contacts,
            "user.offer": self.offer,
            "user.take_answer": self.take_answer,
            "user.confirm": self.confirm,
            "new_device.begin": self.begin,
            "new_device.take_offer": self.take_offer,
            "new_device.take_package": self.take_package,
        }

    def create(self, given: Input) -> Output:
        """Create a user with one device. Raises UsageError for a 65th party."""
        party = self._room(given)
        user = self._users[party] = User.create(MemoryStore(), given.text("name"))
        return {"user_id": user.user_id.hex()}

    def lists(self, given: Input) -> Output:
        """Return all versions of the user's device list."""
        return {"lists": [each.encode().hex() for each in self.user(given).device_lists()]}

    def learn(self, given: Input) -> Output:
        """Take the device lists of a contact."""
        lists = [DeviceList.decode(unhex(each, "lists")) for each in given.items("lists")]
        self.user(given).learn(given.text("name"), lists)
        return {}

    def contacts(self, given: Input) -> Output:
        """Return what the device knows of each contact."""
        known = self.user(given).contacts()
        return {
            "contacts": [
                {"name": each.name, "user_id": each.user_id.hex(), "version": each.version} for each in known
            ]
        }

    # --- linking --------------------------------------------------------------------------------

    def offer(self, given: Input) -> Output:
        """Begin to link a device."""
        code = LinkingCode.from_text(given.text("text"))
        link = self.user(given).link(code, given.hex("bundle"), DeviceClass(given.number("class")))
        self._links[given.text("party")] = link
        return {"sealed_offer": link.offer.hex(), "id": link.device_id}

    def take_answer(self, given: Input) -> Output:
        """Take the new device's answer."""
        link = _of(self._links, given)
        link.receive(given.hex("answer"))
        return {"digits": link.digits}

    def confirm(self, given: Input) -> Output:
        """Sign the device list, once the digits were compared."""
        confirmed = _of(self._links, given).confirm()
        return {"list": confirmed.device_list.encode().hex(), "sealed_package": confirmed.package.hex()}

    def begin(self, given: Input) -> Output:
        """Make the keys and the code of a new device."""
        party = self._room(given)
        new = self._new[party] = NewDevice.begin(MemoryStore(), given.text("place"))
        return {"text": new.code.text(), "bundle": new.bundle.hex()}

    def take_offer(self, given: Input) -> Output:
        """Take an offer on the new device."""
        new = _of(self._new, given)
        answer = new.receive_offer(given.hex("sealed_offer"))
        return {"answer": answer.hex(), "digits": new.digits}

    def take_package(self, given: Input) -> Output:
        """Become a device of the user."""
        user = _of(self._new, given).receive_package(given.hex("sealed_package"))
        self._users[given.text("party")] = user
        name, id_ = user.address.name, user.address.device_id
        return {"name": name, "id": id_, "user_id": user.user_id.hex()}

    def user(self, given: Input) -> User:
        """Return the user of `party`. Raises UsageError if there is none."""
        return _of(self._users, given)

    def keep(self, given: Input, user: User) -> None:
        """Keep a user under the name of `party`, which is used again or new."""
        self._users[self._room(given)] = user

    def _room(self, given: Input) -> str:
        party, taken = given.text("party"), self._users.keys() | self._new.keys()
        if party not in taken and len(taken) >= MAX_USERS:
            raise UsageError(f"there are {MAX_USERS} parties already: use their names again")
        for table in (self._users, self._new, self._links):
            table.pop(party, None)
        return party


def _of(table: Mapping[str, T], given: Input) -> T:
    found = table.get(given.text("party"))
    if found is None:
        raise UsageError("there is no party with this name in this place: begin with it first")
    return found

"""One linking between two devices with stores, over bytes and step by step."""

from typing import Any

from letterlock import MemoryStore, Store
from letterlock.stores import EntryKind
from letterlock.user import (
    DeviceClass,
    Link,
    LinkConfirmed,
    NewDevice,
    User,
)
from support.user_devices import Clock, World, own_record, world

FULL, LIMITED = DeviceClass.FULL, DeviceClass.LIMITED


class Linking:
    """One linking of a new device, step by step."""

    def __init__(
        self, old: User, clock: Clock, device_class: DeviceClass = FULL, store: Store | None = None
    ) -> None:
        self.old, self.clock, self.device_class = old, clock, device_class
        self.store = store or MemoryStore()
        self.new = NewDevice.begin(self.store, "here", clock=clock)

    def begin(self) -> Link:
        self.link = self.old.link(self.new.code, self.new.bundle, self.device_class)
        return self.link

    def answer(self) -> None:
        self.begin().receive(self.new.receive_offer(self.link.offer))

    def confirm(self) -> LinkConfirmed:
        self.answer()
        assert self.link.digits == self.new.digits
        self.confirmed = self.link.confirm()
        self.told = self.old.learn(self.old.name, [self.confirmed.device_list])  # the directory took it
        return self.confirmed

    def finish(self) -> User:
        return self.new.receive_package(self.confirm().package)


def linkings(user: User) -> int:
    with user.transaction():
        return user._desk.book.store.tables.entries.count(EntryKind.LINKING)


def versions(user: User) -> int:
    return own_record(user).pin.version


def begun(alices: int = 1, **options: Any) -> tuple[World, Linking]:
    made = world(alices)
    return made, Linking(made.alice.first, made.clock, **options)

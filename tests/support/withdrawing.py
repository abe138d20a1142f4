"""Two devices of one user that change the device list at the same time."""

from collections.abc import Sequence

from letterlock.user import (
    DeviceClass,
    DeviceList,
    EventKind,
    ListsLearned,
    Need,
    NeedKind,
    User,
)
from support.linkings import Linking
from support.user_devices import World, own_record


def events(found: ListsLearned) -> list[tuple[EventKind, int | None]]:
    return [(each.kind, each.device) for each in found.events]


def signed(made: World, signer: int, target: int) -> DeviceList:
    """Let a device revoke another one; nobody is shown the version."""
    return made.alice.devices[signer].revoke(target).device_list


def taken(made: World, user: User, *lists: DeviceList) -> ListsLearned:
    """Let the directory take lists and show them to a device of Alice's, whose messages are delivered."""
    made.alice.lists.extend(each for each in lists if each not in made.alice.lists)
    learned = user.learn("alice", made.alice.lists[own_record(user).shown :])
    made.servers.carry(user, learned.outgoing)
    return learned


def overtaken(made: World, first: DeviceList) -> ListsLearned:
    """Let the directory take another device's version, and refuse the first device's with that one."""
    return taken(made, made.alice.first, first)


def added(made: World, signer: User) -> DeviceList:
    """Return a version of a device that adds another one."""
    link = Linking(signer, made.clock, DeviceClass.LIMITED)
    link.answer()
    return link.link.confirm().device_list


def lists_needed(needs: Sequence[Need]) -> list[tuple[str, int | None]]:
    return [(each.name, each.after) for each in needs if each.kind is NeedKind.LISTS]

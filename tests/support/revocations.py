"""Worlds in which a device is revoked, and what each device knows of it afterwards."""

from dataclasses import replace

from letterlock.user import (
    DeviceClass,
    Revoked,
    User,
)
from support.user_devices import World, own_record, world

FULL, LIMITED = DeviceClass.FULL, DeviceClass.LIMITED


def talking(alices: int = 3, bobs: int = 1) -> World:
    """Return a world in which every device of Alice's has a session with every other one, and with Bob."""
    made = world(alices, bobs)
    for user in made.alice.devices.values():
        made.servers.send(user, "alice", b"to my others")
        made.servers.send(user, "bob", b"to bob")
    made.servers.send(made.bob.first, "alice", b"answer")
    made.servers.read.clear()
    return made


def revoked(made: World, device_id: int, signer: int = 1) -> Revoked:
    """Let a device revoke another one, and publish the list. Nothing is delivered."""
    device = made.alice.devices[signer]
    result = device.revoke(device_id)
    made.alice.lists.append(result.device_list)
    learned = device.learn("alice", [result.device_list])  # the directory took it
    return replace(result, outgoing=result.outgoing + learned.outgoing, needs=learned.needs)


def seeds(user: User) -> dict[int, bytes]:
    return {generation: seed.expose() for generation, seed in own_record(user).seeds}


def version(user: User) -> int:
    return own_record(user).pin.version

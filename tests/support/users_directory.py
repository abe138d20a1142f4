"""A directory and a prekey server that lie, in the model of users.

    true       what an honest directory shows
    lie        withheld versions, old lists, nothing, forks, other people's lists, lists that nobody signed

A lie needs no key, or the key of a device that was stolen. `thief_signs` makes such lists.

Not here: what a process must make of it (users_world.py).
"""

import random
from dataclasses import dataclass, field, replace
from typing import Final

from letterlock.user import DeviceClass, DeviceList
from letterlock.user._rules import may_revoke
from support.users_people import Chain, Copy, Owner, adding, revoking
from support.users_world import World

LIES: Final = (
    "withheld", "old", "nothing", "fork", "stranger", "other person", "unsigned", "unlawful", "gap",
)  # fmt: skip


@dataclass
class Directory:
    """Answers what a process asks. `stranger` is a person whom nobody knows, and who works for it."""

    world: World
    stranger: Owner
    rng: random.Random
    forks: dict[str, list[Chain]] = field(default_factory=dict)
    unlawful: dict[str, list[Chain]] = field(default_factory=dict)

    def true(self, name: str, after: int) -> Chain:
        """Return what an honest directory answers."""
        return self.world.people[name].chain[after:]

    def lie(self, name: str, after: int) -> Chain:
        """Return one of the lies."""
        chain, kind = self.world.people[name].chain, self.rng.choice(LIES)
        until, start = self.rng.randrange(len(chain)) + 1, self.rng.choice((0, after))
        other = self.rng.choice(list(self.world.people.values()))
        lies: dict[str, Chain] = {
            "withheld": chain[after:until],
            "old": chain[:until],
            "nothing": (),
            "fork": self.rng.choice(self.forks.get(name, [()]))[start:],
            "stranger": self.stranger.chain[start:],
            "other person": other.chain[start:],
            "unsigned": (*chain[after:], self.unsigned(chain[-1])),
            "unlawful": self.rng.choice(self.unlawful.get(name, [()]))[start:],
            "gap": chain[after + 1 :],
        }
        return lies[kind]

    def unsigned(self, newest: DeviceList) -> DeviceList:
        """Return the next version, with a device of the stranger's, and signatures of the one before."""
        old = newest.snapshot
        device = replace(
            self.stranger.chain[0].snapshot.devices[0], id=old.version + 1, added=old.version + 1
        )
        snapshot = replace(
            old, version=old.version + 1, previous=newest.hash, devices=(*old.devices, device),
            user_id=old.user_id or newest.hash,
        )  # fmt: skip
        return replace(newest, snapshot=snapshot)

    # --- what a thief signs -----------------------------------------------------------------------

    def thief_signs(self, thief: Copy) -> None:
        """Let a thief sign a version: a lawful one becomes a fork, or is published; any other is a lie."""
        name, own_id = thief.address.name, thief.address.device_id
        owner, rng = self.world.people[name], self.rng
        chain = thief.own.chain if rng.random() < 0.5 else owner.chain
        signer = chain[-1].snapshot.device(own_id)
        if signer is None:
            return
        targets = [each for each in chain[-1].snapshot.devices if each.id != own_id]
        if targets and rng.random() < 0.6:
            target = rng.choice(targets)
            signed = revoking(chain, thief, thief.entropy, target.id)
            lawful = may_revoke(signer, target)
        else:
            signed, _ = adding(chain, thief, thief.entropy)
            lawful = True
        whole = (*chain, signed)
        if lawful:
            self.world.are_lawful(signed)
        (self.forks if lawful else self.unlawful).setdefault(name, []).append(whole)


def oldest_full(owner: Owner) -> list[Copy]:
    """Return the listed devices that may sign, the oldest first."""
    devices = owner.chain[-1].snapshot.devices
    return [
        owner.devices[each.id]
        for each in devices
        if each.device_class == DeviceClass.FULL and each.id in owner.devices
    ]

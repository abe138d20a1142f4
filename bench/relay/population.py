"""The people of a shard: real device lists and prekeys of some, copied under the names of all the others.

    Template     one person with one or two devices: lists and publications as clients make them
    names        person-0000000, person-0000001, ...; each is a copy of one template
    caller       a device of one of them, with a token made under the relay's own secret

Half of the people have one device and half have two. A mailbox has a random number of messages, whose mean is
MAIL. A relay verified nothing of this: it is stored as a relay would have stored it.

Not here: storing it (shard.py).
"""

import os
import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from callers import Caller

from letterlock import MemoryStore
from letterlock._wire.relay_login import account_key
from letterlock.relay._session import Seals
from letterlock.relay._store import Deliver, Head, Mail, Page
from letterlock.relay._verification import head_of, verify_upload
from letterlock.user import NewDevice, User

DEVICES_A_PERSON: Final = 1.5
PAIRS: Final = 8
"""Single-use bundles in a device's stock."""

MAIL: Final = 20 / 3
"""Messages in a mailbox, in the mean: two copies a person and day, which stay for five days."""

MESSAGE: Final = 1024


@dataclass(frozen=True, slots=True)
class Template:
    """What a relay has of one person: the newest head, all lists, and a page of prekeys for each device."""

    head: Head
    lists: tuple[bytes, ...]
    pages: tuple[Page, ...]


def make_template(name: str, devices: int, pairs: int = PAIRS) -> Template:
    """Return a person whose keys were made here."""
    users = [User.create(MemoryStore(), name)]
    while len(users) < devices:
        users.append(_link(users[0]))
    lists = users[0].device_lists()
    head = head_of(lists[-1], users[0].user_id)
    pages = []
    for user in users:
        listed = head.device(user.address.device_id)
        if listed is None:
            raise ValueError(f"{user.address} is not in the newest list")
        pages.append(verify_upload(user.publish(pairs).encode(), 1, user.address, listed))
    return Template(head, tuple(each.encode() for each in lists), tuple(pages))


def _link(first: User) -> User:
    """Add a device to a person."""
    new = NewDevice.begin(MemoryStore())
    link = first.link(new.code, new.bundle)
    link.receive(new.receive_offer(link.offer))
    confirmed = link.confirm()
    first.learn(first.name, first.device_lists())  # the directory took it
    return new.receive_package(confirmed.package)


def templates(path: Path, count: int) -> list[Template]:
    """Return the templates that a file has, or make an even number of them and write it."""
    if not path.exists():
        made = [make_template(f"template-{at}", 1 + at % 2) for at in range(count + count % 2)]
        path.write_bytes(pickle.dumps(made))
    found: list[Template] = pickle.loads(path.read_bytes())
    return found


def name(at: int) -> str:
    """Return the name of a person by its number."""
    return f"person-{at:07}"


def mail(at: int, template: Template, now: int) -> list[Deliver]:
    """Return what waits for the devices of a person: each send brings at most one message to each of them."""
    draw = Random(at)
    counts = [int(draw.expovariate(1 / (MAIL + 0.5))) for _ in template.head.devices]
    sends = []
    for send in range(max(counts)):
        sender = name(draw.randrange(at + 1)), 1
        messages = tuple(
            Mail(device.device, os.urandom(16), now - draw.randrange(864_000), sender, os.urandom(MESSAGE))
            for device, count in zip(template.head.devices, counts, strict=True)
            if send < count
        )
        sends.append(Deliver(template.head.version, template.head.hash[:8], messages, 1000, 2**26))
    return sends


def caller(seals: Seals, every: Sequence[Template], at: int, device: int) -> Caller:
    """Return a device of a person, by their numbers: the second device of many people is their first one."""
    head = every[at % len(every)].head
    listed = head.devices[device % len(head.devices)]
    token = seals.token(name(at), listed, head.user_id, int(time.time()))
    return Caller(name(at), token, head.hash[:8], version=head.version, device=listed.device)


def account(at: int) -> bytes:
    """Return the key of a person's account."""
    return account_key(name(at))

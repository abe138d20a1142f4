"""Document seeds between the devices of one user, over their sessions.

    send_seed      to every other device that may read documents; one without a session gets it later
    take_seed      kept if it is the seed of the document key that a device list gives            [USR-48]
    settled        a seed that came before its device list, once that list is there

Every function runs inside the caller's transaction. Not here: how seeds follow from each other
(_document_seeds.py); what a new device is given when it is linked (_link.py).
"""

from collections.abc import Sequence
from dataclasses import replace

from letterlock._records.sent import SentPlace, SentRecord
from letterlock._records.user import UserRecord
from letterlock._wire.address import Address
from letterlock._wire.content import Content, ContentKind, message_tag
from letterlock._wire.content_bodies import NewSeed
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import Snapshot
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_SEEDS_AHEAD, MESSAGE_ID_BYTES
from letterlock.user._book import device_of, shown_head
from letterlock.user._desk import Desk, Findings
from letterlock.user._document_seeds import Seeds, document_key_pair
from letterlock.user._outbox import place
from letterlock.user._renewal import is_marked
from letterlock.user._rules import rights
from letterlock.user._values import Outgoing
from letterlock.user._waiting import own_others


def send_seed(desk: Desk, own: UserRecord, new: NewSeed, findings: Findings) -> None:
    """Seal a seed for every other device that may read documents, and keep it until they acknowledged it."""
    head, id_, now = shown_head(own), desk.environment.entropy(MESSAGE_ID_BYTES), desk.now()
    content = Content(ContentKind.DOCUMENT_SEED, id_, now, head, head, new.encode())
    places: list[SentPlace] = []
    for address in own_others(desk, own):
        if not reads_documents(own, address.device_id):
            continue
        message = None if is_marked(desk, address) else desk.seal(address, content.encode())
        if message is None:
            findings.need_bundle(address.name, address.device_id)
        else:
            findings.outgoing.append(Outgoing(address, message))
        places.append(place(address, None if message is None else message_tag(message)))
    if places:
        desk.outbox.add(SentRecord(desk.name, content, tuple(places)), now)


def take_seed(desk: Desk, address: Address, content: Content) -> None:
    """Keep the seed that another device of this user sent. Raises MalformedMessage. [USR-48]"""
    new, own = NewSeed.decode(content.body), desk.book.own()
    if device_of(own.pin, desk.device_id) is None:  # it was under way when this device was revoked
        return
    if not (reads_documents(own, address.device_id) and reads_documents(own, desk.device_id)):
        raise MalformedMessage("a device that reads no documents has nothing to do with seeds: discard it")
    if new.generation > generation_of(own.pin.snapshot) + MAX_SEEDS_AHEAD:
        raise MalformedMessage("a document seed of a generation that is too far ahead: discard it")
    seeds = settled(with_seed(own.seeds, new), desk.book.lists(desk.name, own.pin))
    if new.generation not in dict(seeds):
        raise MalformedMessage("a document seed is not the one of the listed document key: discard it")
    desk.book.save_own(replace(own, seeds=seeds))


def with_seed(seeds: Seeds, new: NewSeed) -> Seeds:
    """Return seeds with one more, or with another one of its generation."""
    found = dict(seeds) | {new.generation: new.seed}
    return tuple((generation, found[generation]) for generation in sorted(found))


def settled(seeds: Seeds, lists: Sequence[DeviceList]) -> Seeds:
    """Return the seeds without those that are not the document keys of these lists.

    A seed of a generation that the lists do not have stays.
    """
    keys = {each.snapshot.document_key for each in lists}
    public = {each.generation: each.public for each in keys if each is not None}
    return tuple(
        (generation, seed)
        for generation, seed in seeds
        if generation not in public or document_key_pair(seed).public.data == public[generation]
    )


def reads_documents(own: UserRecord, device_id: int) -> bool:
    """Return whether a device of this user may read documents."""
    device = device_of(own.pin, device_id)
    return device is not None and rights(device).reads_documents


def generation_of(snapshot: Snapshot | None) -> int:
    """Return the generation of a list's document key, 0 without one."""
    key = None if snapshot is None else snapshot.document_key
    return 0 if key is None else key.generation

"""What lying members and relays send: letters of any content, and texts of a sender who keeps old keys."""

from letterlock._groups._epoch import EpochName
from letterlock._groups._sending import OwnChain, begin, handed_out, seal_text
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_text import SenderName
from letterlock.groups._desk import GroupDesk, Places, group_desk
from letterlock.user import Incoming, User
from letterlock.user._control import control
from letterlock.user._desk import Findings
from letterlock.user._user import desk_behind
from support.group_town import GroupTown


def desk(user: User) -> GroupDesk:
    """Return the desk of a user's groups, for use inside a transaction of the user."""
    return group_desk(desk_behind(user), user.user_id, Places())


def tell(
    town: GroupTown, sender: tuple[str, int], to: tuple[str, int], kind: ContentKind, body: bytes
) -> Incoming:
    """Let a device send another one a letter, whatever is in it."""
    user, target = town.user(*sender), town.user(*to)
    if user.account.session(target.address) is None:
        town.letters.meet(user, user.send(target.name, b"hello").needs)
    with user.transaction():
        content = control(desk_behind(user), target.address, kind, body)
    return target.receive(user.address, user.account.encrypt(target.address, content.encode()))


def secret_of(town: GroupTown, name: str, group: bytes, epoch: int) -> EpochSecret:
    """Return the secret of an epoch that a device has."""
    user = town.user(name)
    with user.transaction():
        record = desk(user).book.epoch(group, epoch)
    assert record is not None
    assert record.secret is not None
    return record.secret


def chain_of(town: GroupTown, name: str, group: bytes) -> OwnChain:
    """Return the chain of a device."""
    user = town.user(name)
    with user.transaction():
        sending = desk(user).book.sending(group)
    assert sending is not None
    return sending.chain


def chain_letter(town: GroupTown, name: str, group: bytes) -> bytes:
    """Return the letter with a device's chain."""
    return handed_out(chain_of(town, name, group)).encode()


def new_chain(town: GroupTown, name: str, group: bytes, opening: bytes | None = None) -> OwnChain:
    """Return a chain of a device's user in the newest epoch, which its own store knows nothing of."""
    user = town.user(name)
    with user.transaction():
        at = desk(user)
        stand = at.require(group)
        record = at.book.epoch(group, stand.epoch)
    assert record is not None
    epoch = EpochName(group, stand.epoch, opening or record.opening)
    secret = record.secret or EpochSecret(bytes(32))
    return begin(epoch, SenderName(user.user_id, 1), secret, town.clock.now, system_entropy)


def sealed(town: GroupTown, name: str, chain: OwnChain, entry: int, text: bytes = b"forged") -> bytes:
    """Return a text that a chain seals for an entry of the log, without asking whether it may."""
    user = town.user(name)
    with user.transaction():
        at = desk(user)
        (found,) = at.log.entries(chain.epoch.group_id, entry - 1, entry)
    return seal_text(chain, entry, found.hash, (), text, system_entropy).text


def letters(town: GroupTown, name: str) -> Findings:
    """Let a device process its letters, without delivering what it leads to."""
    found, findings = town.at(name).process(), Findings()
    findings.outgoing += found.outgoing
    findings.needs += found.needs
    return findings

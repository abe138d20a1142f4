"""Scenes for group.member: a signed log, device lists, and what devices of members hand out and write.

    scene = Scene(LOG)
    anna = scene.writer(ANNA)
    played(scene, [scene.taken(), scene.secret(ANNA, 1), scene.chain(anna), scene.text(anna, 0)])

Not here: the plays (families/groups/members.py).
"""

import hmac
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from generators.support.collection_logs import ADMIN, CREATE, WRITER, in_order, member
from generators.support.document_signers import Person, Signer
from generators.support.encoding import Value, encode
from generators.support.family import Json
from generators.support.group_logs import GroupLog, epoch_secret
from generators.support.group_texts import Writer, walked
from generators.support.labels import draw
from generators.support.owner import FULL, LIMITED

NOW: Final = 1_760_000_000
HOUR: Final = 3_600
DAY: Final = 24 * HOUR
SEED: Final = 5_000
SECRET_KIND, CHAIN_KIND, REQUEST_KIND = 9, 10, 11
WANT_SECRET, WANT_CHAIN = 1, 2


def _anna() -> Person:
    person = Person("anna of a group", [(1, FULL)])
    person.next(add=[(2, FULL), (3, LIMITED)])
    person.next(revoke=(2,))
    return person


ANNA: Final = _anna()
"""An admin. Device 2 is revoked in version 3."""
BEN: Final = Person("ben of a group")
EVE: Final = Person("eve of a group")
READER: Final = Signer(1, 1, draw("list of the reader", 32), draw("user reader", 32), "reader")
"""Whose device plays."""

MEMBERS: Final = in_order(member(ANNA.at(1, 1), ADMIN), member(BEN.at(1), WRITER), member(READER, WRITER))
CREATED: Final = GroupLog().add(ANNA.at(1, 1), CREATE, MEMBERS)


@dataclass(frozen=True)
class Scene:
    """A log of a group, and what belongs to it."""

    log: GroupLog
    reader: bytes = READER.user_id
    """The user whose device plays."""

    @cached_property
    def openings(self) -> dict[int, bytes]:
        """The hashes of the entries that began epochs."""
        opening = [each for each in self.log.entries if each.opening is not None]
        return {int(str(each.epoch)): each.hash() for each in opening}

    def writer(self, owner: Person, device: int = 1, seed: str = "", begun: int = 1) -> Writer:
        """Return a device of a member with a seed of its own."""
        label = f"{owner.name}{seed}"
        return Writer(label, device, self.log.id, {}, self.openings, owner.user_id, begun)

    # --- steps ----------------------------------------------------------------------------------------

    def given(self, *steps: Json) -> Json:
        """Return the input of group.member. Everybody's lists are known."""
        lists = [ANNA.snapshots[:2], BEN.snapshots, EVE.snapshots]
        learning = [{"do": "learn", "lists": each} for each in lists]
        return {
            "now": NOW, "user_id": self.reader.hex(), "group_id": self.log.id.hex(),
            "steps": [*learning, *steps],
        }  # fmt: skip

    def taken(self, first: int = 1, last: int | None = None) -> Json:
        """Return a step that takes entries."""
        entries = self.log.signed()[first - 1 : last]
        return {"do": "take", "entries": [each.hex() for each in entries]}

    def letter(self, owner: Person, kind: int, body: bytes, device: int = 1) -> Json:
        """Return a step with a letter of a device."""
        return {
            "do": "letter", "user_id": owner.user_id.hex(), "device_id": device, "kind": kind,
            "body": body.hex(),
        }  # fmt: skip

    def secret(self, owner: Person, epoch: int, *, device: int = 1, **changes: Value) -> Json:
        """Return a step with the secret of an epoch."""
        usual: dict[str, Value] = {
            "group": self.log.id, "epoch": epoch, "opening": self.openings.get(epoch, bytes(32)),
            "secret": epoch_secret(epoch),
        }  # fmt: skip
        return self.letter(owner, SECRET_KIND, encode(list((usual | changes).values())), device)

    def chain(
        self, owner: Person, writer: Writer, epoch: int = 1, *, device: int | None = None, **handed: Any
    ) -> Json:
        """Return a step with a chain; that of a new seed has the keyword `base`, its first number."""
        base, number = handed.pop("base", 0), handed.pop("number", 0)
        changes: dict[str, Value] = {"number": base + number, "before": handed.pop("before", 0)}
        body = writer.chain(number, epoch, changes=changes, **handed)
        return self.letter(owner, CHAIN_KIND, body, writer.device if device is None else device)

    def request(self, owner: Person, epoch: int, what: int, device: int = 1) -> Json:
        """Return a step with a request."""
        return self.letter(owner, REQUEST_KIND, encode([self.log.id, epoch, what]), device)

    def text(
        self, writer: Writer, number: int, epoch: int = 1, *, entry: int = 1, base: int = 0, **changes: Any
    ) -> Json:
        """Return a step with a text. `number` counts from `base`, the first number of its seed."""
        key = hmac.digest(walked(writer.keys(epoch)[0], number), b"\1", "sha256")
        hash_ = self.log.entries[entry - 1].hash() if entry <= len(self.log.entries) else bytes(32)
        usual: dict[str, Any] = {"entry": entry, "entry_hash": hash_, "key": key}
        text = writer.text(epoch, base + number, **(usual | changes))
        return {"do": "text", "text": text.hex()}


def waited(seconds: int) -> Json:
    """Return a step in which time passes."""
    return {"do": "wait", "seconds": seconds}


SEND: Final[Json] = {"do": "send"}
RESTORE: Final[Json] = {"do": "restore"}


def learned(owner: Person, versions: int) -> Json:
    """Return a step that learns lists up to a version."""
    return {"do": "learn", "lists": owner.snapshots[:versions]}

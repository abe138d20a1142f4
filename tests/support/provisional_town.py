"""A granter, a person with a mail address and no account yet, and two servers that hold a seed each.

ProvisionalTown   make, release, claim and withdraw as bytes, as an honest client sends them
"""

import hashlib
from typing import Final, TypeVar

from letterlock import MemoryStore
from letterlock._primitives.entropy import system_entropy
from letterlock._records.provisional import PersonRecord, decode_person
from letterlock._wire.relay_body import RelayBody
from letterlock.documents import Conditions, ProvisionalKeys, ProvisionalSeeds
from letterlock.limits import DAY
from letterlock.recovery import (
    AskingKey,
    Claiming,
    IdentityMade,
    MakeIdentity,
    NewIdentity,
    OwnerSecret,
    ProvisionalServer,
    SeedsReleased,
    StoredRows,
    WithdrawIdentity,
)
from letterlock.stores import EntryKind
from support.granting import begin, met
from support.pair import NOON

DORA, EVE = "dora@example.org", "eve@example.org"
OWNER: Final = OwnerSecret(bytes(range(32)))
Body = TypeVar("Body", bound=RelayBody)


class ProvisionalTown:
    """Alice grants, and Bob is whom the person becomes. `seen` has every body that travelled."""

    def __init__(self) -> None:
        self.people = met()
        self.now = NOON
        self.seen: list[tuple[int, bytes]] = []
        self.rows = (StoredRows(MemoryStore()), StoredRows(MemoryStore()))
        self.servers = {
            number: ProvisionalServer(number, rows, lambda: self.now, system_entropy)
            for number, rows in enumerate(self.rows, 1)
        }

    @staticmethod
    def tag(server: int, address: str) -> bytes:
        """Return what stands for an address at one server, as a gate makes it."""
        return hashlib.sha256(bytes((server,)) + address.casefold().encode()).digest()

    def record(self, server: int, address: str = DORA) -> PersonRecord:
        """Return what a server keeps of a person."""
        person = self.tag(server, address)
        found = self.rows[server - 1].change(EntryKind.PERSON, person, lambda found: (found, found))
        return PersonRecord() if found is None else decode_person(found)

    def sent(self, server: int, body: Body) -> Body:
        """Return a body as the other side reads it."""
        self.seen.append((server, body.encode()))
        return type(body).decode(body.encode())

    # --- the granter --------------------------------------------------------------------------------------

    def identity(self, address: str = DORA, days: int = 30) -> NewIdentity:
        return NewIdentity.begin(address, self.now + days * DAY, OWNER, system_entropy)

    def made(self, new: NewIdentity) -> tuple[IdentityMade, IdentityMade]:
        """Ask both servers for an identity."""
        return self.made_at(1, new.request), self.made_at(2, new.request)

    def made_at(self, server: int, request: MakeIdentity) -> IdentityMade:
        """Ask one server for an identity."""
        call = self.sent(server, request)
        return self.sent(server, self.servers[server].make(self.tag(server, call.address.decode()), call))

    def keys(self, new: NewIdentity) -> ProvisionalKeys:
        found = new.finish(*self.made(new))
        assert isinstance(found, ProvisionalKeys)
        return found

    def grant(self, new: NewIdentity) -> bytes:
        """Return a grant of KEY to the person, as Alice makes it."""
        conditions = Conditions(valid_until=new.request.end)
        wire = begin(self.people.alice.first, [self.keys(new)], conditions=conditions).wire[1]
        self.seen.append((1, wire))  # the relay keeps it, and everybody may see it
        return wire

    def withdraw(self, new: NewIdentity, *servers: int) -> None:
        for server, call in enumerate(new.withdraw(), 1):
            if server in (servers or (1, 2)):
                self.withdraw_at(server, call)

    def withdraw_at(self, server: int, call: WithdrawIdentity) -> None:
        self.servers[server].withdraw(self.tag(server, call.address.decode()), self.sent(server, call))

    # --- the person ---------------------------------------------------------------------------------------

    @staticmethod
    def claiming() -> Claiming:
        return Claiming.begin(AskingKey(system_entropy(32)))

    def released(self, claiming: Claiming, address: str = DORA) -> tuple[SeedsReleased, SeedsReleased]:
        """Ask both servers for the seeds, after both have checked the address."""
        return self.released_at(1, claiming, address), self.released_at(2, claiming, address)

    def released_at(self, server: int, claiming: Claiming, address: str = DORA) -> SeedsReleased:
        """Ask one server for the seeds."""
        person, call = self.tag(server, address), self.sent(server, claiming.request)
        return self.sent(server, self.servers[server].release(person, call))

    def seeds(self, address: str = DORA) -> tuple[ProvisionalSeeds, ...]:
        claiming = self.claiming()
        return claiming.finish(*self.released(claiming, address))

    def claimed(self, seeds: tuple[ProvisionalSeeds, ...], user_id: bytes | None = None) -> None:
        """Tell both servers who the person is now."""
        call = self.claiming().claim(user_id or self.people.bob.first.user_id, seeds)
        for server in (1, 2):
            self.servers[server].claim(self.tag(server, DORA), self.sent(server, call))

"""A prekey server as plain functions: it stores publications and hands out each bundle once.

A web framework would call these functions. They take bytes and return bytes.

Prints:

    alice gets a bundle with one-time prekeys: True
    carol gets a bundle with one-time prekeys: True
    dave gets a bundle with one-time prekeys: False
    bob reads: from alice
    bob reads: from carol
    bob reads: from dave
    a bundle of mallory's under bob's name: refused
"""

from collections import deque

from letterlock import (
    Account,
    Address,
    MemoryStore,
    PeerError,
    PrekeyBundle,
    Publication,
    PublicPrekey,
    SignedPrekey,
    verify_publication,
)


class PrekeyServer:
    """The public prekeys of many devices. A real one keeps them in a database."""

    def __init__(self) -> None:
        self.signed: dict[Address, PublicPrekey[SignedPrekey]] = {}
        self.single_use: dict[Address, deque[bytes]] = {}
        self.last_resort: dict[Address, bytes] = {}

    def upload(self, owner: Address, body: bytes) -> None:
        """Store what a device publishes. The caller has authenticated `owner`. Raises PeerError."""
        publication = Publication.decode(body)
        verify_publication(publication)
        if publication.address != owner:
            raise PermissionError("this publication belongs to another address")
        if self.signed.get(owner) != publication.signed:  # another signed prekey: the rest is out of date
            self.signed[owner] = publication.signed
            self.single_use[owner] = deque()
        self.single_use[owner].extend(bundle.encode() for bundle in publication.bundles())
        self.last_resort[owner] = publication.last_resort_bundle().encode()

    def fetch(self, owner: Address) -> bytes:
        """Return a bundle: never the same one twice, until only the last resort is left."""
        waiting = self.single_use[owner]
        return waiting.popleft() if waiting else self.last_resort[owner]


def main() -> None:
    server = PrekeyServer()
    bob = Account.create(MemoryStore(), Address("bob"))
    server.upload(bob.address, bob.publish(one_time=2).encode())

    letters: list[tuple[Address, bytes]] = []
    for name in ("alice", "carol", "dave"):
        account = Account.create(MemoryStore(), Address(name))
        bundle = PrekeyBundle.decode(server.fetch(bob.address))
        print(name, "gets a bundle with one-time prekeys:", bundle.one_time is not None)
        account.initiate(bob.address, bundle)
        letters.append((account.address, account.encrypt(bob.address, f"from {name}".encode())))

    for sender, letter in letters:
        print("bob reads:", bob.decrypt(sender, letter).decode())

    mallory = Account.create(MemoryStore(), Address("mallory"))
    alice = Account.create(MemoryStore(), Address("alice"))
    try:
        alice.initiate(bob.address, mallory.bundle())
    except PeerError:
        print("a bundle of mallory's under bob's name: refused")


if __name__ == "__main__":
    main()

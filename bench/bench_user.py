"""What a user's calls cost, in memory unless their names say otherwise.

    case              what it does                                   floor
    device_list_32    reads and verifies a version of 32 devices     its two signatures
    user_send_5       a text to three devices, a copy for two        one `Account.encrypt` of the content
    user_receive      a text from a device                           one `Account.decrypt` of the content

The last two floors are calls of the account, whose own floors are in bench_account.py.
"""

import hashlib
import itertools
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from nacl import bindings
from pytest_benchmark.fixture import BenchmarkFixture

from bench_sqlite import OPEN, folder
from case import Arguments, Case, Cases, Side, run
from conversation import PAYLOAD
from letterlock import MemoryStore, SqliteStore
from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.labels import LIST_SIGNATURE
from letterlock._primitives.xwing import XWingKeyPair
from letterlock._wire.content import Content, ContentKind
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass, Snapshot
from letterlock.limits import HEAD_BYTES, MAX_DEVICES
from letterlock.user import ListChain, User
from letterlock.user._drafts import first_snapshot, next_snapshot
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot
from people import People

CASES = Cases()
LABEL = b"COMPSIG-MLDSA65-Ed25519-SHA512"


def floor_verify(key: MLDSA65PublicKey, edwards: bytes, snapshot: bytes, signature: bytes) -> None:
    """Verify both halves of the composite signature, straight from the libraries."""
    digest = hashlib.sha512(snapshot).digest()
    context = bytes([len(LIST_SIGNATURE)]) + LIST_SIGNATURE
    signed = b"CompositeAlgorithmSignatures2025" + LABEL + context + digest
    bindings.crypto_sign_open(signature[3309:] + signed, edwards)
    key.verify(signature[:3309], signed, LABEL)


def first_list(count: int) -> tuple[DeviceList, DeviceSigningKeyPair]:
    """Return version 1 with this many devices, and the signing key of the first."""
    identities = [IdentityKeyPair.generate(system_entropy) for _ in range(count)]
    signings = [DeviceSigningKeyPair.generate(system_entropy) for _ in range(count)]
    devices = tuple(
        listed_device(at, identity.public, signing.public, DeviceClass.FULL, 1)
        for at, (identity, signing) in enumerate(zip(identities, signings, strict=True), 1)
    )
    snapshot: Snapshot = first_snapshot(devices, XWingKeyPair.generate(system_entropy).public.data, 0)
    proofs = tuple(
        prove_possession(snapshot, at, identity, signing, os.urandom(64))
        for at, (identity, signing) in enumerate(zip(identities, signings, strict=True), 1)
    )
    return sign_snapshot(snapshot, 1, signings[0], proofs), signings[0]


def extend(chain: ListChain, data: bytes) -> ListChain:
    return chain.extended((DeviceList.decode(data),))


def verify() -> tuple[Side, Side]:
    first, signing = first_list(MAX_DEVICES)
    chain = ListChain.verify([first])
    new = sign_snapshot(next_snapshot(first, chain.user_id, 1), 1, signing)
    key = MLDSA65PublicKey.from_public_bytes(new.ml_dsa)
    floor = partial(floor_verify, key, signing.public.ed25519.data, new.encoded_snapshot, new.signature)
    return Side(partial(extend, chain, new.encode())), Side(floor)


def content(own: User, other: User) -> bytes:
    """Return a new text as a user encodes it; both users are in version 1 of their lists."""
    heads = own.user_id[:HEAD_BYTES], other.user_id[:HEAD_BYTES]
    return Content(ContentKind.TEXT, os.urandom(16), 0, *heads, PAYLOAD).encode()


def send(make: Callable[[], Any]) -> tuple[Side, Side]:
    people = People(3, 3, make)
    encrypt = partial(people.encrypt, people.bob.address, content(people.alice, people.bob))

    def batch(count: int) -> list[Arguments]:
        people.turn()
        return [()] * count

    return Side(people.send, batch), Side(encrypt, batch)


def receive(make: Callable[[], Any]) -> tuple[Side, Side]:
    people = People(1, 1, make)
    alice, bob = people.alice, people.bob

    def contents(count: int) -> list[Arguments]:
        """Return messages of Bob's that Alice has not read."""
        people.turn()
        made = [content(bob, alice) for _ in range(count)]
        return [(bob.address, bob.account.encrypt(alice.address, each)) for each in made]

    return Side(alice.receive, contents), Side(alice.account.decrypt, contents)


def files() -> Callable[[], SqliteStore]:
    """Return what makes stores in files, which are deleted when the process ends."""
    here, numbers = folder(), itertools.count()

    def make() -> SqliteStore:
        return OPEN.enter_context(SqliteStore(here / f"{next(numbers)}.db", key=os.urandom(32)))

    return make


CASES.add("device_list_32", verify, loops=5)
CASES.add("user_send_5", partial(send, MemoryStore), loops=10)
CASES.add("user_receive", partial(receive, MemoryStore), loops=10)
CASES.add("user_send_5_sqlite", lambda: send(files()), loops=10, disk=True)
CASES.add("user_receive_sqlite", lambda: receive(files()), loops=10, disk=True)


@pytest.mark.parametrize("side", CASES.sides())
def test_user(benchmark: BenchmarkFixture, side: tuple[Case, int]) -> None:
    run(benchmark, side)

"""The double ratchet beside an independent implementation, the package `doubleratchet`, over random messages.

Both are given the same secret and the same private keys. Messages are sent, delivered in order and out of it,
late, twice, or not at all, in both directions. After every step the two must hold the same root key, chain
keys, numbers, ratchet keys and skipped keys, and every message must have one key on all four sides.

letterlock's Hearing state is half a turn behind, since our own key is renewed when we next send: there the
missing half is made with `hazmat.kdf_rk` before comparing.

Not here: seals and associated data, which differ by design.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from doubleratchet import DoSProtectionException, DuplicateMessageException, EncryptedMessage

from letterlock import hazmat
from letterlock._ratchet.double import Hearing, ReceivingChain, SendingChain, Speaking, Unanswered, Waiting
from letterlock.errors import DuplicateMessage, TooManySkipped
from support import reference
from support.double_pair import ROOT, SIGNED, Message, Ratchet, double_pair
from support.other_ratchet import CHAIN_CONSTANT, ChainKdf, OtherRatchet, RootKdf, chain
from support.pair import entropy_of

STEPS = 1000
SEEDS = range(5)

KINDS = ["send", "oldest", "any", "lose", "again"]
NETWORKS = {
    # How often each kind of step is taken, and the least that a transcript must show of what it is for.
    "brisk": ([40, 50, 2, 2, 6], {"turned": 50, "in chain": 200, "late": 10, "lost": 5, "again": 50}),
    "slow": ([46, 16, 26, 4, 8], {"turned": 20, "in chain": 60, "late": 150, "lost": 15, "again": 40}),
    "lossy": ([44, 22, 10, 18, 6], {"turned": 20, "in chain": 60, "late": 50, "lost": 100, "again": 30}),
}


@dataclass
class Party:
    """One end of the conversation, twice, and the messages that are on their way to it."""

    ours: Ratchet
    other: OtherRatchet
    coming: list[Message] = field(default_factory=list)
    last: Message | None = None

    async def send(self) -> Message:
        message = self.ours.send()
        theirs = await self.other.send(SIGNED.public.data)
        assert theirs == as_message(message)
        self.compare()
        return message

    async def receive(self, message: Message) -> str:
        """Deliver to both; return how the message was read."""
        was_late = (message.header.ratchet_key.data, message.header.number) in self.ours.skipped
        received = self.ours.receive(message)
        assert await self.other.receive(as_message(message)) == message.key.expose()
        self.compare()
        if was_late:
            return "late"
        self.last = message
        assert received is not None
        return "turned" if received.finished is not None else "in chain"

    async def refuse_again(self) -> None:
        """Deliver the newest message a second time: refused by both, and nothing changes."""
        assert self.last is not None
        with pytest.raises(DuplicateMessage):
            self.ours.receive(self.last)
        with pytest.raises(DuplicateMessageException):
            await self.other.receive(as_message(self.last))
        self.compare()

    def compare(self) -> None:
        model = self.other.model
        if isinstance(self.ours.state, Waiting):
            assert model is None
            return
        assert model is not None
        theirs = model.diffie_hellman_ratchet
        chains = theirs.symmetric_key_ratchet
        view = ahead(self.ours.state, theirs.own_ratchet_priv)
        assert view.root == theirs.root_chain.key
        assert view.private == theirs.own_ratchet_priv
        assert view.their_key == theirs.other_ratchet_pub
        assert view.sending == chain(chains.sending_chain)
        assert view.receiving == chain(chains.receiving_chain)
        assert view.previous_length == (chains.previous_sending_chain_length or 0)
        # In order, too: the oldest are the first to be given up.
        held = [((each.ratchet_pub, each.index), each.message_key) for each in model.skipped_message_keys]
        assert [(name, key.expose()) for name, key in self.ours.skipped.items()] == held


@dataclass(frozen=True)
class View:
    """A state on plain bytes; a chain is its key and number."""

    root: bytes
    private: bytes
    their_key: bytes
    sending: tuple[bytes, int]
    receiving: tuple[bytes, int] | None
    previous_length: int


def ahead(state: Unanswered | Hearing | Speaking, next_private: bytes) -> View:
    """Return a state as one that renews its key at once would have it.

    Only Hearing needs `next_private`; that letterlock draws the same is seen at the next message it sends.
    """
    match state:
        case Unanswered(root, ours, theirs, sending):
            return View(
                root.expose(), ours.private.expose(), theirs.data, plain(sending), None, previous_length=0
            )
        case Hearing(root, receiving, previous_length):
            their_key = receiving.ratchet_key.data
            agreement = hazmat.x25519(next_private, their_key)
            next_root, key = hazmat.kdf_rk(root.expose(), agreement, reference.ROOT_INFO)
            return View(next_root, next_private, their_key, (key, 0), plain(receiving), previous_length)
        case Speaking(root, ours, sending, receiving, previous_length):
            return View(
                root.expose(),
                ours.private.expose(),
                receiving.ratchet_key.data,
                plain(sending),
                plain(receiving),
                previous_length,
            )


def plain(one: SendingChain | ReceivingChain) -> tuple[bytes, int]:
    return one.key.expose(), one.number


def as_message(message: Message) -> EncryptedMessage:
    """Return the message in the other package's type, the key in place of the ciphertext."""
    return OtherRatchet.message(
        message.header.ratchet_key.data,
        message.header.previous_length,
        message.header.number,
        message.key.expose(),
    )


def parties(seed: str) -> tuple[Party, Party]:
    """Return Alice and Bob. Both implementations draw a person's private keys from the same stream."""
    alice, bob = double_pair(seed)
    secret, private = ROOT.expose(), SIGNED.private.expose()
    other_alice = OtherRatchet(secret, b"", entropy_of(seed))
    other_bob = OtherRatchet(secret, private, entropy_of(f"{seed} bob"))
    return Party(alice, other_alice), Party(bob, other_bob)


async def play(seed: str, weights: list[int]) -> Counter[str]:
    """Play one transcript of STEPS steps, then deliver what is left; return how often each thing happened."""
    rng = random.Random(seed)
    alice, bob = parties(seed)
    seen: Counter[str] = Counter()
    bob.coming.append(await alice.send())
    while seen.total() < STEPS:
        one, other = rng.choice([(alice, bob), (bob, alice)])
        what = rng.choices(KINDS, weights)[0]
        if what == "send" and not isinstance(one.ours.state, Waiting):
            other.coming.append(await one.send())
            seen["sent"] += 1
        elif what == "again" and one.last is not None:
            await one.refuse_again()
            seen["again"] += 1
        elif what in {"oldest", "any", "lose"} and one.coming:
            message = one.coming.pop(0 if what == "oldest" else rng.randrange(len(one.coming)))
            seen["lost" if what == "lose" else await one.receive(message)] += 1
        alice.compare()
        bob.compare()
    for each in (alice, bob):
        rng.shuffle(each.coming)
        for message in each.coming:
            seen[await each.receive(message)] += 1
    seen["never came"] = len(alice.ours.skipped) + len(bob.ours.skipped)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_transcripts_have_one_key_schedule(seed: int, network: str) -> None:
    weights, least = NETWORKS[network]
    seen = asyncio.run(play(f"{network} {seed}", weights))
    # A transcript in which little happened would prove little.
    assert all(seen[what] >= count for what, count in least.items()), seen
    # A lost message leaves a key behind, unless nothing after it told of it.
    assert 0 < seen["never came"] <= seen["lost"]


def test_the_longest_jump_and_one_more() -> None:
    async def run() -> None:
        alice, bob = parties("jump")
        messages = [await alice.send() for _ in range(2003)]
        await bob.receive(messages[0])
        with pytest.raises(TooManySkipped):
            bob.ours.receive(messages[2002])
        with pytest.raises(DoSProtectionException):
            await bob.other.receive(as_message(messages[2002]))
        bob.compare()
        await bob.receive(messages[2001])
        assert len(bob.ours.skipped) == 2000
        assert await bob.receive(messages[1]) == "late"
        assert await bob.receive(messages[2002]) == "in chain"
        await alice.receive(await bob.send())

    asyncio.run(run())


@pytest.mark.parametrize("info", [reference.ROOT_INFO, b"WhisperRatchet"])
def test_kdfs_under_our_label_and_signal_s(info: bytes) -> None:
    class Labelled(RootKdf):
        @staticmethod
        def _get_info() -> bytes:
            return info

    async def run() -> None:
        draw = entropy_of(info)
        for _ in range(50):
            root, agreement, key = draw(32), draw(32), draw(32)
            derived = await Labelled.derive(root, agreement, 64)
            assert hazmat.kdf_rk(root, agreement, info) == (derived[:32], derived[32:])
            derived = await ChainKdf.derive(key, CHAIN_CONSTANT, 64)
            assert hazmat.kdf_ck(key) == (derived[:32], derived[32:])

    asyncio.run(run())

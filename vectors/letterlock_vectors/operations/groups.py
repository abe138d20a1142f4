"""group.*: secrets and names of a group's epochs, sender chains, and texts.

group.play is one sender's chain, as another device reads it through several epochs.

Not here: logs (collections.py); what devices tell each other (content.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._groups import _receiving as receiving
from letterlock._groups import _sending as sending
from letterlock._groups._epoch import EpochName, begin_chain, commitment, first_head, name_key
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._ratchet.keys import MessageKey
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_content import Heard
from letterlock._wire.group_limits import GROUP_ID_BYTES
from letterlock._wire.group_text import GroupText, SenderName
from letterlock._wire.log_opening import SEALED_NAME_BYTES
from letterlock._wire.message import SENT_NONCE_BYTES
from letterlock._wire.parcel import Introduction, ItemKind, Parcel
from letterlock._wire.sender_chain import ChainSeed, GroupChainKey, SenderChain
from letterlock.documents._parcels import open_for_group
from letterlock.documents._sealed_name import open_under_key
from letterlock.errors import UsageError
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.plays import play


def _sender(given: Input) -> SenderName:
    return SenderName(given.sized("user_id", HASH_BYTES), given.counter("device_id", 1))


def _epoch(given: Input) -> EpochName:
    opening = given.sized("opening", HASH_BYTES)
    return EpochName(given.sized("group_id", GROUP_ID_BYTES), given.counter("epoch", 1), opening)


def _secret(given: Input) -> EpochSecret:
    return EpochSecret(given.sized("secret", KEY_BYTES))


def _begin(given: Input) -> Output:
    epoch, sender = _epoch(given), _sender(given)
    key, seed = begin_chain(ChainSeed(given.sized("seed", KEY_BYTES)), _secret(given), epoch, sender)
    return {
        "chain_key": key.expose().hex(),
        "next_seed": seed.expose().hex(),
        "head": first_head(epoch, sender).hex(),
    }


def _commitment(given: Input) -> Output:
    return {"commitment": commitment(_secret(given), given.counter("epoch", 1)).hex()}


def _name(given: Input) -> Output:
    sealed = given.sized("sealed", SEALED_NAME_BYTES)
    return {"name": open_under_key(name_key(_secret(given)), given.counter("epoch", 1), sealed)}


def _read_names(given: Input) -> Output:
    """Open a list of names from the shelf of a group. Kinds that nobody knows are passed over."""
    parcel = Parcel.decode(given.hex("parcel"))
    items = open_for_group(_secret(given), given.sized("group_id", GROUP_ID_BYTES), parcel)
    found = [Introduction.decode(each.data) for each in items if each.kind == ItemKind.INTRODUCTION]
    return {"epoch": parcel.number, "names": [[each.user_id.hex(), each.name] for each in found]}


def _seal(given: Input) -> Output:
    pair = Ed25519KeyPair(Ed25519Seed(given.sized("signing_seed", KEY_BYTES)))
    chain = sending.OwnChain(
        EpochName(given.sized("group_id", GROUP_ID_BYTES), given.counter("epoch", 1), bytes(HASH_BYTES)),
        _sender(given),
        given.counter("number"),
        0,
        GroupChainKey(given.sized("chain_key", KEY_BYTES)),
        ChainSeed(bytes(KEY_BYTES)),
        sending.SigningPairs(pair.seed.expose() + pair.public.data),
        given.sized("head", HASH_BYTES),
        given.counter("sent"),
        given.counter("begun"),
    )
    if sending.is_worn(chain, given.counter("now")):
        raise UsageError("the chain is worn out: begin one with a new seed")
    heard = tuple(
        Heard(
            each.counter("member"),
            each.counter("device_id", 1),
            each.counter("since"),
            each.counter("number"),
            each.sized("head", HASH_BYTES),
        )
        for each in given.nested_list("heard")
    )
    nonce = given.sized("nonce", SENT_NONCE_BYTES)
    entry = given.counter("entry", 1), given.sized("entry_hash", HASH_BYTES)
    sealed = sending.seal_text(chain, *entry, heard, given.hex("text"), lambda _: nonce)
    after = sealed.chain
    return {"text": sealed.text.hex(), "chain_key": after.key.expose().hex(), "head": after.head.hex()}


def _decode_text(given: Input) -> Output:
    text = GroupText.decode(given.hex("data"))
    place = text.place
    return {
        "group_id": place.group_id.hex(),
        "epoch": place.epoch,
        "entry": place.entry,
        "user_id": place.sender.user_id.hex(),
        "device_id": place.sender.device,
        "number": place.number,
        "sealed": text.sealed.hex(),
    }


def shown_chain(chain: SenderChain) -> Output:
    """Return a chain that was handed out, as a JSON object."""
    keys = chain.public_keys
    return {
        "group_id": chain.group_id.hex(),
        "epoch": chain.epoch,
        "opening": chain.opening.hex(),
        "number": chain.number,
        "before": chain.before,
        "chain_key": chain.key.expose().hex(),
        "next_seed": chain.next_seed.expose().hex(),
        "signing_keys": [keys[at : at + KEY_BYTES].hex() for at in range(0, len(keys), KEY_BYTES)],
    }


class ReceiverPlayer(Uncopyable):
    """The chain of a sender in each epoch, and the keys of texts that were skipped."""

    __slots__ = ("_chains", "_kept", "_newest")

    def __init__(self, given: Input) -> None:
        self._newest = receiving.taken(SenderChain.decode(given.hex("chain")), _sender(given))
        self._chains = {self._newest.epoch.number: self._newest}
        self._kept: dict[tuple[int, int], MessageKey] = {}

    def open(self, step: Input) -> Output:
        """Open a text, and keep what it changes."""
        text = GroupText.decode(step.hex("text"))
        place = text.place
        chain = self._chain(place.epoch)
        if (place.group_id, place.sender) != (chain.epoch.group_id, chain.sender):
            raise UsageError("the text is of another chain")
        kept = self._kept.get((place.epoch, place.number))
        opened = receiving.open_text(chain, text, step.sized("entry_hash", HASH_BYTES), kept)
        self._kept.pop((place.epoch, place.number), None)
        raw = opened.skipped.expose()
        for at in range(0, len(raw), KEY_BYTES):
            number = opened.first_skipped + at // KEY_BYTES
            self._kept[place.epoch, number] = MessageKey(raw[at : at + KEY_BYTES])
        self._keep(opened.chain)
        heard = [
            {
                "member": each.member,
                "device_id": each.device,
                "since": each.since,
                "number": each.number,
                "head": each.head.hex(),
            }
            for each in opened.heard
        ]
        return {
            "text": opened.text.hex(),
            "heard": heard,
            "agreement": opened.agreement.name.lower(),
        }

    def next_epoch(self, step: Input) -> Output:
        """Go on in the next epoch."""
        before = self._newest.epoch
        epoch = EpochName(before.group_id, before.number + 1, step.sized("opening", HASH_BYTES))
        after = receiving.continued(self._newest, epoch, _secret(step))
        if after is not None:
            self._newest = after
            self._keep(after)
        return {"goes_on": after is not None}

    def compare(self, step: Input) -> Output:
        """Compare a head that another member names."""
        heard = Heard(0, 1, 0, step.counter("number"), step.sized("head", HASH_BYTES))
        agreement = receiving.compare(self._chain(step.counter("epoch", 1)), heard)
        return {"agreement": agreement.name.lower()}

    def _chain(self, epoch: int) -> receiving.MemberChain:
        if epoch not in self._chains:
            raise UsageError("there is no chain of this epoch")
        return self._chains[epoch]

    def _keep(self, chain: receiving.MemberChain) -> None:
        self._chains[chain.epoch.number] = chain
        if self._newest.epoch == chain.epoch:
            self._newest = chain


def _play(given: Input) -> Output:
    receiver = ReceiverPlayer(given)
    table = {"open": receiver.open, "next_epoch": receiver.next_epoch, "compare": receiver.compare}
    return play(given.nested_list("steps"), table)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "group.begin": _begin,
    "group.commitment": _commitment,
    "group.decode_text": _decode_text,
    "group.name": _name,
    "group.play": _play,
    "group.read_names": _read_names,
    "group.seal": _seal,
}

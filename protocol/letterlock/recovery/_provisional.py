"""Sharing with an address that has no account: what the granter does, and what the person does later.

    NewIdentity     the granter: two public keys, one of each server, as `ProvisionalKeys`            [PRV-4]
    Claiming        the person: both seeds, as `ProvisionalSeeds`, and the end of the identity        [PRV-5]

    owner key       Ed25519 from HKDF-SHA-256(no salt, owner secret,
                    "letterlock-v1 owner of a provisional identity" || id, 32)                        [PRV-6]

Not here: grants (documents/).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Self

from letterlock._primitives import hpke
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import PROVISIONAL_OWNER
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.grant import Grant
from letterlock._wire.grant_recipient import ProvisionalRecipient
from letterlock._wire.identity_calls import is_kind
from letterlock._wire.identity_limits import MAX_CLAIM
from letterlock._wire.provisional_calls import (
    ClaimIdentities,
    IdentityMade,
    MakeIdentity,
    ReleaseSeeds,
    SeedsReleased,
    WithdrawIdentity,
)
from letterlock._wire.recovery_limits import SERVERS
from letterlock.documents import Documents, NoGrant, ProvisionalKeys, ProvisionalSeeds, Shared
from letterlock.errors import AuthenticationFailed, PeerError, TrustError, UsageError
from letterlock.recovery._errors import RecoveryRefused, ServerAtFault
from letterlock.recovery._halves import AskingKey


class OwnerSecret(Secret):
    """32 random bytes of a granter, who withdraws with them. One serves for all its identities."""

    __slots__ = ()


# --- the granter ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class NewIdentity(Uncopyable):
    """An identity for one address, as a granter asks for it. `request` goes to both servers.

    Ask both again before each further grant, with the identity that `again` returns: the person may have
    claimed it, and is a user then.
    """

    request: MakeIdentity
    _pair: Ed25519KeyPair

    @classmethod
    def begin(
        cls, address: str, end: int, owner: OwnerSecret, entropy: Entropy, *, kind: str = "mail"
    ) -> Self:
        """Begin an identity that ends at `end`, in seconds since 1970 (UTC). Draws 32 bytes. [PRV-1]

        `kind` is the name of the check that both servers have for such an address. Raises UsageError.
        """
        return cls.again(address, entropy(HASH_BYTES), end, owner, kind=kind)

    @classmethod
    def again(cls, address: str, id_: bytes, end: int, owner: OwnerSecret, *, kind: str = "mail") -> Self:
        """Return an identity that was begun before. Raises UsageError for what is no address or no id."""
        if type(id_) is not bytes or len(id_) != HASH_BYTES:
            raise UsageError(f"the id of an identity is {HASH_BYTES} bytes")
        whom = address.encode("utf-8", "ignore") if type(address) is str else b""
        if not 1 <= len(whom) <= MAX_CLAIM or whom.decode() != address or not is_kind(kind):
            raise UsageError(f"an address has 1 to {MAX_CLAIM} bytes, and its kind is the name of a check")
        seed = hkdf_sha256(b"", owner.expose(), PROVISIONAL_OWNER + id_, KEY_BYTES)
        pair = Ed25519KeyPair(Ed25519Seed(seed))
        return cls(MakeIdentity(kind, whom, id_, pair.public, end), pair)

    def finish(self, first: IdentityMade, second: IdentityMade) -> ProvisionalKeys | bytes:
        """Return the keys to grant to, or the user id (32 bytes) of whoever has claimed the identity.

        Grant with `valid_until` at the end of the identity. Raises ServerAtFault, and RecoveryRefused if only
        one server knows of a claim.
        """
        if first.key is None or second.key is None:
            return _claimed_by(first, second)
        if first.key == second.key:  # PRV-4
            raise ServerAtFault(0, "both give the same key")
        return ProvisionalKeys(self.request.id, first.key.data, second.key.data)

    def withdraw(self) -> tuple[WithdrawIdentity, WithdrawIdentity]:
        """Return what both servers are sent so that nobody claims the identity any more."""
        whom, id_ = self.request, self.request.id
        first, second = (
            WithdrawIdentity(
                whom.kind, whom.address, id_, self._pair.sign(WithdrawIdentity.signed(server, id_))
            )
            for server in SERVERS
        )
        return first, second

    def __repr__(self) -> str:
        return "<NewIdentity>"


def _claimed_by(first: IdentityMade, second: IdentityMade) -> bytes:
    """Return the user id that both servers name. [PRV-8] Raises ServerAtFault, RecoveryRefused."""
    if first.user_id is None or second.user_id is None:
        raise RecoveryRefused("only one server was told who claimed this identity: begin another one")
    if first.user_id != second.user_id:
        raise ServerAtFault(0, "the two name different users for this identity")
    return first.user_id


# --- the person -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class Claiming(Uncopyable):
    """Somebody who has passed the check of an address at both servers. `request` goes to both."""

    request: ReleaseSeeds
    _pair: XWingKeyPair

    @classmethod
    def begin(cls, key: AskingKey) -> Self:
        """Ask for the seeds of whoever the passes name. Use a key once."""
        pair = XWingKeyPair(XWingSeed(key.expose()))
        return cls(ReleaseSeeds(pair.public), pair)

    def finish(self, first: SeedsReleased, second: SeedsReleased) -> tuple[ProvisionalSeeds, ...]:
        """Return the seeds of each identity that both servers released. Raises ServerAtFault."""
        others = dict(second.seeds)
        return tuple(
            ProvisionalSeeds(id_, self._seed(1, id_, sealed), self._seed(2, id_, others[id_]))
            for id_, sealed in first.seeds
            if id_ in others
        )

    def claim(self, user_id: bytes, seeds: Iterable[ProvisionalSeeds]) -> ClaimIdentities:
        """Return what both servers are sent when the grants are the user's own: the seeds are deleted."""
        return ClaimIdentities(user_id, tuple(each.id for each in seeds))

    def _seed(self, server: int, id_: bytes, sealed: bytes) -> bytes:
        try:
            return hpke.open_sealed(self._pair, SeedsReleased.info(server, id_), sealed)
        except AuthenticationFailed:
            raise ServerAtFault(server, "its seed is not sealed to the key that asked") from None

    def __repr__(self) -> str:
        return "<Claiming>"


def claim_grants(
    documents: Documents, grants: Iterable[bytes], seeds: Iterable[ProvisionalSeeds]
) -> tuple[tuple[Shared, ...], tuple[ProvisionalSeeds, ...]]:
    """Make all grants that these seeds open the user's own. Return what was made, and seeds that are done.

    Tell both servers of these seeds with `Claiming.claim`. Anybody may write a grant to an identity, so one
    that is wrong hinders no other. Seeds are not done while the author of a grant is not known. Raises
    UnknownAuthor and other TrustError if nothing could be made for such a reason, and StoreError.
    """
    made, done, doubts = list[Shared](), list[ProvisionalSeeds](), list[TrustError]()
    decoded = _readable(grants)
    for each in seeds:
        mine = [grant.encode() for grant in decoded if _is_for(grant, each.id)]
        found, doubt = _claimed(documents, mine, each)
        made += found
        if doubt is not None:
            doubts.append(doubt)
        elif found:
            done.append(each)
    if doubts and not made:
        raise doubts[0]
    return tuple(made), tuple(done)


def _claimed(
    documents: Documents, grants: Sequence[bytes], seeds: ProvisionalSeeds
) -> tuple[list[Shared], TrustError | None]:
    """Return what grants to one identity made, and why one of them could not be judged, if so."""
    try:
        return ([documents.claim(grants, seeds)] if grants else []), None
    except NoGrant:  # a server gave a wrong seed, or the grant has ended: others may open
        return [], None
    except (PeerError, TrustError) as error:
        if len(grants) == 1:
            return [], error if isinstance(error, TrustError) else None
    each_alone = [_claimed(documents, [each], seeds) for each in grants]
    doubts = [doubt for _, doubt in each_alone if doubt is not None]
    return [shared for found, _ in each_alone for shared in found], doubts[0] if doubts else None


def _readable(grants: Iterable[bytes]) -> list[Grant]:
    found = list[Grant]()
    for each in grants:
        with suppress(PeerError):
            found.append(Grant.decode(each))
    return found


def _is_for(grant: Grant, id_: bytes) -> bool:
    recipient = grant.terms.recipient
    return isinstance(recipient, ProvisionalRecipient) and recipient.id == id_

"""Logins: a device signs a challenge with its Ed25519 key, and gets a token.

Whoever asks learns nothing about who is registered: a challenge is given for any name, and a device that is
not listed is refused after the same work and with the same answer as a wrong signature. [RLY-7]

Not here: the form of challenges and tokens (_session.py).
"""

from functools import partial

from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_login import (
    AuthenticateAnswer,
    AuthenticateRequest,
    ChallengeAnswer,
    ChallengeRequest,
    account_key,
    login_input,
)
from letterlock.relay._caller_signatures import CallerSignatures
from letterlock.relay._limits import TOKEN_SECONDS
from letterlock.relay._means import Means
from letterlock.relay._reply import Refused
from letterlock.relay._session import Seals


class Logins:
    """The calls `challenge` and `authenticate`."""

    __slots__ = ("_means", "_seals", "_signatures")

    def __init__(self, means: Means, seals: Seals, signatures: CallerSignatures) -> None:
        self._means = means
        self._seals = seals
        self._signatures = signatures

    async def challenge(self, request: ChallengeRequest, now: int) -> ChallengeAnswer:
        """Return a challenge. Nothing is stored for it. [RLY-4]"""
        return ChallengeAnswer(self._seals.challenge(request.address, now))

    async def authenticate(self, request: AuthenticateRequest, now: int) -> AuthenticateAnswer:
        """Return a token, and the greatest counter that the device showed before. [RLY-5]"""
        address, means = request.address, self._means
        challenge = self._seals.read_challenge(request.challenge, address, now)
        if challenge is None:
            raise Refused(RelayCode.UNKNOWN)
        account = account_key(address.name)
        head = await means.heads.newest(account, now)
        listed = None if head is None else head.device(address.device_id)
        signed = partial(_signed, request)
        key = None if listed is None else listed.ed25519
        is_signed = self._signatures.is_good(key, request.signature, signed)
        if head is None or listed is None or not is_signed:
            raise Refused(RelayCode.UNKNOWN)
        means.limits.logins.take((account, address.device_id), now)
        if not await means.spend(account, challenge.random, challenge.until, now):
            raise Refused(RelayCode.UNKNOWN)  # a replay
        highest = await means.store.advance(account, listed, request.counter)
        if highest is None:
            raise Refused(RelayCode.UNKNOWN)  # the list changed meanwhile
        token = self._seals.token(address.name, listed, head.user_id, now)
        return AuthenticateAnswer(token, TOKEN_SECONDS, highest, head.version)


def _signed(request: AuthenticateRequest, relay: str) -> bytes:
    """Return what the device signs for one name of the relay. [RLY-5]"""
    return login_input(relay, request.address, request.challenge, request.counter)

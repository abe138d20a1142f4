"""A client shows the servers of recovery who its user is: before a password is tried, and to be bound.

    identify    a challenge; a code is on its way where the check sends one
    prove       what the person answered, again while there are tries left       ->  a pass
    bind        a full device of the user signs that the identity is this user's                    [REC-32]

Proofs are not sent again by themselves: each serves once, and a wrong one costs a try.             [REC-27]

Not here: what a check is (letterlock.identity); asking the person (the application).
"""

from collections.abc import Mapping

from letterlock._primitives.entropy import Clock
from letterlock._wire.identity_calls import Challenged, Identify, Prove, Proven
from letterlock._wire.identity_limits import TRIES
from letterlock._wire.recovery_limits import SERVERS
from letterlock.client._errors import ServerUnavailable
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_values import IdentityAnswer
from letterlock.client._transport import MAX_SECONDS
from letterlock.errors import UsageError
from letterlock.recovery import IdentityRefused, ServerAtFault


async def prove_identities(
    calls: RecoveryCalls, answers: Mapping[int, IdentityAnswer], user_id: bytes, clock: Clock
) -> None:
    """Pass the checks of the servers for which there is an answer, and show the passes from now on. [REC-34]

    Raises IdentityRefused, ServerAtFault, ServerUnavailable, RecoveryRefused; UsageError for a server that is
    neither 1 nor 2.
    """
    if not answers.keys() <= {*SERVERS}:
        raise UsageError("identities are proven at server 1, the relay, and at server 2, the key server")
    for server, answer in sorted(answers.items()):
        proven = await prove(calls, server, answer, clock)
        if proven.user_id is None:
            raise IdentityRefused("the server knows nobody by this identity: bind it on a device first")
        if proven.user_id != user_id:  # REC-34: one server would lead this user to a lock of its own
            raise ServerAtFault(0, "the proven identity is another user's than the name")
        if proven.pass_ is not None:
            calls.use_pass(server, proven.pass_)


async def prove(calls: RecoveryCalls, server: int, answer: IdentityAnswer, clock: Clock) -> Proven:
    """Pass the check of one server. Raises IdentityRefused after the last try, and what calls raise."""
    claim = None if answer.claim is None else answer.claim.encode()
    asked = await calls.at(server, Identify(answer.kind, claim), Challenged)
    if asked.challenge is None:
        raise ServerUnavailable(server, min(max(1, asked.not_before - clock()), MAX_SECONDS))
    for _ in range(TRIES):
        request = Prove(asked.challenge, await answer.answer(asked.challenge))
        proven = await calls.once(server, request, Proven)
        if proven.pass_ is not None:
            return proven
        if not proven.tries_left:
            break
    raise IdentityRefused("the proof was wrong, and no try is left: begin again")

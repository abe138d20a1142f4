"""recovery.*: locks, attempts to open one, tickets, signatures, the recovery device, cards and boxes.

Not here: the function of two parties (voprf.py); encodings (recovery_bodies.py); the servers.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.passphrase import PassphraseKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._primitives.voprf import OUTPUT_BYTES, Blinding, OprfOutput, OprfPublicKey
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.identity_calls import BindIdentity
from letterlock._wire.identity_ticket import IdentityTicket
from letterlock._wire.recovery_box import RecoveryCard
from letterlock._wire.recovery_calls import (
    AnyChange,
    BeginLock,
    EvaluateLock,
    FinishLock,
    LockEvaluated,
    LockOpened,
    LocksShown,
    LockStanding,
    SettleLock,
)
from letterlock._wire.recovery_limits import LOCK_ID_BYTES, NONCE_BYTES, SEALED_KEY_BYTES, SERVERS
from letterlock._wire.recovery_lock import Hardness, Lock, LockName
from letterlock.errors import UsageError
from letterlock.recovery import (
    Attempt,
    DecoyKey,
    LockTicketKey,
    Policy,
    RecoveryKey,
    WrongPassword,
    choose,
    device_keys,
)
from letterlock.recovery._decoys import decoy
from letterlock.recovery._enrolment import require_card
from letterlock.recovery._keys import LockKeys, Outputs
from letterlock.recovery._password import blind_for_both, server_input, stretch
from letterlock.recovery._recovered import open_box, require_ours
from letterlock.recovery._signing import require_binding_signed, require_signed
from letterlock.recovery._tickets import issue, require_ticket
from letterlock.user import ListChain
from letterlock_vectors.inputs import Input, Operation, Output, unhex
from letterlock_vectors.operations.linking import trusted_chain
from letterlock_vectors.operations.recovery_bodies import shown_fields
from letterlock_vectors.operations.voprf import answered

_CHANGES: Final[Mapping[str, type[AnyChange]]] = {
    "begin": BeginLock, "settle": SettleLock, "finish": FinishLock,
}  # fmt: skip


def _name(given: Input) -> LockName:
    return LockName(given.sized("user_id", HASH_BYTES), given.sized("lock_id", LOCK_ID_BYTES))


def _hardness(given: Input) -> Hardness:
    return Hardness(given.number("passes"), given.number("memory"))


def given_server(given: Input) -> int:
    """Return the number of a server."""
    server = given.number("server")
    if server not in SERVERS:
        raise UsageError("`server` must be 1 or 2")
    return server


def _outputs(given: Input) -> Outputs:
    first, second = (OprfOutput(given.sized(each, OUTPUT_BYTES)) for each in ("output_1", "output_2"))
    return first, second


def _chain(given: Input) -> ListChain:
    return trusted_chain([unhex(each, "snapshots") for each in given.items("snapshots")])


def _key(given: Input) -> RecoveryKey:
    return RecoveryKey(given.sized("key", KEY_BYTES))


# --- locks ------------------------------------------------------------------------------------------------


def _stretch(given: Input) -> Output:
    name = _name(given)
    stretched = stretch(given.text("password"), name, _hardness(given))
    inputs = [server_input(each, stretched, name).hex() for each in SERVERS]
    return {"stretched": stretched.expose().hex(), "inputs": inputs}


def _seal_lock(given: Input) -> Output:
    public = OprfPublicKey(given.hex("public_1")), OprfPublicKey(given.hex("public_2"))
    empty = Lock(_name(given), _hardness(given), public, bytes(SEALED_KEY_BYTES))
    keys = LockKeys.derive(empty.header, _outputs(given))
    lock = replace(empty, sealed=keys.seal(_key(given), empty.header))
    return {"lock": lock.encode().hex(), "login_keys": _login_keys(keys)}


def _open_lock(given: Input) -> Output:
    lock = Lock.decode(given.hex("lock"))
    keys = LockKeys.derive(lock.header, _outputs(given))
    key = keys.open(lock.sealed, lock.header)
    if key is None:
        raise WrongPassword(0, 0)
    return {"key": key.expose().hex(), "login_keys": _login_keys(keys)}


def _login_keys(keys: LockKeys) -> list[str]:
    return [keys.login(each).public.data.hex() for each in SERVERS]


def _choose(given: Input) -> Output:
    first, second = (LocksShown.decode(given.hex(each)) for each in ("first", "second"))
    return {"lock": choose(given.sized("user_id", HASH_BYTES), first, second).encode().hex()}


def _attempt(given: Input) -> Output:
    """Take the client's part and both servers'."""
    lock = Lock.decode(given.hex("lock"))
    blindings = blind_for_both(PassphraseKey(given.sized("stretched", KEY_BYTES)), lock.name)
    mine, theirs = (EvaluateLock(lock.name, each.blinded) for each in blindings)
    attempt = Attempt(lock, (mine, theirs), blindings)
    first, second = (
        _evaluated(given.nested(f"server_{number}"), blinding)
        for number, blinding in zip(SERVERS, blindings, strict=True)
    )
    attempt.first(second)
    opened = attempt.finish(first, second)
    successes = [each.encode().hex() for each in opened.successes]
    return {"key": opened.key.expose().hex(), "successes": successes}


def _evaluated(given: Input, blinding: Blinding) -> LockEvaluated:
    if given.flag("waits"):
        return LockEvaluated(None, None, LockStanding(0))
    return LockEvaluated(answered(given, blinding), given.sized("nonce", NONCE_BYTES), LockStanding(0))


def _decoy(given: Input) -> Output:
    key = DecoyKey(given.sized("key", KEY_BYTES))
    record = decoy(key, given.sized("user_id", HASH_BYTES), SERVERS[0], Policy())
    return {"lock": record.held[0].lock.encode().hex()}


# --- tickets and signatures -------------------------------------------------------------------------------


def _sign_ticket(given: Input) -> Output:
    key, request = LockTicketKey(given.sized("seed", KEY_BYTES)), EvaluateLock.decode(given.hex("request"))
    ticket = issue(key, request, given.counter("now"))
    return {"ticket": None if ticket is None else ticket.hex()}


def _check_ticket(given: Input) -> Output:
    request = EvaluateLock.decode(given.hex("request"))
    require_ticket(Ed25519PublicKey(given.hex("key")), request, given.counter("now"))
    return {}


def _verify_success(given: Input) -> Output:
    request = LockOpened.decode(given.hex("request"))
    signed = LockOpened.signed(given_server(given), request.name, request.nonce)
    Ed25519PublicKey(given.hex("key")).verify(signed, request.signature)
    return {}


def _verify_binding(given: Input) -> Output:
    call = BindIdentity.decode(given.hex("request"))
    require_binding_signed(given_server(given), call, _chain(given))
    return {}


def _verify_id_ticket(given: Input) -> Output:
    IdentityTicket.decode(given.hex("ticket")).verify(Ed25519PublicKey(given.hex("key")))
    return {}


def _verify_change(given: Input) -> Output:
    kind = _CHANGES.get(given.text("kind"))
    if kind is None:
        raise UsageError("`kind` must be begin, settle or finish")
    require_signed(given_server(given), kind.decode(given.hex("request")), _chain(given))
    return {}


# --- what a recovered user finds --------------------------------------------------------------------------


def _device(given: Input) -> Output:
    keys = device_keys(_key(given))
    return {
        "identity": keys.identity.public.data.hex(),
        "ed25519": keys.signing.public.ed25519.data.hex(),
        "ml_dsa": keys.signing.public.ml_dsa.data.hex(),
        "receiving": keys.receiving.public.data.hex(),
    }


def _check_card(given: Input) -> Output:
    card = RecoveryCard.decode(given.hex("card"))
    require_card(card, _chain(given))
    return {"receiving": shown_fields(card)["receiving"]}


def _open_box(given: Input) -> Output:
    recovery, chain = device_keys(_key(given)), _chain(given)
    require_ours(chain, recovery)
    contents, seeds = open_box(given.hex("box"), recovery, chain)
    return {
        "name": contents.name,
        "seeds": [seed.expose().hex() for _, seed in seeds],
        "contacts": [[each.name, each.user_id.hex()] for each in contents.pins],
    }


OPERATIONS: Final[Mapping[str, Operation]] = {
    "recovery.attempt": _attempt,
    "recovery.check_card": _check_card,
    "recovery.check_ticket": _check_ticket,
    "recovery.choose": _choose,
    "recovery.decoy": _decoy,
    "recovery.device": _device,
    "recovery.open_box": _open_box,
    "recovery.open_lock": _open_lock,
    "recovery.seal_lock": _seal_lock,
    "recovery.sign_ticket": _sign_ticket,
    "recovery.stretch": _stretch,
    "recovery.verify_binding": _verify_binding,
    "recovery.verify_change": _verify_change,
    "recovery.verify_id_ticket": _verify_id_ticket,
    "recovery.verify_success": _verify_success,
}

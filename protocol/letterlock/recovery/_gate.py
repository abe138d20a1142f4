"""Gate: whoever asks one of the two servers has shown there who they are.

    identify    begins a check          ->  a challenge; a code is sent where the check sends one
    prove       the code, or a token    ->  a pass, and whose the identity is
    bind        makes the identity that of a user; a device of the user signs                        [REC-32]
    require     what a server asks before it evaluates                                               [REC-31]

A challenge and a pass are sealed under the server's own key, and say for what they were given. What serves
once, or is counted, is durable before it is answered. [REC-27]

Not here: what a check does (_identity_check.py); the rows (_gate_store.py); HTTP.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Clock, Entropy, system_clock, system_entropy
from letterlock._primitives.labels import IDENTITY_CHALLENGE, IDENTITY_PASS
from letterlock._primitives.secret import Uncopyable
from letterlock._records.entry import MAX_TIME
from letterlock._records.gate import SPENT, CodeRow, decode_code, decode_tries, encode_tries
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.identity_calls import (
    BindIdentity,
    Challenged,
    Identify,
    Prove,
    Proven,
    is_kind,
)
from letterlock._wire.identity_limits import CHALLENGE_SECONDS, MAX_CLAIM, MAX_CLOCK_SLACK, PASS_SECONDS
from letterlock._wire.identity_ticket import challenge_nonce
from letterlock._wire.recovery_limits import SERVERS
from letterlock.errors import MalformedMessage, UsageError
from letterlock.recovery import _codes as codes
from letterlock.recovery._bindings import Claim, bind, list_version_of, names, owner_of, seen
from letterlock.recovery._device import ShownLists
from letterlock.recovery._errors import CheckUnavailable, IdentityRefused, RecoveryRefused
from letterlock.recovery._gate_keys import GateKey, GateKeys
from letterlock.recovery._gate_store import GateRow, GateRows, GateStore
from letterlock.recovery._identity_check import CodeCheck, IdentityCheck
from letterlock.recovery._signing import require_binding_signed

_ID_BYTES: Final = 16
_BINDING_TRIES: Final = 3
"""How often a binding begins anew because the identity went to somebody else meanwhile."""


@dataclass(frozen=True, slots=True)
class ProvenIdentity:
    """What a good pass says: the kind of the check, the tag of the identity, and its user, if it has one.

    `tag` has 32 bytes, and is this server's own. The pass is good before `ends`, in seconds since 1970.
    """

    kind: str
    id: bytes
    ends: int
    tag: bytes
    user_id: bytes | None


@dataclass(frozen=True, slots=True)
class _Challenge:
    """What a challenge says. `tag` is None if the proof names the identity."""

    kind: str
    id: bytes
    ends: int
    tag: bytes | None


class Gate(Uncopyable):
    """The identity checks of server 1 or 2. Each check has a name, such as `mail`.

    A user is let in by any one of the checks for which an identity was bound. Raises UsageError for another
    number or name.
    """

    __slots__ = ("_checks", "_clock", "_entropy", "_keys", "_server", "_store")

    def __init__(
        self,
        server: int,
        key: GateKey,
        store: GateStore,
        checks: Mapping[str, IdentityCheck],
        *,
        clock: Clock = system_clock,
        entropy: Entropy = system_entropy,
    ) -> None:
        if server not in SERVERS:
            raise UsageError("a recovery server is number 1, the relay, or 2, the key server")
        if not checks or not all(map(is_kind, checks)):
            raise UsageError("a gate needs a check, with a name of small letters, digits and hyphens")
        self._server = server
        self._keys = GateKeys(key, server)
        self._store = store
        self._checks = dict(checks)
        self._clock = clock
        self._entropy = entropy

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the checks."""
        return tuple(self._checks)

    # --- a check ------------------------------------------------------------------------------------------

    async def identify(self, request: Identify) -> Challenged:
        """Begin a check. Whether anybody has this identity is not looked up. [REC-26]

        Raises RecoveryRefused, MalformedMessage, CheckUnavailable, StoreError.
        """
        check, now = self._check(request.kind), self._clock()
        if not isinstance(check, CodeCheck):
            if request.claim is not None:
                raise MalformedMessage("this check takes no claim: its proof names the identity")
            return self._challenge(request.kind, now + CHALLENGE_SECONDS, None)
        if request.claim is None:
            raise MalformedMessage("this check needs a claim: whom it is to ask")
        identity = check.identity(request.claim)
        tag = self.tag(request.kind, identity)

        def step(rows: GateRows) -> tuple[GateRows, tuple[str, codes.Asked]]:
            row, older = rows
            after, asked = codes.ask(_code(row), now, self._entropy)
            if codes.goes_on(_code(row), after):
                older = row
            return (_code_row(after), older), (self._keys.code(tag, after.seed), asked)

        code_key = self._keys.tag("code", tag)
        code, asked = await self._store.change([code_key, self._keys.tag("older code", tag)], step)
        if asked.sends:
            await self._deliver(partial(check.deliver, identity, code), code_key)
        if asked.ends is None:
            return Challenged(None, asked.not_before)
        return self._challenge(request.kind, asked.ends, tag)

    async def prove(self, request: Prove) -> Proven:
        """Take a proof. A good one serves once, and brings a pass. [REC-27]

        Raises IdentityRefused, CheckUnavailable, StoreError.
        """
        challenge = self._read_challenge(request.challenge)
        if challenge.tag is not None:
            left = await self._guess(challenge, challenge.tag, request.proof)
            if left is not None:
                return Proven(None, None, left)
            return await self._pass(challenge, challenge.tag)
        check = self._check(challenge.kind)
        if isinstance(check, CodeCheck):
            raise IdentityRefused("a challenge of another check: begin again")
        try:
            nonce = challenge_nonce(request.challenge)
            identity = await check.identity(request.proof, nonce, self._clock())
        except IdentityRefused:
            return Proven(None)
        await self._spend(challenge)
        return await self._pass(challenge, self.tag(challenge.kind, identity))

    async def _deliver(self, deliver: Callable[[], Awaitable[None]], code_key: bytes) -> None:
        """Have a code sent. If nothing can be sent now, no mail is counted: asking again sends one."""

        def unsent(rows: GateRows) -> tuple[GateRows, None]:
            return tuple(map(_unsent, rows)), None

        try:
            await deliver()
        except CheckUnavailable:
            await self._store.change([code_key], unsent)
            raise

    async def _guess(self, challenge: _Challenge, tag: bytes, proof: bytes) -> int | None:
        """Count a try. Return None if it was right, or how many are left. [REC-27]"""

        def step(rows: GateRows) -> tuple[GateRows, int | None]:
            *found, tries = rows
            known = [_code(each) for each in found]
            row = codes.of_challenge(challenge.ends, *known)
            wrong = 0 if tries is None else decode_tries(tries.record)
            tried = codes.guess(row, wrong, "" if row is None else self._keys.code(tag, row.seed), proof)
            after = [_code_row(tried.row) if it is row else old for it, old in zip(known, found, strict=True)]
            if tried.is_right:
                return (*after, tries), None
            return (*after, GateRow(encode_tries(tried.tries), challenge.ends)), tried.tries_left

        keys = [self._keys.tag(what, tag) for what in ("code", "older code")]
        keys.append(self._keys.tag("tries", challenge.id))
        return await self._store.change(keys, step)

    async def _spend(self, challenge: _Challenge) -> None:
        def step(rows: GateRows) -> tuple[GateRows, None]:
            if rows != (None,):
                raise IdentityRefused("this challenge has served: begin again")
            return (GateRow(SPENT, challenge.ends),), None

        await self._store.change([self._keys.tag("spent", challenge.id)], step)

    async def _pass(self, challenge: _Challenge, tag: bytes) -> Proven:
        user_id = await self._owner(challenge.kind, tag)
        ends = self._clock() + PASS_SECONDS
        fields: list[cbor.Value] = [challenge.kind, self._entropy(_ID_BYTES), ends, tag, user_id]
        return Proven(self._keys.seal(IDENTITY_PASS, fields, self._entropy), user_id)

    async def _owner(self, kind: str, tag: bytes) -> bytes | None:
        """Return the user to whom an identity is bound, or None. [REC-31]"""
        (row,) = await self._store.load([self._owner_key(tag)])
        user_id = owner_of(row)
        if user_id is None:
            return None
        (binding,) = await self._store.load([self._binding_key(kind, user_id)])
        return user_id if names(binding, tag) else None

    # --- passes -------------------------------------------------------------------------------------------

    async def require(self, pass_: bytes | None, user_id: bytes) -> ProvenIdentity:
        """Return what a pass says, if it lets somebody in as this user. [REC-31]

        Raises IdentityRefused, StoreError.
        """
        proven = self.proven(pass_)
        (binding,) = await self._store.load([self._binding_key(proven.kind, user_id)])
        if proven.user_id != user_id or not names(binding, proven.tag):
            raise IdentityRefused("the pass is for another user, or for an identity that was given up")
        return proven

    def proven(self, pass_: bytes | None) -> ProvenIdentity:
        """Return what a pass says, whoever's the identity is. Raises IdentityRefused."""
        fields = self._keys.open(IDENTITY_PASS, pass_ or b"", 5, "a pass")
        if fields is not None:
            kind, pass_id = fields.text("kind"), fields.blob("id", _ID_BYTES)
            ends, tag = fields.uint("end", MAX_TIME), fields.blob("tag", HASH_BYTES)
            proven = ProvenIdentity(kind, pass_id, ends, tag, fields.optional_blob("user id", HASH_BYTES))
            if self._is_good(ends, PASS_SECONDS) and kind in self._checks:
                return proven
        raise IdentityRefused("no pass of this server, or one that has ended: prove an identity here first")

    def tag(self, kind: str, identity: bytes) -> bytes:
        """Return the 32 bytes that stand for an identity at this server. [REC-33]"""
        if not 1 <= len(identity) <= MAX_CLAIM:
            raise MalformedMessage(f"an identity has 1 to {MAX_CLAIM} bytes")
        return self._keys.tag("identity", kind, identity)

    def claimed(self, kind: str, claim: bytes) -> bytes:
        """Return the tag of an identity as somebody writes it. Raises MalformedMessage, RecoveryRefused."""
        check = self._check(kind)
        return self.tag(kind, check.identity(claim) if isinstance(check, CodeCheck) else claim)

    # --- bindings -----------------------------------------------------------------------------------------

    async def bind(self, request: BindIdentity, lists: ShownLists) -> None:
        """Make the identity of a pass that of a user. The same call again changes nothing. [REC-32]

        `lists` has the user's newest list that the caller knows. Raises IdentityRefused, RecoveryRefused,
        CheckUnavailable, StoreError.
        """
        proven = self.proven(request.pass_)
        require_binding_signed(self._server, request, lists)
        await self._require_newest(lists)
        claim = Claim(proven.tag, lists.user_id, lists.version, proven.ends)
        binding, owner = self._binding_key(proven.kind, lists.user_id), self._owner_key(proven.tag)
        keys = [owner, binding, self._keys.tag("spent", proven.id)]
        for _ in range(_BINDING_TRIES):
            found = seen(claim, *await self._store.load([owner, binding]))
            more = [] if found.given_up is None else [self._owner_key(found.given_up)]
            more += [] if found.other is None else [self._binding_key(proven.kind, found.other)]
            if await self._store.change([*keys, *more], partial(bind, claim, found)):
                return
        raise CheckUnavailable("the identity changes hands all the time: try again in a minute")

    async def _require_newest(self, lists: ShownLists) -> None:
        """Raise RecoveryRefused if an identity of another kind was bound by a newer list. [REC-32]"""
        for kind in self._checks:
            (row,) = await self._store.load([self._binding_key(kind, lists.user_id)])
            if lists.version < list_version_of(row):
                raise RecoveryRefused("this server knows a newer device list: fetch it first")

    async def release(self, kind: str, identity: bytes) -> bool:
        """Let an identity belong to nobody: for an operator who knows that its owner is another person now.

        `identity` is as a check gives it. Returns whether it belonged to somebody. Raises StoreError.
        """
        tag = self.tag(kind, identity)
        user_id = await self._owner(kind, tag)
        if user_id is None:
            return False
        keys = [self._binding_key(kind, user_id), self._owner_key(tag)]
        return await self._store.change(keys, partial(_without, tag))

    # --- shared -------------------------------------------------------------------------------------------

    def _check(self, kind: str) -> IdentityCheck:
        check = self._checks.get(kind)
        if check is None:
            raise RecoveryRefused("this server has no check of that name: ask its operator which it has")
        return check

    def _owner_key(self, tag: bytes) -> bytes:
        return self._keys.tag("owner", tag)

    def _binding_key(self, kind: str, user_id: bytes) -> bytes:
        return self._keys.tag("binding", kind, user_id)

    def _challenge(self, kind: str, ends: int, tag: bytes | None) -> Challenged:
        fields: list[cbor.Value] = [kind, self._entropy(_ID_BYTES), ends, tag]
        return Challenged(self._keys.seal(IDENTITY_CHALLENGE, fields, self._entropy))

    def _read_challenge(self, challenge: bytes) -> _Challenge:
        fields = self._keys.open(IDENTITY_CHALLENGE, challenge, 4, "a challenge")
        if fields is not None:
            kind, challenge_id = fields.text("kind"), fields.blob("id", _ID_BYTES)
            ends = fields.uint("end", MAX_TIME)
            if self._is_good(ends, CHALLENGE_SECONDS):
                return _Challenge(kind, challenge_id, ends, fields.optional_blob("tag", HASH_BYTES))
        raise IdentityRefused("no challenge of this server, or one that has ended: begin again")

    def _is_good(self, ends: int, seconds: int) -> bool:
        """Return whether what is good for so many seconds has not ended, under a clock that went on."""
        now = self._clock()
        return now < ends <= now + seconds + MAX_CLOCK_SLACK

    def __repr__(self) -> str:
        return f"<Gate {self._server}: {', '.join(self._checks)}>"


def _unsent(row: GateRow | None) -> GateRow | None:
    if row is None:
        return None
    code = codes.unsent(decode_code(row.record))
    return GateRow(code.encode(), code.ends)


def _code(row: GateRow | None) -> CodeRow | None:
    return None if row is None else decode_code(row.record)


def _code_row(code: CodeRow) -> GateRow:
    return GateRow(code.encode(), code.ends)


def _without(tag: bytes, rows: GateRows) -> tuple[GateRows, bool]:
    binding, _ = rows
    return ((None, None), True) if names(binding, tag) else (rows, False)

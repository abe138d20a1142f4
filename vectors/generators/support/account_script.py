"""A script for an account play: the account under test, and the friends that it writes to.

    script = Script(prekeys=[SIGNED, ONE_TIME])             bob, who allows suite 1
    alice = script.friend(ALICE)
    alice.initiate(BOB.bundle(), Suite.X3DH)
    script.receive(alice, alice.write("hello"), "hello")
    script.add(group, "comment", rules=[...])

Friends are accounts of the library whose keys and random bytes come from labels. Every answer is
compared with what the script expects.

Not here: the plays themselves (families/sessions/).
"""

from collections.abc import Sequence
from typing import Any, Final

from kyber_py.ml_kem import ML_KEM_1024

from generators.support.family import GenerationError, Group, Json, run
from generators.support.labels import draw
from generators.support.people import ALICE, BOB, Person
from letterlock._device.account_record import AccountRecord
from letterlock._device.device import Device
from letterlock._device.environment import Environment
from letterlock._primitives.mlkem import Encapsulation, KemSecret, MlKem1024PublicKey
from letterlock._records.account import encode_account
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.stored_session import StoredSession
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.stores._interface import PrekeyRow
from letterlock.stores._memory import MemoryStore
from letterlock_vectors.operations.handshakes import prekey_record

NOW: Final = 1_700_000_000

DRAWN_BY_THE_BRAID: Final = (64, 32)
"""Bytes of a KEM key's seed, and of m."""

Prekey = tuple[PrekeyKind, int, int | None]
"""Kind, id and expiry."""

SIGNED: Final[Prekey] = (PrekeyKind.SIGNED, 100, None)
ONE_TIME: Final[Prekey] = (PrekeyKind.ONE_TIME, 200, None)
KEM_ONE_TIME: Final[Prekey] = (PrekeyKind.KEM_ONE_TIME, 300, None)
LAST_RESORT: Final[Prekey] = (PrekeyKind.KEM_LAST_RESORT, 400, None)
ALL: Final = (SIGNED, ONE_TIME, KEM_ONE_TIME, LAST_RESORT)


def encapsulation(key: MlKem1024PublicKey, label: str) -> Json:
    """Return m from a label, and the ciphertext and secret for a key."""
    coins = draw(f"{label} coins", 32)
    secret, ciphertext = ML_KEM_1024._encaps_internal(key.data, coins)
    return {"m": coins.hex(), "ciphertext": ciphertext.hex(), "secret": secret.hex()}


class Friend:
    """An account that exchanges messages with the account under test."""

    def __init__(self, person: Person, peer: Person, label: str) -> None:
        self.person, self._peer, self._label = person, peer, f"{label} {person.name}"
        self._drawn = 0
        self.store = MemoryStore()
        self.user_ids: bytes | None = None  # ours, then theirs
        self._environment = Environment(
            frozenset(Suite), lambda: NOW, self._draw, self._encapsulate, lambda _address, _key: self.user_ids
        )
        with self.store.transaction():
            self.store.tables.account.save(encode_account(AccountRecord(person.party, next_id=1)))
            self.store.tables.prekeys.add(self._row(kind, id_) for kind, id_, _ in ALL)
        self.account = Account(Device.open_existing(self.store, self._environment))

    def _row(self, kind: PrekeyKind, id_: int) -> PrekeyRow:
        return PrekeyRow(kind, id_, None, prekey_record(kind, self.person.secret(kind, id_)))

    def _draw(self, length: int) -> bytes:
        self._drawn += 1
        return draw(f"{self._label} {self._drawn}", length)

    def _encapsulate(self, key: MlKem1024PublicKey) -> Encapsulation:
        made = encapsulation(key, f"{self._label} {self._drawn}")
        return Encapsulation(KemSecret(bytes.fromhex(made["secret"])), bytes.fromhex(made["ciphertext"]))

    def own(self, kind: PrekeyKind, id_: int) -> None:
        """Add one more prekey."""
        with self.store.transaction():
            self.store.tables.prekeys.add([self._row(kind, id_)])

    def initiate(self, bundle: PrekeyBundle, suite: Suite = Suite.X3DH) -> None:
        """Begin a session."""
        self.account.initiate(bundle.address, bundle, suite=suite)

    def write(self, text: str) -> bytes:
        """Return the next message."""
        return self.account.encrypt(self._peer.address, text.encode())

    def read(self, message: bytes, text: str) -> None:
        """Decrypt a message. Raises GenerationError if the plaintext is another."""
        if self.account.decrypt(self._peer.address, message) != text.encode():
            raise GenerationError(f"{self._label} reads something else")

    def stored_sessions(self) -> list[StoredSession]:
        """Return the sessions with the account under test, the active one first."""
        with self.store.transaction():
            return PeerSessions(self.store, self._peer.address, frozenset(Suite)).all()


class Script:
    """The steps of one play, with the expected answer to each. The account under test is Bob's."""

    def __init__(
        self,
        label: str,
        *,
        prekeys: Sequence[Prekey] = ALL,
        suites: Sequence[int] = (1, 2),
        replays: Json | None = None,
        person: Person = BOB,
    ) -> None:
        self._label = f"sessions {label}"
        self._person = person
        self._account = {
            "address": person.json,
            "identity": person.identity.private.expose().hex(),
            "suites": list(suites),
            "now": NOW,
            "prekeys": [
                {"kind": int(kind), "id": id_, "private": person.secret(kind, id_).hex(), "expires": expires}
                for kind, id_, expires in prekeys
            ],
            "replays": replays,
        }
        self._steps: list[Json] = []
        self._answers: list[Json] = []

    def friend(self, person: Person = ALICE, *, to: Person | None = None) -> Friend:
        """Return a new friend, whose peer is the account under test unless `peer` says otherwise."""
        return Friend(person, to or self._person, self._label)

    def given(self) -> Json:
        """Return the input."""
        return {"account": self._account, "steps": self._steps}

    def _step(self, answer: Json, do: str, **fields: Any) -> None:
        self._steps.append({"do": do, **fields})
        self._answers.append(answer)

    def initiate(
        self, bundle: PrekeyBundle | bytes, suite: int = 1, *, error: str | None = None,
        person: Person = ALICE, discard: bool = False,
    ) -> None:  # fmt: skip
        """The account begins a session with the owner of a bundle."""
        label = f"{self._label} initiation {len(self._steps)}"
        decoded = PrekeyBundle.decode(bundle) if isinstance(bundle, bytes) else bundle
        kem = encapsulation(decoded.kem.key, label) if suite == 2 and decoded.kem else None
        self._step(
            {} if error is None else {"error": error},
            "initiate",
            address=person.json,
            bundle=decoded.encode().hex(),
            suite=suite,
            ephemeral=draw(f"{label} ephemeral", 32).hex(),
            ratchet_private=draw(f"{label} ratchet", 32).hex(),
            kem=kem,
            discard_earlier=discard,
        )

    def encrypt(self, text: str, person: Person = ALICE) -> bytes:
        """The account encrypts; return the message. In suite 2, the braid draws when it begins a text."""
        self._step({}, "encrypt", address=person.json, **self._sealing(text))
        step = self._steps[-1]
        for length in (0, *DRAWN_BY_THE_BRAID):
            if length:
                step["entropy"] = draw(f"{self._label} braid {len(self._steps)}", length).hex()
            answer = run("account.play", self.given())["steps"][-1]
            if "message" in answer:
                self._answers[-1] = answer
                return bytes.fromhex(answer["message"])
        raise GenerationError(f"{self._label}: {answer}")

    def encrypt_refused(self, error: str, person: Person = ALICE) -> None:
        """The account tries to encrypt, and is refused."""
        self._step({"error": error}, "encrypt", address=person.json, **self._sealing("refused"))

    def _sealing(self, text: str) -> Json:
        label = f"{self._label} sealing {len(self._steps)}"
        nonce, key = draw(f"{label} nonce", 8).hex(), draw(f"{label} ratchet", 32).hex()
        return {"plaintext": text.encode().hex(), "nonce": nonce, "ratchet_private": key}

    def receive(self, message: bytes, text: str, person: Person = ALICE) -> None:
        """The account decrypts a message."""
        answer = {"plaintext": text.encode().hex()}
        self._step(answer, "decrypt", address=person.json, message=message.hex())

    def refused(self, message: bytes, error: str, person: Person = ALICE) -> None:
        """The account refuses a message."""
        self._step({"error": error}, "decrypt", address=person.json, message=message.hex())

    def accept(self, identity: Person, person: Person = ALICE) -> None:
        """The account accepts an identity key for an address."""
        self._step({}, "accept_identity", address=person.json, identity=identity.identity.public.data.hex())

    def wait(self, seconds: int) -> None:
        """Time passes."""
        self._step({}, "wait", seconds=seconds)

    def allow(self, *suites: int) -> None:
        """The account allows exactly these suites from now on."""
        self._step({}, "allow", suites=list(suites))

    def users(self, ours: bytes | None, theirs: bytes | None, person: Person = ALICE) -> None:
        """The account takes a peer for a device of a user, or for none."""
        ids = {"ours": ours and ours.hex(), "theirs": theirs and theirs.hex()}
        self._step({}, "users", address=person.json, **ids)

    def sessions(self, count: int, skipped: int = 0, person: Person = ALICE) -> None:
        """The account counts its sessions and skipped keys."""
        self._step({"sessions": count, "skipped": skipped}, "sessions", address=person.json)

    def prekeys(self, *ids: int) -> None:
        """The account lists the ids of its prekeys."""
        self._step({"ids": list(ids)}, "prekeys")

    def add(self, group: Group, comment: str, *, rules: Sequence[str], flags: Sequence[str] = ()) -> None:
        """Add the play to a group, if every answer is as expected."""
        expected = {"steps": self._answers}
        refusals = [each["error"] for each in self._answers if "error" in each]
        if not refusals:
            group.play(comment, self.given(), flags=flags, rules=rules, output=expected)
            return
        expect, *others = refusals
        answer = group.invalid_play(comment, self.given(), expect, flags=flags, rules=rules, also=others)
        if answer != expected:
            pairs = [each for each in zip(answer["steps"], self._answers, strict=True) if each[0] != each[1]]
            raise GenerationError(f"{comment}: {pairs} (answered, expected)")

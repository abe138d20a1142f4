"""One of everything that holds a secret, made around the same 64 bytes, with what it prints.

Not here: the tests (tests/account/test_secrets.py).
"""

from collections.abc import Callable
from typing import Any, Final

from letterlock import hazmat
from letterlock._device.account_record import AccountRecord
from letterlock._handshake.agreement import Agreement, Initiation, Party, Prekeys
from letterlock._handshake.bundle_signature import BundleSigner
from letterlock._handshake.x3dh import RecipientKeys, SharedSecret
from letterlock._primitives.curve25519 import (
    EphemeralKeyPair,
    IdentityKeyPair,
    OneTimePrekeyPair,
    PrivateKey,
    RatchetKeyPair,
    SignedPrekeyPair,
)
from letterlock._primitives.mlkem import Encapsulation, KemSecret, KemSeed, MlKem768KeyPair, MlKem1024KeyPair
from letterlock._primitives.xeddsa import SigningKey, SigningScalar
from letterlock._ratchet.double import (
    Gap,
    Hearing,
    Received,
    ReceivingChain,
    SendingChain,
    Speaking,
    Unanswered,
    Waiting,
)
from letterlock._ratchet.keys import ChainKey, MessageKey, PassedKeys, RootKey, SkippedKeys
from letterlock._ratchet.ratchet import Committed, Sent, Skipped, SkippedRange
from letterlock._records.session import encode_session
from letterlock._session.kept_keys import KeptKeys
from letterlock._session.lifecycle import Phase
from letterlock._session.sealing import Decrypted, Encrypted
from letterlock._session.session import Established, Initiated, Origin
from letterlock._session.stored_session import StoredSession
from letterlock._wire.bundle import BundleHead
from letterlock._wire.message import HandshakeHeader, Header
from letterlock._wire.prekey import PrekeyKind, PublicPrekey
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.aio import AsyncAccount
from letterlock.aio._call import Call
from letterlock.aio._transaction import AsyncTransaction
from letterlock.aio._turns import Turns
from letterlock.aio._undelivered import Kept, Undelivered
from letterlock.aio._worker import Begin, End, Worker
from letterlock.relay._session import RelaySecret, Seals
from letterlock.stores._interface import (
    DeferredRecord,
)
from letterlock.stores._memory import MemoryStore
from letterlock_vectors.inputs import Input
from letterlock_vectors.operations.accounts import AccountPlayer
from letterlock_vectors.operations.braid import BraidPlayer
from letterlock_vectors.operations.plays import ChosenEntropy
from letterlock_vectors.operations.ratchets import SidePlayer
from letterlock_vectors.operations.sparse import SparsePlayer
from support.pair import ALICE, NOON
from support.secret_age_holders import AGE_SECRETS, AGE_TABLE
from support.secret_client_holders import CLIENT_TABLE
from support.secret_collection_holders import COLLECTION_SECRETS, COLLECTION_TABLE
from support.secret_document_holders import DOCUMENT_SECRETS, DOCUMENT_TABLE
from support.secret_granting_holders import GRANTING_SECRETS, GRANTING_TABLE
from support.secret_group_holders import GROUP_SECRETS, GROUP_TABLE
from support.secret_half_holders import HALF_SECRETS, HALF_TABLE
from support.secret_keyserver_holders import KEYSERVER_TABLE
from support.secret_pq_holders import MATERIAL, PQ_SECRETS, PQ_TABLE, pq_words
from support.secret_recovery_holders import RECOVERY_SECRETS, RECOVERY_TABLE
from support.secret_signing_holders import (
    SIGNING_ABSTRACT,
    SIGNING_SECRETS,
    SIGNING_TABLE,
    signing_words,
)
from support.secret_store_holders import STORE_TABLE, filled

PLAINTEXT: Final = MATERIAL[:40]
AD: Final = bytes(32)

SECRETS: Final = [
    "ChainKey", "DataKey", "EncapsulationRandomness", "IndexKey", "KemSecret", "KemSeed", "KeyMaterial",
    "ManyKeys", "MessageKey", "PassedKeys", "PassphraseKey", "PrivateKey", "Record", "RelaySecret", "RootKey",
    "SharedPoint", "SharedSecret", "SigningScalar", "SkippedKeys", "StoreKey", "ValuesKey", "WrapKey",
    *PQ_SECRETS, *SIGNING_SECRETS, *DOCUMENT_SECRETS, *GRANTING_SECRETS, *COLLECTION_SECRETS, *GROUP_SECRETS,
    *AGE_SECRETS, *RECOVERY_SECRETS, *HALF_SECRETS,
]  # fmt: skip
"""Every subclass of Secret. Each prints as <Name: hidden>."""

PAIRS: Final[dict[str, Any]] = {
    "IK": IdentityKeyPair, "SPK": SignedPrekeyPair, "OPK": OneTimePrekeyPair, "EK": EphemeralKeyPair,
    "RK": RatchetKeyPair,
}  # fmt: skip
KEY = PrivateKey(MATERIAL[:32])
pairs: Final[dict[str, Any]] = {name: pair.from_private(KEY) for name, pair in PAIRS.items()}
ik, spk, opk, ek, rk = (pairs[name] for name in PAIRS)
kem: Final = MlKem1024KeyPair(KemSeed(MATERIAL))
kem768: Final = MlKem768KeyPair(KemSeed(MATERIAL))
chain, message, root = ChainKey(MATERIAL[:32]), MessageKey(MATERIAL[:32]), RootKey(MATERIAL[:32])
sending, receiving = SendingChain(chain, 1), ReceivingChain(rk.public, chain, 2)
gap: Final = Gap(rk.public, 3, PassedKeys(MATERIAL))
opening: Final = Unanswered(root, rk, rk.public, sending)
hearing: Final = Hearing(root, receiving, 3)
speaking: Final = Speaking(root, rk, sending, receiving, 3)
agreement: Final = Agreement(SharedSecret(MATERIAL[:32]), AD)
header: Final = HandshakeHeader(Suite.X3DH, ik.public, ek.public, 1, None, None)
common: Final = BundleHead(ALICE, ik.public, 1, PublicPrekey(PrekeyKind.SIGNED, 1, spk.public))
origin: Final = Origin(Suite.X3DH, AD, None)
established: Final = Established(origin, hearing)
kept: Final = SkippedRange(AD, 7, SkippedKeys(MATERIAL))


def account() -> Account:
    return hazmat.create_account(
        MemoryStore(), ALICE, lambda length: (MATERIAL * 2)[:length], clock=lambda: NOON
    )


def kept_text() -> Kept:
    return Kept(MATERIAL[:32], ALICE, PLAINTEXT, Call(None))


def undelivered() -> Undelivered:
    texts = Undelivered()
    texts._entries[MATERIAL[:32]] = kept_text()
    return texts


def worker() -> Worker[Any]:
    """Return a worker whose thread was never started."""
    idle: Worker[Any] = Worker.__new__(Worker)
    idle._store, idle.undelivered = filled(), undelivered()
    return idle


def async_account() -> AsyncAccount[Any]:
    made: AsyncAccount[Any] = AsyncAccount.__new__(AsyncAccount)
    made._account, made._worker = account(), worker()
    return made


def chosen() -> ChosenEntropy:
    entropy = ChosenEntropy()
    entropy.offer(MATERIAL[:32])
    return entropy


def account_player() -> AccountPlayer:
    private = MATERIAL[:32].hex()
    prekeys = [{"kind": 1, "id": 1, "private": private, "expires": None}]
    given = {"address": ["alice", 1], "identity": private, "suites": [2], "now": NOON, "prekeys": prekeys}
    return AccountPlayer(Input({**given, "replays": None}))


def ratchet_player() -> SidePlayer:
    private = MATERIAL[:32].hex()
    given = {"role": "recipient", "secret": private, "associated_data": AD.hex(), "signed_prekey": private}
    return SidePlayer(Input(given), Suite.X3DH)


def pq_player() -> Input:
    return Input({"secret": MATERIAL[:32].hex(), "initiator": True})


# What each prints, with the public keys under the names above. {RKP} is the pair, {RK} its public half.
TABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "Seals": (lambda: Seals(RelaySecret(MATERIAL[:32]), bytes), "{OBJECT}"),
    "EphemeralKeyPair": (lambda: ek, "<EphemeralKeyPair: EphemeralKey({U})>"),
    "IdentityKeyPair": (lambda: ik, "<IdentityKeyPair: IdentityKey({U})>"),
    "OneTimePrekeyPair": (lambda: opk, "<OneTimePrekeyPair: OneTimePrekey({U})>"),
    "RatchetKeyPair": (lambda: rk, "{RKP}"),
    "SignedPrekeyPair": (lambda: spk, "<SignedPrekeyPair: SignedPrekey({U})>"),
    "MlKem1024KeyPair": (lambda: kem, "<MlKem1024KeyPair: MlKem1024PublicKey({KEM}...)>"),
    "MlKem768KeyPair": (lambda: kem768, "<MlKem768KeyPair: MlKem768PublicKey({KEM768}...)>"),
    "Encapsulation": (
        lambda: Encapsulation(KemSecret(MATERIAL[:32]), b"ct"),
        "Encapsulation(secret=<KemSecret: hidden>, ciphertext=b'ct')",
    ),
    "Party": (
        lambda: Party(ALICE, ik),
        "Party(address=Address(name='alice', device_id=1), identity=<IdentityKeyPair: IdentityKey({U})>)",
    ),
    "Prekeys": (
        lambda: Prekeys(spk, None, kem),
        (
            "Prekeys(signed=<SignedPrekeyPair: SignedPrekey({U})>, one_time=None, "
            "kem=<MlKem1024KeyPair: MlKem1024PublicKey({KEM}...)>)"
        ),
    ),
    "RecipientKeys": (
        lambda: RecipientKeys(ik, spk, None),
        (
            "RecipientKeys(identity=<IdentityKeyPair: IdentityKey({U})>, "
            "signed=<SignedPrekeyPair: SignedPrekey({U})>, one_time=None)"
        ),
    ),
    "SigningKey": (
        lambda: SigningKey(SigningScalar(MATERIAL[:32]), b"A"),
        "SigningKey(scalar=<SigningScalar: hidden>, public=b'A')",
    ),
    "BundleSigner": (
        lambda: BundleSigner(common, SigningKey(SigningScalar(MATERIAL[:32]), b"A"), chosen()),
        (
            "BundleSigner(head=BundleHead(address=Address(name='alice', device_id=1), "
            "identity=IdentityKey({U}), made_on=1, "
            "signed=PublicPrekey(kind=<PrekeyKind.SIGNED: 1>, id=1, key=SignedPrekey({U}))), "
            "key=SigningKey(scalar=<SigningScalar: hidden>, public=b'A'))"
        ),
    ),
    "Agreement": (lambda: agreement, "{AGREEMENT}"),
    "Initiation": (
        lambda: Initiation(agreement, header, spk.public),
        (
            "Initiation(agreement={AGREEMENT}, header=HandshakeHeader(suite=<Suite.X3DH: 1>, "
            "identity=IdentityKey({U}), ephemeral=EphemeralKey({U}), signed_prekey_id=1, "
            "one_time_prekey_id=None, kem=None), signed_prekey=SignedPrekey({U}))"
        ),
    ),
    "SendingChain": (lambda: sending, "{SENDING}"),
    "ReceivingChain": (lambda: receiving, "{RECEIVING}"),
    "Gap": (lambda: gap, "{GAP}"),
    "Waiting": (lambda: Waiting(root, rk), "Waiting(root=<RootKey: hidden>, ours={RKP})"),
    "Unanswered": (lambda: opening, "{OPENING}"),
    "Hearing": (lambda: hearing, "{HEARING}"),
    "Speaking": (lambda: speaking, "{SPEAKING}"),
    "Sent": (
        lambda: Sent(speaking, Header(rk.public, 3, 1), None, message),
        (
            "Sent(state={SPEAKING}, header=Header(ratchet_key={RK}, previous_length=3, number=1), "
            "pq_header=None, key=<MessageKey: hidden>)"
        ),
    ),
    "Committed": (
        lambda: Committed(hearing),
        "Committed(state={HEARING}, skipped=Skipped(double=(), sparse=()), finished=None)",
    ),
    "Received": (
        lambda: Received(hearing, message, gap, receiving, 5),
        "Received(state={HEARING}, key=<MessageKey: hidden>, gap={GAP}, tail={RECEIVING}, tail_end=5)",
    ),
    "AccountRecord": (
        lambda: AccountRecord(Party(ALICE, ik), 5, 3, 4, 6),
        (
            "AccountRecord(party=Party(address=Address(name='alice', device_id=1), "
            "identity=<IdentityKeyPair: IdentityKey({U})>), "
            "next_id=5, signed_id=3, last_resort_id=4, rotated=6)"
        ),
    ),
    "Initiated": (
        lambda: Initiated(origin, b"header", opening),
        "Initiated(origin={ORIGIN}, header_bytes=b'header', ratchet={OPENING}, archived=0)",
    ),
    "Established": (lambda: established, "{ESTABLISHED}"),
    "Decrypted": (
        lambda: Decrypted(established, PLAINTEXT, Skipped((kept,)), None),
        "<Decrypted: 40 bytes, 2 skipped keys>",
    ),
    "SkippedRange": (lambda: kept, "{KEPT}"),
    "Skipped": (lambda: Skipped((kept,)), "Skipped(double=({KEPT},), sparse=())"),
    "Encrypted": (lambda: Encrypted(established, PLAINTEXT), "<Encrypted: 40 bytes>"),
    "KeptKeys": (lambda: KeptKeys(filled().tables, b"peer", lambda: 0), "{OBJECT}"),
    "StoredSession": (
        lambda: StoredSession(1, 2, Phase.ESTABLISHED, established),
        "StoredSession(id=1, rank=2, phase=<Phase.ESTABLISHED: 2>, session={ESTABLISHED})",
    ),
    "DeferredRecord": (lambda: DeferredRecord(established, encode_session), "DeferredRecord()"),
    "Call": (lambda: Call[None](None), "{OBJECT}"),
    "Begin": (lambda: Begin(object()), "{OBJECT}"),
    "End": (lambda: End(None, commits=False), "{OBJECT}"),
    "Kept": (kept_text, "{OBJECT}"),
    "Undelivered": (undelivered, "{OBJECT}"),
    "Turns": (lambda: Turns(1.0), "{OBJECT}"),
    "Worker": (worker, "{OBJECT}"),
    "AsyncTransaction": (lambda: AsyncTransaction(worker()), "{OBJECT}"),
    "AsyncAccount": (async_account, "<AsyncAccount alice.1>"),
    "Device": (lambda: account()._device, "<Device alice.1>"),
    "Account": (account, "<Account alice.1>"),
    "ChosenEntropy": (chosen, "{OBJECT}"),
    "AccountPlayer": (account_player, "{OBJECT}"),
    "SidePlayer": (ratchet_player, "{OBJECT}"),
    "BraidPlayer": (lambda: BraidPlayer(pq_player()), "{OBJECT}"),
    "SparsePlayer": (lambda: SparsePlayer(pq_player()), "{OBJECT}"),
    **CLIENT_TABLE,
    **STORE_TABLE,
    **PQ_TABLE,
    **SIGNING_TABLE, **DOCUMENT_TABLE, **GRANTING_TABLE, **COLLECTION_TABLE, **GROUP_TABLE, **AGE_TABLE,
    **RECOVERY_TABLE,
    **KEYSERVER_TABLE,
    **HALF_TABLE,
}  # fmt: skip

ABSTRACT: Final = {
    "DoubleState",
    "Secret",
    "KeyPair",
    "KemKeyPair",
    "_Table",
    "SqliteTable",
    *SIGNING_ABSTRACT,
}


def words() -> dict[str, str]:
    """What stands for public parts in the table."""
    u = rk.public.data.hex()
    found = {"U": u, "RK": f"RatchetKey({u})", "RKP": f"<RatchetKeyPair: RatchetKey({u})>"}
    found |= {"KEM": kem.public.data[:8].hex(), "KEM768": kem768.public.data[:8].hex()}
    found["SENDING"] = "SendingChain(key=<ChainKey: hidden>, number=1)"
    found["RECEIVING"] = f"ReceivingChain(ratchet_key={found['RK']}, key=<ChainKey: hidden>, number=2)"
    found["GAP"] = f"Gap(ratchet_key={found['RK']}, start=3, passed=<PassedKeys: hidden>)"
    found["KEPT"] = f"SkippedRange(chain={AD!r}, start=7, keys=<SkippedKeys: hidden>)"
    found["AGREEMENT"] = f"Agreement(secret=<SharedSecret: hidden>, associated_data={AD!r})"
    found["ORIGIN"] = f"Origin(suite=<Suite.X3DH: 1>, associated_data={AD!r}, handshake_id=None, born=0)"
    tail = f"sending={found['SENDING']}"
    found["OPENING"] = (
        f"Unanswered(root=<RootKey: hidden>, ours={found['RKP']}, theirs={found['RK']}, {tail})"
    )
    heard = f"receiving={found['RECEIVING']}, previous_length=3"
    found["HEARING"] = f"Hearing(root=<RootKey: hidden>, {heard})"
    found["SPEAKING"] = f"Speaking(root=<RootKey: hidden>, ours={found['RKP']}, {tail}, {heard})"
    found["ESTABLISHED"] = (
        f"Established(origin={found['ORIGIN']}, ratchet={found['HEARING']}, "
        "promote_next=False, yields=0, archived=0)"
    )
    found["ZEROS"] = repr(bytes(16))
    return found | pq_words(found["RKP"]) | signing_words()

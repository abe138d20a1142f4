"""Seal and open texts of 100 bytes in a group, for one contestant, and answer with nanoseconds a text.

    python worker.py letterlock | users | floor | vodozemac

One line of JSON says what it can do. Then each line `run CASE N` is answered with one line: N repetitions of
200 texts each. What was opened is compared with what was sealed. libsignal-client's worker is libsignal.mjs.

Not here: turns, and what is made of the figures (compare.py).
"""

import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from time import perf_counter_ns
from typing import Any

TEXTS = 200
BYTES = 100

Step = Callable[[Any], Any]
kept: list[object] = []


def letterlock() -> tuple[Step, Step]:
    """The chains of letterlock, each text encoded and decoded as it travels. Members are not looked up."""
    from letterlock._groups import _receiving, _sending
    from letterlock._groups._epoch import EpochName
    from letterlock._wire.group_bodies import EpochSecret
    from letterlock._wire.group_text import GroupText, SenderName
    from letterlock._wire.sender_chain import SenderChain

    epoch, sender, entry = (
        EpochName(os.urandom(16), 1, os.urandom(32)),
        SenderName(os.urandom(32), 1),
        bytes(32),
    )
    own = _sending.begin(epoch, sender, EpochSecret(os.urandom(32)), 0, os.urandom)
    member = _receiving.taken(SenderChain.decode(_sending.handed_out(own).encode()), sender)

    def seal(text: bytes) -> bytes:
        nonlocal own
        sealed = _sending.seal_text(own, 1, entry, (), text, os.urandom)
        own = sealed.chain
        return sealed.text

    def open_(text: bytes) -> bytes:
        nonlocal member
        opened = _receiving.open_text(member, GroupText.decode(text), entry)
        member = opened.chain
        return opened.text

    return seal, open_


def users() -> tuple[Step, Step]:
    """Groups of users on disk: members, device lists and log are looked at, and each text is committed."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from groups.crowd import Crowd

    crowd = Crowd(3)
    crowd.seal(b"first")
    group, admin, reader = crowd.group, crowd.at, crowd.there
    kept.append(crowd)  # its stores are closed with the process

    def seal(text: bytes) -> bytes:
        return admin.encrypt(group, text).text

    def open_(text: bytes) -> bytes | None:
        return reader.decrypt(group, text).text

    return seal, open_


def floor() -> tuple[Step, Step]:
    """The primitives alone: two HMACs, ChaCha20-Poly1305 and Ed25519, with everything prepared."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from nacl import bindings

    from letterlock._primitives.kdf import hmac_sha256_pair

    public, private = bindings.crypto_sign_seed_keypair(os.urandom(32))
    key, nonce = os.urandom(32), bytes(12)
    padding = bytes(28)

    def seal(text: bytes) -> bytes:
        _, message_key = hmac_sha256_pair(key, b"\x02", b"\x01")
        return bindings.crypto_sign(
            ChaCha20Poly1305(message_key).encrypt(nonce, text + padding, b""), private
        )

    def open_(sealed: bytes) -> bytes:
        _, message_key = hmac_sha256_pair(key, b"\x02", b"\x01")
        signed = bindings.crypto_sign_open(sealed, public)
        return ChaCha20Poly1305(message_key).decrypt(nonce, signed, b"")[:BYTES]

    return seal, open_


def vodozemac() -> tuple[Step, Step]:
    """Megolm in Rust: AES-CBC with a tag of 8 bytes, and Ed25519."""
    import vodozemac as library

    outbound = library.GroupSession()
    inbound = library.InboundGroupSession(outbound.session_key)

    def seal(text: bytes) -> str:
        return outbound.encrypt(text).to_base64()

    def open_(text: str) -> bytes:
        return bytes(inbound.decrypt(library.MegolmMessage.from_base64(text)).plaintext)

    return seal, open_


CONTESTANTS = {"letterlock": letterlock, "users": users, "floor": floor, "vodozemac": vodozemac}


def repetition(case: str, name: str) -> float:
    """Return the nanoseconds of one text."""
    seal, open_ = CONTESTANTS[name]()
    texts = [os.urandom(BYTES) for _ in range(TEXTS)]
    began = perf_counter_ns()
    sealed = [seal(text) for text in texts]
    between = perf_counter_ns()
    opened = [open_(each) for each in sealed]
    ended = perf_counter_ns()
    if opened != texts:
        raise RuntimeError("what was opened is not what was sealed")
    return (between - began if case == "encrypt" else ended - between) / TEXTS


def main() -> None:
    """Answer lines until there are no more."""
    (name,) = sys.argv[1:]
    versions = {} if name in {"floor", "users"} else {name: version(name)}
    repetition("encrypt", name)
    print(json.dumps({"cases": ["encrypt", "decrypt"], "versions": versions}), flush=True)
    for line in sys.stdin:
        _, case, count = line.split()
        answer = {"ns": [repetition(case, name) for _ in range(int(count))], "recovered": None}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

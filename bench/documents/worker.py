"""Seal and open one file with one contestant, and print the seconds of each, and of CPU, as JSON.

    python worker.py CONTESTANT SOURCE SEALED BACK

It runs in the environment of the contestant, and on one processor unless the contestant is of several
threads. A small file goes first, so that imports and first uses are not measured. Keys are made before the
clock starts.

Not here: turns, and what is made of the figures (compare.py).
"""

import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

Step = Callable[[Path, Path], None]
SEGMENT: Final = 65_536
TEXT: Final = 65_504
BATCH: Final = 8
MIB: Final = 1024 * 1024
READS: Final = 300


# --- letterlock and its floor -----------------------------------------------------------------------------


def floor() -> tuple[Step, Step]:
    """AES-256-GCM and SHA-256 over as many segments as the file has, with no file at all."""
    return _floor(files=False)


def floor_with_files() -> tuple[Step, Step]:
    """The same, reading each text from one file and writing each segment to another."""
    return _floor(files=True)


def _floor(*, files: bool) -> tuple[Step, Step]:
    """Read and write as letterlock does: eight segments with one call. One segment at a time is slower."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher, nonce, aad, start = AESGCM(bytes(32)), bytes(12), bytes(9), hashlib.sha256(b"\0")
    segments, texts = memoryview(bytearray(BATCH * SEGMENT)), memoryview(bytearray(BATCH * TEXT))
    pairs = [
        (segments[at * SEGMENT : (at + 1) * SEGMENT], texts[at * TEXT : (at + 1) * TEXT])
        for at in range(BATCH)
    ]
    places = [(segment, segment[SEGMENT - TEXT - 16 :], text) for segment, text in pairs]

    def hashed(segment: memoryview) -> bytes:
        leaf = start.copy()
        leaf.update(segment)
        return leaf.digest()

    def seal(source: Path, target: Path) -> None:
        with source.open("rb", buffering=0) as given, target.open("wb", buffering=0) as out:
            for _ in range(-(-source.stat().st_size // len(texts))):
                if files:
                    given.readinto(texts)
                for segment, body, text in places:
                    cipher.encrypt_into(nonce, text, aad, body)
                    hashed(segment)
                if files:
                    out.write(segments)
            if not files:
                out.truncate(source.stat().st_size)

    def open_(source: Path, target: Path) -> None:
        for _, body, text in places:
            cipher.encrypt_into(nonce, text, aad, body)
        with source.open("rb", buffering=0) as given, target.open("wb", buffering=0) as out:
            for _ in range(-(-source.stat().st_size // len(segments))):
                if files and given.readinto(segments) < len(segments):
                    break
                for segment, body, text in places:
                    hashed(segment)
                    cipher.decrypt_into(nonce, body, aad, text)
                if files:
                    out.write(texts)

    return seal, open_


def letterlock(threads: int = 1) -> tuple[Step, Step]:
    """A document with a composite signature, opened as a file whose author and tree are checked."""
    from letterlock._primitives.entropy import system_entropy
    from letterlock.documents._file import open_file
    from letterlock.documents._front import Front
    from letterlock.documents._sealing import Pace, seal

    begin, author, verify = _ours()
    states: list[Any] = []

    def seal_(source: Path, target: Path) -> None:
        states.append(begin())
        with source.open("rb", buffering=0) as given, target.open("wb", buffering=0) as out:
            seal(states[-1], given, out, author, system_entropy, Pace(threads))

    def open_(source: Path, target: Path) -> None:
        with source.open("rb", buffering=0) as given, target.open("wb", buffering=0) as out:
            front = Front.read(given).open(states[-1].key)
            open_file(front, given, verify).copy_to(out, Pace(threads))

    return seal_, open_


def letterlock_two_threads() -> tuple[Step, Step]:
    """The same with two threads."""
    return letterlock(2)


def _ours() -> tuple[Callable[[], Any], Any, Callable[[bytes, Any], None]]:
    """Return what begins a document, its author, and what verifies the author."""
    from letterlock._primitives.composite import CompositeSeed, DeviceSigningKeyPair
    from letterlock._primitives.entropy import system_entropy
    from letterlock._wire.document_header import DocumentMetadata
    from letterlock._wire.signed_by import SignedBy, Signer
    from letterlock.documents._sealing import Author
    from letterlock.documents._state import SealingState

    pair = DeviceSigningKeyPair(CompositeSeed(os.urandom(64)))
    signer, context = Signer(bytes(32), 1, 1, bytes(32)), b"benchmark"

    def sign(message: bytes) -> SignedBy:
        return SignedBy(signer, pair.public.ml_dsa.data, pair.sign(message, context))

    def verify(message: bytes, signed_by: SignedBy) -> None:
        pair.public.verify(message, signed_by.signature, context)

    def begin() -> SealingState:
        return SealingState.begin(None, 1, DocumentMetadata("file"), system_entropy)

    return begin, Author(sign, 0), verify


# --- peers ------------------------------------------------------------------------------------------------


def pyrage() -> tuple[Step, Step]:
    """age in Rust, to an X25519 recipient: ChaCha20-Poly1305 in chunks of 64 KiB, no signature."""
    import pyrage

    key = pyrage.x25519.Identity.generate()
    return (
        lambda source, target: pyrage.encrypt_file(str(source), str(target), [key.to_public()]),
        lambda source, target: pyrage.decrypt_file(str(source), str(target), [key]),
    )


def tink() -> tuple[Step, Step]:
    """Google's Tink, streaming AEAD: AES-256-GCM in segments of 1 MiB, no signature."""
    import tink as library
    from tink import streaming_aead

    streaming_aead.register()
    handle = library.new_keyset_handle(streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB)
    primitive = handle.primitive(streaming_aead.StreamingAead)

    def seal(source: Path, target: Path) -> None:
        encrypting = primitive.new_encrypting_stream
        with source.open("rb") as given, target.open("wb") as out, encrypting(out, b"") as stream:
            while piece := given.read(MIB):
                stream.write(piece)

    def open_(source: Path, target: Path) -> None:
        decrypting = primitive.new_decrypting_stream
        with source.open("rb") as given, target.open("wb") as out, decrypting(given, b"") as stream:
            while piece := stream.read(MIB):
                out.write(piece)

    return seal, open_


def aws() -> tuple[Step, Step]:
    """The AWS Encryption SDK, committing suite without signature: AES-256-GCM in frames of 64 KiB."""
    import aws_encryption_sdk
    from aws_encryption_sdk.identifiers import (
        Algorithm,
        CommitmentPolicy,
        EncryptionKeyType,
        WrappingAlgorithm,
    )
    from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
    from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider

    class Keys(RawMasterKeyProvider):  # type: ignore[misc]
        provider_id = "bench"

        def _get_raw_key(self, _: object) -> WrappingKey:
            return WrappingKey(
                wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
                wrapping_key=bytes(32),
                wrapping_key_type=EncryptionKeyType.SYMMETRIC,
            )

    keys = Keys()
    keys.add_master_key("key")
    client = aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    )
    suite = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
    options: dict[str, dict[str, Any]] = {"e": {"algorithm": suite, "frame_length": SEGMENT}, "d": {}}

    def step(mode: str) -> Step:
        def run(source: Path, target: Path) -> None:
            with (
                source.open("rb") as given,
                target.open("wb") as out,
                client.stream(mode=mode, source=given, key_provider=keys, **options[mode]) as stream,
            ):
                while piece := stream.read(MIB):
                    out.write(piece)

        return run

    return step("e"), step("d")


def crypt4gh() -> tuple[Step, Step]:
    """GA4GH's format for genomes: ChaCha20-Poly1305 in segments of 64 KiB, X25519 in front, no signature."""
    from crypt4gh import lib
    from nacl.public import PrivateKey

    secret, public = bytes(PrivateKey.generate()), None
    public = bytes(PrivateKey(secret).public_key)

    def seal(source: Path, target: Path) -> None:
        with source.open("rb") as given, target.open("wb") as out:
            lib.encrypt([(0, secret, public)], given, out)

    def open_(source: Path, target: Path) -> None:
        with source.open("rb") as given, target.open("wb") as out:
            lib.decrypt([(0, secret, public)], given, out)

    return seal, open_


def like_tanker() -> tuple[Step, Step]:
    """What Tanker's format does, with PyNaCl: XChaCha20-Poly1305 in chunks of 1 MiB, no signature."""
    from nacl import bindings

    key, chunk, overhead = os.urandom(32), MIB, 40

    def seal(source: Path, target: Path) -> None:
        with source.open("rb") as given, target.open("wb") as out:
            while piece := given.read(chunk - overhead):
                nonce = os.urandom(24)
                out.write(nonce)
                out.write(bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(piece, None, nonce, key))

    def open_(source: Path, target: Path) -> None:
        with source.open("rb") as given, target.open("wb") as out:
            while piece := given.read(chunk):
                text = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(piece[24:], None, piece[:24], key)
                out.write(text)

    return seal, open_


CONTESTANTS: Final[dict[str, Callable[[], tuple[Step, Step]]]] = {
    each.__name__: each
    for each in (
        floor, floor_with_files, letterlock, letterlock_two_threads, pyrage, tink, aws, crypt4gh, like_tanker,
    )
}  # fmt: skip


# --- measuring --------------------------------------------------------------------------------------------


def measure(name: str, source: Path, sealed: Path, back: Path) -> dict[str, float]:
    """Return the seconds of sealing and opening, and of CPU. Raises ValueError for content that changed."""
    if "threads" not in name and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    seal, open_ = CONTESTANTS[name]()
    small = source.with_name("small")
    small.write_bytes(os.urandom(3 * MIB))
    seal(small, sealed)
    open_(sealed, back)
    if not name.startswith("floor") and back.read_bytes() != small.read_bytes():
        raise ValueError(f"{name} does not give back what it was given")
    figures = {}
    for what, step, given, out in (("seal", seal, source, sealed), ("open", open_, sealed, back)):
        start, busy = time.perf_counter(), time.process_time()
        step(given, out)
        figures[what] = time.perf_counter() - start
        figures[f"{what} cpu"] = time.process_time() - busy
    return figures


def random_reads(source: Path, sealed: Path) -> list[float]:
    """Return the seconds of reads of 4 KiB at random places of one document that was opened before."""
    from letterlock._primitives.entropy import system_entropy
    from letterlock.documents._file import open_file
    from letterlock.documents._front import Front
    from letterlock.documents._sealing import Pace, seal

    begin, author, verify = _ours()
    state, chance, found = begin(), random.Random(1), []
    with source.open("rb") as given, sealed.open("w+b", buffering=0) as out:
        length = seal(state, given, out, author, system_entropy, Pace()).length
        out.seek(0)
        file = open_file(Front.read(out).open(state.key), out, verify)
        for _ in range(READS):
            file.seek(chance.randrange(length - 4096))
            start = time.perf_counter()
            file.read(4096)
            found.append(time.perf_counter() - start)
    return sorted(found)


if __name__ == "__main__":
    given, *files = sys.argv[1:]
    paths = [Path(each) for each in files]
    result: object = random_reads(*paths[:2]) if given == "reads" else measure(given, *paths)
    print(json.dumps(result))

"""The samples themselves: that they decode, verify, and reach the limits they stand for."""

from collections.abc import Callable

import cbor2

from letterlock._handshake.bundle_signature import verify_bundle, verify_publication
from letterlock._primitives.labels import BUNDLE_SIGNATURE
from letterlock._session import sealing as padding
from letterlock._wire.address import Address
from letterlock._wire.bundle import BundleHead, PrekeyBundle
from letterlock._wire.message import HandshakeHeader, Header, RatchetMessage
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock._wire.suite import Suite
from letterlock.limits import (
    CODEWORD_BYTES,
    MAX_BUNDLE,
    MAX_CODEWORD_INDEX,
    MAX_CODEWORDS,
    MAX_COUNTER,
    MAX_DAY,
    MAX_MESSAGE,
    MAX_NAME_BYTES,
    MAX_PADDED,
    MAX_PLAINTEXT,
    MAX_PUBLICATION,
    MAX_PUBLISHED_ONE_TIME,
    MAX_SIGNED_MESSAGE,
)
from support.wire_samples import (
    HANDSHAKE,
    HEADER,
    IDENTITY,
    SAMPLES,
    bundle,
    encode_again,
    head,
    initial_message,
    kem_prekey,
    one_time_prekey,
    publication,
    ratchet_message,
    signed_prekey,
    signer,
)


@SAMPLES
def test_every_sample_decodes_and_encodes_to_itself(data: bytes, decode: Callable[[bytes], object]) -> None:
    assert encode_again(decode(data)) == data


def test_the_samples_verify() -> None:
    verify_bundle(bundle())
    verify_publication(publication())


def test_head_is_what_cbor2_writes() -> None:
    for argument in (0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64 - 1):
        assert head(0, argument) == cbor2.dumps(argument)


def test_a_bundle_has_the_size_that_its_limit_is_explained_by() -> None:
    assert 1.7 * 1024 < len(bundle().encode()) < 1.8 * 1024 < MAX_BUNDLE
    longest = Address("n" * MAX_NAME_BYTES, 2**32 - 1)
    head = BundleHead(longest, IDENTITY.public, MAX_DAY, signed_prekey(2**32 - 1))
    large = signer(head).bundle(one_time_prekey(2**32 - 2), kem_prekey(2**32 - 3))
    assert PrekeyBundle.decode(large.encode()) == large
    assert len(large.encode()) < MAX_BUNDLE
    assert 1.9 * 1024 < len(BUNDLE_SIGNATURE + large.encode_unsigned()) < 2.0 * 1024 < MAX_SIGNED_MESSAGE


def test_a_publication_has_the_size_that_its_limit_is_explained_by() -> None:
    sample = publication(1)
    pair = len(publication(2).encode()) - len(sample.encode())
    assert 160 * 1024 < len(sample.encode()) + 99 * pair < 170 * 1024
    assert MAX_PUBLISHED_ONE_TIME * (pair + 4) + len(sample.encode()) < MAX_PUBLICATION


def test_the_largest_message_fits_its_limit() -> None:
    assert padding.padded_length(MAX_PLAINTEXT) <= MAX_PADDED
    largest = HandshakeHeader(
        Suite.PQXDH, HANDSHAKE.identity, HANDSHAKE.ephemeral, 2**32 - 1, 2**32 - 1, HANDSHAKE.kem
    )
    codewords = bytes(MAX_CODEWORDS * CODEWORD_BYTES)
    pq_header = PqHeader(
        MAX_COUNTER, MAX_COUNTER, MAX_COUNTER, PqType.CT2, MAX_CODEWORD_INDEX - MAX_CODEWORDS + 1, codewords
    )
    counters = Header(HEADER.ratchet_key, MAX_COUNTER, MAX_COUNTER)
    inner = ratchet_message(counters, bytes(8 + MAX_PADDED + 16), pq_header)
    assert RatchetMessage.decode(inner).pq_header == pq_header
    assert len(initial_message(largest, inner)) <= MAX_MESSAGE

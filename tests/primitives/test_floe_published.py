"""FLOE against the published vectors of its four implementations.

Those of the rotation of keys change the segment key after four segments, which the format itself does not.
"""

import pytest

from letterlock._primitives.floe import HEADER_BYTES, OVERHEAD, ROTATION_BITS, FloeStream, is_last
from support import external

NAMES = [
    *(
        f"{maker}_{name}"
        for maker in ("cpp", "go", "java", "pub_java")
        for name in ("GCM256_IV256_4K", "GCM256_IV256_64", "rotation")
    ),
    "java_lastSegAligned",
    "java_lastSegEmpty",
]


def texts(name: str) -> tuple[bytes, bytes]:
    """Return a vector's ciphertext and plaintext."""
    read = [external.path(f"floe/{name}_{kind}.txt").read_text(encoding="ascii") for kind in ("ct", "pt")]
    return bytes.fromhex(read[0]), bytes.fromhex(read[1])


@pytest.mark.parametrize("name", NAMES)
def test_a_published_vector(name: str) -> None:
    """It opens, and the same nonces give the same bytes."""
    given = external.load("floe/params.json")
    key, aad = bytes.fromhex(given["key_hex"]), bytes.fromhex(given["aad_hex"])
    (case,) = [each for each in given["kats"] if each["name"] == name]
    length, bits = case["enc_seg_len"], case["rotation_mask_bits"]
    assert (bits == ROTATION_BITS) == ("rotation" not in name)
    sealed, text = texts(name)
    floe = FloeStream.read(key, sealed[:HEADER_BYTES], aad, segment_bytes=length, rotation_bits=bits)
    assert floe is not None
    found = b""
    for number, start in enumerate(range(HEADER_BYTES, len(sealed), length)):
        segment, last = memoryview(sealed)[start : start + length], start + length >= len(sealed)
        out, again = bytearray(len(segment) - OVERHEAD), bytearray(len(segment))
        assert is_last(segment) == last
        assert floe.open(number, segment, memoryview(out), last=last)
        floe.seal(number, memoryview(out), bytes(segment[4:16]), memoryview(again), last=last)
        assert again == segment
        found += out
    assert found == text


def test_all_of_them_are_run() -> None:
    assert sorted(each["name"] for each in external.load("floe/params.json")["kats"]) == sorted(NAMES)
    assert len(NAMES) == 14


@pytest.mark.parametrize("name", [name for name in NAMES if "rotation" in name])
def test_with_the_formats_own_rotation_the_fifth_segment_does_not_open(name: str) -> None:
    sealed, _ = texts(name)
    floe = FloeStream.read(bytes(32), sealed[:HEADER_BYTES], b"This is AAD", segment_bytes=40)
    assert floe is not None
    for number in range(5):
        start = HEADER_BYTES + number * 40
        out = memoryview(bytearray(8))
        assert floe.open(number, memoryview(sealed)[start : start + 40], out, last=False) == (number < 4)

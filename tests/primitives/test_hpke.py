"""X-Wing keys and HPKE: against published vectors, and what is refused.

Sources, read by support/external.py: the X-Wing draft's hpke/xwing-kem.test-vectors.json; the suite of
X-Wing, HKDF-SHA-256 and ChaCha20-Poly1305 in the HPKE draft's hpke/hpke-pq.test-vectors.json; C2SP CCTV
age-hybrid, whose files have stanzas sealed by the same suite.

The library offers only the first message of an HPKE context, and no export. So of the HPKE draft's ten
messages the first is opened, through the library's private function, because it has associated data.
"""

import base64
import hashlib
import zlib
from typing import Any, Final

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey

from letterlock._primitives import curve25519, hpke
from letterlock._primitives.mlkem import MlKem768PublicKey
from letterlock._primitives.xwing import ENCAPSULATION_BYTES, XWingKeyPair, XWingPublicKey, XWingSeed
from letterlock.errors import AuthenticationFailed, InvalidKey, MalformedMessage
from support import external
from support.pair import flipped

PAIR: Final = XWingKeyPair(XWingSeed(bytes(range(32))))
OTHER: Final = XWingKeyPair(XWingSeed(bytes(range(1, 33))))
INFO: Final = b"what the text is bound to"
SEALED: Final = hpke.seal(PAIR.public, INFO, b"a text")


# --- published --------------------------------------------------------------------------------------------


def test_x_wing_keys_are_the_drafts() -> None:
    """PRIM-15. The two private halves give the draft's secret, by the draft's combiner."""
    cases = external.load("hpke/xwing-kem.test-vectors.json")
    for case in cases:
        pair = XWingKeyPair(XWingSeed(bytes.fromhex(case["seed"])))
        assert pair.public.data.hex() == case["pk"]
        expanded = hashlib.shake_256(bytes.fromhex(case["seed"])).digest(96)
        ciphertext = bytes.fromhex(case["ct"])
        kem_half, curve_half = ciphertext[:1088], ciphertext[1088:]
        secret = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).decapsulate(kem_half)
        agreement = curve25519.x25519(expanded[64:], curve_half)
        combined = secret + agreement + curve_half + pair.public.data[1184:] + b"\\.//^\\"
        assert hashlib.sha3_256(combined).hexdigest() == case["ss"]
    assert len(cases) == 3


def suites() -> list[dict[str, Any]]:
    return [each for each in external.load("hpke/hpke-pq.test-vectors.json") if each["kem_id"] == 0x647A]


def test_the_first_message_of_the_hpke_draft_opens() -> None:
    opened = 0
    for suite in suites():
        pair = XWingKeyPair(XWingSeed(bytes.fromhex(suite["skRm"])))
        assert pair.public.data.hex() == suite["pkRm"]
        if (suite["kdf_id"], suite["aead_id"]) != (1, 3):
            continue
        first = suite["encryptions"][0]
        sealed = bytes.fromhex(suite["enc"] + first["ct"])
        info, aad = bytes.fromhex(suite["info"]), bytes.fromhex(first["aad"])
        decrypt = openssl.hpke._decrypt_with_aad
        assert decrypt(hpke._SUITE, sealed, pair.library, info, aad).hex() == first["pt"]
        with pytest.raises(AuthenticationFailed):  # ours has no associated data
            hpke.open_sealed(pair, info, sealed)
        opened += 1
    assert (opened, len(suites())) == (1, 2)


AGE_INFO: Final = b"age-encryption.org/mlkem768x25519"
AGE_FILES: Final = [
    "armor_hybrid", "hybrid", "hybrid_and_x25519", "hybrid_bad_tag", "hybrid_currupted_enc_mlkem",
    "hybrid_currupted_enc_x25519", "hybrid_extra_argument", "hybrid_grease", "hybrid_identity",
    "hybrid_long_file_key", "hybrid_long_share", "hybrid_low_order", "hybrid_multiple_recipients",
    "hybrid_no_match", "hybrid_not_canonical_body", "hybrid_not_canonical_enc", "hybrid_short_share",
    "hybrid_uppercase", "hybrid_x25519_arg",
]  # fmt: skip


def age_file(name: str) -> tuple[dict[str, str], bytes]:
    """Return the fields before the empty line, and the age file after it."""
    head, _, data = external.path(f"cctv/age-hybrid/{name}").read_bytes().partition(b"\n\n")
    pairs = [line.split(": ", 1) for line in head.decode().splitlines()]
    fields = {key: value for key, value in pairs if key != "identity"}
    fields["identity"] = next(value for key, value in pairs if key == "identity")
    if fields.get("compressed") == "zlib":
        data = zlib.decompress(data)
    if fields.get("armored") == "yes":
        data = base64.b64decode(b"".join(data.splitlines()[1:-1]))
    return fields, data


def age_seed(identity: str) -> XWingSeed:
    """Return the 32 bytes of a key in bech32, without its checksum of six characters."""
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = "".join(f"{letters.index(each):05b}" for each in identity.lower().rpartition("1")[2][:-6])
    return XWingSeed(bytes(int(bits[at : at + 8], 2) for at in range(0, 256, 8)))


def unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def stanzas(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return enc and body of each stanza of the suite that has the form which age asks for."""
    lines = data.partition(b"\n---")[0].decode("latin-1").splitlines()[1:]
    found = []
    for at, line in enumerate(lines):
        arguments = line.split(" ")
        if arguments[:2] == ["->", "mlkem768x25519"] and len(arguments) == 3:
            enc, body = unpadded(arguments[2]), unpadded(lines[at + 1])
            canonical = all(
                base64.b64encode(each).decode().rstrip("=") == text
                for each, text in ((enc, arguments[2]), (body, lines[at + 1]))
            )
            if canonical and len(enc) == ENCAPSULATION_BYTES and len(body) == 32:
                found.append((enc, body))
    return found


def age_keys(name: str) -> tuple[str, list[str | None]]:
    """Return the expected file key or the verdict, and what each stanza opens to."""
    fields, data = age_file(name)
    pair = XWingKeyPair(age_seed(fields["identity"]))
    opened: list[str | None] = []
    for enc, body in stanzas(data):
        try:
            opened.append(hpke.open_sealed(pair, AGE_INFO, enc + body).hex())
        except AuthenticationFailed:
            opened.append(None)
    return (fields["file key"] if fields["expect"] == "success" else fields["expect"]), opened


def test_age_stanzas_open_or_do_not() -> None:
    counts = {"opened": 0, "refused": 0, "not well formed": 0}
    for name in AGE_FILES:
        expected, opened = age_keys(name)
        if expected in {"no match", "header failure"}:
            assert not any(opened), name
            counts["refused" if opened else "not well formed"] += 1
        else:
            assert expected in opened, name
            counts["opened"] += 1
    assert counts == {"opened": 5, "refused": 6, "not well formed": 8}


# --- sealing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [b"", b"a text", bytes(100_000)], ids=len)
def test_what_is_sealed_opens(text: bytes) -> None:
    sealed = hpke.seal(PAIR.public, INFO, text)
    assert len(sealed) == len(text) + hpke.OVERHEAD == len(text) + 1136
    assert hpke.open_sealed(PAIR, INFO, sealed) == text


def test_two_sealings_of_one_text_differ() -> None:
    again = hpke.seal(PAIR.public, INFO, b"a text")
    assert again[:1088] != SEALED[:1088]
    assert again[1088:1120] != SEALED[1088:1120]
    assert again[1120:] != SEALED[1120:]


def refuse(pair: XWingKeyPair, info: bytes, sealed: bytes) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        hpke.open_sealed(pair, info, sealed)
    assert str(caught.value) == AuthenticationFailed.TEXT


def test_another_key_or_info_opens_nothing() -> None:
    """PRIM-16: the text is bound to `info`."""
    refuse(OTHER, INFO, SEALED)
    for info in (b"", INFO + b"\0", INFO[:-1], b"another"):
        refuse(PAIR, info, SEALED)


def test_changed_bytes_anywhere_open_nothing() -> None:
    for at in (*range(0, 1088, 61), *range(1088, len(SEALED))):
        # X25519 ignores the top bit of a key, but the secret covers the key's bytes.
        for mask in (1, 0x80):
            refuse(PAIR, INFO, flipped(SEALED, at, mask))
    refuse(PAIR, INFO, SEALED[:-1])
    refuse(PAIR, INFO, SEALED + b"\0")
    refuse(PAIR, INFO, SEALED[:1088] + bytes(32) + SEALED[1120:])  # an all-zero agreement looks the same


@pytest.mark.parametrize("length", [0, 16, 1120, 1135])
def test_too_few_bytes_are_malformed(length: int) -> None:
    with pytest.raises(MalformedMessage, match=f"{length} bytes; at least 1136"):
        hpke.open_sealed(PAIR, INFO, SEALED[:length])


# --- keys -------------------------------------------------------------------------------------------------


def test_a_key_survives_its_encoding() -> None:
    again = XWingPublicKey(PAIR.public.data)
    assert again == PAIR.public != OTHER.public
    assert hash(again) == hash(PAIR.public)
    assert hpke.open_sealed(PAIR, INFO, hpke.seal(again, INFO, b"x")) == b"x"
    assert PAIR.public != PAIR.public.data


def test_a_pair_draws_32_bytes() -> None:
    asked = []

    def entropy(length: int) -> bytes:
        asked.append(length)
        return bytes(range(length))

    assert XWingKeyPair.generate(entropy).public == PAIR.public
    assert asked == [32]


@pytest.mark.parametrize("length", [0, 32, 1184, 1215, 1217])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    """PRIM-15."""
    with pytest.raises(InvalidKey, match=f"{length} bytes; expected 1216"):
        XWingPublicKey(bytes(length))


def test_a_key_with_a_bad_half_is_refused() -> None:
    """PRIM-15."""
    kem_half, curve_half = PAIR.public.data[: MlKem768PublicKey.LENGTH], PAIR.public.data[1184:]
    for bad in (b"\xff" * 1184 + curve_half, kem_half + bytes(32), kem_half + b"\xff" * 32):
        with pytest.raises(InvalidKey):
            XWingPublicKey(bad)

"""Argon2id: parameters, encodings and limits. [STO-7]

RFC 9106's own test vector uses four lanes, a secret and associated data, which libsodium does not support.
The expected values here therefore come from the implementation in `cryptography`, with one lane.
"""

import unicodedata

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from letterlock._primitives.passphrase import PassphraseKey, PassphraseParameters, derive
from letterlock.errors import UsageError
from letterlock.limits import (
    ARGON2_MAX_MEMLIMIT,
    ARGON2_MAX_OPSLIMIT,
    ARGON2_MEMLIMIT,
    ARGON2_OPSLIMIT,
    MAX_PASSPHRASE,
)

SALT = bytes(range(16))
LIGHT = PassphraseParameters(SALT, 1, 8192)


@pytest.mark.parametrize(
    ("passphrase", "opslimit", "memlimit", "expected"),
    [
        (
            "correct horse battery staple",
            1,
            8192,
            "d17ea6341ca93da6079ea2f64dc4aa31dd1aaf9caa67fb42ac4afd0714706f26",
        ),
        (
            "correct horse battery staple",
            3,
            1024 * 1024,
            "590d7ddd37a1ed86417a3614be47c9f782828a38902390018d39bb6556fee029",
        ),
        (
            "p\u00e4ssw\u00f6rt \u9375",
            2,
            65536,
            "46d52a3bbc9bcb2bb3388d1308aa1c983aaec4b5648721db7c26b450b444a632",
        ),
    ],
)
def test_known_answers(passphrase: str, opslimit: int, memlimit: int, expected: str) -> None:
    key = derive(passphrase, PassphraseParameters(SALT, opslimit, memlimit))
    second = Argon2id(salt=SALT, length=32, iterations=opslimit, lanes=1, memory_cost=memlimit // 1024)
    assert key.expose() == second.derive(passphrase.encode())
    assert key.expose().hex() == expected


def test_the_default_parameters() -> None:
    parameters = PassphraseParameters(SALT)
    assert (parameters.opslimit, parameters.memlimit) == (ARGON2_OPSLIMIT, ARGON2_MEMLIMIT) == (3, 2**26)


def test_every_parameter_matters() -> None:
    keys = [
        derive("one", LIGHT),
        derive("other", LIGHT),
        derive("one", PassphraseParameters(SALT[::-1], 1, 8192)),
        derive("one", PassphraseParameters(SALT, 2, 8192)),
        derive("one", PassphraseParameters(SALT, 1, 16384)),
    ]
    assert len({key.expose() for key in keys}) == len(keys)
    assert all(type(key) is PassphraseKey for key in keys)


@pytest.mark.parametrize("length", [0, 8, 15, 17, 32])
def test_a_salt_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"salt of {length} bytes; expected 16"):
        PassphraseParameters(bytes(length))


@pytest.mark.parametrize("opslimit", [-1, 0, ARGON2_MAX_OPSLIMIT + 1, 2**40])
def test_passes_outside_the_limits_are_refused(opslimit: int) -> None:
    with pytest.raises(ValueError, match=f"{opslimit} passes; expected 1 to {ARGON2_MAX_OPSLIMIT}"):
        PassphraseParameters(SALT, opslimit)


@pytest.mark.parametrize("memlimit", [-1, 0, 8191, ARGON2_MAX_MEMLIMIT + 1, 2**50])
def test_memory_outside_the_limits_is_refused(memlimit: int) -> None:
    with pytest.raises(ValueError, match=f"{memlimit} bytes of memory; expected 8192 to"):
        PassphraseParameters(SALT, 1, memlimit)


def test_the_limits_themselves_are_accepted() -> None:
    PassphraseParameters(SALT, 1, 8192)
    PassphraseParameters(SALT, ARGON2_MAX_OPSLIMIT, ARGON2_MAX_MEMLIMIT)


def test_an_empty_passphrase_is_refused() -> None:
    with pytest.raises(UsageError, match="empty"):
        derive("", LIGHT)


@pytest.mark.parametrize(
    "passphrase", ["x" * (MAX_PASSPHRASE + 1), "\u00e4" * (MAX_PASSPHRASE // 2 + 1)], ids=["ascii", "umlauts"]
)
def test_a_passphrase_that_is_too_long_is_refused(passphrase: str) -> None:
    size = len(passphrase.encode())
    with pytest.raises(UsageError, match=f"passphrase of {size} bytes; at most {MAX_PASSPHRASE}"):
        derive(passphrase, LIGHT)


def test_the_longest_passphrase_counts_to_its_last_byte() -> None:
    longest = "x" * MAX_PASSPHRASE
    assert derive(longest, LIGHT) != derive(longest[:-1] + "y", LIGHT)


@pytest.mark.parametrize(
    ("typed", "elsewhere"),
    [
        ("caf\u00e9", "cafe\u0301"),
        ("\ufb01sh", "fish"),
        ("\u2460", "1"),
        ("\uff21", "A"),
        ("a\u00a0b", "a b"),
    ],
    ids=["accent", "ligature", "circled digit", "full width", "hard space"],
)
def test_one_passphrase_however_it_is_encoded(typed: str, elsewhere: str) -> None:
    assert typed != elsewhere
    assert unicodedata.normalize("NFKC", typed) == unicodedata.normalize("NFKC", elsewhere)
    assert derive(typed, LIGHT) == derive(elsewhere, LIGHT)


def test_case_and_spaces_are_not_folded() -> None:
    assert len({derive(each, LIGHT).expose() for each in ("pass", "Pass", "pass ", " pass")}) == 4


def test_a_lone_surrogate_is_a_passphrase_too() -> None:
    """Python decodes an invalid byte of a command line to one; it must not end in a UnicodeError."""
    assert derive("\udcff", LIGHT) != derive("\udcfe", LIGHT)


def test_the_passphrase_is_in_no_error() -> None:
    with pytest.raises(UsageError) as caught:
        derive("hunter2" * 1000, LIGHT)
    assert "hunter2" not in str(caught.value)

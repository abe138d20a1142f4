"""Mail addresses: one form, and nothing in it that is no address. [REC-28]"""

import pytest

from letterlock._wire.mail_address import canonical_address, one_form
from letterlock.errors import MalformedMessage


@pytest.mark.parametrize(
    ("claim", "address"),
    [
        (b"anna@example.org", b"anna@example.org"),
        (b"Anna.Berg@Mail.EXAMPLE.org", b"anna.berg@mail.example.org"),
        (b" anna@example.org ", b"anna@example.org"),
        (b"a+b!#$%&'*/=?^_`{|}~-1@x-1.de", b"a+b!#$%&'*/=?^_`{|}~-1@x-1.de"),
        (b"a@xn--bcher-kva.example", b"a@xn--bcher-kva.example"),
        (b"a" * 64 + b"@b.de", b"a" * 64 + b"@b.de"),
    ],
)
def test_an_address_has_one_form(claim: bytes, address: bytes) -> None:
    assert canonical_address(claim) == address
    assert canonical_address(address) == address


@pytest.mark.parametrize(
    "claim",
    [
        b"",
        b" ",
        b"anna",
        b"@example.org",
        b"anna@",
        b"anna@example",
        b"anna@@example.org",
        b"anna@example..org",
        b"anna@.example.org",
        b"anna@example.org.",
        b"anna@-example.org",
        b"anna@example-.org",
        b"anna@exa_mple.org",
        b"anna..berg@example.org",
        b".anna@example.org",
        b"anna.@example.org",
        b"anna berg@example.org",
        b'"anna berg"@example.org',
        b"anna(x)@example.org",
        b"anna@[127.0.0.1]",
        b"Anna <anna@example.org>",
        b"<anna@example.org>",
        b"anna@example.org,bert@example.org",
        b"anna@example.org bert@example.org",
        b"anna@example.org;bert@example.org",
        b"anna@example.org\nBcc: bert@example.org",
        b"anna@example.org\r\nBcc: bert@example.org",
        b"anna@example.org\r\nRCPT TO:<bert@example.org>",
        b"anna@example.org\n",
        b"\nanna@example.org",
        b"anna\n@example.org",
        b"anna@example.org\0",
        b"anna@example.org\x0b",
        b"anna@example.org\xc2\x85",
        b"anna%00@exam\0ple.org",
        "änna@example.org".encode(),
        "anna@bücher.example".encode(),
        "anna@example.org\u2028Bcc: x".encode(),
        "\uff41nna@example.org".encode(),
        b"\xff@example.org",
        b"a" * 65 + b"@b.de",
        b"a@" + b"b." * 130 + b"de",
        b"a@" + b"b" * 64 + b".de",
    ],
)
def test_what_is_no_address_is_refused(claim: bytes) -> None:
    with pytest.raises(MalformedMessage):
        canonical_address(claim)


def test_a_long_claim_is_refused_in_no_more_steps() -> None:
    """No claim makes the pattern try again and again: the longest that is looked at has 254 bytes."""
    for hard in (b"a." * 126 + b"@", b"a@" + b"a-" * 125, b"!" * 254, b"a@" + b"a." * 126):
        with pytest.raises(MalformedMessage):
            canonical_address(hard)


def test_clients_compare_mail_addresses_as_the_servers_do() -> None:  # PRV-13
    assert one_form("mail", " Anna@EXAMPLE.org") == "anna@example.org"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ticket", "Patient 4711 "),
        ("mails", "Anna@Example.org"),
        ("mail", "Anna at home"),
        ("mail", "\N{KELVIN SIGN}@example.org"),  # `lower` alone would make a k of it
        ("mail", "\ud800@Example.org"),
    ],
)
def test_nothing_else_has_another_form(kind: str, text: str) -> None:  # PRV-13
    assert one_form(kind, text) == text

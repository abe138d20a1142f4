"""Letters: secrets of epochs, requests, and receipts."""

from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.group_logs import epoch_secret
from generators.support.group_texts import GROUP, opening_hash
from generators.support.labels import draw

SECRET_KIND, REQUEST_KIND, RECEIPT_KIND = 9, 11, 12


def add(family: Family) -> None:
    """Add the groups."""
    secret: list[Value] = [GROUP, 3, opening_hash(3), epoch_secret(3)]
    request: list[Value] = [GROUP, 3, 1]
    receipt: list[Value] = [GROUP, 3, 5, 7, draw("a head", 32)]
    group = family.group("content.read_body", "letters about groups")
    for comment, kind, body in (
        ("a secret", SECRET_KIND, secret),
        ("the secret of the last epoch", SECRET_KIND, [GROUP, 2**32 - 1, *secret[2:]]),
        ("a request for a secret", REQUEST_KIND, request),
        ("a request for a chain", REQUEST_KIND, [GROUP, 1, 2]),
        ("a receipt for three texts", RECEIPT_KIND, receipt),
        ("a receipt for one text", RECEIPT_KIND, [GROUP, 1, 0, 0, receipt[4]]),
        ("a receipt for the last texts", RECEIPT_KIND, [GROUP, 2**32 - 1, 0, 2**32 - 1, receipt[4]]),
    ):
        group.valid(comment, {"kind": kind, "body": encode(body).hex()}, rules=["USR-67"])
    for comment, kind, value in (
        ("secret: of group id of 15 bytes", SECRET_KIND, [bytes(15), *secret[1:]]),
        ("secret: of epoch 0", SECRET_KIND, [GROUP, 0, *secret[2:]]),
        ("secret: of epoch 2^32", SECRET_KIND, [GROUP, 2**32, *secret[2:]]),
        ("secret: an opening of 33 bytes", SECRET_KIND, [GROUP, 3, bytes(33), secret[3]]),
        ("secret: 31 bytes", SECRET_KIND, [*secret[:3], bytes(31)]),
        ("secret: a text", SECRET_KIND, [*secret[:3], "a" * 32]),
        ("secret: three elements", SECRET_KIND, secret[:3]),
        ("secret: five elements", SECRET_KIND, [*secret, None]),
        ("secret: no array", SECRET_KIND, b"secret"),
        ("secret: a request", SECRET_KIND, request),
        ("request: a group id of 17 bytes", REQUEST_KIND, [bytes(17), 3, 1]),
        ("request: epoch 0", REQUEST_KIND, [GROUP, 0, 1]),
        ("request: for 0", REQUEST_KIND, [GROUP, 3, 0]),
        ("request: for 3", REQUEST_KIND, [GROUP, 3, 3]),
        ("request: for null", REQUEST_KIND, [GROUP, 3, None]),
        ("request: two elements", REQUEST_KIND, request[:2]),
        ("request: four elements", REQUEST_KIND, [*request, None]),
        ("request: a secret", REQUEST_KIND, secret),
        ("receipt: a group id of 15 bytes", RECEIPT_KIND, [bytes(15), *receipt[1:]]),
        ("receipt: epoch 0", RECEIPT_KIND, [GROUP, 0, *receipt[2:]]),
        ("receipt: from a later text on", RECEIPT_KIND, [GROUP, 3, 8, 7, receipt[4]]),
        ("receipt: from null on", RECEIPT_KIND, [GROUP, 3, None, 7, receipt[4]]),
        ("receipt: to text 2^32", RECEIPT_KIND, [GROUP, 3, 5, 2**32, receipt[4]]),
        ("receipt: a head of 31 bytes", RECEIPT_KIND, [*receipt[:4], bytes(31)]),
        ("receipt: a head of characters", RECEIPT_KIND, [*receipt[:4], "a" * 32]),
        ("receipt: four elements", RECEIPT_KIND, receipt[:4]),
        ("receipt: six elements", RECEIPT_KIND, [*receipt, None]),
        ("receipt: a request", RECEIPT_KIND, request),
    ):
        body = encode(value).hex()
        given = {"kind": kind, "body": body}
        group.invalid(comment, given, "MalformedMessage", flags=["Shape"], rules=["USR-67", "WIRE-4"])
    for kind, whole in (
        (SECRET_KIND, encode(secret)),
        (REQUEST_KIND, encode(request)),
        (RECEIPT_KIND, encode(receipt)),
    ):
        for comment, wrong in (("a byte behind it", whole + b"\0"), ("a byte is missing", whole[:-1])):
            given = {"kind": kind, "body": wrong.hex()}
            group.invalid(
                f"kind {kind}: {comment}",
                given,
                "MalformedMessage",
                flags=["Shape"],
                rules=["USR-67", "WIRE-4"],
            )

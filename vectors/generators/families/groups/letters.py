"""Letters: secrets of epochs, and requests."""

from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.group_logs import epoch_secret
from generators.support.group_texts import GROUP, opening_hash

SECRET_KIND, REQUEST_KIND = 9, 11


def add(family: Family) -> None:
    """Add the groups."""
    secret: list[Value] = [GROUP, 3, opening_hash(3), epoch_secret(3)]
    request: list[Value] = [GROUP, 3, 1]
    group = family.group("content.read_body", "letters about groups")
    for comment, kind, body in (
        ("a secret", SECRET_KIND, secret),
        ("the secret of the last epoch", SECRET_KIND, [GROUP, 2**32 - 1, *secret[2:]]),
        ("a request for a secret", REQUEST_KIND, request),
        ("a request for a chain", REQUEST_KIND, [GROUP, 1, 2]),
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
    ):
        body = encode(value).hex()
        given = {"kind": kind, "body": body}
        group.invalid(comment, given, "MalformedMessage", flags=["Shape"], rules=["USR-67", "WIRE-4"])
    for kind, whole in ((SECRET_KIND, encode(secret)), (REQUEST_KIND, encode(request))):
        for comment, wrong in (("a byte behind it", whole + b"\0"), ("a byte is missing", whole[:-1])):
            given = {"kind": kind, "body": wrong.hex()}
            group.invalid(
                f"kind {kind}: {comment}",
                given,
                "MalformedMessage",
                flags=["Shape"],
                rules=["USR-67", "WIRE-4"],
            )

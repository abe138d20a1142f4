"""The keys of epochs: commitments, links to earlier epochs, and names."""

from typing import Any

from generators.support.collection_logs import (
    commitments,
    epoch_key,
    history_key,
    padded_name,
    sealed_keys,
    sealed_name,
)
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped


def add(family: Family) -> None:
    """Add the groups."""
    checks(family)
    links(family)
    names(family)


def given(epoch: int, keys: bytes, **more: Any) -> Json:
    """Return the input of epoch.check."""
    usual = {"epoch": epoch, "keys": keys.hex(), "commitment": commitments(epoch)[0].hex(),
             "history_commitment": commitments(epoch)[1].hex()}  # fmt: skip
    return usual | more


def checks(family: Family) -> None:
    """Add keys and what commits to them."""
    group = family.group("epoch.check", "keys and commitments")
    both = epoch_key(3) + history_key(3)
    group.valid("both keys", given(3, both), rules=["DOC-73"], output={"history": True})
    group.valid("the epoch key alone", given(3, epoch_key(3)), rules=["DOC-73"], output={"history": False})
    number = 2**32 - 1
    group.valid("the last epoch", given(number, epoch_key(number) + history_key(number)), rules=["DOC-73"])
    c_e, c_h = (each.hex() for each in commitments(3))
    for comment, wrong in (
        ("another epoch key", given(3, epoch_key(4) + history_key(3))),
        ("another history key", given(3, epoch_key(3) + history_key(4))),
        ("another epoch key alone", given(3, epoch_key(4))),
        ("the history key alone", given(3, history_key(3))),
        ("the keys exchanged", given(3, history_key(3) + epoch_key(3))),
        ("the same keys in another epoch", given(4, both, commitment=c_e, history_commitment=c_h)),
        ("the commitments exchanged", given(3, both, commitment=c_h, history_commitment=c_e)),
        ("another commitment", given(3, epoch_key(3), commitment=draw("no commitment", 32).hex())),
        ("another history commitment", given(3, both, history_commitment=draw("no commitment", 32).hex())),
        ("31 bytes", given(3, epoch_key(3)[:31])),
        ("63 bytes", given(3, both[:63])),
        ("96 bytes", given(3, both + bytes(32))),
        ("no byte", given(3, b"")),
    ):
        group.invalid(comment, wrong, "WrongEpochKey", flags=["WrongKey"], rules=["DOC-73"])


def links(family: Family) -> None:
    """Add links to earlier epochs."""
    group = family.group("epoch.earlier", "links to earlier epochs")
    both = epoch_key(5) + history_key(5)

    def link(earlier: int, sealed: bytes, keys: bytes = both, epoch: int = 5, of: int | None = None) -> Json:
        c_e, c_h = commitments(earlier if of is None else of)
        return {
            "epoch": epoch, "keys": keys.hex(), "link": {"epoch": earlier, "sealed": sealed.hex()},
            "commitment": c_e.hex(), "history_commitment": c_h.hex(),
        }  # fmt: skip

    sealed = sealed_keys(5, 4)
    for comment, earlier in (("to the epoch before", 4), ("over some epochs", 1)):
        output = {"epoch": earlier, "keys": (epoch_key(earlier) + history_key(earlier)).hex()}
        group.valid(comment, link(earlier, sealed_keys(5, earlier)), rules=["DOC-74"], output=output)
    for comment, wrong in (
        ("the epoch key alone", link(4, sealed, epoch_key(5))),
        ("the keys of another epoch", link(4, sealed, epoch_key(6) + history_key(6))),
        ("the epoch key as the history key", link(4, sealed, history_key(5) + epoch_key(5))),
        ("another epoch of the link", link(3, sealed)),
        ("the commitments of another epoch", link(4, sealed, of=3)),
        ("in another epoch", link(4, sealed, epoch=6)),
        ("a link that was changed", link(4, flipped(sealed, 10))),
        ("a tag that was changed", link(4, flipped(sealed, -1))),
        ("the link of another epoch", link(4, sealed_keys(6, 4))),
        ("other keys, sealed under the right one", link(4, sealed_keys(5, 4, epoch_key(3) + history_key(3)))),
        ("another history key, sealed under the right one",
         link(4, sealed_keys(5, 4, epoch_key(4) + history_key(3)))),
        ("the keys exchanged, sealed under the right one",
         link(4, sealed_keys(5, 4, history_key(4) + epoch_key(4)))),
    ):  # fmt: skip
        group.invalid(comment, wrong, "WrongEpochKey", flags=["WrongKey"], rules=["DOC-74"])


def names(family: Family) -> None:
    """Add names of collections. One that does not open is none."""
    group = family.group("epoch.name", "names")

    def name(sealed: bytes, epoch: int = 2, key: bytes | None = None) -> Json:
        return {"epoch": epoch, "keys": (epoch_key(2) if key is None else key).hex(), "sealed": sealed.hex()}

    for comment, text in (
        ("a name", "cardiology"),
        ("an empty name", ""),
        ("255 bytes", "n" * 253 + "\u00e9"),
        ("a name with a zero byte", "a\0b"),
    ):
        sealed = sealed_name(2, padded_name(text.encode()))
        group.valid(comment, name(sealed), rules=["DOC-75"], output={"name": text})
    usual = sealed_name(2, padded_name(b"cardiology"))
    both = name(usual, key=epoch_key(2) + history_key(2))
    group.valid("with both keys", both, rules=["DOC-75"], output={"name": "cardiology"})
    for comment, wrong in (
        ("under another key", name(usual, key=epoch_key(3))),
        ("in another epoch", name(usual, epoch=3)),
        ("changed", name(flipped(usual, 100))),
        ("a byte behind the name", name(sealed_name(2, padded_name(b"a")[:-1] + b"\1"))),
        ("a length that is too small", name(sealed_name(2, b"\1ab".ljust(256, b"\0")))),
        ("no UTF-8", name(sealed_name(2, padded_name(b"\xff")))),
    ):
        group.valid(f"none: {comment}", wrong, rules=["DOC-75"], output={"name": None})

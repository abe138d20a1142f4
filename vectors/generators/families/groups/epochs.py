"""What the secret of an epoch gives: its commitment, the name of the group, and the beginnings of chains."""

from generators.support.collection_logs import padded_name
from generators.support.family import Family
from generators.support.group_logs import commitment, epoch_secret, sealed_name
from generators.support.group_texts import Writer, opening_hash
from generators.support.labels import draw, flipped

ALICE = Writer("alice")


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("group.commitment", "what an opening commits to")
    for epoch in (1, 2, 4_294_967_295):
        given = {"secret": epoch_secret(epoch).hex(), "epoch": epoch}
        output = {"commitment": commitment(epoch).hex()}
        group.valid(f"epoch {epoch}", given, rules=["GRP-5"], output=output)
    group = family.group("group.begin", "how chains begin")
    for comment, writer, epoch in (
        ("epoch 1", ALICE, 1),
        ("the next epoch", ALICE, 2),
        ("another device", ALICE.with_(device=2), 1),
        ("another user", Writer("bob"), 1),
        ("another group", ALICE.with_(group=draw("other", 16)), 1),
        ("the last device and epoch 7", ALICE.with_(device=4_294_967_295), 7),
        ("another secret", ALICE.with_(secrets={1: bytes(32)}), 1),
    ):
        seed = (
            draw(f"seed of {writer.label} {writer.device}", 32) if epoch == 1 else writer.keys(epoch - 1)[1]
        )
        key, after = writer.keys(epoch)
        given = {
            "seed": seed.hex(), "secret": writer.secrets.get(epoch, epoch_secret(epoch)).hex(),
            "group_id": writer.group.hex(), "epoch": epoch, "opening": opening_hash(epoch).hex(),
            "user_id": writer.user_id.hex(), "device_id": writer.device,
        }  # fmt: skip
        output = {
            "chain_key": key.hex(), "next_seed": after.hex(), "head": writer.first_head(epoch).hex(),
        }  # fmt: skip
        group.valid(comment, given, rules=["GRP-2", "GRP-6"], output=output)
    names(family)


def names(family: Family) -> None:
    """Add names, and what is none."""
    group = family.group("group.name", "names of groups")
    usual = sealed_name(2, padded_name(b"friends"))
    for comment, sealed, name in (
        ("a name", usual, "friends"),
        ("no character", sealed_name(2, padded_name(b"")), ""),
        ("255 bytes", sealed_name(2, padded_name(b"n" * 255)), "n" * 255),
        ("not UTF-8", sealed_name(2, padded_name(b"\xff")), None),
        ("a byte behind the name", sealed_name(2, b"\1a" + bytes(253) + b"\1"), None),
        ("of another epoch", sealed_name(1, padded_name(b"friends")), None),
        ("under another secret", sealed_name(2, padded_name(b"friends"), bytes(32)), None),
        ("a tag that was changed", flipped(usual, -1), None),
        ("a nonce that was changed", flipped(usual, 0), None),
    ):
        given = {"secret": epoch_secret(2).hex(), "epoch": 2, "sealed": sealed.hex()}
        group.valid(comment, given, rules=["GRP-12"], output={"name": name})
    moved = {"secret": epoch_secret(2).hex(), "epoch": 3, "sealed": usual.hex()}
    group.valid("opened as that of another epoch", moved, rules=["GRP-12"], output={"name": None})

"""Values sealed to their rows, tags, and the wrapped data key."""

from typing import Any, Final

from generators.support.family import Family, Group, Json
from generators.support.labels import draw, flipped
from letterlock._primitives.aead import seal_at_rest
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import STORE_VALUES
from letterlock.stores._sqlite.format import encode
from letterlock.stores._sqlite.wrapped_key import KeyOpener, Opener, PassphraseOpener, WrappedKey

DATA_KEY: Final = draw("records data key", 32)
PEER_TAG: Final = draw("records tag of a peer", 16)
CHAIN_TAG: Final = draw("records tag of a chain", 16)
STORE_KEY: Final = draw("records store key", 32)
PASSPHRASE: Final = "correct horse \u00e9"
LEAST: Final = (1, 8192)

ROWS: Final[dict[str, tuple[str, list[Any]]]] = {
    "an account": ("account", []),
    "a peer": ("peers", [PEER_TAG]),
    "a prekey that expires": ("prekeys", [2, 200, 1_700_000_000]),
    "a prekey that does not": ("prekeys", [1, 100, None]),
    "a session": ("sessions", [77, PEER_TAG, 5]),
    "skipped keys": ("skipped", [4, 77, CHAIN_TAG, 2**32 - 32, 32]),
}


def sealed(table: str, columns: list[Any], record: bytes) -> bytes:
    """Return a value as the SQLite store seals it, with a nonce of a label."""
    nonce = draw(f"records nonce {table} {columns}", 24)
    key = hkdf_sha256(b"", DATA_KEY, STORE_VALUES, 32)
    return nonce + seal_at_rest(key, nonce, record, encode(table.encode(), *columns))


def row(table: str, columns: list[Any], value: bytes, data_key: bytes = DATA_KEY) -> Json:
    spelt = [each.hex() if isinstance(each, bytes) else each for each in columns]
    return {"data_key": data_key.hex(), "table": table, "columns": spelt, "value": value.hex()}


def opened(group: Group) -> None:
    for comment, (table, columns) in ROWS.items():
        record = draw(f"records record of {comment}", 32)
        value = sealed(table, columns, record)
        output = {"record": record.hex()}
        group.valid(comment, row(table, columns, value), rules=["STO-3"], output=output)
    empty = sealed("account", [], b"")
    group.valid("a record of no bytes", row("account", [], empty), rules=["STO-3"], output={"record": ""})


def refused(group: Group) -> None:
    table, columns = ROWS["a session"]
    value = sealed(table, columns, draw("records record of a session", 32))

    def refuse(comment: str, flag: str, given: Json) -> None:
        group.invalid(comment, given, "CorruptStore", flags=[flag], rules=["STO-3"])

    other_key = row(table, columns, value, draw("records another data key", 32))
    refuse("another data key", "WrongKey", other_key)
    for comment, moved in (
        ("another id", [78, PEER_TAG, 5]),
        ("another peer", [77, CHAIN_TAG, 5]),
        ("another rank", [77, PEER_TAG, 6]),
        ("no rank", [77, PEER_TAG]),
        ("a rank of null", [77, PEER_TAG, None]),
        ("one column more", [77, PEER_TAG, 5, None]),
        ("columns in another order", [5, PEER_TAG, 77]),
        ("the id as bytes", [(77).to_bytes(8, "big"), PEER_TAG, 5]),
        ("the tag cut", [77, PEER_TAG[:-1], 5]),
    ):
        refuse(comment, "OtherRow", row(table, moved, value))
    for other in ("skipped", "session", "Sessions", ""):
        refuse(f"table {other!r}", "OtherRow", row(other, columns, value))


def damaged_or_moved(group: Group) -> None:
    def refuse(comment: str, flag: str, given: Json) -> None:
        group.invalid(comment, given, "CorruptStore", flags=[flag], rules=["STO-3"])

    table, columns = ROWS["a session"]
    value = sealed(table, columns, draw("records record of a session", 32))
    prekey = sealed("prekeys", [2, 200, None], bytes(32))
    for comment, moved in (
        ("a prekey of another kind", [1, 200, None]),
        ("a prekey with another expiry", [2, 200, 1_700_000_000]),
        ("a prekey that expired at 0", [2, 200, 0]),
    ):
        refuse(comment, "OtherRow", row("prekeys", moved, prekey))
    for comment, damaged in (
        ("a bit of the nonce", flipped(value, 0)),
        ("a bit of the record", flipped(value, 24)),
        ("a bit of the tag", flipped(value, -1)),
        ("cut by a byte", value[:-1]),
        ("a byte more", value + b"\0"),
        ("the nonce and nothing more", value[:24]),
        ("39 bytes", value[:39]),
        ("40 bytes, with a record of none", value[:40]),
        ("empty", b""),
        ("the record itself, unsealed", draw("records record of a session", 32)),
    ):
        refuse(comment, "Damaged", row(table, columns, damaged))


TAGS: Final[dict[str, tuple[str, list[Any]]]] = {
    "a peer's address": ("peers", [bytes.fromhex("8263626f6201")]),
    "a replay": ("replays", [1, 100, draw("records digest", 32)]),
    "a ratchet key": ("skipped", [draw("records ratchet key", 32)]),
    "a finished chain": ("past_chains", [77, draw("records ratchet key", 32)]),
    "the same of another session": ("past_chains", [78, draw("records ratchet key", 32)]),
    "nothing": ("peers", []),
    "null, 0 and no bytes": ("peers", [None, 0, b""]),
    "2^53 - 1": ("peers", [2**53 - 1]),
}


def tags(group: Group) -> None:
    for comment, (use, what) in TAGS.items():
        spelt = [each.hex() if isinstance(each, bytes) else each for each in what]
        given = {"data_key": DATA_KEY.hex(), "use": use, "columns": spelt}
        group.valid(comment, given, rules=["STO-3"])


def wrapped(opener: Opener, salt: bytes, passes: int, memory: int) -> bytes:
    """Return the wrapped data key, with a nonce of a label."""
    nonce = draw(f"records wrap nonce {opener.KIND}", 24)
    key = opener.wrap_key(salt, passes, memory).expose()
    bound = WrappedKey(opener.KIND, salt, passes, memory, b"").associated_data()
    return nonce + seal_at_rest(key, nonce, DATA_KEY, bound)


SALT: Final = draw("records salt", 16)


def by_key(**changes: Any) -> Json:
    made = wrapped(KeyOpener(STORE_KEY), SALT, 0, 0)
    sound = {"kind": 1, "salt": SALT.hex(), "passes": 0, "memory": 0, "wrapped": made.hex(),
             "key": STORE_KEY.hex(), "passphrase": None}  # fmt: skip
    return sound | changes


def by_passphrase(wrapped_with: str = PASSPHRASE, /, **changes: Any) -> Json:
    passes, memory = LEAST
    made = wrapped(PassphraseOpener(wrapped_with), SALT, passes, memory)
    sound = {"kind": 2, "salt": SALT.hex(), "passes": passes, "memory": memory, "wrapped": made.hex(),
             "key": None, "passphrase": wrapped_with}  # fmt: skip
    return sound | changes


def unwrapped(group: Group) -> None:
    output = {"data_key": DATA_KEY.hex()}
    group.valid("with a key", by_key(), rules=["STO-3"], output=output)
    group.valid("with a passphrase", by_passphrase(), rules=["STO-7"], output=output)
    passes, memory = 2, 16384
    more = wrapped(PassphraseOpener(PASSPHRASE), SALT, passes, memory).hex()
    given = by_passphrase(passes=passes, memory=memory, wrapped=more)
    group.valid("with a passphrase, two passes over 16 KiB", given, rules=["STO-7"], output=output)
    for comment, spelt, other in (
        ("an accent of its own", PASSPHRASE, "correct horse e\u0301"),
        ("letters of full width", "abc", "\uff41\uff42\uff43"),
        ("a ligature", "fine", "\ufb01ne"),
    ):
        given = by_passphrase(spelt, passphrase=other)
        group.valid(
            f"a passphrase with {comment}", given, flags=["Normalised"], rules=["STO-7"], output=output
        )


def wrong_keys(group: Group) -> None:
    made = bytes.fromhex(by_key()["wrapped"])
    for comment, given, flag in (
        ("another key", by_key(key=draw("records another store key", 32).hex()), "WrongKey"),
        ("another passphrase", by_passphrase(passphrase="correct horse"), "WrongKey"),
        ("a passphrase in capitals", by_passphrase(passphrase=PASSPHRASE.upper()), "WrongKey"),
        ("a passphrase for a store with a key", by_key(key=None, passphrase=PASSPHRASE), "WrongKey"),
        (
            "a key for a store with a passphrase",
            by_passphrase(key=STORE_KEY.hex(), passphrase=None),
            "WrongKey",
        ),
        ("kind 2 made of kind 1", by_key(kind=2), "OtherParameters"),
        ("kind 1 made of kind 2", by_passphrase(kind=1), "OtherParameters"),
        ("another salt", by_key(salt=draw("records another salt", 16).hex()), "OtherParameters"),
        ("a key, with passes that were 0", by_key(passes=1), "OtherParameters"),
        ("a key, with memory that was 0", by_key(memory=8192), "OtherParameters"),
        ("a passphrase, and one pass more", by_passphrase(passes=2), "OtherParameters"),
        ("a passphrase, and more memory", by_passphrase(memory=9216), "OtherParameters"),
        ("a bit of the nonce", by_key(wrapped=flipped(made, 0).hex()), "Damaged"),
        ("a bit of the data key", by_key(wrapped=flipped(made, 24).hex()), "Damaged"),
        ("a bit of the tag", by_key(wrapped=flipped(made, -1).hex()), "Damaged"),
    ):
        group.invalid(comment, given, "WrongKey", flags=[flag], rules=["STO-3"])


def corrupt(group: Group) -> None:
    made = bytes.fromhex(by_key()["wrapped"])
    for comment, given, flag in (
        ("kind 0", by_key(kind=0), "OtherParameters"),
        ("kind 3", by_key(kind=3), "OtherParameters"),
        ("a salt of 15 bytes", by_key(salt=SALT[:-1].hex()), "Damaged"),
        ("a salt of 17 bytes", by_key(salt=(SALT + b"\0").hex()), "Damaged"),
        ("no salt", by_passphrase(salt=""), "Damaged"),
        ("a wrapped key of 71 bytes", by_key(wrapped=made[:-1].hex()), "Damaged"),
        ("a wrapped key of 73 bytes", by_key(wrapped=(made + b"\0").hex()), "Damaged"),
        ("no wrapped key", by_key(wrapped=""), "Damaged"),
        ("0 passes", by_passphrase(passes=0), "BeyondLimits"),
        ("17 passes", by_passphrase(passes=17), "BeyondLimits"),
        ("2^32 passes", by_passphrase(passes=2**32), "BeyondLimits"),
        ("-1 passes", by_passphrase(passes=-1), "BeyondLimits"),
        ("no memory", by_passphrase(memory=0), "BeyondLimits"),
        ("8,191 bytes of memory", by_passphrase(memory=8191), "BeyondLimits"),
        ("a byte more than 1 GiB of memory", by_passphrase(memory=2**30 + 1), "BeyondLimits"),
        ("2^40 bytes of memory", by_passphrase(memory=2**40), "BeyondLimits"),
    ):
        rule = "STO-7" if flag == "BeyondLimits" else "STO-3"
        group.invalid(comment, given, "CorruptStore", flags=[flag], rules=[rule])


def add(family: Family) -> None:
    """Add the groups about encryption at rest."""
    opened(family.group("store.open", "values in their rows"))
    refused(family.group("store.open", "values other than the saved ones"))
    damaged_or_moved(family.group("store.open", "prekeys in other rows, and damage"))
    tags(family.group("store.tag", "tags that stand for hidden values"))
    unwrapped(family.group("store.unwrap", "the data key"))
    wrong_keys(family.group("store.unwrap", "keys and rows that do not match"))
    corrupt(family.group("store.unwrap", "damaged rows"))

"""Blind indices, and what their tokens tell: DOC-111, DOC-112, and the table of spec/json.md.

A simulation measures it: whoever has the tokens, and knows how often each value occurs, guesses the value of
each document. The table of the specification has to say what comes out.
"""

import hashlib
import hmac
import random
import re
from collections import Counter
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from letterlock.documents import BlindIndex, Documents, ItemSession, NoGrant, Section
from letterlock.documents._item_session import ItemKey
from letterlock.documents._json_documents import JsonDocuments
from letterlock.errors import UsageError
from support.granting import met

PAGE: Final = (Path(__file__).parents[2] / "spec" / "json.md").read_text(encoding="utf-8")


def session_of(key: bytes) -> ItemSession:
    return ItemSession(bytes(16), ItemKey(key), bytes)


SESSION: Final = session_of(bytes(range(32)))


def test_a_token_is_what_the_specification_says() -> None:
    key = hmac.digest(bytes(range(32)), b"letterlock-v1 blind index\x0afamily name", hashlib.sha256)
    for value, text in (("Lindqvist", '"Lindqvist"'), ("Åsa", '"Åsa"'), (5, "5"), (Decimal("1.50"), "1.50")):
        whole = hmac.digest(key, text.encode(), hashlib.sha256)
        token = SESSION.blind_index("family name", bits=10).token(value)
        assert token == int.from_bytes(whole[:2], "big") >> 6


def test_people_who_may_search_make_the_same_tokens() -> None:
    """A server that has tokens alone finds the documents; who searches compares what it found."""
    people = met()
    alice, bob = people.alice.first, people.bob.first
    mine = JsonDocuments(alice)
    session, shared = Documents(alice).begin_items(["bob"])
    index = session.blind_index("family name", bits=2)
    database: list[tuple[int, bytes]] = []
    for at in range(8):
        made = mine.seal({"family": f"name {at % 4}", "n": at}, [Section("all", [""], ["bob"])])
        database.append((index.token(f"name {at % 4}"), made.data))
    Documents(bob).take(shared)
    token = Documents(bob).items(session.id).blind_index("family name", bits=2).token("name 2")
    found = [data for each, data in database if each == token]
    opened = [JsonDocuments(bob).open(data).value for data in found]
    assert len(found) >= 2  # two bits for four names: others may be found as well
    assert [each["n"] for each in opened if each["family"] == "name 2"] == [2, 6]
    carol = people.servers.people["carol"].first
    with pytest.raises(NoGrant):
        Documents(carol).items(session.id)


def test_tokens_of_two_fields_lengths_or_sessions_do_not_compare() -> None:
    """DOC-111: not even a prefix of a longer token is the shorter one."""
    values = [f"name {at}" for at in range(300)]
    made: list[BlindIndex] = [
        SESSION.blind_index("family name", bits=12),
        SESSION.blind_index("given name", bits=12),
        session_of(bytes(32)).blind_index("family name", bits=12),
    ]
    tokens = [[each.token(value) for value in values] for each in made]
    longer = [SESSION.blind_index("family name", bits=13).token(value) >> 1 for value in values]
    for other in (*tokens[1:], longer):
        assert sum(one == two for one, two in zip(tokens[0], other, strict=True)) < 5


def test_equal_values_are_those_with_one_text() -> None:
    index = SESSION.blind_index("value", bits=24)
    assert index.token(1.5) == index.token(Decimal("1.5"))
    different: list[Any] = ["1", 1, 1.0, Decimal("1.00"), "1 ", "é", "e\u0301", "E", "e", ""]
    assert len({index.token(each) for each in different}) == len(different)


@pytest.mark.parametrize("bits", [0, 25, -1, 8.0, True, None, "8"])
def test_lengths_that_are_refused(bits: Any) -> None:
    """DOC-112"""
    with pytest.raises(UsageError):
        SESSION.blind_index("name", bits=bits)


@pytest.mark.parametrize("name", ["", "n" * 65, "a\n", "a\u202eb", None, b"name", 5])
def test_names_that_are_refused(name: Any) -> None:
    with pytest.raises(UsageError):
        SESSION.blind_index(name, bits=8)


@pytest.mark.parametrize(
    "value", [True, False, None, {}, [], ["a"], b"a", float("nan"), 1e300, 2**53, "\ud800", "\0", -0.0]
)
def test_values_that_are_refused(value: Any) -> None:
    """DOC-112"""
    with pytest.raises(UsageError):
        SESSION.blind_index("name", bits=8).token(value)


@pytest.mark.parametrize("bits", [1, 2, 7, 8, 9, 24])
def test_a_token_has_its_length(bits: int) -> None:
    index = SESSION.blind_index("name", bits=bits)
    tokens = {index.token(at) for at in range(300)}
    assert max(tokens).bit_length() == min(bits, 24) or bits == 24
    assert all(0 <= each < 2**bits for each in tokens)
    assert len(tokens) == 2**bits or bits > 6


# --- what tokens tell -------------------------------------------------------------------------------------


class Field(NamedTuple):
    """A field: how often each of its values occurs in general, how many documents have it, how many keys."""

    weights: dict[str, float]
    documents: int
    keys: int


BLOOD: Final = Field(
    {"0+": 37.4, "A+": 35.7, "B+": 8.5, "0-": 6.6, "A-": 6.3, "AB+": 3.4, "B-": 1.5, "AB-": 0.6}, 10_000, 200
)
FAMILY: Final = Field({f"name {at}": 1 / (at + 1) for at in range(5_000)}, 20_000, 10)
FIELDS: Final = {"blood group, 8 values": BLOOD, "family name, 5,000 values by Zipf's law": FAMILY}


class Told(NamedTuple):
    """Shares of documents whose value is guessed right."""

    counting: float
    known: float
    unique: float


def told(field: Field, occurs: Counter[str], bits: int, number: int) -> Told:
    """Return what tokens under one key tell whoever knows the frequencies."""
    key = number.to_bytes(32, "big")
    index = session_of(key).blind_index("field", bits=bits)
    token = {value: index.token(value) for value in occurs}
    tokens = Counter[int]()
    for value, count in occurs.items():
        tokens[token[value]] += count
    by_frequency = sorted(field.weights, key=lambda each: -field.weights[each])
    guessed = {at: value for (at, _), value in zip(tokens.most_common(), by_frequency, strict=False)}
    right = sum(count for value, count in occurs.items() if guessed.get(token[value]) == value)
    known = sum(count * count / tokens[token[value]] for value, count in occurs.items())
    once = [1 / tokens[token[value]] for value, count in occurs.items() if count == 1]
    return Told(right / field.documents, known / field.documents, sum(once) / len(once) if once else 0)


@cache
def average(name: str, bits: int) -> Told:
    field = FIELDS[name]
    rng = random.Random("letterlock blind index")
    occurs = Counter(rng.choices(list(field.weights), list(field.weights.values()), k=field.documents))
    found = [told(field, occurs, bits, number) for number in range(field.keys)]
    return Told(*(sum(each) / field.keys for each in zip(*found, strict=True)))


ROWS: Final = re.findall(
    r"^\| (.+?) \| ([0-9,]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+|-) \|$", PAGE, re.MULTILINE
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0].split()[0]} {row[2]}")
def test_the_specification_says_what_tokens_tell(row: tuple[str, ...]) -> None:
    name, documents, bits, counting, known, unique = row
    field = FIELDS[name]
    assert int(documents.replace(",", "")) == field.documents
    found = average(name, int(bits))
    assert [round(100 * each) for each in found[:2]] == [int(counting), int(known)]
    assert unique == "-" or round(100 * found.unique) == int(unique)


def test_the_table_has_both_fields_at_full_length() -> None:
    assert {(row[0], row[2]) for row in ROWS} >= {(name, "24") for name in FIELDS}
    assert len(ROWS) == 7


def test_without_tokens() -> None:
    """Guessing the most frequent value for every document."""
    (sentence,) = re.findall(r"Without tokens, .* right for (\d+) and (\d+) percent", PAGE)
    shares = [max(each.weights.values()) / sum(each.weights.values()) for each in FIELDS.values()]
    assert [round(100 * each) for each in shares] == [int(each) for each in sentence]


def test_tokens_of_few_values_hide_nothing() -> None:
    """The warning of the page: with all bits, counting tells nearly every blood group."""
    blood, family = FIELDS
    assert average(blood, 24).counting > 0.9
    assert average(family, 6).unique < 0.01 < average(family, 12).unique

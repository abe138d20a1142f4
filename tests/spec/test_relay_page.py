"""spec/relay.md and spec/relay.cddl agree with the code: calls, codes, sizes, steps, bounds and shapes."""

import re
from pathlib import Path
from typing import Any, Final

import cbor2
import pytest

from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_calls import CALL_OF_REQUEST, CALLS, TokenUse
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_place import Step
from letterlock.errors import PeerError
from letterlock.relay._buckets import Buckets
from letterlock.relay._claims import REQUESTER, TARGET
from letterlock.relay._limits import Limits
from spec.test_rules import table
from support.cddl_check import Mismatch, Schema
from support.relay_samples import BODIES

TESTS: Final = Path(__file__).parents[1]
CDDL: Final = (Path(__file__).parents[2] / "spec" / "relay.cddl").read_text(encoding="utf-8")
SAMPLES: Final = [
    pytest.param(body, array, id=f"{type(body).__name__}-{len(array)}") for body, array in BODIES
]
UNITS: Final = {"s": 1, "min": 60}


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema(CDDL)


def number(cell: str) -> int:
    return int(cell.replace(",", ""))


def rule_of(body: RelayBody) -> str:
    """Return the name of a body's rule: that of its call, or of its class."""
    call = CALL_OF_REQUEST.get(type(body))
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(body).__name__).lower()
    names = {"error-answer": "error", "done-answer": "done"}
    return call.name if call else names.get(words, words)


def test_calls_are_the_codes() -> None:
    rows = table("relay.md", "number", "name", "token")
    tokens = {TokenUse.NEVER: "never", TokenUse.ALWAYS: "always", TokenUse.BY_STEP: "for some steps"}
    assert [(number(row[0]), row[1], row[2], number(row[3]), number(row[4])) for row in rows] == [
        (each.number, each.name, tokens[each.token], each.size, each.answer_size) for each in CALLS
    ]


def test_error_codes_are_the_codes() -> None:
    rows = table("relay.md", "code", "name", "status")
    assert [(int(row[0]), row[1], int(row[2])) for row in rows] == [
        (int(each), each.name, each.status) for each in RelayCode
    ]


def test_steps_are_the_codes() -> None:
    rows = table("relay.md", "step", "what", "token")
    assert [(int(row[0]), row[2] == "yes", number(row[3]), number(row[4])) for row in rows] == [
        (int(each), each.needs_token, each.most_parts, each.most_bytes)
        for each in Step
        if each is not Step.OPEN
    ]


def test_bounds_are_the_codes() -> None:
    limits = Limits()
    buckets: list[Buckets] = [
        limits.targets, limits.sends, limits.logins, limits.registrations, limits.appends,
        limits.publications, limits.places, limits.shelvings, limits.entries, limits.logs, limits.texts,
    ]  # fmt: skip
    expected = [REQUESTER, TARGET, *(each.bucket for each in buckets)]
    found = []
    for row in table("relay.md", "what", "at once", "one more after"):
        amount, unit = row[2].split()
        found.append((number(row[1]), int(amount) * UNITS[unit]))
    assert found == [(each.size, each.interval) for each in expected]


@pytest.mark.parametrize(("body", "array"), SAMPLES)
def test_every_body_validates_under_its_rule(schema: Schema, body: RelayBody, array: list[Any]) -> None:
    schema.validate(body.encode(), rule_of(body))
    schema.validate(body.encode())
    for other in ([*array, None], array[:-1], [2, *array[1:]], [-1, *array[1:]]):
        with pytest.raises(Mismatch):
            schema.validate(cbor2.dumps(other), rule_of(body))


WRONG: Final[list[Any]] = [-1, 2**64 - 1, 1.5, True, None, "", "x" * 256, b"", b"x" * 17, {}, [[[]]]]


@pytest.mark.parametrize(("body", "array"), SAMPLES)
def test_what_the_schema_refuses_the_code_refuses_too(
    schema: Schema, body: RelayBody, array: list[Any]
) -> None:
    for at in range(len(array)):
        for wrong in WRONG:
            data = cbor2.dumps([*array[:at], wrong, *array[at + 1 :]])
            try:
                schema.validate(data, rule_of(body))
            except Mismatch:
                with pytest.raises(PeerError):
                    type(body).decode(data)


def test_rules_are_all_used(schema: Schema) -> None:
    reached, left = set[str](), ["body"]
    while left:
        rule = left.pop()
        if rule not in reached:
            reached.add(rule)
            left += schema.references[rule]
    assert set(schema.references) == reached


def test_each_attack_is_played_by_tests_that_exist() -> None:
    rows = table("relay.md", "attack", "rules", "tests")
    assert len(rows) >= 12
    for attack, rules, tests in rows:
        assert re.fullmatch(r"RLY-\d+(, RLY-\d+)*", rules), attack
        named = re.findall(r"`([\w/]+\.py): (test_\w+)`", tests)
        assert len(named) == tests.count("test_") - tests.count("/test_"), attack
        for path, name in named:
            text = (TESTS / path).read_text(encoding="utf-8")
            assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{path} has no {name}"

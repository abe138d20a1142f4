"""spec/provisional.md and spec/provisional.cddl agree with the code."""

import re
from pathlib import Path

import cbor2
import pytest

from letterlock._wire import recovery_limits as limits
from letterlock._wire.relay_body import DoneAnswer
from letterlock.recovery import IdentityMade
from support.cddl_check import Mismatch, Schema
from support.provisional_town import ProvisionalTown

SPEC = Path(__file__).parents[2] / "spec"
PAGE = (SPEC / "provisional.md").read_text(encoding="utf-8")
NAMES = {44: "make", 45: "release", 46: "claimed", 47: "withdraw"}


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema((SPEC / "provisional.cddl").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def samples() -> dict[str, bytes]:
    """Return one encoding of each shape, made by a granter, a person and the real servers."""
    town = ProvisionalTown()
    new, claiming = town.identity(), town.claiming()
    made, released = town.made(new), town.released(claiming)
    return {
        "make": new.request.encode(),
        "made": made[0].encode(),
        "release": claiming.request.encode(),
        "released": released[1].encode(),
        "claimed": claiming.claim(bytes(32), claiming.finish(*released)).encode(),
        "withdraw": new.withdraw()[0].encode(),
        "done": DoneAnswer().encode(),
    }


def test_what_is_made_validates(schema: Schema, samples: dict[str, bytes]) -> None:
    for name, encoded in samples.items():
        schema.validate(encoded, name)
        schema.validate(encoded)
    schema.validate(IdentityMade(None, bytes(32)).encode(), "made")


def test_every_element_has_one_type(schema: Schema, samples: dict[str, bytes]) -> None:
    for name, encoded in samples.items():
        items = cbor2.loads(encoded)
        for at in range(len(items)):
            with pytest.raises(Mismatch):
                schema.validate(cbor2.dumps([*items[:at], {}, *items[at + 1 :]]), name)
        for wrong in (items[:-1], [*items, 0]):
            with pytest.raises(Mismatch):
                schema.validate(cbor2.dumps(wrong), name)


def test_the_calls_have_the_numbers_of_the_page(samples: dict[str, bytes]) -> None:
    shown = dict(re.findall(r"^    (\w+) +\[1, (\d\d), ", PAGE, re.MULTILINE))
    assert {int(number): name for name, number in shown.items()} == NAMES
    for number, name in NAMES.items():
        assert cbor2.loads(samples[name])[:2] == [1, number]


def test_the_page_has_the_limits_of_the_code() -> None:
    assert f"{limits.PROVISIONAL_LIFE:,} seconds away" in PAGE
    assert f"at most {limits.MAX_PERSON_IDENTITIES} identities of a person" in PAGE

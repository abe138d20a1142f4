"""spec/groups.md and spec/groups.cddl agree with the code."""

import re
from pathlib import Path

import cbor2
import pytest

from letterlock._groups._epoch import EpochName
from letterlock._groups._sending import SEED_SECONDS, begin, handed_out, seal_text
from letterlock._primitives.entropy import system_entropy
from letterlock._wire import group_limits as limits
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_content import GroupContent, Heard
from letterlock._wire.group_text import SenderName
from letterlock._wire.user_envelope import UserKind
from letterlock.limits import KEPT_LIFETIME
from support.cddl_check import Mismatch, Schema

SPEC = Path(__file__).parents[2] / "spec"
PAGE = (SPEC / "groups.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema((SPEC / "groups.cddl").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def samples() -> dict[str, bytes]:
    epoch, sender = EpochName(bytes(16), 1, bytes(32)), SenderName(bytes(32), 1)
    own = begin(epoch, sender, EpochSecret(bytes(32)), 0, system_entropy)
    text = seal_text(own, 1, bytes(32), (), b"text", system_entropy).text
    heard = Heard(999, 2**32 - 1, 4999, bytes(32))
    content = GroupContent(bytes(32), (heard,) * limits.MAX_HEARD, b"text").encode()
    return {"text": text, "chain": handed_out(own).encode(), "content": content}


def test_what_is_made_validates(schema: Schema, samples: dict[str, bytes]) -> None:
    for name, encoded in samples.items():
        schema.validate(encoded, name)
    for name in ("text", "chain"):
        schema.validate(samples[name])


def test_every_element_has_one_type(schema: Schema, samples: dict[str, bytes]) -> None:
    for name, encoded in samples.items():
        items = cbor2.loads(encoded)
        for at in range(len(items)):
            with pytest.raises(Mismatch):
                schema.validate(cbor2.dumps([*items[:at], "another type", *items[at + 1 :]]), name)
        for wrong in (items[:-1], [*items, 0]):
            with pytest.raises(Mismatch):
                schema.validate(cbor2.dumps(wrong), name)


def test_the_page_has_the_limits_of_the_code() -> None:
    shown = dict(re.findall(r"^\| ([a-z][^|]+?) \| ([\d,]+) \|$", PAGE, re.MULTILINE))
    assert {name: int(value.replace(",", "")) for name, value in shown.items()} == {
        "texts under one seed": limits.MAX_CHAIN_TEXTS,
        "epochs in which a seed serves": limits.CHAIN_EPOCHS,
        "seconds for which a seed serves": SEED_SECONDS,
        "texts skipped before one that arrives": limits.MAX_GROUP_SKIP,
        "heads of others in a text": limits.MAX_HEARD,
        "members": limits.MAX_GROUP_MEMBERS,
        "bytes of a text": limits.MAX_GROUP_TEXT,
        "bytes of a chain": limits.MAX_SENDER_CHAIN,
        "epochs that are kept after their end": limits.KEPT_EPOCHS,
        "seconds for which they are kept": KEPT_LIFETIME,
        "keys of skipped texts that a device keeps": limits.MAX_GROUP_KEYS,
        "requests for one secret or chain": limits.MAX_GROUP_REQUESTS,
        "secrets and chains that a device waits for": limits.MAX_GROUP_WANTS,
    }


def test_the_page_has_the_kinds() -> None:
    assert "28 (text) or 29 (chain)" in PAGE
    assert (int(UserKind.GROUP_TEXT), int(UserKind.SENDER_CHAIN)) == (28, 29)

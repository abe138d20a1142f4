"""spec/groups.md and spec/groups.cddl agree with the code."""

import re
from pathlib import Path
from typing import Any

import cbor2
import pytest

from letterlock._groups._epoch import EpochName
from letterlock._groups._sending import SEED_SECONDS, begin, handed_out, seal_text
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.labels import GROUP_ENTRY, GROUP_EPOCH, GROUP_HISTORY, GROUP_NAME
from letterlock._records.collection import CollectionPhase
from letterlock._wire import group_limits as limits
from letterlock._wire.collection_member import Renewed, Role, RoleChange
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_content import GroupContent, Heard
from letterlock._wire.group_history import HistoryHead, ToldText
from letterlock._wire.group_text import SenderName
from letterlock._wire.log_entry import Action
from letterlock._wire.log_opening import LogKind
from letterlock._wire.user_envelope import UserKind
from letterlock.documents._log_rules import GROUP_TRANSITIONS
from letterlock.limits import KEPT_LIFETIME
from support.cddl_check import Mismatch, Schema
from support.collection_logs import Log, member, opened_group, sealed_name, sub, user

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
    heard = Heard(999, 2**32 - 1, 0, 4999, bytes(32))
    content = GroupContent(bytes(32), (heard,) * limits.MAX_HEARD, b"text").encode()
    log = Log(member("bob", Role.WRITER), kind=LogKind.GROUP)
    log.add("alice", Action.RENEW, opening=opened_group((Renewed(user("bob"), 2),)))
    entry = log.entries[1]
    return {
        "text": text,
        "chain": handed_out(own).encode(),
        "content": content,
        "entry": entry.encode(),
        "terms": entry.encoded_terms,
        "history-head": HistoryHead(bytes(16), 7, bytes(32)).encode(),
        "told": ToldText(bytes(32), 2**32 - 1, b"text").encode(),
    }


def test_entries_of_all_actions_validate(schema: Schema) -> None:
    log = Log(member("bob", Role.WRITER), kind=LogKind.GROUP)
    changes: dict[Action, tuple[Any, ...]] = {
        Action.ADD: (member("new"),),
        Action.REMOVE: (user("bob"),),
        Action.ROLE: (RoleChange(user("bob"), Role.READER),),
        Action.RENAME: (sealed_name(),),
    }
    for action in Action:
        made = log.entries[0]
        if action is not Action.CREATE:
            made = log.make("alice", action, *changes.get(action, ()))
        schema.validate(made.encode())
        schema.validate(made.encoded_terms, "terms")


def test_what_a_group_has_not_does_not_validate(schema: Schema) -> None:
    log = Log(kind=LogKind.GROUP)
    for wrong in (member(sub("team")), member("late", since=1)):
        with pytest.raises(Mismatch):
            schema.validate(log.make("alice", Action.ADD, wrong).encoded_terms, "terms")
    with pytest.raises(Mismatch):
        schema.validate(Log().entries[0].encode())


def test_what_is_made_validates(schema: Schema, samples: dict[str, bytes]) -> None:
    for name, encoded in samples.items():
        schema.validate(encoded, name)
    for name in ("text", "chain", "entry"):
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
        "chains of one sender in an epoch that a device keeps": limits.MAX_SENDER_CHAINS,
        "requests for one secret or chain": limits.MAX_GROUP_REQUESTS,
        "secrets and chains that a device waits for": limits.MAX_GROUP_WANTS,
        "members up to which receipts are sent": limits.MAX_RECEIPTED,
        "seconds between two receipts for a chain, for each member": limits.RECEIPT_PAUSE,
        "runs of texts that a writer keeps of a reader in an epoch": limits.MAX_READ_RUNS,
        "texts in a history": limits.MAX_HISTORY_TEXTS,
        "bytes of a history before it is sealed": limits.MAX_HISTORY_BYTES,
        "histories of one giver in a group that a device keeps": limits.MAX_HISTORIES,
    }


def test_the_page_has_the_kinds() -> None:
    assert "28 (text), 29 (chain) or 30 (entry)" in PAGE
    kinds = UserKind.GROUP_TEXT, UserKind.SENDER_CHAIN, UserKind.GROUP_ENTRY
    assert tuple(map(int, kinds)) == (28, 29, 30)


def test_the_page_has_the_labels() -> None:
    for label in (GROUP_ENTRY, GROUP_NAME, GROUP_EPOCH, GROUP_HISTORY):
        assert label.decode() in PAGE


def test_the_page_has_the_table_of_phases() -> None:  # GRP-13
    (head,) = re.findall(r"^  \| phase before \|(.*)\|$", PAGE, re.MULTILINE)
    actions = [Action[each.split()[0].upper()] for each in head.split("|")]
    found = {}
    for before in ("none", "open", "parted", "spent", "closed"):
        (row,) = re.findall(rf"^  \| {before} \|(.*)\|$", PAGE, re.MULTILINE)
        for action, after in zip(actions, row.split("|"), strict=True):
            if after.strip() != "-":
                phase = None if before == "none" else CollectionPhase(before)
                found[phase, action] = CollectionPhase(after.strip())
    assert found == GROUP_TRANSITIONS

"""spec/collections.md and spec/collections.cddl agree with the code."""

import re
from pathlib import Path

import cbor2
import pytest

from letterlock._wire import collection_limits as limits
from letterlock._wire.collection_fork import ForkEntries
from letterlock._wire.collection_member import Renewed, Role, RoleChange
from letterlock._wire.log_entry import Action, LogEntry
from letterlock._wire.user_envelope import UserKind
from letterlock.documents._log_rules import LEAST_ROLE, TRANSITIONS
from support.cddl_check import Mismatch, Schema
from support.collection_logs import Log, in_order, member, opened, sealed_name, sub, user

SPEC = Path(__file__).parents[2] / "spec"
CDDL = (SPEC / "collections.cddl").read_text(encoding="utf-8")
PAGE = (SPEC / "collections.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema(CDDL)


@pytest.fixture(scope="module")
def entries() -> list[LogEntry]:
    log = Log(member("bob"), member(sub("team"), Role.WRITER))
    return [
        log.entries[0],
        log.make("alice", Action.ADD, *in_order(member("new"), member(sub("other")))),
        log.make("alice", Action.REMOVE, *in_order(user("bob"), sub("team"))),
        log.make("bob", Action.LEAVE),
        log.make(
            "alice",
            Action.ROLE,
            *in_order(RoleChange(user("bob"), Role.WRITER), RoleChange(sub("team"), Role.READER)),
        ),
        log.make("alice", Action.RENAME, sealed_name()),
        log.make(
            "alice",
            Action.RENEW,
            opening=opened(1, in_order(Renewed(user("bob"), 2), Renewed(sub("team"), 2))),
        ),
        log.make("alice", Action.CLOSE),
    ]


def test_what_is_made_validates(schema: Schema, entries: list[LogEntry]) -> None:
    assert [each.terms.action for each in entries] == list(Action)
    for each in entries:
        schema.validate(each.encode())
        schema.validate(each.encoded_terms, "terms")
    schema.validate(ForkEntries(tuple(entries[:1]), tuple(entries[1:2]), tuple(entries[2:3])).encode())


def test_every_element_has_one_type(schema: Schema, entries: list[LogEntry]) -> None:
    for each in entries:
        elements = cbor2.loads(each.encoded_terms)
        for index in range(len(elements)):
            others: list[list[object]] = [[], [elements[index]] * 2, [1.5], [{}], [True], [-1], [2**32]]
            for wrong in others:
                with pytest.raises(Mismatch):
                    schema.validate(cbor2.dumps([*elements[:index], *wrong, *elements[index + 1 :]]), "terms")


def test_every_rule_is_reachable_from_the_first(schema: Schema) -> None:
    reached, names = set[str](), [next(iter(schema.references))]
    while names:
        reached.add(name := names.pop())
        names.extend(schema.references[name] - reached)
    assert reached == set(schema.references)


def rows(first: str) -> list[list[str]]:
    """Return the rows of the table whose first heading this is."""
    lines = PAGE.splitlines()
    start = next(at for at, line in enumerate(lines) if line.lstrip().startswith(f"| {first} |"))
    body = []
    for line in lines[start + 2 :]:
        if not line.lstrip().startswith("|"):
            break
        body.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return body


def test_sizes_are_the_codes() -> None:
    assert [int(row[1].replace(",", "")) for row in rows("what")] == [
        limits.MAX_COLLECTION_ENTRY,
        limits.MAX_COLLECTION_TERMS,
        limits.MAX_MEMBERS,
        limits.MAX_COLLECTION_LOG,
        limits.MAX_FREE_LOG,
        limits.MAX_NESTING,
        limits.MAX_COLLECTION_NAME,
        limits.MAX_COLLECTION_FORK,
        limits.MAX_FORK_ENTRIES,
    ]
    assert f"Its kind is {UserKind.COLLECTION_ENTRY} (entry) or {UserKind.COLLECTION_FORK} (" in PAGE


def test_the_table_of_phases_is_the_codes() -> None:  # DOC-63
    heads = re.search(r"\| phase before \|(.*)\|", PAGE)
    assert heads is not None
    actions = [Action(int(cell.split()[-1])) for cell in heads.group(1).split("|")]
    *phases, least = rows("phase before")
    written = {
        (row[0], action): cell
        for row in phases
        for action, cell in zip(actions, row[1:], strict=True)
        if cell != "-"
    }
    assert written == {
        ("none" if before is None else before.value, action): after.value
        for (before, action), after in TRANSITIONS.items()
    }
    assert dict(zip(actions, least[1:], strict=True)) == {
        action: role.name.lower() for action, role in LEAST_ROLE.items()
    }

"""spec/user.md and spec/user.cddl agree with the code: sizes, rights, and the states of a contact."""

import re
from pathlib import Path

import cbor2
import pytest

from letterlock import limits
from letterlock._wire import content
from letterlock._wire.content import ContentKind
from letterlock._wire.content_bodies import RetryCause
from letterlock._wire.device_snapshot import DeviceClass, Snapshot
from letterlock._wire.group_limits import MAX_GROUP_LETTERS, MAX_GROUP_MAILS
from letterlock._wire.user_envelope import _FORMS, UserKind
from letterlock.user import Contact, ContactEvent, ContactState, Contradiction
from letterlock.user._contact import CONTRADICTIONS, TRANSITIONS
from letterlock.user._rules import RIGHTS
from spec.test_rules import table
from support.cddl_check import Mismatch, Schema
from support.content_samples import BODIES, CONTENTS
from support.user_tools import FULL, LIMITED, RECOVERY, Owner

CDDL = (Path(__file__).parents[2] / "spec" / "user.cddl").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema(CDDL)


@pytest.fixture(scope="module")
def samples() -> dict[str, bytes]:
    alice = Owner("alice", [(1, FULL), (9, RECOVERY)])
    alice.next(add=[(2, LIMITED)])
    alice.next(revoke=(2,))
    made = {f"version {at}": each.encode() for at, each in enumerate(alice.lists, 1)}
    made["last version"] = alice.make(9, revoke=(1, 9)).encode()
    learned = Contact.begin("alice", alice.lists).learn(Owner("mallory").lists)
    evidence = learned.contact.evidence
    assert evidence
    return made | {"evidence": evidence.encode()}


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    """Return a content, and a body of each control kind, by their rules in the CDDL."""
    names = ["receipt", "retry-request", "list-notice", "sync-copy", "history-key", "document-seed"]
    names += ["group-secret", "group-request", "group-receipt", "group-history"]
    bodies = {name: body.encode() for name, body in zip(names, BODIES, strict=True)}
    return {"content": CONTENTS[1].encode()} | bodies


def test_what_is_made_validates(schema: Schema, samples: dict[str, bytes]) -> None:
    assert len(samples) == 5
    for data in samples.values():
        schema.validate(data)


def test_contents_and_bodies_validate(schema: Schema, contents: dict[str, bytes]) -> None:
    assert len(contents) == 11
    for name, data in contents.items():
        schema.validate(data, name)
        schema.validate(data)
    schema.validate(CONTENTS[0].encode())


def test_every_element_of_contents_and_bodies_has_one_type(
    schema: Schema, contents: dict[str, bytes]
) -> None:
    for name, data in contents.items():
        elements = cbor2.loads(data)
        for index in range(len(elements)):
            replacements: list[list[object]] = [[], [elements[index]] * 2, [1.5], [{}], [True], [-1], [2**32]]
            for wrong in replacements:
                with pytest.raises(Mismatch):
                    changed = [*elements[:index], *wrong, *elements[index + 1 :]]
                    schema.validate(cbor2.dumps(changed), name)


def test_every_element_has_one_type(schema: Schema, samples: dict[str, bytes]) -> None:
    for data in samples.values():
        elements = cbor2.loads(data)
        for index in range(len(elements)):
            replacements: list[list[object]] = [[], [elements[index]] * 2, [1.5], [{}], [True], [-1], [2**32]]
            for wrong in replacements:
                with pytest.raises(Mismatch):
                    changed = [*elements[:index], *wrong, *elements[index + 1 :]]
                    schema.validate(cbor2.dumps(changed))


def test_every_element_of_a_snapshot_has_one_type(schema: Schema, samples: dict[str, bytes]) -> None:
    for name, data in samples.items():
        if name == "evidence":
            continue
        outer = cbor2.loads(data)
        elements = cbor2.loads(outer[2])
        for index in range(len(elements)):
            for wrong in ([], [elements[index]] * 2, [1.5], [True], [-1], [2**32]):
                changed = cbor2.dumps([*elements[:index], *wrong, *elements[index + 1 :]])
                with pytest.raises(Mismatch):
                    schema.validate(cbor2.dumps([*outer[:2], changed, *outer[3:]]))


def test_kinds_are_the_codes() -> None:
    written = dict(re.findall(r"^kind-([\w-]+) = (\d+)$", CDDL, re.MULTILINE))
    assert {name.replace("-", "_"): int(number) for name, number in written.items()} == {
        kind.name.lower(): kind.value for kind in UserKind if kind < UserKind.GRANT
    }


def test_every_rule_is_reachable_from_the_first(schema: Schema) -> None:
    reached, names = set[str](), [next(iter(schema.references))]
    while names:
        reached.add(name := names.pop())
        names.extend(schema.references[name] - reached)
    assert reached == set(schema.references)


def test_the_label_has_the_length_in_the_cddl() -> None:
    assert f"label: tstr .size {len(Snapshot.LABEL)}, " in CDDL
    assert f'; "{Snapshot.LABEL}"' in CDDL


def test_sizes_are_the_codes() -> None:
    rows = table("user.md", "what", "at most")
    assert [int(row[1].replace(",", "")) for row in rows] == [
        limits.MAX_DEVICE_LIST, _FORMS[UserKind.DEVICE_LIST].items, limits.MAX_SNAPSHOT, limits.MAX_DEVICES,
        limits.MAX_REVOKED_DEVICES, limits.MAX_EVIDENCE, limits.MAX_EVIDENCE_LISTS,
        *(_FORMS[kind].size for kind in UserKind if UserKind.LINKING_BUNDLE <= kind < UserKind.GRANT),
    ]  # fmt: skip


def test_sizes_of_content_are_the_codes() -> None:
    rows = table("user.md", "what of content", "at most")
    assert [int(row[1].replace(",", "")) for row in rows] == [
        limits.MAX_CONTENT, limits.MAX_PLAINTEXT, content._MAX_ITEMS, limits.MAX_EARLIER,
        limits.MAX_ATTACHMENTS, limits.MAX_ATTACHMENT_NAME, limits.MAX_MEDIA_TYPE, limits.MAX_RECEIPT_IDS,
        limits.MAX_NOTICE_LISTS, MAX_GROUP_LETTERS, MAX_GROUP_MAILS,
    ]  # fmt: skip


def test_kinds_of_content_and_causes_are_the_codes() -> None:
    kinds = table("user.md", "kind", "number", "body", "sent to")
    assert {row[0]: int(row[1]) for row in kinds} == {each.name: each.value for each in ContentKind}
    causes = table("user.md", "cause", "number", "what happened")
    assert {row[0]: int(row[1]) for row in causes} == {each.name: each.value for each in RetryCause}


def test_the_characters_that_no_attachments_name_has_are_the_codes() -> None:
    page = (Path(__file__).parents[2] / "spec" / "user.md").read_text(encoding="utf-8")
    (rule,) = re.findall(r"marks of direction(.*?)\[USR-27\]", page, re.DOTALL)
    named = set[str]()
    for first, last in re.findall(r"U\+(\w+)(?:\s+to U\+(\w+))?", rule.split("media type")[0]):
        named |= set(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    assert named == content._DIRECTIONS
    assert re.findall(r"\b[CZ][a-z]\b", page.split("categories")[1].split(" and the")[0]) == sorted(
        content._REFUSED - {"Cs"}  # no text of well-formed UTF-8 has one
    )


def test_rights_are_the_codes() -> None:
    page = (Path(__file__).parents[2] / "spec" / "user.md").read_text(encoding="utf-8")
    rows = re.findall(r"^  \| (\d) \| (\w+) \| (.*) \|$", page, re.MULTILINE)
    shown = {int(number): (name, cells.split(" | ")) for number, name, cells in rows}
    assert {number: name for number, (name, _) in shown.items()} == {
        each.value: each.name.lower() for each in DeviceClass
    }
    for each, rights in RIGHTS.items():
        assert shown[each][1] == ["yes" if right else "no" for right in rights]


def test_the_states_of_a_contact_are_the_codes() -> None:
    events = [event.name for event in ContactEvent]
    rows = table("user.md", "state", *events)
    assert [row[0] for row in rows] == [state.name for state in ContactState]
    shown = {(row[0], event): cell for row in rows for event, cell in zip(events, row[1:], strict=True)}
    expected = {(state.name, event.name): after.name for (state, event), after in TRANSITIONS.items()}
    assert {key: cell for key, cell in shown.items() if cell != "-"} == expected


def test_events_are_explained() -> None:
    assert [row[0] for row in table("user.md", "event", "what happened")] == [
        event.name for event in ContactEvent
    ]


def test_the_kinds_of_evidence_are_the_codes() -> None:
    rows = table("user.md", "shared", "ours", "theirs", "kind")
    assert {row[3] for row in rows[1:]} == {kind.name for kind in Contradiction}
    assert {event.name for event in CONTRADICTIONS.values()} == {kind.name for kind in Contradiction}


def test_refusals_are_the_codes_errors() -> None:
    from letterlock.errors import LetterlockError
    from letterlock.user import _errors

    classes = {
        name
        for name, each in vars(_errors).items()
        if isinstance(each, type)
        and issubclass(each, LetterlockError)
        and each.__module__ == _errors.__name__
    }
    assert {row[0].strip("`") for row in table("user.md", "name", "what is refused")} == classes

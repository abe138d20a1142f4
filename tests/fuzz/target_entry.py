"""Fuzzing the records of entries: what a store gives back to the user layer."""

from dataclasses import replace
from functools import partial
from typing import Final

import cbor2

from fuzz.harness import ITEMS, Finding, Target, attempt
from fuzz.tree import mutated
from letterlock.errors import CorruptStore
from letterlock.stores import Record
from support.entry_samples import BARE_PIN, CODECS, CONTACT, ENTRIES, FROZEN, PIN, SENT, encoded
from support.user_tools import Owner


def check(data: bytes) -> None:
    read = 0
    for encode, decode in CODECS.values():
        found = attempt(data, partial(decode, Record(data)), CorruptStore, ITEMS)
        if found.error is None:
            read += 1
            if encode(found.accepted()).expose() != data:
                raise Finding("a record encodes to other bytes")
    if read > 1:
        raise Finding("a record reads as entries of two kinds")


def seeds() -> dict[str, bytes]:
    found = {name.replace(" ", "-"): encoded(each) for name, each in ENTRIES.items() if each != FROZEN}
    bare, frozen = replace(CONTACT, pin=BARE_PIN), replace(FROZEN, pin=BARE_PIN)
    contact, small, conflict, sent = (cbor2.loads(encoded(each)) for each in (CONTACT, bare, frozen, SENT))
    other = Owner("other").lists[0]
    place = sent[3][0]
    return found | {
        "contact-of-format-two": cbor2.dumps([2, *small[1:]]),
        "contact-with-another-snapshot": cbor2.dumps(
            [*contact[:2], [*contact[2][:4], other.encoded_snapshot, 0], *contact[3:]]
        ),
        "contact-with-fewer-heads": cbor2.dumps(
            [*contact[:2], [*contact[2][:3], PIN.heads[:8], *contact[2][4:]], *contact[3:]]
        ),
        "contact-with-heads-alone": cbor2.dumps(
            [*contact[:2], [*contact[2][:3], PIN.heads, None, BARE_PIN.checked], *contact[3:]]
        ),
        "frozen-contact": encoded(frozen),
        "frozen-without-evidence": cbor2.dumps([*conflict[:4], None, *conflict[5:]]),
        "sent-twice-to-a-device": cbor2.dumps([*sent[:3], [place, place]]),
        "sent-of-no-content": cbor2.dumps([*sent[:2], b"hello", sent[3]]),
        "sent-of-empty-arrays": cbor2.dumps([*sent[:3], [[]] * 500]),
    }


TARGET: Final = Target(check, mutated, seeds)
"""Each record, and wrong ones of each kind of mistake."""

"""The CDDL accepts what the code sends and refuses other shapes; its validator reads the CDDL exactly.

CDDL describes shapes only. The tests in `tests/wire` cover the rest of the wire format.
"""

import os
import re
from pathlib import Path

import cbor2
import pytest

from letterlock import Account, Address, MemoryStore, Suite
from letterlock._wire.envelope import Kind
from letterlock._wire.pq_header import PqType
from support.cddl_check import Mismatch, Schema, Unsupported
from support.prekey_tools import mixed

CDDL = (Path(__file__).parents[2] / "spec" / "letterlock.cddl").read_text(encoding="utf-8")
BOTH = frozenset(Suite)


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema(CDDL)


@pytest.fixture(scope="module")
def samples() -> dict[str, bytes]:
    """Return one message of each kind, made by two accounts."""
    alice = Account.create(MemoryStore(), Address("alice"), suites=BOTH)
    store = MemoryStore()
    bob = Account.create(store, Address("bøb", 2**32 - 1), suites=BOTH)
    bundle, publication = bob.bundle(), bob.publish(one_time=2)
    last_resort = publication.last_resort_bundle()
    other = bob.bundle()  # a one-time prekey serves once
    without_kem = mixed(store, other, other.one_time, None)
    made = {
        "bundle": bundle.encode(),
        "last-resort bundle": last_resort.encode(),
        "x3dh bundle": without_kem.encode(),
        "publication": publication.encode(),
        "empty publication": bob.publish(one_time=0).encode(),
    }
    for name, given, suite in (
        ("pqxdh", bundle, Suite.PQXDH),
        ("pqxdh last resort", last_resort, Suite.PQXDH),
        ("x3dh", without_kem, Suite.X3DH),
    ):
        alice.initiate(bob.address, given, suite=suite, discard_earlier=True)
        made[name] = alice.encrypt(bob.address, os.urandom(100))
    bob.decrypt(alice.address, made["x3dh"])
    made["ratchet"] = bob.encrypt(alice.address, b"")
    return made | triple_messages(alice, bob)


def triple_messages(alice: Account, bob: Account) -> dict[str, bytes]:
    """Return one message of each type, from a conversation whose messages carry four codewords each."""
    made = dict[str, bytes]()
    bob.initiate(alice.address, alice.bundle())
    alice.decrypt(bob.address, bob.encrypt(alice.address, b""))
    for _ in range(20):
        for sender, recipient in ((alice, bob), (bob, alice)):
            message = sender.encrypt(recipient.address, bytes(511))
            recipient.decrypt(sender.address, message)
            if message[1:3] == bytes([1, 5]):
                made.setdefault(f"triple {PqType(cbor2.loads(message)[8]).name}", message)
    return made


SAMPLES = [
    "bundle", "last-resort bundle", "x3dh bundle", "publication", "empty publication", "pqxdh",
    "pqxdh last resort", "x3dh", "ratchet", "triple NONE", "triple HDR", "triple EK", "triple EK_CT1_ACK",
    "triple CT1_ACK", "triple CT1", "triple CT2",
]  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_sent_validates(schema: Schema, samples: dict[str, bytes], name: str) -> None:
    assert set(samples) == set(SAMPLES)
    schema.validate(samples[name])


@pytest.mark.parametrize("name", SAMPLES)
def test_every_element_has_one_type(schema: Schema, samples: dict[str, bytes], name: str) -> None:
    """Each element in turn is removed, doubled, or replaced by another type."""
    elements = cbor2.loads(samples[name])
    for index in range(len(elements)):
        before, after = elements[:index], elements[index + 1 :]
        replacements: list[list[object]] = [[], [elements[index]] * 2, [1.5], [{}], [True], [-1], [2**32]]
        for wrong in replacements:
            with pytest.raises(Mismatch):
                schema.validate(cbor2.dumps([*before, *wrong, *after]))


@pytest.mark.parametrize("name", SAMPLES)
def test_byte_strings_have_their_length(schema: Schema, samples: dict[str, bytes], name: str) -> None:
    elements = cbor2.loads(samples[name])
    checked = 0
    for index, element in enumerate(elements):
        if isinstance(element, bytes) and len(element) == 32:
            for wrong in (element[:-1], element + b"\0", b""):
                with pytest.raises(Mismatch):
                    schema.validate(cbor2.dumps([*elements[:index], wrong, *elements[index + 1 :]]))
                checked += 1
    assert checked >= 3


def test_kinds_are_the_codes() -> None:
    written = {name: int(number) for name, number in re.findall(r"^kind-(\w+) = (\d+)$", CDDL, re.MULTILINE)}
    assert written == {kind.name.lower(): kind.value for kind in Kind}


def test_a_name_has_1_to_255_bytes(schema: Schema) -> None:
    for name in ("a", "a" * 255, "ø" * 127):
        schema.validate(cbor2.dumps([name, 1]), "address")
    for name in ("", "a" * 256, "ø" * 128):
        with pytest.raises(Mismatch):
            schema.validate(cbor2.dumps([name, 1]), "address")


def test_every_rule_is_reachable_from_the_first(schema: Schema) -> None:
    reached, names = set[str](), [next(iter(schema.references))]
    while names:
        reached.add(name := names.pop())
        names.extend(schema.references[name] - reached)
    assert reached == set(schema.references)
    assert len(reached) > 15


# --- the validator itself ---------------------------------------------------------------------------

PAIR = "\na = [k: 1, v: 0..9]\nb = [k: 2, v: 0..9]"
FITS: list[tuple[str, list[object], list[object]]] = [
    ("r = 7", [7], [6, -7, 7.0, "7", None, [7]]),
    ("r = 1", [1], [True, 1.0, b"\x01"]),
    ("r = 0", [0], [False, 0.0, -1, cbor2.undefined, cbor2.CBORSimpleValue(0)]),
    ("r = -3", [-3], [3, -2]),
    ("r = 2..4", [2, 3, 4], [1, 5, -3, 3.0, "3", [3]]),
    ("r = 0..1", [0, 1], [False, True]),
    ("r = 0..18446744073709551615", [0, 2**64 - 1], [-1, 2**64]),
    ("r = tstr", ["", "ø"], [b"", 0, None, ["a"]]),
    ("r = bstr", [b"", b"a"], ["", 0, None, [b"a"]]),
    ("r = null", [None], [False, 0, "", b"", [], {}, cbor2.undefined]),
    ("r = bstr .size 2", [b"ab"], [b"", b"a", b"abc", "ab", 2, [1, 2]]),
    ("r = bstr .size (1..2)", [b"a", b"ab"], [b"", b"abc", "a"]),
    ("r = tstr .size 2", ["ab", "ø"], ["a", "abc", "øø", b"ab"]),
    ("r = tstr .size (1..3)", ["a", "øa", "\u20ac"], ["", "øø", "\U0001f600"]),
    ("r = 1 / 2 / null", [1, 2, None], [3, 0, True, [1]]),
    ("r = tstr / bstr .size 1", ["abc", b"a"], [b"", b"ab", None]),
    ("r = a / 5\na = b\nb = 3..4", [3, 4, 5], [2, 6, "a"]),
    ("r = [1]", [[1]], [[], [2], [1, 1], [[1]], 1, {1: 1}, "1", b"\x01"]),
    ("r = [1, tstr]", [[1, "a"]], [["a", 1], [1], ["a"], [1, "a", "a"], [1, None]]),
    ("r = [x: 1, a, y: [z: a]]\na = tstr", [[1, "a", ["b"]]], [[1, "a", "b"], [1, "a", []], [1, [], ["b"]]]),
    ("r = [x: 1 / 2 / null]", [[1], [2], [None]], [[3], [True], [], [1, 2], [[1]]]),
    (f"r = [0, x: a / b / null]{PAIR}", [[0, [1, 9]], [0, [2, 0]], [0, None]],
     [[0, [3, 1]], [0, [1, 1.5]], [0, [1, 10]], [0, [1]], [0, []], [0, {}], [0, 0], [0], [0, None, None]]),
    ("r = [0*2 a]\na = 1..5", [[], [1], [5, 2]], [[1, 2, 3], [6], [1, 6], [[1]], [0], [0, 1], None, {}]),
    ("r = [2*3 tstr]", [["a", "b"], ["a", "b", "c"]], [["a"], ["a"] * 4, ["a", b"b"]]),
    ("r = [x: [0*1 key: tstr / null]]", [[[]], [["a"]], [[None]]], [[["a", "b"]], [[1]], [], [0, "a"]]),
    (f"r = [0, x: bstr .cbor a]{PAIR}", [[0, b"\x82\x01\x05"]],
     [[0, [1, 5]], [0, b""], [0, b"\x82\x01"], [0, b"\x82\x01\x05\x05"], [0, b"\x82\x02\x05"], [0, "\x01"]]),
    ("r = bstr .cbor null", [b"\xf6"], [b"\xf7", b"", None, "\xf6"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "right", "wrong"), FITS, ids=[text for text, _, _ in FITS])
def test_the_validator_accepts_right_and_refuses_wrong(
    text: str, right: list[object], wrong: list[object]
) -> None:
    schema = Schema(text)
    for value in right:
        schema.validate(cbor2.dumps(value))
    for value in wrong:
        with pytest.raises(Mismatch):
            schema.validate(cbor2.dumps(value))


@pytest.mark.parametrize(
    "data",
    ["", "18", "1c", "ff", "0101", "01ff", "c24101", "c101", "d81c01", "d9d9f701", "8101ff", "81" * 9999],
)
def test_data_is_one_whole_item_without_tags(data: str) -> None:
    schema = Schema("r = 1 / [1]")
    schema.validate(b"\x01")
    with pytest.raises(Mismatch):
        schema.validate(bytes.fromhex(data))
    with pytest.raises(Mismatch):
        Schema("r = bstr .cbor a\na = 1 / [1]").validate(cbor2.dumps(bytes.fromhex(data)))


def test_data_can_be_checked_against_any_rule() -> None:
    schema = Schema("r = a / 2\na = 1")
    schema.validate(b"\x01", "a")
    schema.validate(b"\x02")
    schema.validate(b"\x02", "r")
    with pytest.raises(Mismatch):
        schema.validate(b"\x02", "a")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (0, "$: not an array"),
        ([0, 1], "$[1]: not tstr"),
        ([0, "a"], "$[2]: an array of 2, not 4..4"),
        ([0, "a", None, b"\x82\x01\x01", 0], "$[4]: an array of 5, not 4..4"),
        ([0, "a", [1, "b"], b""], "$[2][1]: not an integer of 0..9"),
        ([0, "a", [3], b""], "$[2][0]: not an integer of 1..1, not an integer of 2..2"),
        ([0, "a", 0, b""], "$[2]: not an array, not an array, not null"),
        ([0, "a", None, b"\x82\x00"], "$[3]: not well-formed, or with a tag"),
        ([0, "a", None, b"\x00\x00"], "$[3]: bytes after the item"),
        ([0, "a", None, b"\x82\x01\x18\x63"], "$[3].cbor[1]: not an integer of 0..9"),
    ],
)
def test_a_mismatch_says_where_and_quotes_nothing(value: object, path: str) -> None:
    schema = Schema(f"r = [0, tstr, x: a / b / null, bstr .cbor a]{PAIR}")
    with pytest.raises(Mismatch) as caught:
        schema.validate(cbor2.dumps(value))
    assert str(caught.value) == path


INTEGER = "not an integer or a range of integers"
OCCURRENCE = "an occurrence other than `n*m`, or beside other entries"
UNKNOWN = [
    ("r = uint", "Typename: uint"),
    ("r = ~a\na = [1]", "Typename: ~a"),
    ("r = a<tstr>\na<t> = t", "Typename: a<tstr>"),
    ("r = bstr<tstr> .size 4", "Typename: bstr<tstr>"),
    ("r = $a\n$a = 1", "Typename: $a"),
    ("r = 1.5", f"{INTEGER}: 1.5"),
    ("r = 0x10", f"{INTEGER}: 0x10"),
    ('r = "a"', f'{INTEGER}: "a"'),
    ("r = h'00'", f"{INTEGER}: h'00'"),
    ("r = 1...4", f"{INTEGER}: 1...4"),
    ("r = 1..a\na = 5", f"{INTEGER}: 1..a"),
    ("r = (1 / 2)", "Group: (1 / 2)"),
    ("r = 1 / (2)", "Type: (2)"),
    ("r = [x: (1 / 2)]", "Type: (1 / 2)"),
    ("r = {x: 1}", "Map: {x: 1}"),
    ("r = #6.1(tstr)", "Tag: #6.1(tstr)"),
    ("r = #", "Tag: #"),
    ("r = &(a: 1)", "ChoiceFrom: &(a: 1)"),
    ("r = []", "Array: []"),
    ("r = [1 // 2]", "Array: [1 // 2]"),
    ("r = [(1, 2)]", "Group: (1, 2)"),
    ("r = [a]\na = (x: 1)", "GroupEntry: (x: 1)"),
    ("r = [x => 1]", "Memberkey: x =>"),
    ('r = ["x": 1]', 'Memberkey: "x":'),
    *((f"r = [{one} 1]", f"{OCCURRENCE}: {one} 1") for one in ("?", "*", "+", "*5", "2*", "3*2")),
    ("r = [0* 1]", f"{OCCURRENCE}: * 1"),
    ("r = [0, *2 1]", f"{OCCURRENCE}: *2 1"),
    ("r = [0,*2 1]", f"{OCCURRENCE}: *2 1"),
    ("r = [0 *2 1]", f"{OCCURRENCE}: *2 1"),
    ("r = [0*2 1, 2]", f"{OCCURRENCE}: *2 1,"),
    ("r = [2, 0*2 1]", f"{OCCURRENCE}: *2 1"),
    ("r = [1*2 1, 2]", f"{OCCURRENCE}: 1*2 1,"),
    ("r = bstr .size a\na = 3", f"{INTEGER}: a"),
    ("r = bstr .size (1...3)", f"{INTEGER}: 1...3"),
    ("r = bstr .size (1 / 2)", f"{INTEGER}: (1 / 2)"),
    ("r = a .size 3\na = bstr", "Operator: a .size 3"),
    ("r = 5 .size 3", "Operator: 5 .size 3"),
    ("r = tstr .cbor a\na = 1", "Operator: tstr .cbor a"),
    ("r = bstr .cbor [1]", "Operator: bstr .cbor [1]"),
    ("r = bstr .cborseq a\na = [1]", "Operator: bstr .cborseq a"),
    ('r = tstr .regexp "a"', 'Operator: tstr .regexp "a"'),
    ("r = 1\nr = 2", "a second definition, or an extension: r = 2"),
    ("r = 1\nr /= 2", "a second definition, or an extension: r /= 2"),
    ("r = a\na /= 2", "a second definition, or an extension: a /= 2"),
    ("r = 1\nnull = 2", "a second definition, or an extension: null = 2"),
    ("r = 1 / [r]", "recursion: ['r', 'r']"),
    ("r = bstr .cbor a\na = [r]", "recursion: ['r', 'a', 'r']"),
    ("", "a text without rules, or that cddlparser does not read to its end"),
    ("r = 1\0a = 2", "a text without rules, or that cddlparser does not read to its end"),
]


@pytest.mark.parametrize(("text", "named"), UNKNOWN, ids=[repr(text) for text, _ in UNKNOWN])
def test_the_validator_names_what_it_does_not_support(text: str, named: str) -> None:
    with pytest.raises(Unsupported, match=f"^{re.escape(named)}$"):
        Schema(text)


def test_a_rule_without_references_is_checked_as_well() -> None:
    with pytest.raises(Unsupported, match=r"\* 1"):
        Schema("r = 1\na = [* 1]")

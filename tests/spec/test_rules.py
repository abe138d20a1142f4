"""Specification, code, tests and vectors agree on ids, labels, tables and figures."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from letterlock import errors, limits
from letterlock._primitives import labels
from letterlock._primitives.mlkem import KemSeed
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._ratchet.braid import RECEIVES, SENDS
from letterlock._records.session import encode_session
from letterlock._records.triple import LAYOUTS, STATES, Layout
from letterlock._session.lifecycle import TABLE, Event, Phase
from letterlock._wire.pq_header import PqType
from support.braid_pair import Side, braid_pair, texts_in, walk
from support.pq_sessions import session

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec"
OVERVIEWS = {"README.md", "deviations.md"}
"""Pages that refer to rules and define none."""
ID = re.compile(r"\b(?:PRIM|WIRE|HAND|RAT|PQR|SES|STO|USR|CLN|RLY|DOC|BLB|GRP|REC|PRV)-\d+\b")
PAGES = sorted(SPEC.glob("*.md"))
RULE_PAGES = [page for page in PAGES if page.name not in OVERVIEWS]


def ids_in(paths: list[Path]) -> set[str]:
    return {found for path in paths for found in ID.findall(path.read_text(encoding="utf-8"))}


def defined() -> list[str]:
    """Return the ids that the rules define. An id without a MUST before it only refers to a rule."""
    return [id_ for page in RULE_PAGES for rule in musts(page) for id_ in defined_by(rule)]


def defined_by(rule: str) -> list[str]:
    """Return the ids that end a sentence with a MUST."""
    return re.findall(rf"MUST\b[^.]*?\[({ID.pattern})\]", rule, re.DOTALL)


def musts(page: Path) -> list[str]:
    """Return the rules of a page that say MUST. A rule ends at a blank line or at the next list item."""
    text = page.read_text(encoding="utf-8")
    rules = re.split(r"\n\s*\n|\n\s*\* |\n\d+\. |\n\|", text)
    return [rule for rule in rules if re.search(r"\bMUST\b", rule)]


def test_no_rule_is_defined_twice() -> None:
    ids = defined()
    assert len(ids) > 50
    assert sorted(ids) == sorted(set(ids))


def test_every_id_cited_exists() -> None:
    sources = [*(ROOT / "protocol").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *PAGES]
    vectors = [*(ROOT / "vectors").rglob("*.py"), *(ROOT / "vectors" / "data").glob("*.json")]
    assert ids_in([*sources, *vectors, ROOT / "README.md"]) - set(defined()) - {"WIRE-99"} == set()


def test_every_rule_is_cited_by_the_code() -> None:
    code = ids_in(list((ROOT / "protocol").rglob("*.py")))
    assert set(defined()) - code == set()


def test_every_rule_is_named_by_a_test_or_a_vector() -> None:
    tests = ids_in([path for path in (ROOT / "tests").rglob("*.py") if path.name != Path(__file__).name])
    vectors = ids_in(list((ROOT / "vectors" / "data").glob("*.json")))
    assert set(defined()) - tests - vectors == set()


@pytest.mark.parametrize("page", RULE_PAGES, ids=lambda page: page.name)
def test_every_must_has_an_id_and_a_reason(page: Path) -> None:
    """A sentence with a MUST ends in an id, and its list item gives the reason."""
    text = page.read_text(encoding="utf-8")
    # A reason may follow a table or formulae that belong to the item, which ends at the next outer item.
    items = re.split(r"\n(?=\* |\d+\. |#)|\n\n(?=\S)", text)
    for item in items:
        if re.search(r"\bMUST\b", item):
            assert defined_by(item), f"a MUST without an id: {item[:80]}"
            assert re.search(r"\bReason:\s", item), f"a MUST without a reason: {item[:80]}"


NUMBERS = {
    "RAT-5": limits.MAX_SKIP,
    "RAT-7": limits.MAX_SKIPPED_KEYS,
    "SES-5": limits.MAX_ARCHIVED_SESSIONS,
    "SES-9": limits.MAX_TRIAL_STEPS,
    "HAND-8": limits.MAX_REPLAY_RECORDS,
    "HAND-9": limits.PREKEY_GRACE // limits.DAY,
    "PQR-7": limits.MAX_CODEWORDS,
    "USR-10": limits.MAX_REVOKED_DEVICES,
    "WIRE-11": limits.MAX_PUBLISHED_ONE_TIME,
}
"""Rules, and the limit that each sets."""


@pytest.mark.parametrize("id_", NUMBERS)
def test_rules_name_the_codes_limits(id_: str) -> None:
    (rule,) = [rule for page in RULE_PAGES for rule in musts(page) if id_ in defined_by(rule)]
    assert re.search(rf"\b{NUMBERS[id_]:,}\b(?!,\d)", rule)


def test_sizes_on_the_wire_are_the_codes() -> None:
    rows = table("wire.md", "kind", "bytes, at most", "elements", "items in all its arrays, at most")
    sizes = [int(row[1].replace(",", "")) for row in rows]
    message, bundle, publication = limits.MAX_MESSAGE, limits.MAX_BUNDLE, limits.MAX_PUBLICATION
    assert sizes == [message, message, bundle, publication, message]
    items = [int(row[3].replace(",", "")) for row in rows]
    flat = [int(rows[at][2]) + 1 for at in (0, 1, 4)]  # the array itself is an item
    assert items == [*flat[:2], limits.MAX_CBOR_ITEMS, limits.MAX_CBOR_ITEMS, flat[2]]


def test_rules_are_split_at_every_list_item(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("* A MUST b\n  [RAT-1]. See [RAT-2].\n* It refers to [RAT-3].\n\n1. C MUST d [RAT-4].\n")
    assert [defined_by(rule) for rule in musts(page)] == [["RAT-1"], ["RAT-4"]]


FIGURES = {"session": "session", "ratchet": "ratchet", "braid": "pq-ratchet"}
"""Figures, and their pages."""


def draw(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SPEC / "draw.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_drawings_are_what_their_sources_give() -> None:
    found = draw("--check")
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_in_its_page(figure: str) -> None:
    page = (SPEC / f"{FIGURES[figure]}.md").read_text(encoding="utf-8")
    assert f"drawn by spec/draw.py: {figure} -->\n\n```mermaid\nstateDiagram-v2\n" in page


@pytest.mark.parametrize("name", [n for n in dir(labels) if n.isupper()])
def test_labels_are_in_the_spec(name: str) -> None:
    value = getattr(labels, name)
    text = value if isinstance(value, str) else value.decode()
    assert {row[0] for row in table("primitives.md", "label", "use")} >= {f"`{text}`"}


def test_refusals_are_the_codes_errors() -> None:
    """Every name in the tables of README.md is an error class, and every error of a peer is there."""
    rows = [*table("README.md", "name", "what is refused"), *table("README.md", "name", "mistake")]
    names = {row[0].strip("`") for row in rows}
    classes = {name: each for name, each in vars(errors).items() if isinstance(each, type)}
    assert names - set(classes) == set()
    judged = (errors.PeerError, errors.TrustError)
    expected = {name for name, each in classes.items() if issubclass(each, judged) and each not in judged}
    assert expected - names == set()


def table(page: str, *header: str) -> list[list[str]]:
    """Return the rows of the table in `page` whose header begins with these cells, without the header."""
    start = "| " + " | ".join(header) + " |"
    lines = (SPEC / page).read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(start))
    rows = []
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")])
    return rows


def test_the_braids_table_is_the_codes() -> None:
    """Each row gives what the state sends, and the code handles each type that the row names."""
    rows = table("pq-ratchet.md", "state", "sends", "on", "becomes")
    states = {state.__name__: state for state in SENDS}
    types = {"".join(word.capitalize() for word in each.name.split("_")): each for each in PqType}
    assert {name for row in rows for name in (row[0], row[3])} == set(states)
    assert {row[0]: types[row[1]] for row in rows} == {state.__name__: SENDS[state] for state in SENDS}
    named = [(row[0], name) for row in rows for name in re.findall(r"\w+", row[2]) if name in types]
    assert {(states[state], types[name]) for state, name in named} == set(RECEIVES)


def test_the_braids_types_are_the_codes() -> None:
    (row,) = [row for row in table("pq-ratchet.md", "element", "meaning") if row[0] == "type"]
    named = {"".join(word.capitalize() for word in each.name.split("_")): each.value for each in PqType}
    assert {name: int(number) for number, name in re.findall(r"(\d) (\w+)", row[1])} == named


def texts_of_a_cell(cell: str) -> int:
    """Return the length of the text that a cell names, 0 for an empty one."""
    found = re.fullmatch(r"(?:of )?[\w ]+ \(([\d,]+)\)", cell)
    assert found or not cell, cell
    return int(found[1].replace(",", "")) if found else 0


def test_the_braids_records_are_the_codes() -> None:
    """Each row gives the number of a state, and what it has besides epoch and authenticator."""
    rows = table("storage.md", "number", "state", "secret", "outgoing and sent", "incoming", "kept")
    assert [(int(row[0]), row[1]) for row in rows] == [(i, each.__name__) for i, each in enumerate(STATES)]
    kinds = {"seed": KemSeed, "m": EncapsulationRandomness, "": None}
    assert [
        Layout(STATES[int(row[0])], kinds[row[2]], *map(texts_of_a_cell, row[3:6])) for row in rows
    ] == list(LAYOUTS)
    for layout in LAYOUTS:
        secret = {KemSeed: ["seed"], EncapsulationRandomness: ["m"], None: []}[layout.secret]
        texts = ["outgoing", "sent"] * bool(layout.outgoing) + ["incoming"] * bool(layout.incoming)
        held = [field.name for field in fields(layout.state)][2:]
        assert held == secret + texts + ["kept"] * bool(layout.kept)


def test_the_texts_of_a_braid_have_the_lengths_of_the_records() -> None:
    """Two sides go through every state, and hold what the table says at each step."""
    layouts = {layout.state.__name__: layout for layout in LAYOUTS}
    seen = set[str]()

    def see(side: Side) -> None:
        layout, texts = layouts[side.name], texts_in(side.state)
        seen.add(side.name)
        assert (len(texts["outgoing"]), len(texts["kept"])) == (layout.outgoing, layout.kept)
        count, rest = divmod(len(texts["incoming"]), 34)
        assert rest == 0
        assert count == 0 or count < layout.incoming // 32

    for rooms in ((1, 1), (1, 40), (40, 1), (3, 2)):
        walk(braid_pair(), 4, rooms, see)
    assert seen == set(layouts)


def offsets(*columns: str) -> dict[int, tuple[int, str]]:
    """Return length and name of the fields in a table of the record's layout, by their offsets."""
    rows = table("storage.md", *columns)
    return {int(row[0]): (int(row[1]), row[2]) for row in rows if row[1]}


def test_the_fields_of_a_sessions_record_follow_each_other() -> None:
    head = offsets("offset", "bytes", "field", "in")
    part = offsets("offset", "bytes", "field of suite 2")
    at = 0
    for offset, (length, _) in sorted((head | part).items()):
        assert offset == at
        at += length
    assert (min(part), at) == (264, 608)
    assert len(encode_session(session()).expose()) == at


def test_lifecycle_table_is_the_codes() -> None:
    events = [event.name for event in Event]
    rows = table("session.md", "phase", *events)
    shown = {(row[0], event): cell for row in rows for event, cell in zip(events, row[1:], strict=True)}
    expected = {(phase.name, event.name): after.name for (phase, event), after in TABLE.items()}
    assert {key: cell for key, cell in shown.items() if cell != "-"} == expected


def test_phases_and_events_are_explained() -> None:
    assert [row[0] for row in table("session.md", "event", "what happens")] == [each.name for each in Event]
    assert [row[0] for row in table("session.md", "phase", "what it is")] == [each.name for each in Phase]

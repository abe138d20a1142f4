"""Specification, code, tests and vectors speak of the same rules: ids, labels, tables, figures."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from letterlock._primitives import labels
from letterlock._ratchet.braid import RECEIVES, SENDS
from letterlock._session.lifecycle import TABLE, Event, Phase
from letterlock._wire.pq_header import PqType

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec"
OVERVIEWS = {"README.md", "deviations.md"}
"""Pages that refer to rules and define none."""
ID = re.compile(r"\b(?:PRIM|WIRE|HAND|RAT|PQR|SES|STO)-\d+\b")
PAGES = sorted(SPEC.glob("*.md"))


def ids_in(paths: list[Path]) -> set[str]:
    return {found for path in paths for found in ID.findall(path.read_text(encoding="utf-8"))}


def defined() -> list[str]:
    """Every id that ends a rule with a MUST; elsewhere a page only refers to it."""
    rules = [rule for path in PAGES if path.name not in OVERVIEWS for rule in musts(path)]
    return [id_ for rule in rules for id_ in re.findall(rf"MUST\b[^.]*?\[({ID.pattern})\]", rule, re.DOTALL)]


def musts(page: Path) -> list[str]:
    """The rules of a page that say MUST. A rule may run over lines, to a blank one or the next item."""
    text = page.read_text(encoding="utf-8")
    rules = re.split(r"\n\s*\n|\n\s*\* |\n\d+\. |\n\|", text)
    return [rule for rule in rules if re.search(r"\bMUST\b", rule)]


def test_no_rule_is_defined_twice() -> None:
    ids = defined()
    assert len(ids) > 50
    assert sorted(ids) == sorted(set(ids))


def test_every_id_cited_exists() -> None:
    sources = [*(ROOT / "protocol").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *PAGES]
    vectors = [
        *(ROOT / "vectors").rglob("*.py"),
        *(ROOT / "vectors" / "data").glob("*.json"),
    ]
    assert ids_in([*sources, *vectors, ROOT / "README.md"]) - set(defined()) - {"WIRE-99"} == set()


def test_every_rule_is_cited_by_the_code() -> None:
    code = ids_in(list((ROOT / "protocol").rglob("*.py")))
    assert set(defined()) - code == set()


def test_every_rule_is_named_by_a_test_or_a_vector() -> None:
    tests = ids_in([path for path in (ROOT / "tests").rglob("*.py") if path.name != Path(__file__).name])
    vectors = ids_in(list((ROOT / "vectors" / "data").glob("*.json")))
    assert set(defined()) - tests - vectors == set()


def test_every_must_has_an_id() -> None:
    for path in PAGES:
        if path.name in OVERVIEWS:
            continue
        for rule in musts(path):
            assert ID.search(rule), f"{path.name}: {rule[:80]}"


FIGURES = {"session": "session", "ratchet": "ratchet", "braid": "pq-ratchet"}
"""Figures, and their pages."""


@pytest.mark.parametrize("figure", FIGURES)
def test_figures_are_what_their_tables_give(figure: str) -> None:
    drawn = subprocess.run(
        [sys.executable, SPEC / "draw.py", "--check"], capture_output=True, text=True, check=False
    )
    assert figure not in drawn.stdout
    assert drawn.returncode == 0
    page = (SPEC / f"{FIGURES[figure]}.md").read_text(encoding="utf-8")
    assert f"drawn by spec/draw.py: {figure} -->\n```mermaid\nstateDiagram-v2\n" in page


@pytest.mark.parametrize("name", [n for n in dir(labels) if n.isupper()])
def test_labels_are_in_the_spec(name: str) -> None:
    value = getattr(labels, name)
    text = value if isinstance(value, str) else value.decode()
    page = (SPEC / "primitives.md").read_text(encoding="utf-8")
    assert text in page or text.removeprefix("letterlock-v1 ") in page


def markdown_table(page: str, first: str) -> dict[tuple[str, str], str]:
    """Read the table whose first header cell is `first`."""
    lines = (SPEC / page).read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    header = rows[0][1:]
    return {(row[0], column): cell for row in rows[2:] for column, cell in zip(header, row[1:], strict=True)}


def test_the_braids_table_is_the_codes() -> None:
    """Each row: what the state sends, and that the code has a way on for what the row says."""
    lines = (SPEC / "pq-ratchet.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    assert rows[0] == ["state", "sends", "on", "becomes"]
    states = {state.__name__: state for state in SENDS}
    types = {"".join(word.capitalize() for word in each.name.split("_")): each for each in PqType}
    assert {name for row in rows[1:] for name in (row[0], row[3])} == set(states)
    assert {row[0]: types[row[1]] for row in rows[1:]} == {state.__name__: SENDS[state] for state in SENDS}
    named = [(row[0], name) for row in rows[1:] for name in re.findall(r"\w+", row[2]) if name in types]
    assert {(states[state], types[name]) for state, name in named} == set(RECEIVES)


def test_lifecycle_table_is_the_codes() -> None:
    drawn = {key: cell for key, cell in markdown_table("session.md", "phase").items() if cell != "-"}
    assert drawn == {(phase.name, event.name): after.name for (phase, event), after in TABLE.items()}
    assert {name for name, _ in drawn} == {phase.name for phase in Phase if phase is not Phase.GONE}
    assert {name for _, name in drawn} == {event.name for event in Event}

"""The specification and the code speak of the same rules: ids, labels, tables, shapes."""

import re
from pathlib import Path

import pytest

from letterlock.primitives import labels
from letterlock.session.lifecycle import TABLE, Event, Phase

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "spec"
ID = re.compile(r"\b(?:PRIM|WIRE|HAND|RAT|SES|STO)-\d+\b")
PAGES = sorted(SPEC.glob("*.md"))


def ids_in(paths: list[Path]) -> set[str]:
    return {found for path in paths for found in ID.findall(path.read_text(encoding="utf-8"))}


def defined() -> list[str]:
    """Every id in brackets in the pages that define rules; the overview only refers to them."""
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES if path.name != "README.md")
    return re.findall(r"\[((?:PRIM|WIRE|HAND|RAT|SES|STO)-\d+)\]", text)


def test_no_rule_is_defined_twice() -> None:
    ids = defined()
    assert len(ids) > 30
    assert sorted(ids) == sorted(set(ids))


def test_every_id_cited_exists() -> None:
    sources = [*(ROOT / "protocol").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), SPEC / "README.md"]
    assert ids_in(sources) - set(defined()) - {"WIRE-99"} == set()


def test_every_rule_is_cited_by_the_code() -> None:
    code = ids_in(list((ROOT / "protocol").rglob("*.py")))
    assert set(defined()) - code == set()


def test_every_must_has_an_id() -> None:
    for path in PAGES:
        if path.name in {"README.md", "limitations.md", "threat-model.md"}:
            continue
        text = path.read_text(encoding="utf-8")
        # A rule may run over lines; it ends at a blank line or the next bullet.
        for rule in re.split(r"\n\s*\n|\n\* ", text):
            if re.search(r"\bMUST\b", rule):
                assert ID.search(rule), f"{path.name}: {rule[:80]}"


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


def test_lifecycle_table_is_the_codes() -> None:
    drawn = {key: cell for key, cell in markdown_table("session.md", "phase").items() if cell != "-"}
    assert drawn == {(phase.name, event.name): after.name for (phase, event), after in TABLE.items()}
    assert {name for name, _ in drawn} == {phase.name for phase in Phase if phase is not Phase.GONE}
    assert {name for _, name in drawn} == {event.name for event in Event}

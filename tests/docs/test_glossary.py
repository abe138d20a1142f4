"""The documentation's glossary adds words to the specification's and defines none a second time."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "pages" / "explanation" / "glossary.md"
SPEC = sorted((ROOT / "spec").glob("*.md"))


def terms(page: Path) -> set[str]:
    """Return the terms in the first columns of a page's glossary tables."""
    found: set[str] = set()
    inside = False
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [each.strip() for each in line.split("|")[1:-1]]
        if not cells:
            inside = False
        elif cells in (["term", "meaning"], ["word", "meaning"]):
            inside = True
        elif inside and set(cells[0]) != {"-"}:
            found |= {each.strip().strip("`") for each in cells[0].split(",")}
    return found


def test_the_two_glossaries_define_no_word_twice() -> None:
    specified: set[str] = set().union(*map(terms, SPEC))
    assert {"late message", "active session", "record", "ratchet message"} <= specified
    assert len(terms(DOCS)) > 8
    assert not terms(DOCS) & specified

"""Every relative link in spec/, vectors/ and the README leads to a file, and to a heading in it."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "spec").glob("*.md"), *(ROOT / "vectors").glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose(text: str) -> str:
    """Return a page's text without its code: nothing in a code block or a code span is a link."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]+`", "code", text)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    seen = Counter[str]()
    found = set[str]()
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def broken(page: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    wrong: list[str] = []
    for link in LINK.findall(prose(page.read_text(encoding="utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and (target.suffix != ".md" or anchor not in anchors(target))):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A heading: of two\n\n## Twice\n\n## Twice\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n[a](other.md) [b](other.md#a-heading-of-two) [c](other.md#twice-1) [d](#page)\n"
        "[e](https://x/y) [`f`](none.md) [g](other.md#twice-2) [h](#none) [i](../none)\n"
        "`[j](none)`\n```\n[k](none)\n# None\n```\n"
    )
    assert broken(page) == ["none.md", "other.md#twice-2", "#none", "../none"]


def test_the_specification_is_linked_throughout() -> None:
    linked = {link.partition("#")[0] for link in LINK.findall((ROOT / "spec" / "README.md").read_text())}
    assert {page.name for page in (ROOT / "spec").iterdir() if page.suffix in (".md", ".cddl")} - linked == {
        "README.md"
    }

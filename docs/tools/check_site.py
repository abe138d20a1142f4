"""Check the built pages: they load nothing from elsewhere, and every link inside the site leads somewhere.

    python docs/tools/check_site.py build/docs        print what is wrong; exit 1 if anything is

A reader's browser must not tell a third party what is read, and the pages must work without a network.

Not here: links to other sites, which a reader follows or not.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urldefrag

LOADED: Final = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "image": "href",
    "img": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "video": "src",
}
"""The attribute of each element whose address a browser fetches by itself."""
HARMLESS: Final = frozenset({"canonical", "next", "prev"})
"""Kinds of `link` that are not fetched."""


class Page(HTMLParser):
    """What one page loads, links to, and offers as targets."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.targets: set[str] = set()
        self.mermaid = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        values = {name: value or "" for name, value in attrs}
        self.targets |= {values[name] for name in ("id", "name") if name in values}
        self.mermaid |= "mermaid" in values.get("class", "").split()  # drawn by a script from elsewhere
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in LOADED and LOADED[tag] in values and values.get("rel") not in HARMLESS:
            self.loads.append(values[LOADED[tag]])


def problems(site: Path) -> list[str]:
    """Return everything that is wrong, as `page: what`."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = [f"{site.name}: no pages"] if not pages else []
    for path, page in pages.items():
        where = path.relative_to(site).as_posix()
        found += [f"{where}: loads {address}" for address in page.loads if _elsewhere(address)]
        if page.mermaid:
            found.append(f"{where}: a mermaid figure, which loads a script from elsewhere")
        if path.name != "404.html":  # its addresses count from the root of a server
            addresses = {*page.loads, *page.links}
            lost = [each for each in sorted(addresses) if not _leads(each, path, pages)]
            found += [f"{where}: leads nowhere: {each}" for each in lost]
    for path in sorted(site.rglob("*.css")):
        if "url(http" in path.read_text(encoding="utf-8").replace('"', "").replace("'", ""):
            found.append(f"{path.relative_to(site).as_posix()}: loads from elsewhere")
    return found


def _elsewhere(address: str) -> bool:
    return address.startswith("//") or ("://" in address)


def _leads(address: str, path: Path, pages: dict[Path, Page]) -> bool:
    if _elsewhere(address) or address.startswith(("mailto:", "data:")):
        return True
    name, anchor = urldefrag(address)
    target = (path.parent / unquote(name)).resolve() if name else path.resolve()
    if not target.is_file():
        return (target / "index.html").is_file()
    known = {each.resolve(): page for each, page in pages.items()}
    return not anchor or target not in known or unquote(anchor) in known[target].targets


if __name__ == "__main__":
    wrong = problems(Path(sys.argv[1]))
    print("\n".join(wrong) or "the built pages load nothing from elsewhere, and no link is broken")
    sys.exit(bool(wrong))

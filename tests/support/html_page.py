"""What is in a page of a server."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """What a page has: elements, attributes, and text outside the style sheet."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: dict[str, set[str]] = {}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")

    def handle_data(self, data: str) -> None:
        if self.elements[-1:] != ["style"]:
            self.text += f" {data}"

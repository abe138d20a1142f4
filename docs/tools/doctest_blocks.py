"""Show the dialogues in docstrings as code: Markdown takes lines that begin with `>>>` for quotations.

A griffe extension, named in docs/mkdocs.yml.

Not here: running the dialogues (tests/package/test_readme.py).
"""

from typing import Any

from griffe import Extension, Object


def fenced(text: str) -> str:
    """Return a docstring with each dialogue, up to the next empty line, inside a code block."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith(">>> ") and not inside:
            lines.append("```pycon")
            inside = True
        elif not line.strip() and inside:
            lines.append("```")
            inside = False
        lines.append(line)
    if inside:
        lines.append("```")
    return "\n".join(lines)


class DoctestBlocks(Extension):
    """Rewrites every docstring as it is read."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)

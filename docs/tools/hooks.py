"""What mkdocs adds to docs/pages: the generated reference, the specification and the changelog.

`spec/` and CHANGELOG.md stay where they are in the repository. They appear in the site under the same paths,
so that their links to each other work in both places.

Not here: the text of the reference (reference.py); the look of docstrings (doctest_blocks.py).
"""

import re
import sys
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

TOOLS: Final = Path(__file__).parent
ROOT: Final = TOOLS.parents[1]

for folder in (TOOLS, ROOT / "protocol"):  # so that no installation is needed
    sys.path.insert(0, str(folder))

import reference  # noqa: E402


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is not in docs/pages."""
    for name, text in reference.pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    linked = [*ROOT.glob("spec/*.md"), *ROOT.glob("spec/*.cddl"), ROOT / "CHANGELOG.md"]
    for path in sorted(linked):
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Keep rule ids such as [RAT-7] as they are: two in a row would look like a link.

    A link of the specification to a folder that is not in the site becomes the path in the source.
    """
    markdown = re.sub(r"\[([A-Z]{3,4}-\d+)\]", r"\\[\1\\]", markdown)
    return re.sub(r"\[([^\]\n]+)\]\(\.\./((?:bench|vectors)/[^)]*)\)", r"\1 (`\2`)", markdown)

"""Files that comments name exist, and no comment in the package states how long something takes.

The test reads the comments and docstrings of Python sources, and the comments of JavaScript and CDDL. It
looks for a name in the folder of the file that mentions it, in each folder above, and in the package. A
timing belongs in bench/, where the machine and the releases are stated with it.

Not here: the links of Markdown pages (test_readme.py).
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "protocol" / "letterlock"
FOLDERS: Final = ("protocol", "tests", "bench", "vectors", "spec", "docs", ".ci")
SUFFIXES: Final = {".py", ".js", ".cddl"}

FILE_NAME: Final = re.compile(r"(?<![\w/.*:<{-])[\w./*-]*[\w*]\.(?:py|md|js|cddl)\b(?![/\w])")
FOLDER_NAME: Final = re.compile(r"(?<![\w/.*:<{\\-])\.?[a-z_][\w.-]*(?:/[\w.-]+)*/(?![\w/*<{.])")
TIMING: Final = re.compile(r"\d[\d.,]* ?(?:us|µs|μs|ms|microseconds?|milliseconds?)\b")

Remark = tuple[int, str]
"""The line that a comment or docstring begins in, and its text."""


def python_remarks(source: str) -> Iterator[Remark]:
    """Yield comments, docstrings, and the strings below an attribute that document it."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as text), lineno=line):
                yield line, text
            case _:
                pass


def remarks(path: Path) -> Iterator[Remark]:
    """Yield the comments and docstrings of a file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from python_remarks(source)
        return
    pattern = r"(?<![:\w\"'])//[^\n]*|/\*.*?\*/" if path.suffix == ".js" else r";[^\n]*"
    for found in re.finditer(pattern, source, re.DOTALL):
        yield source.count("\n", 0, found.start()) + 1, found.group()


def exists(name: str, path: Path, root: Path, package: Path) -> bool:
    """Return whether a name that a file mentions leads anywhere; `*` stands for any characters."""
    above = [folder for folder in path.parents if folder == root or root in folder.parents]
    right = Path.is_dir if name.endswith("/") else Path.is_file
    return any(
        any(map(right, folder.glob(name))) if "*" in name else right(folder / name)
        for folder in [*above, package]
    )


def missing(path: Path, root: Path = ROOT, package: Path = PACKAGE) -> list[str]:
    """Return `line: name` for each file or folder that a file mentions and that does not exist.

    Only a file with a name that leads nowhere, in a comment or not, is taken apart: that takes long.
    """
    source = path.read_text(encoding="utf-8")
    names = {name for pattern in (FILE_NAME, FOLDER_NAME) for name in pattern.findall(source)}
    if all(exists(name, path, root, package) for name in names - OTHERS):
        return []
    return [
        f"{line}: {name}"
        for line, text in remarks(path)
        for pattern in (FILE_NAME, FOLDER_NAME)
        for name in pattern.findall(text)
        if name not in OTHERS and not exists(name, path, root, package)
    ]


def timings(path: Path) -> list[str]:
    """Return `line: text` for each duration in a comment or docstring of a file."""
    if TIMING.search(path.read_text(encoding="utf-8")) is None:
        return []
    return [f"{line}: {found}" for line, text in remarks(path) for found in TIMING.findall(text)]


OTHERS: Final = {"NOTICE.md"}
"""Files that are not in the repository: NOTICE.md comes with the published vectors of others."""


def sources(folder: str) -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob("*")):
        if path.suffix in SUFFIXES and "node_modules" not in path.parts:
            yield path


def found_in(paths: Iterable[Path], look: Callable[[Path], list[str]]) -> list[str]:
    """Return what is found in all of these files, each time after the file's name."""
    return [f"{path.relative_to(ROOT).as_posix()}:{found}" for path in paths for found in look(path)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_a_comment_names_exists(folder: str) -> None:
    paths = list(sources(folder))
    assert paths
    assert found_in(paths, missing) == []


def test_a_comment_states_no_timing() -> None:
    assert found_in(sorted(PACKAGE.rglob("*.py")), timings) == []


# --- the check itself -----------------------------------------------------------------------------------

PLANTED: Final = {
    "package/noun.py": "",
    "package/_room/__init__.py": "",
    "docs/page.md": "",
    "tests/test_it.py": "",
}


def plant(root: Path, name: str, text: str) -> Path:
    for each, content in {**PLANTED, name: text}.items():
        path = root / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root / name


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("package/a.py", '"""See gone.py."""', "gone.py"),
        ("package/a.py", "x = 1  # as in gone.py: so", "gone.py"),
        ("package/a.py", 'x = 1\n"""Not here: the rest (_room/gone.py)."""', "_room/gone.py"),
        ("package/a.py", 'def f():\n    """See `docs/gone.md`."""', "docs/gone.md"),
        ("package/a.py", "# what `gone/` holds", "gone/"),
        ("package/a.py", "# (_gone/, noun.py)", "_gone/"),
        ("package/a.py", "# the suites gone_*.py", "gone_*.py"),
        ("tests/test_it.py", "# see page.md", "page.md"),
        ("tests/a.js", "const a = 1; // see gone.js", "gone.js"),
        ("tests/a.js", "/* see\n gone.md */", "gone.md"),
        ("docs/a.cddl", "a = uint ; see gone.md", "gone.md"),
    ],
)
def test_a_missing_name_is_seen(tmp_path: Path, name: str, text: str, found: str) -> None:
    path = plant(tmp_path, name, text)
    assert [each.split(": ")[1] for each in missing(path, tmp_path, tmp_path / "package")] == [found]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package/_room/a.py", '"""Not here: noun.py, _room/, docs/page.md, docs/, tests/test_*.py."""'),
        ("tests/a.py", "# what noun.py says and/or docs/page.md, in 2/ 3"),
        ("package/a.py", "name = 'gone.py'  # https://example.org/gone.md"),
        ("tests/a.js", "import a from './gone.js' // of docs/page.md"),
    ],
)
def test_a_name_that_leads_somewhere_passes(tmp_path: Path, name: str, text: str) -> None:
    assert missing(plant(tmp_path, name, text), tmp_path, tmp_path / "package") == []


@pytest.mark.parametrize("text", ["0.45 us", "1,250us", "4 ms", "37 µs", "12 microseconds", "1 millisecond"])
def test_a_timing_is_seen(tmp_path: Path, text: str) -> None:
    for source in (f'"""It takes {text}."""', f"x = 1  # {text} less"):
        assert [each.split(": ")[1] for each in timings(plant(tmp_path, "package/a.py", source))] == [text]


@pytest.mark.parametrize("text", ["x = '4 ms'", "# 4 messages", "# a clock in milliseconds", "# 3 uses"])
def test_what_is_no_timing_passes(tmp_path: Path, text: str) -> None:
    assert timings(plant(tmp_path, "package/a.py", text)) == []

"""Every Python and shell block in docs/pages runs, in order, and prints what the block after it says.

The Python blocks of one page share their names and an empty directory. A block that is fenced as `text`
directly after one is what it prints. Shell blocks run in bash, where `letterlock` is this package's command.
A block that installs something is left to the README's own commands.
"""

import asyncio
import os
import re
import subprocess
import sys
from code import InteractiveConsole
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import letterlock
from letterlock.relay import SqliteRelayStore
from support.forks import shell_command

PAGES = Path(__file__).parents[2] / "docs" / "pages"
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLS = re.compile(r"\b(venv|pip)\b")

Block = tuple[str, str, str | None]
"""Language, text, and the output that the page shows."""


def blocks(page: Path) -> list[Block]:
    found = list(FENCE.finditer(page.read_text(encoding="utf-8")))
    result: list[Block] = []
    for match, after in zip(found, [*found[1:], None][: len(found)], strict=True):
        output = after and after[1] == "text" and match.string[match.end() : after.start()].strip() == ""
        result.append((match[1], match[2], after[2] if after and output else None))
    return result


def pages_with(language: str) -> list[Path]:
    return [page for page in sorted(PAGES.rglob("*.md")) if any(each[0] == language for each in blocks(page))]


def name_of(page: Path) -> str:
    return page.relative_to(PAGES).as_posix()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # one page shows what a fork does
@pytest.mark.parametrize("page", pages_with("python"), ids=name_of)
def test_python_blocks(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    for language, text, output in blocks(page):
        if language != "python" or text.lstrip().startswith("--8<--"):
            continue  # a program from docs/examples, which test_examples.py runs
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(text, name_of(page), "exec"), names)
        assert printed.getvalue() == (output or ""), text


class Console(InteractiveConsole):
    """Python's own prompt: a block may not go on directly after an indented part."""

    def showtraceback(self) -> None:
        error = sys.exception()
        assert error is not None
        raise error

    def showsyntaxerror(self, filename: str | None = None, **_: object) -> None:
        raise SyntaxError(filename)


def test_the_tutorial_can_be_pasted_into_the_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "displayhook", lambda _: None)
    console = Console()
    for language, text, output in blocks(PAGES / "tutorial.md"):
        if language == "python":
            printed = StringIO()
            with redirect_stdout(printed):
                for line in [*text.splitlines(), ""]:
                    console.push(line)
            assert printed.getvalue() == (output or ""), text


async def a_relay_s_database(path: Path) -> None:
    """Make the database that the page on running a relay looks after."""
    store = await SqliteRelayStore(path).open()
    await store.close()


@pytest.mark.parametrize("page", pages_with("sh"), ids=name_of)
def test_shell_blocks(page: Path, tmp_path: Path) -> None:
    command = tmp_path / "bin" / "letterlock"
    command.parent.mkdir()
    begin = shell_command(["-m", "letterlock"])
    command.write_text(f'#!/bin/sh\nexec {begin} "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    package = str(Path(letterlock.__file__).parents[1])
    if page.name == "run-a-relay.md":
        asyncio.run(a_relay_s_database(tmp_path / "relay.db"))
    environment = os.environ | {"PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": package}
    for language, text, output in blocks(page):
        if language != "sh" or INSTALLS.search(text):
            continue
        found = subprocess.run(
            ["bash", "-euc", text],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            check=False,
        )
        assert found.returncode == 0, found.stderr
        if output is not None:
            assert found.stdout == output


def test_blocks_are_found() -> None:
    assert len(pages_with("python")) > 5
    assert PAGES / "tutorial.md" in pages_with("sh")


def test_every_block_names_a_language() -> None:
    for page in PAGES.rglob("*.md"):
        for language, text, _ in blocks(page):
            assert language in {"python", "sh", "text", "toml"}, f"{name_of(page)}: {language!r}: {text}"


def test_every_page_is_in_the_navigation() -> None:
    navigation = (PAGES.parent / "mkdocs.yml").read_text(encoding="utf-8")
    for page in PAGES.rglob("*.md"):
        assert re.search(rf"(- |: ){re.escape(name_of(page))}$", navigation, re.MULTILINE), page

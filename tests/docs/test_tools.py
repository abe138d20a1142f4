"""The tools behind the pages: the picture, the reference, and the check of what was built."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import letterlock
from letterlock import hazmat

TOOLS = Path(__file__).parents[2] / "docs" / "tools"


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- the picture ----------------------------------------------------------------------------------


def test_the_picture_shows_the_imports() -> None:
    found = subprocess.run(
        [sys.executable, TOOLS / "draw_architecture.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""
    assert found.returncode == 0


def test_the_picture_follows_the_imports(tmp_path: Path) -> None:
    drawing = tool("draw_architecture")
    (tmp_path / "low").mkdir()
    (tmp_path / "low" / "a.py").write_text("import os\n")
    (tmp_path / "middle.py").write_text("from letterlock.low.a import x\nfrom letterlock.errors import y\n")
    (tmp_path / "high.py").write_text("from letterlock import middle\nfrom letterlock.low import a\n")
    (tmp_path / "left.py").write_text("def f():\n    from letterlock.right import x\n")
    (tmp_path / "right.py").write_text("from letterlock.left import y\n")
    (tmp_path / "errors.py").write_text("")
    graph = drawing.imports(tmp_path)
    assert graph == {
        "low": set(),
        "middle": {"low"},
        "high": {"middle", "low"},
        "left": {"right"},
        "right": {"left"},
    }
    both = ("left", "right")
    arrows = drawing.reduced(graph)
    assert arrows == {("high",): {("middle",)}, ("middle",): {("low",)}, ("low",): set(), both: set()}
    assert drawing.layers(arrows)[0] == [("high",)]
    picture = drawing.draw(graph)
    assert picture.count("marker-end") == 2
    graph["low"].add("right")
    assert drawing.draw(graph).count("marker-end") == 3


# --- the reference --------------------------------------------------------------------------------


def test_the_reference_has_every_public_name() -> None:
    pages = tool("reference").pages()
    text = pages["letterlock"] + pages["stores"]
    listed = set(re.findall(r"^::: letterlock\.(?:stores\.)?(\w+)$", text, re.MULTILINE))
    public = {name for name in dir(letterlock) if not isinstance(getattr(letterlock, name), ModuleType)}
    public = {name for name in public if name[0] != "_"}
    assert public - {*vars(letterlock.errors)} <= listed
    assert "inspect" in listed
    for name in hazmat.__all__:
        assert f"\n::: letterlock.hazmat.{name}\n" in pages["hazmat"]
    assert "\n::: letterlock.errors\n" in pages["errors"]
    assert "\n::: letterlock.limits\n" in pages["limits"]


def test_the_reference_has_every_command() -> None:
    page = tool("reference").pages()["command-line"]
    for name in (
        "init",
        "bundle",
        "add",
        "accept",
        "peers",
        "encrypt",
        "decrypt",
        "inspect",
        "vectors check",
    ):
        assert f"## `letterlock {name}`\n" in page
    assert "exit status:" in page
    assert "letterlock vectors`" not in page


# --- the check of what was built ------------------------------------------------------------------

SOUND = """<link rel=canonical href="https://example.org/"><link rel=stylesheet href="a.css">
<a href="https://example.org">away</a>
<a href="b.html#here">b</a><a href="#top" id=top>up</a><img src="p.svg">"""


def built(folder: Path, more: str = "", style: str = "") -> list[str]:
    (folder / "index.html").write_text(SOUND + more)
    (folder / "b.html").write_text("<h1 id=here>b</h1>")
    (folder / "p.svg").write_text("<svg/>")
    (folder / "a.css").write_text(style)
    found: list[str] = tool("check_site").problems(folder)
    return found


def test_a_sound_site_passes(tmp_path: Path) -> None:
    assert built(tmp_path) == []


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ('<script src="https://cdn.example/x.js"></script>', "loads https"),
        ('<img src="//cdn.example/x.png">', "loads //"),
        ('<link rel=stylesheet href="https://fonts.example/f">', "loads https"),
        ('<link rel="preconnect" href="https://fonts.example">', "loads https"),
        ('<pre class="mermaid"></pre>', "mermaid"),
        ('<a href="missing.html">x</a>', "leads nowhere"),
        ('<a href="b.html#missing">x</a>', "leads nowhere"),
        ('<a href="#missing">x</a>', "leads nowhere"),
        ('<img src="missing.png">', "leads nowhere"),
    ],
)
def test_the_check_sees(tmp_path: Path, more: str, what: str) -> None:
    (found,) = built(tmp_path, more)
    assert what in found


def test_the_check_sees_what_a_style_loads(tmp_path: Path) -> None:
    assert built(tmp_path, style="@font-face { src: url('https://fonts.example/f') }") == [
        "a.css: loads from elsewhere"
    ]


def test_a_site_without_pages_is_wrong(tmp_path: Path) -> None:
    assert tool("check_site").problems(tmp_path) != []

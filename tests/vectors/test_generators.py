"""The generators make every file again byte for byte, and their imports have one direction."""

import ast
import json
import os
import sys
from collections.abc import Callable
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from pathlib import Path

import pytest

from generators import __main__ as command
from generators.support.owner import _LABEL, SigningPair
from letterlock._primitives.mldsa import SIGNATURE_BYTES
from letterlock.errors import InvalidSignature

VECTORS = Path(__file__).parents[2] / "vectors"
GENERATORS = VECTORS / "generators"


def module_name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path, modules: set[str]) -> set[str]:
    """Return which of the modules a file imports, also inside functions."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # `from package import name`: the name may be a module, or stand in the package's own file.
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner if inner <= modules else {node.module or ""} | (inner & modules)
    return found & modules


def graph(root: Path, package: str) -> dict[str, set[str]]:
    """Return the imports between the modules of a package that lies in `root`."""
    paths = {module_name(path, root): path for path in (root / package).rglob("*.py")}
    return {name: imported(path, set(paths)) for name, path in paths.items()}


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Return the modules of a circle of imports, or none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def upwards(imports: dict[str, set[str]]) -> list[str]:
    """Return the imports of a family by support or by another family."""
    return [
        f"{name} -> {target}"
        for name, targets in imports.items()
        for target in targets
        if target.startswith("generators.families.")
        and name.split(".")[1:3] != target.split(".")[1:3]
        and name != "generators.__main__"
    ]


def test_imports_have_no_circle_and_lead_from_families_to_support() -> None:
    imports = graph(VECTORS, "generators")
    assert len(imports) > 40
    assert sum(map(len, imports.values())) > 100
    assert circle(imports) == []
    assert upwards(imports) == []


def test_a_circle_is_seen(tmp_path: Path) -> None:
    lines = {
        "support/__init__.py": "",
        "families/__init__.py": "",
        "families/a.py": "from generators.families import b",
        "families/b.py": "def later():\n    from generators.families.a import c",
        "support/d.py": "import generators.families.a",
    }
    for name, text in lines.items():
        path = tmp_path / "generators" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    imports = graph(tmp_path, "generators")
    assert set(circle(imports)) == {"generators.families.a", "generators.families.b"}
    assert len(upwards(imports)) == 3


def half_in(recorded: str) -> Callable[[SigningPair, bytes], bytes]:
    """Return an `ml_dsa_half` that takes the half which is recorded, if it is valid.

    The Ed25519 half stands behind it. It is always the same, and quick to make. One signature of 32 is
    made again nevertheless: it shows that the generator still draws no random bytes.
    """
    make = SigningPair.ml_dsa_half

    def half(pair: SigningPair, signed: bytes) -> bytes:
        end = recorded.find(pair.ed25519.sign(signed).hex())
        if end < 2 * SIGNATURE_BYTES or sha256(signed).digest()[0] % 32 == 0:
            return make(pair, signed)
        try:
            found = bytes.fromhex(recorded[end - 2 * SIGNATURE_BYTES : end])
            pair.public.ml_dsa.verify(signed, found, _LABEL)
        except (ValueError, InvalidSignature):
            return make(pair, signed)
        return found

    return half


@pytest.mark.slow
@pytest.mark.parametrize("name", command.names())
def test_a_family_is_made_again_byte_for_byte(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`LETTERLOCK_DEEP=1` makes every signature again."""
    data = (command.DATA / f"{name.replace('_', '-')}.json").read_bytes()
    if os.environ.get("LETTERLOCK_DEEP") != "1":
        monkeypatch.setattr(SigningPair, "ml_dsa_half", half_in(data.decode("ascii")))
    family = command.build(name)
    assert family.name == name.replace("_", "-")
    assert family.encode().encode("ascii") == data
    assert json.loads(data)["generator"] == f"generators.families.{name}"


def test_every_file_has_a_generator() -> None:
    files = {path.stem for path in command.DATA.glob("*.json")} - {"schema"}
    assert {name.replace("_", "-") for name in command.names()} == files


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["generators", *arguments])
    return command.main()


def test_the_command_writes_or_compares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = (command.DATA / "kdf.json").read_bytes()
    assert run(monkeypatch, "--check", "kdf") == 0
    monkeypatch.setattr(command, "DATA", tmp_path)
    assert run(monkeypatch, "--check", "kdf") == 1
    assert "kdf.json" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert run(monkeypatch, "kdf") == 0
    assert (tmp_path / "kdf.json").read_bytes() == recorded
    (tmp_path / "kdf.json").write_bytes(recorded[:-1])
    assert run(monkeypatch, "--check", "kdf") == 1
    with pytest.raises(SystemExit):
        run(monkeypatch, "no-such-family")

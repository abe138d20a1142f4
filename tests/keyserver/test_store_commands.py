"""`letterlock keyserver migrate`, `backup` and `check`: as an operator runs them, on a file in use."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from letterlock._keyserver._keys import ServerKeys
from letterlock._keyserver._opening import open_rows
from letterlock._keyserver._rows import RowKind, RowName, SealedRows, Stored
from letterlock.cli._main import main
from letterlock.stores import Record


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A database with one row of each of two kinds, and its key file."""
    keys, path = ServerKeys.generate(), tmp_path / "server.keys"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, keys.text().encode())
    os.close(descriptor)
    store = f"sqlite:///{tmp_path}/recovery.db"

    async def fill() -> None:
        rows = await SealedRows(open_rows(store), keys.sealing).open()
        await rows.change([(RowKind.GATE, bytes(32))], lambda _: ({0: None}, None))
        await rows.close()

    asyncio.run(fill())
    return ["--store", store, "--keys", str(path)]


def test_a_whole_database_has_no_fault(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keyserver", "check", *files]) == 0
    assert "no contradictions found" in capsys.readouterr().out
    assert main(["keyserver", "check", "--json", *files]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["findings"] == []
    assert found["counts"]["users with a lock"] == 0


def test_a_fault_has_a_line_and_a_status(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    async def damage() -> None:
        rows = await SealedRows(open_rows(files[1]), ServerKeys.read(Path(files[3])).sealing).open()
        await rows.change([(RowKind.LOCKS, bytes(32))], lambda _: ({0: Stored(b"junk")}, None))
        await rows.close()

    asyncio.run(damage())
    assert main(["keyserver", "check", *files]) == 5
    assert "1 x users with a lock: damaged" in capsys.readouterr().out


def test_a_copy_is_whole_and_replaces_nothing(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "copy.db"
    assert main(["keyserver", "backup", *files[:2], str(target)]) == 0
    assert target.stat().st_mode & 0o077 == 0
    assert main(["keyserver", "check", "--store", f"sqlite:///{target}", *files[2:]]) == 0
    before = target.read_bytes()
    assert main(["keyserver", "backup", *files[:2], str(target)]) == 2
    assert target.read_bytes() == before
    assert main(["keyserver", "backup", "--store", "postgresql://nobody@nowhere/x", str(tmp_path / "y")]) == 2
    assert "pg_dump" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_not_made(files: list[str], tmp_path: Path) -> None:
    gone = f"sqlite:///{tmp_path}/gone.db"
    for command in (["migrate"], ["check"]):
        assert main(["keyserver", *command, "--store", gone, *files[2:]]) != 0
    assert main(["keyserver", "backup", "--store", gone, str(tmp_path / "copy.db")]) != 0
    assert not (tmp_path / "gone.db").exists()
    assert not (tmp_path / "copy.db").exists()


def test_migrating_changes_nothing_twice(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["keyserver", "migrate", *files]) == 0
    assert "already" in capsys.readouterr().out


def test_an_old_database_is_named_as_such(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command says what it is and what to do, and no row is called damaged."""

    async def age() -> None:
        rows = await SealedRows(open_rows(files[1]), ServerKeys.read(Path(files[3])).sealing).open()
        name = RowName(RowKind.CHECK, b"")
        old = rows._cipher.seal(Record(b"letterlock recovery 1"), b"recovery", *name)
        await rows._rows.change([name], lambda _: ({0: Stored(old)}, None))
        await rows.close()

    asyncio.run(age())
    for command in (["migrate"], ["check"], ["serve", "--identity", "none", "--listen", "127.0.0.1:0"]):
        assert main(["keyserver", *command, *files]) == 5
        said = capsys.readouterr().err
        assert "form 1" in said
        assert "begin with an empty database" in said
        assert "Traceback" not in said


def test_nothing_is_looked_at_without_its_key_file(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keyserver", "check", *files[:2]]) == 2
    other = tmp_path / "other.keys"
    descriptor = os.open(other, os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, ServerKeys.generate().text().encode())
    os.close(descriptor)
    assert main(["keyserver", "check", *files[:2], "--keys", str(other)]) != 0
    assert "another key file" in capsys.readouterr().err

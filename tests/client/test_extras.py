"""Without the libraries of an extra, commands that need it say what to install, and the others work.

Not here: the demonstration, which needs both (tests/cli/test_demo.py).
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

WITHOUT: Final = """
import sys
sys.modules.update(dict.fromkeys({missing!r}))
from letterlock.cli import main
sys.exit(main({arguments!r}))
"""


def run_without(missing: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    program = WITHOUT.format(missing=missing, arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("missing", ["certifi", "httpx", "websockets.asyncio.client"])
def test_a_client_s_command_names_the_extra(missing: str) -> None:
    found = run_without([missing], "register", "alice", "--relay", "http://127.0.0.1:1")
    assert found.returncode == 2
    assert missing in found.stderr
    assert "pip install 'letterlock[client]'" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_relay_s_command_names_the_extra() -> None:
    found = run_without(["starlette", "uvicorn"], "relay", "serve")
    assert found.returncode == 2
    assert "pip install 'letterlock[relay]'" in found.stderr
    assert "Traceback" not in found.stderr


def test_other_commands_need_no_extra() -> None:
    assert run_without(["httpx", "websockets", "starlette", "uvicorn"], "--version").returncode == 0


@pytest.mark.parametrize("arguments", [("status",), ("receive",)])
def test_a_client_needs_no_extra_of_recovery(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """The README's demonstration installs none: `import letterlock.client` must not reach for VOPRF."""
    found = run_without(["voprf", "aiosmtplib", "jwt"], "--home", str(tmp_path / "nobody"), *arguments)
    assert "letterlock[recovery]" not in found.stderr
    assert "Traceback" not in found.stderr


def test_every_public_room_but_recovery_is_imported_without_its_extra() -> None:
    rooms = ["client", "documents", "groups", "relay", "blobs", "user", "aio", "stores"]
    program = "import sys\nsys.modules.update(dict.fromkeys(['voprf', 'aiosmtplib', 'jwt']))\n" + "".join(
        f"import letterlock.{each}\n" for each in rooms
    )
    subprocess.run([sys.executable, "-c", program], check=True)

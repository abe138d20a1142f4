"""An environment for each peer, in a cache folder: pip or npm makes it when it is missing, and it is kept.

    <cache>/<name>/ready    what is installed there; if something else is wanted, the folder is made again

Versions are fixed, so that figures of different days can be compared. After changing one, run everything
again.

Not here: what is run in them (contestants.py).
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEFAULT_CACHE: Final = Path("~/.cache/letterlock-bench")
MINUTES: Final = 10


class CannotInstall(Exception):
    """This peer cannot be installed here; the text says why, in one line."""


@dataclass(frozen=True)
class Environment:
    """A folder of its own for packages of one registry: `tool` is "pip" or "npm"."""

    name: str
    tool: str
    packages: tuple[str, ...]

    def folder(self, cache: Path) -> Path:
        return cache / self.name

    def program(self, cache: Path) -> str:
        """Return the interpreter to run a worker with."""
        if self.tool == "npm":
            return "node"
        return str(self.folder(cache) / ("Scripts" if os.name == "nt" else "bin") / "python")

    def is_ready(self, cache: Path) -> bool:
        marker = self.folder(cache) / "ready"
        return marker.exists() and marker.read_text("utf-8") == self._wish()

    def make(self, cache: Path) -> None:
        """Install the packages. Raises CannotInstall, and then leaves nothing behind."""
        folder = self.folder(cache)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            for step in self._steps(cache):
                _run(step)
        except CannotInstall:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        (folder / "ready").write_text(self._wish(), "utf-8")

    def _wish(self) -> str:
        return "\n".join([self.tool, sys.version, *self.packages])

    def _steps(self, cache: Path) -> list[list[str]]:
        folder = str(self.folder(cache))
        if self.tool == "npm":
            # No scripts of packages: the binary is in the package.
            quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")
            return [["npm", "install", "--prefix", folder, *quiet, *self.packages]]
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        return [[sys.executable, "-m", "venv", folder], [self.program(cache), *install, *self.packages]]


def _run(command: list[str]) -> None:
    found = shutil.which(command[0])
    name = Path(command[0]).name
    if found is None:
        raise CannotInstall(f"{name} is not on this machine")
    try:
        # The output of the tool names its registry. A report needs only to know whether it succeeded.
        done = subprocess.run([found, *command[1:]], capture_output=True, timeout=60 * MINUTES, check=False)
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"{name} did not finish in {MINUTES} minutes") from None
    if done.returncode:
        raise CannotInstall(f"{name} could not install it (exit code {done.returncode})")


VODOZEMAC: Final = Environment("vodozemac", "pip", ("vodozemac==0.10.0",))
DOUBLERATCHET: Final = Environment("doubleratchet", "pip", ("doubleratchet==1.3.0", "x3dh==1.3.0"))
OMEMO_DR: Final = Environment("omemo-dr", "pip", ("omemo-dr==1.2.0",))
SIBNA: Final = Environment("sibna", "pip", ("sibna==3.0.2",))
RINE_MLS: Final = Environment("rine-mls", "pip", ("rine-mls==0.1.1",))
LIBSIGNAL: Final = Environment("libsignal-client", "npm", ("@signalapp/libsignal-client@0.103.0",))

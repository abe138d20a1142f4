"""The manifest of `open --all`: one line of JSON for each sealed file, appended when its content is durable.

At the end it is written anew, with one line for each sealed file, and the hashes also to SHA256SUMS.

Not here: opening (_export_command.py).
"""

import hashlib
import json
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Self

from letterlock.cli._alone import alone_in
from letterlock.cli._output import name_in_errors
from letterlock.cli._output_file import (
    TemporaryOutput,
    move_into_place,
    new_token,
    temporary_path,
    temporary_paths,
)
from letterlock.cli._plain_names import same_name
from letterlock.errors import UsageError

MANIFEST: Final = "manifest.jsonl"
SUMS: Final = "SHA256SUMS"
_BUSY: Final = "another command opens files into {}: wait for it"
_OWN: Final = {"source", "key", "file", "sha256", "bytes", "error"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A sealed file: the name and the hash of its content, or why it has none."""

    source: str
    key: str | None = None
    file: str | None = None
    sha256: str | None = None
    size: int | None = None
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    error: str | None = None

    def line(self) -> bytes:
        """Return a line of JSON, in ASCII."""
        shown = {"source": self.source, "key": self.key, "file": self.file, "sha256": self.sha256}
        shown |= {"bytes": self.size, **self.said} if self.error is None else {"error": self.error}
        return json.dumps({name: each for name, each in shown.items() if each is not None}).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Self | None:
        """Return what a line says, or None for one that is not whole."""
        with suppress(ValueError, AttributeError):
            shown: dict[str, Any] = json.loads(line)
            source, *others = (shown.get(each) for each in ("source", "key", "file", "sha256", "error"))
            if type(source) is str and all(each is None or type(each) is str for each in others):
                key, file, sha256, error = others
                said = {name: each for name, each in shown.items() if name not in _OWN}
                return cls(source, key, file, sha256, shown.get("bytes"), said, error)
        return None


class Manifest:
    """The manifest in a directory. Make one with `opened`, which keeps other commands out."""

    def __init__(self, directory: Path, file: IO[bytes], entries: list[Entry]) -> None:
        self.directory = directory
        self.path = directory / MANIFEST
        self._file = file
        self._entries = entries
        self._taken = {same_name(each) for each in (MANIFEST, SUMS)}
        self._taken |= {
            same_name(each.file) for each in entries if each.file and (directory / each.file).exists()
        }
        self._held = {each.key: each for each in entries if each.file is not None}

    @classmethod
    @contextmanager
    def opened(cls, directory: Path, purpose: str) -> Generator[Self]:
        """Open or make the manifest of a directory. Raises UsageError if another command has it, OSError."""
        with alone_in(directory, UsageError(_BUSY.format(directory))):
            for left_over in temporary_paths(directory, purpose):
                left_over.unlink(missing_ok=True)
            path = directory / MANIFEST
            lines = path.read_bytes().splitlines() if path.exists() else []
            entries = [each for each in map(Entry.read, lines) if each is not None]
            with path.open("ab") as file:
                if lines:
                    file.write(b"\n")  # the last line may not be whole
                yield cls(directory, file, entries)

    def holds(self, key: str) -> bool:
        """Return whether the content of a sealed file is there, with the hash that was noted."""
        found = self._held.get(key)
        return found is not None and self.is_same(found.file or "", found.sha256 or "")

    def is_taken(self, name: str) -> bool:
        """Return whether a name, or one that looks the same to a file system, belongs to another document."""
        return same_name(name) in self._taken

    def is_same(self, name: str, digest: str) -> bool:
        """Return whether a file of this name has this hash."""
        path = self.directory / name
        if Path(name).name != name or path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest

    def add(self, entry: Entry) -> None:
        """Note a sealed file, durably. Raises OSError."""
        self._entries.append(entry)
        if entry.file is not None:
            self._taken.add(same_name(entry.file))
            self._held[entry.key] = entry
        with name_in_errors(str(self.path)):
            self._file.write(entry.line())
            self._file.flush()
            os.fsync(self._file.fileno())

    def finish(self) -> None:
        """Write the manifest anew, with the last line of each sealed file, and the hashes. Raises OSError."""
        last = {each.source: each for each in self._entries}
        kept = self._held
        failed = [each for each in last.values() if each.file is None]
        self._replace(MANIFEST, b"".join(each.line() for each in (*kept.values(), *failed)))
        sums = [f"{each.sha256}  {each.file}\n" for each in kept.values()]
        self._replace(SUMS, "".join(sums).encode())

    def _replace(self, name: str, data: bytes) -> None:
        with name_in_errors(str(self.directory / name)):
            temporary = TemporaryOutput(temporary_path(self.directory, "open", new_token()))
            try:
                temporary.write(data)
                move_into_place(temporary.path, self.directory / name)
            finally:
                temporary.discard()

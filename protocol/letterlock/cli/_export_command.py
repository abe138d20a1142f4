"""The command `open --all`: every sealed file that this user can read, as a plain file.

    DIR/NAME              the content, under a safe form of the name that its author gave
    DIR/manifest.jsonl    one line for each sealed file: where its content is, or why it has none
    DIR/SHA256SUMS        the hashes, as `sha256sum --check` reads them

A line is written when its file is complete and durable. So a command that was interrupted goes on when it is
repeated: what is there with the right hash is kept. One sealed file that does not open stops no other one.
Nobody is locked in.

Not here: names (_plain_names.py), the manifest (_manifest.py).
"""

import errno
import hashlib
import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, Final

from letterlock.cli._document_desk import DocumentDesk, open_desk
from letterlock.cli._document_streams import sealed_source
from letterlock.cli._error_report import NotAllOpened, explain
from letterlock.cli._key_file import link
from letterlock.cli._manifest import Entry, Manifest
from letterlock.cli._opened_document import described, opened
from letterlock.cli._output import name_in_errors, warn
from letterlock.cli._output_file import TemporaryOutput, new_token, sync_directory, temporary_path
from letterlock.cli._plain_names import numbered, plain_name
from letterlock.cli._progress import progress
from letterlock.cli._relay_desk import asked
from letterlock.cli._sealed_file import SealedFile, read_sealed
from letterlock.cli._secret_input import reader_secret
from letterlock.cli._user_report import report
from letterlock.documents import DocumentFile, LinkSecret, Pace, Password, Standing
from letterlock.errors import LetterlockError, StoreError, UsageError

PURPOSE: Final = "open"
SUFFIX: Final = ".ll"
_ENDING: Final = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
"""Errors of the directory, and not of one file."""

_Secret = LinkSecret | Password | None


def export(arguments: Namespace) -> None:
    """Open all sealed files into a directory. Raises NotAllOpened, UsageError, StoreError, OSError."""
    if arguments.output is not None or arguments.force:
        raise UsageError("--all DIR names every file itself: leave -o and --force out")
    secret = reader_secret(arguments)
    sources = list(_sources(arguments.files))
    directory = Path(arguments.all)
    directory.mkdir(parents=True, exist_ok=True)
    asked(arguments.home, ())
    with Manifest.opened(directory, PURPOSE) as manifest, open_desk(arguments.home) as desk:
        worker = _Worker(desk, manifest, secret)
        with progress("opening") as tell:
            total = sum(_size(each) for each in sources)
            for source in sources:
                worker.open(source, None if tell is None else _told(tell, worker.done, total))
        manifest.finish()
    counts = {"opened": worker.opened, "kept": worker.kept, "failed": len(worker.failures)}
    lines = [f"{worker.opened} opened, {worker.kept} already there, {len(worker.failures)} not opened"]
    report(arguments, {**counts, "manifest": str(manifest.path)}, lines)
    if worker.failures:
        raise NotAllOpened(worker.failures[0], len(worker.failures), len(sources))


class _Worker:
    """Opens one file after the other, and counts."""

    def __init__(self, desk: DocumentDesk, manifest: Manifest, secret: _Secret) -> None:
        self._desk = desk
        self._manifest = manifest
        self._secret = secret
        self.done = self.opened = self.kept = 0
        self.failures: list[LetterlockError | OSError] = []

    def open(self, path: Path, tell: Callable[[int, int | None], None] | None) -> None:
        """Open one file, or note why it does not open. Raises StoreError, and OSError of the directory."""
        try:
            with sealed_source(str(path)) as source:
                self._open(path, source, Pace(progress=tell))
        except StoreError:
            raise
        except (LetterlockError, OSError) as error:
            if isinstance(error, OSError) and error.errno in _ENDING:
                raise
            self.failures.append(error)
            warn(f"{path}: {explain(error)}")
            self._manifest.add(Entry(str(path), error=explain(error)))
        self.done += _size(path)

    def _open(self, path: Path, source: BufferedReader, pace: Pace) -> None:
        sealed = read_sealed(source)
        if self._manifest.holds(_key(sealed)):
            self.kept += 1
            return
        with opened(self._desk, source, self._secret) as file:
            name, digest = self._write(file, pace)
            shown, _ = described(self._desk, file)
        self._manifest.add(Entry(str(path), _key(sealed), name, digest, file.statement.length, shown))
        self.opened += 1

    def _write(self, file: DocumentFile[Standing], pace: Pace) -> tuple[str, str]:
        """Write the content to a file of its own, and return the name and the hash of that file."""
        directory, wanted = self._manifest.directory, plain_name(file.metadata.name, file.statement.id)
        with name_in_errors(str(directory / wanted)):
            temporary = TemporaryOutput(temporary_path(directory, PURPOSE, new_token()))
        try:
            with temporary.opened() as target:
                hashing = _Hashing(target, str(directory / wanted))
                file.copy_to(hashing, pace)
                modified = file.metadata.modified
                with suppress(OSError, OverflowError):  # a time that this file system does not have
                    if modified is not None:
                        os.utime(temporary.path, (modified, modified))
                with name_in_errors(str(directory / wanted)):
                    temporary.sync(target)
            return self._placed(temporary.path, wanted, hashing.digest()), hashing.digest()
        finally:
            temporary.discard()

    def _placed(self, temporary: Path, wanted: str, digest: str) -> str:
        """Give a file the first name that is free. A killed run may have done so and not noted it."""
        number = 1
        while True:
            name = numbered(wanted, number)
            number += 1
            if self._manifest.is_taken(name):
                continue
            path = self._manifest.directory / name
            if not os.path.lexists(path):  # without hard links, `link` replaces a file
                with suppress(FileExistsError), name_in_errors(str(path)):
                    link(temporary, path, exists_ok=False)
                    sync_directory(path.parent)
                    return name
            if self._manifest.is_same(name, digest):
                return name


class _Hashing:
    """A target that computes the SHA-256 of what it gets."""

    def __init__(self, file: FileIO, name: str) -> None:
        self._file = file
        self._name = name
        self._hash = hashlib.sha256()

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - anything with a buffer
        with name_in_errors(self._name):
            count = self._file.write(data)
        self._hash.update(memoryview(data)[:count])
        return count

    def digest(self) -> str:
        return self._hash.hexdigest()


def _key(sealed: SealedFile) -> str:
    subject = sealed.subject
    return f"{subject.id.hex()} {subject.number} {subject.commitment.hex()}"


def _sources(typed: list[str]) -> Iterator[Path]:
    """Yield files, and those in directories whose names end in .ll, each once. Raises UsageError."""
    seen: set[Path] = set()
    for each in typed:
        path = Path(each)
        found = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
        for one in found:
            if one not in seen and not one.is_dir():
                seen.add(one)
                yield one


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _told(
    tell: Callable[[int, int | None], None], before: int, total: int
) -> Callable[[int, int | None], None]:
    return lambda done, _: tell(before + done, total)

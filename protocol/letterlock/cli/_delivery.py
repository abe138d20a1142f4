"""Delivery: a decrypted text reaches its reader although anything may be killed at any instant.

To a file, exactly once:

    in one transaction    decrypt; write the part file; note message and part as undelivered
    after the commit      rename the part over the target                            this is the delivery
    in another one        remove the note

    killed before the commit    nothing happened: it decrypts again, and sweeps the part
    killed before the rename    the next run finds note and part, and goes on from there
    killed after the rename     the next run finds a note without a part: a duplicate

A part counts only if a note names its token, so that what a killed run left, perhaps torn, is never taken for
a text. If two processes deliver one message, the rename succeeds for one, and the other has a duplicate.

To standard output, at least once: all of it is written inside the transaction, which the reader therefore
holds open as long as it takes.

Not here: the notes (undelivered.py). Whoever may write beside the output may change the output too; the
part file there adds nothing to that.
"""

import hashlib
from pathlib import Path
from typing import Final

from letterlock._wire.address import Address
from letterlock.cli._files import PartFile, move, new_token, part_path, part_paths, target_path
from letterlock.cli._output import naming, sync, write_out
from letterlock.cli._pending_delivery import Undelivered
from letterlock.cli._profile import Profile
from letterlock.errors import DuplicateMessage

_INTERRUPTED: Final = (
    "this message was decrypted before, by a run that was interrupted: if its text did not arrive, "
    "repeat that run, with -o in the same directory"
)
_MEANWHILE: Final = "this message was decrypted before: another run has just delivered it"


class Delivery:
    """The way of one message from a peer to a reader."""

    __slots__ = ("_account", "_id", "_message", "_sender", "_undelivered")

    def __init__(self, profile: Profile, sender: Address, message: bytes) -> None:
        self._account = profile.account
        self._undelivered = Undelivered(profile.store)
        self._sender = sender
        self._message = message
        self._id = message_id(sender, message)

    def to_standard_output(self) -> None:
        """Decrypt and write, and commit only then. Raises PeerError, TrustError, OSError."""
        with self._account.transaction():
            if self._undelivered.find(self._id) is not None:
                raise DuplicateMessage(_INTERRUPTED)
            write_out(self._account.decrypt(self._sender, self._message))
            sync()

    def to_file(self, name: str) -> None:
        """Decrypt into a file, replaced whole. Raises PeerError, TrustError, OSError."""
        with naming(name):
            target = target_path(name)
            part = self._prepare(target.parent)
            try:
                move(part, target)
            except FileNotFoundError:
                raise DuplicateMessage(_MEANWHILE) from None
        with self._account.transaction():
            self._undelivered.remove(self._id)

    def _prepare(self, directory: Path) -> Path:
        """Return a part file that holds the text, and is noted."""
        use = self._id[:8].hex()
        with self._account.transaction():
            token = self._undelivered.find(self._id)
            if token is not None:
                part = part_path(directory, use, token)
                if not part.exists():
                    raise DuplicateMessage(_INTERRUPTED)
                return part
            text = self._account.decrypt(self._sender, self._message)
            # It was not decrypted before: other parts of it are what killed runs left.
            for left_over in part_paths(directory, use):
                left_over.unlink(missing_ok=True)
            return self._write(part_path(directory, use, token := new_token()), token, text)

    def _write(self, path: Path, token: bytes, text: bytes) -> Path:
        part = PartFile(path)
        try:
            part.write(text)
            self._undelivered.add(self._id, token)
        except BaseException:
            part.discard()  # here, while no other process can be writing one
            raise
        return path


def message_id(sender: Address, message: bytes) -> bytes:
    """Return 32 bytes that stand for a message from a sender; the text must not come under another name."""
    return hashlib.sha256(sender.encode() + message).digest()

"""Delivery: hand a decrypted text to its reader even if the process may be killed at any instant.

To a file, exactly once:

    in one transaction    decrypt; write the temporary file; record message and file as a pending delivery
    after the commit      rename the temporary file to the target                    this is the delivery
    in a second one       remove the pending delivery

    killed before the commit    nothing happened: the next run decrypts again and removes the temporary file
    killed before the rename    the next run finds the pending delivery and its file, and continues there
    killed after the rename     the next run finds the pending delivery without its file: a duplicate

A temporary file counts only if a pending delivery holds its token. What a killed run left behind, perhaps
torn, is therefore never taken for a text. If two processes deliver one message, the rename succeeds for one
of them, and the other reports a duplicate.

To standard output, at least once:

    in one transaction    decrypt; then roll back
    outside               write the text: a reader may take as long as it likes, and holds up nobody
    in a second one       decrypt once more, and commit

    killed before the second commit    the next run decrypts and writes again

The temporary file lies in the target's directory. Anybody who can write to that directory can change the
target itself, so the temporary file gives them nothing new.

Not here: the table of pending deliveries (_pending_delivery.py).
"""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final

from letterlock._wire.address import Address
from letterlock.cli._output import name_in_errors, sync, write_out
from letterlock.cli._output_file import (
    TemporaryOutput,
    move_into_place,
    new_token,
    require_free,
    target_path,
    temporary_path,
    temporary_paths,
)
from letterlock.cli._pending_delivery import PendingDeliveries
from letterlock.cli._profile import Profile, undone
from letterlock.errors import DuplicateMessage, StoreError

_INTERRUPTED: Final = (
    "this message was decrypted before, by a run that was interrupted: if its text did not arrive, "
    "repeat that run, with -o in the same directory"
)
_DELIVERED_MEANWHILE: Final = "this message was decrypted before: another run has just delivered it"


class Delivery:
    """The delivery of one message from a peer."""

    __slots__ = ("_account", "_id", "_message", "_pending", "_replace", "_sender")

    def __init__(self, profile: Profile, sender: Address, message: bytes, *, replace: bool = False) -> None:
        """`replace` allows that the text replaces an existing file."""
        self._replace = replace
        self._account = profile.account
        self._pending = PendingDeliveries(profile.store)
        self._sender = sender
        self._message = message
        self._id = message_id(sender, message)

    def to_standard_output(self) -> None:
        """Decrypt, write the whole text, then commit. Raises PeerError, TrustError, OSError."""
        write_out(undone(self._account, self._decrypt_undelivered))
        sync()
        # Another run may have committed meanwhile. Then both have written the text.
        with suppress(DuplicateMessage), self._account.transaction():
            self._account.decrypt(self._sender, self._message)

    def _decrypt_undelivered(self) -> bytes:
        if self._pending.find(self._id) is not None:
            raise DuplicateMessage(_INTERRUPTED)
        return self._account.decrypt(self._sender, self._message)

    def to_file(self, name: str) -> None:
        """Decrypt into the file `name`, which appears whole or not at all.

        Raises PeerError, TrustError, UsageError, OSError.
        """
        with name_in_errors(name):
            target = target_path(name)
            temporary = self._prepare(target)
            try:
                move_into_place(temporary, target)
            except FileNotFoundError:
                raise DuplicateMessage(_DELIVERED_MEANWHILE) from None
        # The text has arrived, even if the disk is full now. A row that stays changes nothing: without its
        # file, the message is a duplicate.
        with suppress(StoreError), self._account.transaction():
            self._pending.remove(self._id)

    def _prepare(self, target: Path) -> Path:
        """Return a temporary file that holds the text and is recorded as a pending delivery."""
        purpose, directory = self._id[:8].hex(), target.parent
        with self._account.transaction():
            token = self._pending.find(self._id)
            if token is not None:
                path = temporary_path(directory, purpose, token)
                if not path.exists():
                    raise DuplicateMessage(_INTERRUPTED)
                require_free(target, replace=self._replace)
                return path
            text = self._account.decrypt(self._sender, self._message)
            require_free(target, replace=self._replace)  # if not, the message can be decrypted again
            # The message was not decrypted before, so temporary files for it come from killed runs.
            for left_over in temporary_paths(directory, purpose):
                left_over.unlink(missing_ok=True)
            return self._write(temporary_path(directory, purpose, token := new_token()), token, text)

    def _write(self, path: Path, token: bytes, text: bytes) -> Path:
        temporary = TemporaryOutput(path)
        try:
            temporary.write(text)
            self._pending.add(self._id, token)
        except BaseException:
            temporary.discard()  # now, while the transaction keeps other processes from writing one
            raise
        return path


def message_id(sender: Address, message: bytes) -> bytes:
    """Return 32 bytes that identify a message from a sender.

    The sender is part of the identifier, so a text is never delivered as another sender's.
    """
    return hashlib.sha256(sender.encode() + message).digest()

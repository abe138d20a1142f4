"""A change of what opens a profile: its key file, or its passphrase.

To a key file:

    write the new key to a hidden file, durably                        killed here: the old secret opens
    in one transaction of the store, wrap its data key anew            killed here: the hidden file opens
    rename the hidden file to `store.key` while the store is open
    remove the hidden files of killed runs

To a passphrase:

    in one transaction of the store, wrap its data key anew            killed here: `store.key` is ignored
    remove `store.key` and the hidden files

The store is changed only while nobody else has it open [STO-17]. So a hidden file that was there before is
nobody's who could still change the store to its key, and may be removed once the store has changed.

Not here: which secret a command opens the profile with (_profile.py).
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Final

from letterlock.cli._alone import alone_in
from letterlock.cli._key_file import KEY_NAME, NEW_KEY, new_key, new_key_paths, write_key
from letterlock.cli._output_file import move_into_place, sync_directory
from letterlock.cli._passphrase import replacing_passphrase
from letterlock.cli._profile import open_complete, profile_directory, store_opened_with
from letterlock.errors import StoreBusy, UsageError
from letterlock.stores import SqliteStore
from letterlock.stores._sqlite import OpenedWith

_BUSY: Final = "another `letterlock rekey`, or an enrolment, works in this profile: wait until it ends"


def rekey_profile(home: str | None, to: OpenedWith | None) -> OpenedWith:
    """Change the profile's key or passphrase, to the same kind unless `to` says which; return the kind.

    Raises UsageError, WrongKey for the old secret, StoreBusy, StoreError, OSError.
    """
    directory = profile_directory(home)
    with _alone(directory), open_complete(home) as store:
        to = to or store_opened_with(directory)
        if to is OpenedWith.PASSPHRASE:
            _to_passphrase(store, directory)
            return to
        _to_key_file(store, directory)
        return OpenedWith.KEY


def _alone(directory: Path) -> AbstractContextManager[None]:
    """Keep other runs of this command out: each would wait until the others have closed the store."""
    if not directory.is_dir():
        return nullcontext()
    return alone_in(directory, StoreBusy(_BUSY))


def _to_key_file(store: SqliteStore, directory: Path) -> None:
    if (directory / KEY_NAME).is_symlink():
        raise UsageError(
            f"{KEY_NAME} is a link, and another profile may use the key that it leads to: put a copy of that "
            "key in place of the link, then repeat the command"
        )
    left_over, key = new_key_paths(directory), new_key()
    temporary = write_key(directory, NEW_KEY, key)
    try:
        store.rekey(key=key)
    except (StoreBusy, UsageError):
        temporary.discard()
        raise
    # After any other error the store may have changed, and then the hidden file holds its only key.
    with suppress(FileNotFoundError):  # another command opened the store since, and has renamed the file
        move_into_place(temporary.path, directory / KEY_NAME)
    _remove(left_over)


def _to_passphrase(store: SqliteStore, directory: Path) -> None:
    passphrase, left_over = replacing_passphrase(), new_key_paths(directory)
    store.rekey(passphrase=passphrase)
    _remove([directory / KEY_NAME, *left_over])
    sync_directory(directory)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)

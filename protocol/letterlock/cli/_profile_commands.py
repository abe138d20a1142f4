"""The commands about the user's own profile: init, backup, rekey, bundle.

Not here: what a profile consists of (_profile.py), how its key is changed (_rekey.py).
"""

from argparse import Namespace

from letterlock._wire.armor import armor
from letterlock._wire.bundle import PrekeyBundle
from letterlock.account import Account
from letterlock.cli._key_file import KEY_NAME
from letterlock.cli._output import say
from letterlock.cli._output_file import require_output, writer_to
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.cli._profile import address_of, create_profile, open_complete, open_profile, require_clock
from letterlock.cli._rekey import rekey_profile
from letterlock.errors import UsageError
from letterlock.stores._sqlite import OpenedWith


def init(arguments: Namespace) -> None:
    """Make a profile; print its name and identity key. Raises UsageError, StoreError, OSError."""
    require_clock()
    address = address_of(arguments.name)
    account = create_profile(
        arguments.home, lambda store: Account.create(store, address), passphrase=arguments.passphrase
    )
    say(f"{account.address.name}, identity key {account.identity.data.hex()}")


def backup(arguments: Namespace) -> None:
    """Copy the profile's store to a new file. Raises UsageError, StoreError, OSError."""
    if arguments.file == STANDARD_STREAM:
        raise UsageError("a backup is a database, which cannot be written to a stream: name a new file")
    with open_complete(arguments.home) as store:
        store.backup(arguments.file)


def rekey(arguments: Namespace) -> None:
    """Change what opens the profile, and say what that is now. Raises UsageError, StoreError, OSError."""
    to = OpenedWith.PASSPHRASE if arguments.to_passphrase else OpenedWith.KEY if arguments.to_key else None
    opened_with = rekey_profile(arguments.home, to)
    what = "passphrase" if opened_with is OpenedWith.PASSPHRASE else KEY_NAME
    say(f"the new {what} opens this profile; earlier backups open with what opened it before")


def bundle(arguments: Namespace) -> None:
    """Print a fresh prekey bundle, once its prekeys are stored. Raises UsageError, StoreError, OSError."""
    require_output(arguments.output, binary=not arguments.armor, replace=arguments.force)
    require_clock()
    with open_profile(arguments.home) as profile, writer_to(arguments.output) as write:
        data = _bundle(profile.account, arguments).encode()
        write(armor(data) if arguments.armor else data)


def _bundle(account: Account, arguments: Namespace) -> PrekeyBundle:
    if arguments.last_resort:
        return account.publish(0, rotate=arguments.rotate).last_resort_bundle()
    return next(account.publish(1, rotate=arguments.rotate).bundles())

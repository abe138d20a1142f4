"""The commands about the user's own profile: init, backup, bundle.

Not here: what a profile consists of (_profile.py).
"""

from argparse import Namespace

from letterlock._wire.armor import armor
from letterlock._wire.bundle import PrekeyBundle
from letterlock.account import Account
from letterlock.cli._output import say
from letterlock.cli._output_file import require_output, writer_to
from letterlock.cli._parser import STANDARD_STREAM
from letterlock.cli._profile import address_of, create_profile, open_profile, require_clock
from letterlock.errors import UsageError


def init(arguments: Namespace) -> None:
    """Make a profile; print its name and identity key. Raises UsageError, StoreError, OSError."""
    require_clock()
    account = create_profile(arguments.home, address_of(arguments.name), passphrase=arguments.passphrase)
    say(f"{account.address.name}, identity key {account.identity.data.hex()}")


def backup(arguments: Namespace) -> None:
    """Copy the profile's store to a new file. Raises UsageError, StoreError, OSError."""
    if arguments.file == STANDARD_STREAM:
        raise UsageError("a backup is a database, which cannot be written to a stream: name a new file")
    with open_profile(arguments.home) as profile:
        profile.store.backup(arguments.file)


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

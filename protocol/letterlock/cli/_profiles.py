"""The commands about one's own profile: init, bundle.

Not here: how a profile is kept (profile.py).
"""

from argparse import Namespace

from letterlock._wire.armor import armor
from letterlock.cli._files import output, require_output
from letterlock.cli._output import say
from letterlock.cli._profile import address_of, create, opened


def init(arguments: Namespace) -> None:
    """Make a profile, and print who it is."""
    account = create(arguments.home, address_of(arguments.name), passphrase=arguments.passphrase)
    say(f"{account.address.name}, identity key {account.identity.data.hex()}")


def bundle(arguments: Namespace) -> None:
    """Print a fresh bundle. Its prekeys are stored before anybody can see it."""
    require_output(arguments.output, binary=not arguments.armor)
    with opened(arguments.home) as profile, output(arguments.output) as write:
        data = profile.account.bundle().encode()
        write(armor(data) if arguments.armor else data)

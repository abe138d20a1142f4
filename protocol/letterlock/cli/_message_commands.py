"""The commands `letterlock encrypt` and `letterlock decrypt`.

    encrypt      commit the new state, then write the message    a kill wastes a message number at worst
    decrypt      write the text, then commit the new state       a kill loses no message (_delivery.py)

Not here: how files are written (_output_file.py).
"""

from argparse import Namespace

from letterlock._wire.armor import armor
from letterlock.cli._delivery import Delivery
from letterlock.cli._input import read_message, read_text
from letterlock.cli._output_file import require_output, writer_to
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.cli._profile import address_of, open_profile


def encrypt(arguments: Namespace) -> None:
    """Encrypt a file or standard input. Raises UsageError, StoreError, OSError."""
    address = address_of(arguments.to)
    require_output(arguments.output, binary=not arguments.armor, replace=arguments.force)
    with open_profile(arguments.home) as profile:
        text = read_text(arguments.file)
        with writer_to(arguments.output) as write:
            # encrypt() commits before it returns. A message written before the commit could be sent, or
            # copied by a backup; after a kill its key would then encrypt a second message.
            message = profile.account.encrypt(address, text)
            write(armor(message) if arguments.armor else message)


def decrypt(arguments: Namespace) -> None:
    """Decrypt a message, binary or armored, from a file or standard input.

    Raises PeerError, TrustError, UsageError, StoreError, OSError.
    """
    address = address_of(arguments.sender)
    # A repeated command reports that the message was decrypted, so an existing file is looked at later.
    require_output(arguments.output, binary=False, replace=True)
    with open_profile(arguments.home) as profile:
        delivery = Delivery(profile, address, read_message(arguments.file), replace=arguments.force)
        if arguments.output is None or arguments.output == STANDARD_STREAM:
            delivery.to_standard_output()
        else:
            delivery.to_file(arguments.output)

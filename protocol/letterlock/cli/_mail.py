"""The commands that messages go through: encrypt, decrypt.

    encrypt      commit the new state, then write       a kill loses a number, and shows no message twice
    decrypt      write the text, then commit            a kill loses no message (delivery.py)

Not here: how files are written (files.py).
"""

from argparse import Namespace

from letterlock._wire.armor import armor
from letterlock.cli._delivery import Delivery
from letterlock.cli._files import STREAM, output, read_message, read_text, require_output
from letterlock.cli._profile import address_of, opened


def encrypt(arguments: Namespace) -> None:
    """Encrypt a file or standard input."""
    address = address_of(arguments.to)
    require_output(arguments.output, binary=not arguments.armor)
    with opened(arguments.home) as profile:
        text = read_text(arguments.file)
        with output(arguments.output) as write:
            # Committed when it returns. A message on the disk before that could be sent, or copied by a
            # backup, and then its key used again for another one.
            message = profile.account.encrypt(address, text)
            write(armor(message) if arguments.armor else message)


def decrypt(arguments: Namespace) -> None:
    """Decrypt a file or standard input, binary or armored."""
    address = address_of(arguments.sender)
    require_output(arguments.output, binary=False)
    with opened(arguments.home) as profile:
        delivery = Delivery(profile, address, read_message(arguments.file))
        if arguments.output is None or arguments.output == STREAM:
            delivery.to_standard_output()
        else:
            delivery.to_file(arguments.output)

"""The commands about peers: add, accept, safety-number, peers.

Not here: messages (mail.py).
"""

import sys
from argparse import Namespace

from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import InitialMessage
from letterlock.cli._files import read_message
from letterlock.cli._output import say
from letterlock.cli._profile import address_of, opened
from letterlock.errors import AddressMismatch, MalformedMessage, TrustError, UsageError


def add(arguments: Namespace) -> None:
    """Begin a session with the owner of a bundle."""
    address = address_of(arguments.name)
    with opened(arguments.home) as profile:
        profile.account.initiate(address, PrekeyBundle.decode(read_message(arguments.file)))


def peers(arguments: Namespace) -> None:
    """Print the known peers: name, tab, identity key."""
    with opened(arguments.home) as profile:
        for peer in profile.account.peers():
            say(f"{peer.address.name}\t{peer.identity.data.hex()}")


def safety_number(arguments: Namespace) -> None:
    """Print the safety number: twelve groups of five digits."""
    with opened(arguments.home) as profile:
        say(str(profile.account.safety_number(address_of(arguments.name))))


def accept(arguments: Namespace) -> None:
    """Trust the identity key in a bundle or first message, once the person has compared the number."""
    address = address_of(arguments.name)
    with opened(arguments.home) as profile:
        identity = _identity(read_message(arguments.file), address)
        known = {peer.address: peer.identity.data for peer in profile.account.peers()}
        if address not in known:
            raise UsageError(f"nothing is known of {address.name} yet: `letterlock add` its bundle first")
        if known[address] == identity:
            say(f"this identity key of {address.name} is trusted already")
            return
        say(f"safety number with {address.name}: {profile.account.safety_number(address, identity)}")
        if not arguments.yes:
            _confirm(address)
        profile.account.accept_identity(address, identity)
        say(f"the new identity key of {address.name} is trusted; earlier sessions were deleted")
        say("to go on, `letterlock add` its bundle, or `letterlock decrypt` its first message")


def _identity(data: bytes, address: Address) -> bytes:
    """Return the identity key that a bundle or a first message brings. Raises PeerError."""
    match peek_kind(data):
        case Kind.BUNDLE:
            bundle = PrekeyBundle.decode(data)
            bundle.verify()
            if bundle.address != address:
                raise AddressMismatch("the bundle belongs to another address: nothing to accept")
            return bundle.identity.data
        case Kind.INITIAL:
            # Nothing vouches for it yet. That is what comparing the number is for.
            return InitialMessage.decode(data).header.identity.data
        case Kind.RATCHET | Kind.TRIPLE | Kind.PUBLICATION:
            raise MalformedMessage("neither a bundle nor a first message: nothing here brings an identity")


def _confirm(address: Address) -> None:
    """Return if the person says yes. Raises UsageError if there is nobody to ask, TrustError for no."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("nobody to confirm it: run this on a terminal, or with --yes once you have compared")
    say(f"compare it with {address.name} over another channel. type yes if it is the same:")
    if sys.stdin.readline().strip().lower() != "yes":
        raise TrustError("not accepted: nothing was changed")

"""The commands about peers: add, accept, safety-number, peers.

Not here: messages (_message_commands.py).
"""

import sys
from argparse import Namespace

from letterlock._handshake.bundle_signature import verify_bundle
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import InitialMessage
from letterlock.account import Account
from letterlock.cli._input import read_message
from letterlock.cli._output import say
from letterlock.cli._profile import address_of, open_profile, undone
from letterlock.errors import AddressMismatch, MalformedMessage, TrustError, UsageError


def add(arguments: Namespace) -> None:
    """Begin a session with the owner of a bundle. Raises PeerError, TrustError, UsageError, StoreError.

    Repeated after a kill, it says that the session exists: the bundle itself can be used only once.
    """
    address = address_of(arguments.name)
    with open_profile(arguments.home) as profile:
        account, bundle = profile.account, PrekeyBundle.decode(read_message(arguments.file))
        with account.transaction():
            try:
                account.initiate(address, bundle, discard_earlier=arguments.discard_earlier)
            except UsageError:
                if not _is_begun(account, address, bundle, alone=arguments.discard_earlier):
                    raise
                say(f"this bundle was added before, and you write to {address.name} in its session")


def _is_begun(account: Account, address: Address, bundle: PrekeyBundle, *, alone: bool) -> bool:
    """Return whether we write in a session that began with this bundle, and that nobody has answered.

    `alone`: and there is no earlier session. Once it is answered, nothing shows how it began.
    """
    session = account.session(address)
    if session is None or session.answered or (alone and session.archived):
        return False
    # Only its first messages show the prekeys. This one is undone, and nobody sees it.
    header = InitialMessage.decode(undone(account, lambda: account.encrypt(address, b""))).header
    return (header.signed_prekey_id, header.one_time_prekey_id, header.kem and header.kem.prekey_id) == (
        bundle.signed.id,
        bundle.one_time and bundle.one_time.id,
        bundle.kem and bundle.kem.id,
    )


def peers(arguments: Namespace) -> None:
    """Print each known peer on a line: name, tab, identity key (64 hexadecimal digits)."""
    with open_profile(arguments.home) as profile:
        for peer in profile.account.peers():
            say(f"{peer.address.name}\t{peer.identity.data.hex()}")


def safety_number(arguments: Namespace) -> None:
    """Print the safety number: twelve groups of five digits. Raises NoSession for an unknown peer."""
    with open_profile(arguments.home) as profile:
        say(str(profile.account.safety_number(address_of(arguments.name))))


def accept(arguments: Namespace) -> None:
    """Trust the identity key in a bundle or first message, once the user has compared the safety number.

    Raises PeerError, TrustError if the user says no, UsageError, StoreError.
    """
    address = address_of(arguments.name)
    with open_profile(arguments.home) as profile:
        identity = _identity_in(read_message(arguments.file), address)
        known = {peer.address: peer.identity.data for peer in profile.account.peers()}
        if address not in known:
            raise UsageError(f"{address.name} is not a known peer: `letterlock add` their bundle first")
        if known[address] == identity:
            say(f"this identity key of {address.name} is already trusted")
            return
        say(f"safety number with {address.name}: {profile.account.safety_number(address, identity)}")
        if not arguments.yes:
            _confirm(address)
        profile.account.accept_identity(address, identity)
        say(f"the new identity key of {address.name} is trusted; earlier sessions were deleted")
        say("to continue, `letterlock add` their bundle, or `letterlock decrypt` their first message")


def _identity_in(data: bytes, address: Address) -> bytes:
    """Return the identity key (32 bytes) in a bundle or a first message. Raises PeerError."""
    match peek_kind(data):
        case Kind.BUNDLE:
            bundle = PrekeyBundle.decode(data)
            verify_bundle(bundle)
            if bundle.address != address:
                text = "the bundle belongs to another address: nothing to accept"
                raise AddressMismatch(text, address, bundle.address)
            return bundle.identity.data
        case Kind.INITIAL:
            # Nothing authenticates this key yet. The user does, by comparing the safety number.
            return InitialMessage.decode(data).header.identity.data
        case Kind.RATCHET | Kind.TRIPLE | Kind.PUBLICATION:
            raise MalformedMessage("this holds no identity key: give a bundle or a first message")


def _confirm(address: Address) -> None:
    """Ask the user. Raises UsageError if there is no terminal to ask on, TrustError if the answer is no."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask on: run this on a terminal, or with --yes once you have compared"
        )
    say(f"compare it with {address.name} over another channel. type yes if it is the same:")
    if sys.stdin.readline().strip().lower() != "yes":
        raise TrustError("not accepted: nothing was changed")

"""Signatures of devices that call without a token, to log in or to ask for newer lists.

Whoever calls learns nothing about who is registered: for a device that is not listed, a key that nobody has
is tried in its place, so that the answer takes as long. [RLY-7]

Not here: what is signed (_wire/relay_login.py, _wire/relay_newer.py).
"""

from collections.abc import Callable

from letterlock._primitives.ed25519 import Ed25519KeyPair, verify_edwards
from letterlock._primitives.entropy import Entropy
from letterlock.errors import InvalidSignature


class CallerSignatures:
    """Checks signatures for the names of one relay."""

    __slots__ = ("_names", "_nobody")

    def __init__(self, names: tuple[str, ...], entropy: Entropy) -> None:
        self._names = names
        # Its seed is thrown away, so that nobody can sign under it.
        self._nobody = Ed25519KeyPair.generate(entropy).public.data

    def is_good(self, key: bytes | None, signature: bytes, signed: Callable[[str], bytes]) -> bool:
        """Return whether a key signed, for a name of this relay, what `signed` returns for the name.

        Without a key the answer is False, after the same work.
        """
        found = any(
            _verifies(self._nobody if key is None else key, signed(name), signature) for name in self._names
        )
        return found and key is not None


def _verifies(key: bytes, signed: bytes, signature: bytes) -> bool:
    try:
        verify_edwards(key, signed, signature)
    except InvalidSignature:
        return False
    return True

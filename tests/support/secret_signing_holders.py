"""One of everything of the user layer that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Final

from letterlock._primitives.composite import CompositeSeed, DeviceSigningKeyPair
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.mldsa import MlDsa65KeyPair, MlDsaSeed
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from support.secret_pq_holders import MATERIAL

SIGNING_SECRETS: Final = ["CompositeSeed", "Ed25519Seed", "MlDsaSeed", "XWingSeed"]
SIGNING_ABSTRACT: Final = {"CompositeKeyPair"}

ml_dsa: Final = MlDsa65KeyPair(MlDsaSeed(MATERIAL[:32]))
edwards: Final = Ed25519KeyPair(Ed25519Seed(MATERIAL[32:]))
signing: Final = DeviceSigningKeyPair(CompositeSeed(MATERIAL))
xwing: Final = XWingKeyPair(XWingSeed(MATERIAL[:32]))

SIGNING_TABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "MlDsa65KeyPair": (lambda: ml_dsa, "<MlDsa65KeyPair: {DSA}>"),
    "XWingKeyPair": (lambda: xwing, "<XWingKeyPair: {XWING}>"),
    "Ed25519KeyPair": (lambda: edwards, "<Ed25519KeyPair: {ED}>"),
    "DeviceSigningKeyPair": (
        lambda: signing,
        "<DeviceSigningKeyPair: DeviceSigningKey(ml_dsa={DSA}, ed25519={ED})>",
    ),
}


def signing_words() -> dict[str, str]:
    """What stands for public parts in the table."""
    return {
        "DSA": f"MlDsa65PublicKey({ml_dsa.public.data[:8].hex()}...)",
        "XWING": f"XWingPublicKey({xwing.public.data[:8].hex()}...)",
        "ED": f"Ed25519PublicKey({edwards.public.data.hex()})",
    }

"""One of everything that signs and holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Final

from letterlock._primitives.composite import CompositeSeed, DeviceSigningKeyPair
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.mldsa import MlDsa65KeyPair, MlDsaSeed
from support.secret_pq_holders import MATERIAL

SIGNING_SECRETS: Final = ["CompositeSeed", "Ed25519Seed", "MlDsaSeed"]
SIGNING_ABSTRACT: Final = {"CompositeKeyPair"}

ml_dsa: Final = MlDsa65KeyPair(MlDsaSeed(MATERIAL[:32]))
edwards: Final = Ed25519KeyPair(Ed25519Seed(MATERIAL[32:]))
signing: Final = DeviceSigningKeyPair(CompositeSeed(MATERIAL))

SIGNING_TABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "MlDsa65KeyPair": (lambda: ml_dsa, "<MlDsa65KeyPair: {DSA}>"),
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
        "ED": f"Ed25519PublicKey({edwards.public.data.hex()})",
    }

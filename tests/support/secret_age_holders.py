"""One of everything of age files that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Final

from letterlock._primitives.curve25519 import EphemeralKeyPair, PrivateKey
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock.cli._age_identity import ClassicIdentity, HybridIdentity
from support.secret_pq_holders import MATERIAL

AGE_SECRETS: Final = ["AgeFileKey", "AgePayloadKey"]

AGE_TABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "ClassicIdentity": (
        lambda: ClassicIdentity(EphemeralKeyPair.from_private(PrivateKey(MATERIAL[:32]))),
        "ClassicIdentity()",
    ),
    "HybridIdentity": (
        lambda: HybridIdentity(XWingKeyPair(XWingSeed(MATERIAL[:32]))),
        "HybridIdentity()",
    ),
}

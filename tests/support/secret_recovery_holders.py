"""One of everything of recovery that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Any, Final

from letterlock._primitives.voprf import Blinding
from support.secret_pq_holders import MATERIAL

RECOVERY_SECRETS: Final = ["OprfOutput", "OprfSeed"]

SECRET: Final = MATERIAL[:32]

RECOVERY_TABLE: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "Blinding": (lambda: Blinding(SECRET), "<Blinding>"),
}

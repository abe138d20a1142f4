"""What vectors are put to.

    ask(operation, input)    ->  {"out": {...}} or {"error": name}

Not here: this library (library.py), another implementation behind the line protocol (line_client.py).
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

Answer: TypeAlias = Mapping[str, Any]
"""`{"out": output}`, or `{"error": name}` for a refusal."""


class Responder(Protocol):
    """An implementation that answers operations."""

    def ask(self, operation: str, given: Mapping[str, Any]) -> Answer:
        """Return the answer to one operation."""
        ...

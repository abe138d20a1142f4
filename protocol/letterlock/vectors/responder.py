"""Whom vectors are put to.

    ask(operation, input)    ->  {"out": {...}} or {"error": name}

Not here: another implementation, behind the line protocol (cli/_line_client.py).
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from letterlock.errors import LetterlockError
from letterlock.vectors.table import run

Answer: TypeAlias = Mapping[str, Any]
"""`{"out": output}`, or `{"error": name}` for a refusal."""


class Responder(Protocol):
    """Whoever answers an operation."""

    def ask(self, operation: str, given: Mapping[str, Any]) -> Answer:
        """Return the answer."""
        ...


class Ourselves:
    """This implementation, in this process."""

    def ask(self, operation: str, given: Mapping[str, Any]) -> Answer:
        """See Responder."""
        try:
            return {"out": run(operation, given)}
        except LetterlockError as error:
            return {"error": type(error).__name__}

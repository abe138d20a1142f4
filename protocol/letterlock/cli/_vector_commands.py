"""The commands `vectors check` and `vectors serve`, which the distribution letterlock-vectors brings.

The vectors are larger than the library, and only those who check an implementation need them.

Not here: what the commands do (letterlock_vectors.commands).
"""

from argparse import Namespace
from importlib import import_module
from typing import Any, Final

from letterlock.errors import UsageError

_PACKAGE: Final = "letterlock_vectors"
_MISSING: Final = "the test vectors are not installed: run `python -m pip install letterlock-vectors`"


def check_vectors(arguments: Namespace) -> None:
    """Run the vectors and print the result of each family. Raises UsageError if they are not installed."""
    _commands().check_vectors(arguments.path, as_json=arguments.json, other=arguments.other)


def serve_vectors(_: Namespace) -> None:
    """Answer operations, one line each, until the input ends. Raises UsageError as check_vectors does."""
    _commands().serve_vectors()


def _commands() -> Any:  # noqa: ANN401 - the package may be absent, from a type checker too
    try:
        return import_module(f"{_PACKAGE}.commands")
    except ModuleNotFoundError as error:
        if error.name != _PACKAGE:
            raise
        raise UsageError(_MISSING) from None

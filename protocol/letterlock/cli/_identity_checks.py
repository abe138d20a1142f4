"""The checks of identity that a server of recovery is told by `--identity` or `--recovery-identity`.

Not here: what a check is written like (identity/_settings.py).
"""

from functools import partial
from typing import TYPE_CHECKING, Final

from letterlock.errors import UsageError

if TYPE_CHECKING:
    from letterlock._keyserver._serving import Checks

_NONE: Final = "none"


def checks_named(text: str, server: int) -> "Checks | None":
    """Return what makes the checks of a process of server 1 or 2; None if nobody's identity is checked.

    Checks stand with blanks between them. Raises UsageError for what names none, OSError for a password file
    that cannot be read, before anything is served.
    """
    if text in {"", _NONE}:
        return None
    try:
        from letterlock.identity import checks_of  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise UsageError("checks need more: python -m pip install 'letterlock[identity]'") from error
    make = partial(checks_of, text.split(), server)
    if not make():
        raise UsageError("name a check of identity, or `none`")
    return make

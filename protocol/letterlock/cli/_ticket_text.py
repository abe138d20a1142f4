"""Tickets and challenges as text: base64url without padding.

Not here: what is signed (relay/_ticket_key.py).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from letterlock.errors import UsageError

MOST: Final = 8192
"""Characters of a ticket or a challenge. Both are far shorter."""


def text_of(data: bytes) -> str:
    """Return bytes as text."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def bytes_of(text: str, what: str) -> bytes:
    """Return the bytes of a text. Raises UsageError for a text that is not in base64url."""
    letters = text.strip()
    try:
        data = urlsafe_b64decode(letters + "=" * (-len(letters) % 4)) if len(letters) <= MOST else b""
    except ValueError:
        data = b""
    if not data or text_of(data) != letters:
        raise UsageError(f"this is not {what}: copy the whole of it, and nothing else")
    return data

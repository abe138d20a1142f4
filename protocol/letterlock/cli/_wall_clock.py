"""Times in words, in the time zone of this machine.

Not here: short times in reports (_user_report.py).
"""

from datetime import UTC, datetime


def local_time(seconds: int) -> str:
    """Return a time in words, in the time zone of this machine."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%A, %d %B %Y, at %H:%M %Z")


def whole_minute(seconds: int) -> str:
    """Return the first whole minute that is not before a time: whoever tries again then is not refused."""
    return local_time(seconds + 59)

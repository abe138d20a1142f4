"""Documents: files that are sealed once, shared by grants, and read for years.

    Standing            what the newest device list says of a device that signed
    UnknownAuthor       device lists of an author are needed, or contradict what the author names

Not here: sockets and paths. An application hands in file objects, and carries grants.
"""

from letterlock.documents._errors import UnknownAuthor
from letterlock.documents._signing import Standing

__all__ = ["Standing", "UnknownAuthor"]

"""The test vectors of the letterlock protocol, and what runs them.

    data/          the vectors, one family a file
    Library        answers the operations with the installed letterlock
    check          puts every vector to a Responder, and compares the answers

The commands are `letterlock vectors check` and `letterlock vectors serve`, or `python -m letterlock_vectors`.
"""

from letterlock_vectors.check import Failure, Verdict, check
from letterlock_vectors.files import Family, Test, load, shipped
from letterlock_vectors.library import Library
from letterlock_vectors.responder import Answer, Responder

__all__ = [
    "Answer",
    "Failure",
    "Family",
    "Library",
    "Responder",
    "Test",
    "Verdict",
    "check",
    "load",
    "shipped",
]

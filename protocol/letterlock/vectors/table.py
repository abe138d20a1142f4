"""Every operation, by name: importing this module fills the table in operation.py.

Not here: the operations (one module a room).
"""

from letterlock.vectors.operation import OPERATIONS, run

__all__ = ["OPERATIONS", "run"]

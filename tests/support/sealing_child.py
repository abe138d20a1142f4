"""A process that seals or opens a document, for tests that kill it or bound its memory.

python sealing_child.py resume RECORD SOURCE TARGET     go on, or begin; print each block's end
python sealing_child.py whole MIB LIMIT                 seal and open MIB of content in LIMIT MiB of memory
"""

import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from letterlock.documents._resuming import resume
from letterlock.documents._sealing import Pace, seal
from letterlock.documents._state import SealingState
from support.sealed import AUTHOR, METADATA, Sealed, as_file, chosen, front_of, verify


class Endless(io.RawIOBase):
    """Content of a given length that takes no memory."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.piece = bytes(range(256)) * 4096

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self.left, len(self.piece))
        buffer[:count] = self.piece[:count]
        self.left -= count
        return count


class Counting(io.RawIOBase):
    """Takes everything and keeps nothing."""

    taken = 0

    def write(self, data: Any) -> int:
        self.taken += len(data)
        return len(data)


def go_on(record: str, source: str, target: str) -> None:
    state = SealingState.decode(Path(record).read_bytes())

    def tell(done: int, _: int | None) -> None:
        print(done, flush=True)

    Path(target).touch()
    with Path(source).open("rb") as content, Path(target).open("r+b", buffering=0) as out:
        resume(state, content, out, AUTHOR, chosen(b"again"), Pace(2, tell))


def whole(mib: int, limit: int) -> None:
    """Seal, open in one pass, and read as a file, with all memory bounded, buffers of threads included."""
    from letterlock.documents._opening import open_to

    entropy = chosen()
    state = SealingState.begin(None, 1, METADATA, entropy)
    with tempfile.TemporaryFile() as file:
        before = peak()
        statement = seal(state, Endless(mib << 20), file, AUTHOR, entropy, Pace(2))
        document = Sealed(state, b"", statement)
        file.seek(0)
        out = Counting()
        open_to(front_of(document, file), file, out, verify, Pace(2))
        file.seek(0)
        as_file(document, file).copy_to(out, Pace(2))
        assert out.taken == 2 * (mib << 20)
        print(before, peak())
        assert peak() <= limit, f"{peak()} MiB"


def peak() -> int:
    """Return the most memory that this process has had resident, in MiB."""
    # Not `getrusage`: there a process begins with the most that the one which started it ever had.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024  # type: ignore[index]


if __name__ == "__main__":
    if sys.argv[1] == "resume":
        go_on(*sys.argv[2:])
    else:
        whole(*map(int, sys.argv[2:]))

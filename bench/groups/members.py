"""What a group costs by its number of members: texts, and changes of its members, beside MLS.

    python bench/groups/members.py                       groups of 10, 100 and 1,000
    python bench/groups/members.py --sizes 10 100        quicker

Texts are measured in time of the processor, so that other work counts little, and changes by the clock.
letterlock's users are on disk (admin and reader). MLS is rine-mls, with X-Wing and without, each in a process
of its own: its tree is as it is after everybody was added at once, so most nodes are blank. Its bytes grow
less once all members have sent a commit, which none has here.

Not here: the people (crowd.py), MLS itself (mls.py).
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from comparison.environments import DEFAULT_CACHE, RINE_MLS, CannotInstall  # noqa: E402
from groups.crowd import Crowd, memory_folder  # noqa: E402

TEXT: Final = b"x" * 100
TEXTS: Final = 200
SUITES: Final = {"MLS with X-Wing": "xwing", "MLS with X25519": "classical"}
Row = dict[str, Any]


def letterlock(size: int, rounds: int) -> Row:
    """Return what a group of letterlock costs."""
    with Crowd(size) as crowd:
        crowd.seal(TEXT)  # everybody who is there has the chain of the admin
        add = changed(crowd, size, removes=False)
        times = [crowd.times(TEXT, TEXTS) for _ in range(rounds)]
        remove = changed(crowd, size, removes=True)
        length = len(crowd.seal(TEXT).text)
    found: Row = {"add": add, "remove": remove, "bytes": length}
    return found | {"seal": [each[0] for each in times], "open": [each[1] for each in times]}


def changed(crowd: Crowd, size: int, *, removes: bool) -> Row:
    """Return what the last member costs, to the first text of the admin afterwards."""
    sent, inside, entry, spent = crowd.change(removes=removes)
    chains = crowd.deliver(crowd.at.encrypt(crowd.group, TEXT))
    inside += sum(len(each.message) for each in chains)
    # Everybody else gets the entry; each message goes to one device.
    down = inside + entry * (size - 1)
    return {"messages": sent + len(chains), "up": inside + entry, "down": down, "ms": spent}


def mls(suite: str, size: int, rounds: int, cache: Path) -> Row:
    """Return what a group of MLS costs. Raises CannotInstall."""
    if not RINE_MLS.is_ready(cache):
        RINE_MLS.make(cache)
    numbers = map(str, (size, rounds, TEXTS, len(TEXT)))
    command = [RINE_MLS.program(cache), str(HERE / "mls.py"), suite, *numbers, memory_folder() or ""]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    if done.returncode:
        raise CannotInstall(f"it failed: {done.stderr.strip().splitlines()[-1]}")
    found: Row = json.loads(done.stdout)
    return found


def shown(name: str, size: int, row: Row) -> str:
    """Return a line of the table."""
    seal, open_ = row["seal"], row["open"]
    times = (
        f"{min(seal):.0f}; {statistics.median(seal):.0f} | {min(open_):.0f}; {statistics.median(open_):.0f}"
    )
    changes = " | ".join(
        f"{change['messages']} | {change['up']:,} | {change['down']:,} | {change['ms']:.0f}"
        for change in (row["add"], row["remove"])
    )
    return f"| {name}, {size:,} | {times} | {row['bytes']} | {changes} |"


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="What a group costs by its number of members.")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--rounds", type=int, default=5, help="of 200 texts (5)")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help=f"for peers ({DEFAULT_CACHE})")
    parser.add_argument("--without-mls", action="store_true")
    asked = parser.parse_args()
    head = "members | seal, us | open, us | text, B"
    for change in ("add", "remove"):
        head += f" | {change}: messages | up, B | down, B | ms"
    print(f"| {head} |")
    print("|---" * (head.count("|") + 1) + "|")
    missing, cache = "", asked.cache.expanduser()
    for size in asked.sizes:
        print(shown("letterlock", size, letterlock(size, asked.rounds)), flush=True)
        if asked.without_mls or missing:
            continue
        try:
            for name, suite in SUITES.items():
                print(shown(name, size, mls(suite, size, asked.rounds, cache)), flush=True)
        except CannotInstall as error:
            missing = f"\nMLS was not measured: {error}"
    print(missing)
    return 0


if __name__ == "__main__":
    sys.exit(main())

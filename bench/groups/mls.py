"""A group of MLS by rine-mls, for members.py: one line of JSON with times and bytes.

    python mls.py SUITE SIZE ROUNDS TEXTS BYTES FOLDER      SUITE is xwing or classical (X25519)

It has clients of its own for the one who changes the group and for one reader. The others are key packages
of clients that never join, because a removal costs the same without them.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns, process_time_ns
from typing import Any

import rine_mls

SUITES = {"xwing": rine_mls.CIPHER_SUITE_XWING, "classical": rine_mls.CIPHER_SUITE_CLASSICAL}


def clients(folder: Path, count: int, suite: int) -> list[Any]:
    """Return new clients, each with a store of its own."""
    found = []
    for at in range(count):
        root = folder / str(at)
        root.mkdir()
        found.append(rine_mls.MlsClient(str(root), os.urandom(32), suite))
    return found


def times(group: Any, reader: Any, text: bytes, count: int) -> tuple[float, float]:
    """Return microseconds of processor for one text: sealed, and opened."""
    began = process_time_ns()
    sealed = [group.encrypt_application_message(text) for _ in range(count)]
    between = process_time_ns()
    opened = [reader.decrypt_application_message(each).envelope for each in sealed]
    ended = process_time_ns()
    if [bytes(each) for each in opened] != [text] * count:
        raise RuntimeError("what was opened is not what was sealed")
    return (between - began) / count / 1000, (ended - between) / count / 1000


def main() -> None:
    """Measure one size."""
    size, rounds, count, length = map(int, sys.argv[2:6])
    text = os.urandom(length)
    with tempfile.TemporaryDirectory(dir=sys.argv[6] or None) as name:
        admin, second, *others = clients(Path(name), size, SUITES[sys.argv[1]])
        packages = [each.generate_key_package() for each in (second, *others)]
        group = admin.create_group_with_members(os.urandom(16), packages[:-1])
        reader = second.join_from_welcome(group.last_commit().welcomes[0])
        found: dict[str, Any] = {}
        began = perf_counter_ns()
        bundle = group.add_member(packages[-1])
        ended = perf_counter_ns()
        commit, welcome = len(bundle.commit), sum(map(len, bundle.welcomes))
        found["add"] = {
            "messages": 1 + len(bundle.welcomes),
            "up": commit + welcome,
            "down": commit * (size - 1) + welcome,
            "ms": (ended - began) / 1e6,
        }
        reader.apply_commit(bundle.commit)
        spent = [times(group, reader, text, count) for _ in range(rounds)]
        found["seal"], found["open"] = [each[0] for each in spent], [each[1] for each in spent]
        found["bytes"] = len(group.encrypt_application_message(text))
        began = perf_counter_ns()
        commit = len(group.remove_member(size - 1).commit)
        ended = perf_counter_ns()
        found["remove"] = {
            "messages": 1,
            "up": commit,
            "down": commit * (size - 1),
            "ms": (ended - began) / 1e6,
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()

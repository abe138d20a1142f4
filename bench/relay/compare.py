"""A relay beside a bare endpoint and an XMPP server that does the same work, in one run on this machine.

    python bench/relay/compare.py                     SQLite, and what else is installed
    python bench/relay/compare.py --rounds 5 --json FILE

Not here: latency under load (arrivals.py), the arithmetic (README.md).
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from callers import town
from costs import Cost, Work, claims, exchanges, fastest, floors, measure, median, sends
from process import Server, floor, free_port, relay

TASKS: Final = (1, 16)
DEVICES: Final = 40


async def rounds(bare: Server, tested: Server, count: int, works: int) -> dict[str, list[Cost]]:
    """Return the costs of everything, round by round, floor and relay in turns."""
    callers = await town(tested.port, DEVICES)
    plans: dict[str, tuple[Server, list[Iterator[Work]], int]] = {}
    for tasks in TASKS:
        plans[f"floor, {tasks} at once"] = bare, floors(tasks), works
        plans[f"exchange, {tasks} at once"] = tested, exchanges(callers, tasks), works
        # A device hands out 60 single-use bundles an hour, so few are claimed each time.
        plans[f"claim, {tasks} at once"] = tested, claims(callers, tasks), min(works, 200)
        plans[f"send, {tasks} at once"] = tested, sends(callers, tasks), min(works, 400)
    found: dict[str, list[Cost]] = {label: [] for label in plans}
    for _ in range(count):
        for label, (server, plan, size) in plans.items():
            found[label].append(await measure(label, server, plan, size))
    return found


def show(found: dict[str, list[Cost]]) -> None:
    """Print fastest and median, with the ratios that are asked for."""
    print(f"{'':28}{'CPU us: fastest':>16}{'median':>9}{'a second: best':>16}{'median':>9}")
    for label, costs in found.items():
        best, middle = fastest(costs), median(costs)
        print(f"{label:28}{best.cpu_us:16.0f}{middle.cpu_us:9.0f}{best.a_second:16.0f}{middle.a_second:9.0f}")
    for tasks in TASKS:
        end = f", {tasks} at once"
        for pick in (fastest, median):
            bare, whole = pick(found["floor" + end]).cpu_us, pick(found["exchange" + end]).cpu_us
            claim, send = pick(found["claim" + end]).cpu_us, pick(found["send" + end]).cpu_us
            ratios = f"exchange / 3 floors {whole / 3 / bare:.2f}, claim / send {claim / send:.2f}"
            print(f"{pick.__name__}{end}: {ratios}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--works", type=int, default=1000, help="calls a round")
    parser.add_argument("--store", help="URL of the relay's database; a new SQLite file by default")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = arguments.store or f"sqlite:///{folder / 'relay.db'}"
        with floor(folder, free_port()) as bare, relay(folder, free_port(), store) as tested:
            found = asyncio.run(rounds(bare, tested, arguments.rounds, arguments.works))
            print(f"memory: floor {bare.memory() / 1e6:.0f} MB, relay {tested.memory() / 1e6:.0f} MB")
    show(found)
    if arguments.json:
        data = {label: [asdict(each) for each in costs] for label, costs in found.items()}
        arguments.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""How fast documents are sealed, opened and read at random places, beside their floor and other libraries.

    python bench/documents/compare.py [--mib 1024] [--rounds 3] [--folder /dev/shm] [--cache FOLDER]

All contestants take turns within one run, each in a process of its own. Peers are installed into environments
of their own (bench/comparison/environments.py); one that cannot be installed is named as such. The files are
in a folder of memory, because a disk would hide what is measured.

Not here: what each contestant does (worker.py).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from comparison.environments import DEFAULT_CACHE, CannotInstall, Environment

WORKER: Final = Path(__file__).with_name("worker.py")
PROTOCOL: Final = Path(__file__).parents[2] / "protocol"
OURS: Final = ("floor", "floor_with_files", "letterlock", "letterlock_two_threads")
PEERS: Final = {
    "pyrage": Environment("pyrage", "pip", ("pyrage==1.4.0",)),
    "tink": Environment("tink", "pip", ("tink==1.16.1",)),
    "aws": Environment("aws-encryption-sdk", "pip", ("aws-encryption-sdk==4.0.7",)),
    "crypt4gh": Environment("crypt4gh", "pip", ("crypt4gh==1.8.6", "pynacl==1.6.2")),
    "like_tanker": Environment("pynacl", "pip", ("pynacl==1.6.2",)),
}
MIB: Final = 1024 * 1024

Figures = dict[str, dict[str, list[float]]]


def program_of(name: str, cache: Path) -> str:
    """Return the interpreter for a contestant. Raises CannotInstall."""
    if name not in PEERS:
        return sys.executable
    environment = PEERS[name]
    if not environment.is_ready(cache):
        environment.make(cache)
    return environment.program(cache)


def run(program: str, *arguments: object) -> object:
    """Run a worker and return what it prints. Raises CannotInstall if it fails."""
    path = os.pathsep.join((str(PROTOCOL), os.environ.get("PYTHONPATH", "")))
    command = [program, str(WORKER), *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path}
    )
    if done.returncode:
        raise CannotInstall((done.stderr.strip().splitlines() or ["it failed"])[-1])
    found: object = json.loads(done.stdout)
    return found


def turns(folder: Path, rounds: int, cache: Path, names: list[str]) -> tuple[Figures, dict[str, str]]:
    """Return the seconds of each contestant, and why the others could not take part."""
    files = [folder / name for name in ("source", "sealed", "back")]
    figures: Figures = {}
    absent: dict[str, str] = {}
    for _ in range(rounds):
        for name in names:
            try:
                found = absent.get(name) or run(program_of(name, cache), name, *files)
            except CannotInstall as error:
                absent[name] = str(error)
                continue
            if isinstance(found, dict):
                for what, seconds in found.items():
                    figures.setdefault(name, {}).setdefault(what, []).append(seconds)
    return figures, absent


def table(figures: Figures, mib: int) -> list[str]:
    """Return a table in Markdown: MiB for a second of CPU, its ratio to the floor, and MiB a second.

    Each cell has the fastest and the median. Ratios are those to the floor with files.
    """
    heads = [f"{what}: {each}" for what in ("seal", "open") for each in ("MiB / CPU s", "/ floor", "MiB / s")]
    lines = [f"| contestant | {' | '.join(heads)} |", "|---|" + "--:|" * len(heads)]
    base = figures["floor_with_files"]
    for name, times in figures.items():
        cells = []
        for what in ("seal", "open"):
            busy, least = times[f"{what} cpu"], base[f"{what} cpu"]
            ratio = min(least) / min(busy), statistics.median(least) / statistics.median(busy)
            cells += [_rates(mib, busy), f"{ratio[0]:.2f}; {ratio[1]:.2f}", _rates(mib, times[what])]
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return lines


def _rates(mib: int, seconds: list[float]) -> str:
    return f"{mib / min(seconds):,.0f}; {mib / statistics.median(seconds):,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"))
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--only", nargs="*", default=[*OURS, *PEERS])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder if asked.folder.is_dir() else None) as made:
        folder = Path(made)
        with (folder / "source").open("wb") as source:
            for _ in range(asked.mib):
                source.write(os.urandom(MIB))
        figures, absent = turns(folder, asked.rounds, asked.cache.expanduser(), asked.only)
        print("\n".join(table(figures, asked.mib)))
        for name, why in absent.items():
            print(f"\n{name}: not measured: {why}")
        reads = run(sys.executable, "reads", folder / "source", folder / "sealed")
        assert isinstance(reads, list)
        middle, late = statistics.median(reads) * 1000, reads[len(reads) * 99 // 100] * 1000
        print(f"\n4 KiB at a random place: median {middle:.2f} ms, 99 of 100 below {late:.2f} ms")


if __name__ == "__main__":
    main()

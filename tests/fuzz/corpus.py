"""The committed inputs of each target, and where they lie.

corpus/<target>/<name>     raw bytes; a telling name, or the first digits of the SHA-1 of a found one
"""

from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).parent / "corpus"


def folder(target: str) -> Path:
    return CORPUS / target


def inputs(target: str) -> dict[str, bytes]:
    """Return the inputs of a target by name, in order of name."""
    return {each.name: each.read_bytes() for each in sorted(folder(target).iterdir())}


def write_seeds(target: str, seeds: dict[str, bytes]) -> int:
    """Write the inputs that a target makes itself; return how many. What fuzzing found stays."""
    folder(target).mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (folder(target) / name).write_bytes(data)
    return len(seeds)

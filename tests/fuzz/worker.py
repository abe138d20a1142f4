"""One fuzzing process: a target under atheris, with coverage feedback from letterlock alone.

Started by `python -m fuzz`, as `python -m fuzz.worker TARGET [libFuzzer's arguments]`. Every 256th input is
run again with its memory measured.
"""

import random
import sys
import tracemalloc

import atheris

_WEIGHED_EVERY = 256


def main() -> None:
    with atheris.instrument_imports(include=["letterlock"]):
        from fuzz import harness
        from fuzz.targets import load

        harness.watch_time = True
        target = load(sys.argv.pop(1))
    count = 0

    def run(data: bytes) -> None:
        nonlocal count
        count += 1
        target.check(data)
        if count % _WEIGHED_EVERY == 0:
            tracemalloc.start()
            try:
                target.check(data)
            finally:
                tracemalloc.stop()

    def mutate(data: bytes, room: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.2:
            return bytes(atheris.Mutate(data, room))
        return target.mutate(data, rng, room)

    atheris.Setup(sys.argv, run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

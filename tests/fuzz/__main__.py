"""Fuzz one target, from the folder tests/:  python -m fuzz TARGET --seconds 600

Shows libFuzzer's progress, continues after a finding until the time is over, and ends with a summary. Inputs
that were found are kept in the work folder and used again. Each finding is a file there; `--replay` runs it.
"""

import argparse
import sys
from pathlib import Path
from tempfile import gettempdir

from fuzz.campaign import Campaign
from fuzz.corpus import write_seeds
from fuzz.targets import NAMES, load


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=60, help="how long to fuzz (60)")
    parser.add_argument(
        "--work", type=Path, default=Path(gettempdir(), "letterlock-fuzz"), help="where to keep inputs"
    )
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one input alone, without atheris")
    parser.add_argument(
        "--write-seeds", action="store_true", help="write the target's own inputs to the corpus"
    )
    options = parser.parse_args()
    if options.replay:
        load(options.target).check(options.replay.read_bytes())
        print("no property is broken")
        return 0
    if options.write_seeds:
        print(write_seeds(options.target, load(options.target).seeds()), "inputs written")
        return 0
    campaign = Campaign(options.target, options.work)
    campaign.run(options.seconds)
    print(campaign.summary())
    return 1 if campaign.broken else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m letterlock_vectors check` and `serve`: the same as `letterlock vectors check` and `serve`."""

import sys

from letterlock.cli import main

if __name__ == "__main__":
    sys.exit(main(["vectors", *sys.argv[1:]]))

"""`python -m letterlock`: the command line without an installed script. Not here: all of it (cli/)."""

import sys

from letterlock.cli import main

if __name__ == "__main__":
    sys.exit(main())

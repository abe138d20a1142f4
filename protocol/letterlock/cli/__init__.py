"""The `letterlock` command: profiles, messages as files, and a demonstration.

    exit status   0    success
                  1    unexpected failure; a demonstration or a test vector that failed
                  2    your arguments or your profile           UsageError
                  3    the bytes you were given                 PeerError
                  4    a peer's changed identity                TrustError
                  5    the profile's store or its key           StoreError
                  6    files and streams                        OSError
                  130  interrupted

Every failure is one line on standard error. A kill at any instant loses no message, reuses no key and leaves
no half-written file. A text that goes to a file is delivered exactly once (_delivery.py).

Not here: the arguments (_parser.py), error lines (_error_report.py), the table of commands (_main.py).
"""

from letterlock.cli._main import main

__all__ = ["main"]

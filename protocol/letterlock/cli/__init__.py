"""The `letterlock` command: profiles, messages as files, and a demonstration.

    exit status   0    done
                  1    something unexpected; a demonstration that failed
                  2    your arguments or your profile           UsageError
                  3    the bytes you were given                 PeerError
                  4    a peer's changed identity                TrustError
                  5    the profile's store or its key           StoreError
                  6    files and streams                        OSError
                  130  interrupted

Every failure is one line on standard error. Nothing is half done: a kill at any instant loses no message,
delivers none twice (delivery.py says what standard output can promise), reuses no key, leaves no half file.

Not here: the arguments (parser.py), what a failure says (report.py), the commands (program.py has the table).
"""

from letterlock.cli._program import main

__all__ = ["main"]

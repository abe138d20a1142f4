"""`python -IS fork_client.py SOCKET ARGUMENT...` is `python ARGUMENT...`, begun as a fork: for shell scripts.

It imports little, so that it begins quickly itself. It passes signals on, and ends as the program does.

Not here: the process that forks (forks.py).
"""

import json
import os
import signal
import socket
import sys


def main(path: str, arguments: list[str]) -> None:
    told, tells = os.pipe()
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(path)
        request = {"arguments": arguments, "cwd": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109 (no pathlib)
        socket.send_fds(control, [json.dumps(request).encode() + b"\n"], [0, 1, 2, tells])
        control.recv(1)
    os.close(tells)
    with os.fdopen(told) as lines:
        program = int(lines.readline())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: os.kill(program, number))
        status = int(lines.readline())
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

"""Programs that are killed: one writes to Bob, and one reads for him, each in transactions of its own.

    client_programs.py write STORE COUNT     sends numbers, and notes each in the transaction that sends it
    client_programs.py read STORE            notes each number in the transaction that finishes it

Both say `ready`, and go on from where a killed one was. Several may share a store. The table has the numbers,
as often as they came.
"""

import sys
from contextlib import suppress
from typing import Any, Final

from letterlock.client import AlreadyDone, SyncClient

KEY: Final = bytes(32)
TABLE: Final = "CREATE TABLE IF NOT EXISTS numbers (number INTEGER)"


def execute(client: SyncClient, text: str, *values: object) -> list[Any]:
    """Run a statement in the store's thread."""
    return client.run(lambda: client.store.connection.execute(text, values).fetchall())


def write(client: SyncClient, count: int) -> None:
    ((done,),) = execute(client, "SELECT COUNT(*) FROM numbers")
    for number in range(done, count):
        with client.transaction():
            client.send("bob", b"%d" % number)
            execute(client, "INSERT INTO numbers VALUES (?)", number)
    client.flush(60)
    print("done", flush=True)


def read(client: SyncClient) -> None:
    for message in client.messages():
        with suppress(AlreadyDone), client.transaction():  # another program with this store had it
            execute(client, "INSERT INTO numbers VALUES (?)", int(message.body))
            message.done()


def main() -> None:
    what, path, *rest = sys.argv[1:]
    with SyncClient.open(path, key=KEY) as client:
        execute(client, TABLE)
        print("ready", flush=True)
        if what == "write":
            write(client, int(rest[0]))
        else:
            read(client)


if __name__ == "__main__":
    main()

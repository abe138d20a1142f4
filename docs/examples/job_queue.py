"""A job queue in the store's own file: worker processes encrypt, fail at times, and try again.

The letter is saved in the transaction that encrypts it. So a job that failed has used no key, and a job that
is run twice finds its letter. Each worker process opens the store for itself, once.

Prints:

    jobs: 30
    letters: 30
    read by their recipients: 30
"""

import multiprocessing
import random
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from letterlock import Account, Address, MemoryStore, PrekeyBundle, SqliteStore, StoreBusy

JOBS, PEERS, WORKERS = 30, 3, 2
KEY = b"k" * 32  # use 32 random bytes for anything but an example
JOB = "CREATE TABLE job (id INTEGER PRIMARY KEY, peer TEXT, bundle BLOB, text BLOB, letter BLOB)"


class Worker:
    """What a process keeps open between jobs."""

    account: Account
    store: SqliteStore


def open_store(path: Path) -> None:
    """Open the store in a new worker process. A copy that a fork made would refuse to work."""
    Worker.store = SqliteStore(path, key=KEY)
    Worker.account = Account.open(Worker.store)


def run_job(number: int) -> None:
    """Encrypt one text and save the letter, unless an earlier run has done so."""
    account, store = Worker.account, Worker.store
    with account.transaction():
        find = "SELECT peer, bundle, text FROM job WHERE id = ? AND letter IS NULL"
        found = store.connection.execute(find, (number,)).fetchone()
        if found is None:
            return
        peer, bundle, text = Address(found[0]), found[1], found[2]
        if account.session(peer) is None:  # a bundle can be used only once
            account.initiate(peer, PrekeyBundle.decode(bundle))
        letter = account.encrypt(peer, text)
        if random.random() < 0.2:
            raise ConnectionError("a job that fails: nothing of it has happened")
        store.connection.execute("UPDATE job SET letter = ? WHERE id = ?", (letter, number))


def run_all(path: Path) -> None:
    """Run every job until it has succeeded. `StoreBusy` means that nothing happened, too."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, context, initializer=open_store, initargs=(path,)) as pool:
        left = set(range(JOBS))
        while left:
            running = {pool.submit(run_job, number): number for number in left}
            for done in as_completed(running):
                if not isinstance(done.exception(), ConnectionError | StoreBusy):
                    done.result()
                    left.discard(running[done])


def main(folder: Path) -> None:
    path = folder / "sender.db"
    names = [f"peer{number}" for number in range(PEERS)]
    accounts = {name: Account.create(MemoryStore(), Address(name)) for name in names}
    bundles = {name: account.bundle().encode() for name, account in accounts.items()}

    with SqliteStore(path, key=KEY) as store, store.transaction():
        sender = Account.create(store, Address("sender")).address
        store.connection.execute(JOB)
        for number in range(JOBS):
            name = names[number % PEERS]
            row = (number, name, bundles[name], b"text %d" % number)
            store.connection.execute("INSERT INTO job VALUES (?, ?, ?, ?, NULL)", row)
    print("jobs:", JOBS)

    run_all(path)

    with SqliteStore(path, key=KEY) as store, store.transaction():
        rows = store.connection.execute("SELECT peer, text, letter FROM job").fetchall()
    print("letters:", len({letter for _, _, letter in rows}))
    random.shuffle(rows)
    read = [accounts[peer].decrypt(sender, letter) == text for peer, text, letter in rows]
    print("read by their recipients:", sum(read))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))

"""Write seeds for all fuzz targets: records of every state, with entropy, their next message or a late one.

    PYTHONPATH=tests python tests/native/write_seeds.py        where letterlock-fast is installed

Input of a target: the length of a record in two bytes, the record, then entropy or a message; before a late
message two keys of 32 bytes. Input of `group` is the content of a text, or a text.
"""

import hashlib
from pathlib import Path

from letterlock._primitives.native import NATIVE
from letterlock._wire.group_content import GroupContent, Heard
from letterlock._wire.suite import Suite
from support.group_chains import pair
from support.mirror import gaps, lates, samples

CORPUS = Path(__file__).parents[2] / "protocol" / "fast" / "fuzz" / "corpus"

if NATIVE is None:
    raise SystemExit("letterlock-fast is not installed, or switched off")


def write(target: str, record: bytes, rest: bytes) -> None:
    save(target, len(record).to_bytes(2, "big") + record + rest)


def save(target: str, seed: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


for suite in Suite:
    for record, message in samples(suite, NATIVE) + gaps(suite, NATIVE):
        write("send", record, bytes(sum(NATIVE.draws(record))))
        write("receive", record, message)
    for record, message, keys in lates(suite, NATIVE):
        write("late", record, b"".join(keys).ljust(64, b"0") + message)
for heads in range(3):
    heard = tuple(Heard(member, 1, 0, 9, bytes(32)) for member in range(heads))
    save("group", GroupContent(bytes(32), heard, b"text").encode())
    save("group", pair().send(b"text", *heard).encoded)

"""Write seeds for both fuzz targets: records of every state, with entropy or with their next message.

    PYTHONPATH=tests python tests/native/write_seeds.py        where letterlock-fast is installed

Input of a target: the length of a record in two bytes, the record, then entropy or a message.
"""

import hashlib
from pathlib import Path

from letterlock._primitives.native import NATIVE
from letterlock._wire.suite import Suite
from support.mirror import gaps, samples

CORPUS = Path(__file__).parents[2] / "protocol" / "fast" / "fuzz" / "corpus"

if NATIVE is None:
    raise SystemExit("letterlock-fast is not installed, or switched off")
for suite in Suite:
    for record, message in samples(suite, NATIVE) + gaps(suite, NATIVE):
        entropy = bytes(sum(NATIVE.draws(record)))
        for target, rest in (("send", entropy), ("receive", message)):
            seed = len(record).to_bytes(2, "big") + record + rest
            folder = CORPUS / target
            folder.mkdir(parents=True, exist_ok=True)
            (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)

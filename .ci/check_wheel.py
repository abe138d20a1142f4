"""Fail if the wheel of the core is too large, or holds something other than the package letterlock."""

import sys
from pathlib import Path
from zipfile import ZipFile

MAX_BYTES = 1_800_000
"""A guard against files that do not belong there: the code of all rooms takes two thirds of it."""

wheel = Path(sys.argv[1])
size = wheel.stat().st_size
with ZipFile(wheel) as archive:
    folders = {name.split("/")[0] for name in archive.namelist()}
    strangers = [name for name in folders if name != "letterlock" and not name.endswith(".dist-info")]
print(f"{wheel.name}: {size:,} bytes")
if size > MAX_BYTES:
    sys.exit(f"{wheel.name} has more than {MAX_BYTES:,} bytes")
if strangers:
    sys.exit(f"{wheel.name} holds {', '.join(sorted(strangers))}")

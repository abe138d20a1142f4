"""Memory stays constant, whatever the size: a process of its own seals and opens, and counts its memory.

`LETTERLOCK_DOCUMENT_MIB=5120` runs the long form, with 5 GiB.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import sealing_child

MIB = int(os.environ.get("LETTERLOCK_DOCUMENT_MIB", "96"))
LIMIT = 64
"""MiB resident, those of Python and of all libraries included."""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell")
def test_sealing_and_opening_take_constant_memory() -> None:
    command = [sys.executable, sealing_child.__file__, "whole", str(MIB), str(LIMIT)]
    path = os.pathsep.join(each for each in sys.path if each)
    made = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, check=False)
    assert made.returncode == 0, made.stderr.decode()

"""The script of bench/groups runs, and what does not open is not measured."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "bench" / "groups"
PATH = os.pathsep.join((str(ROOT / "protocol"), os.environ.get("PYTHONPATH", "")))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=SCRIPTS,
        env=os.environ | {"PYTHONPATH": PATH},
    )


def test_the_comparison_prints_a_table() -> None:
    done = run("compare.py", "--rounds", "1", "--only")
    assert done.returncode == 0, done.stderr
    for case in ("encrypt", "decrypt"):
        for name in ("letterlock", "floor"):
            (row,) = re.findall(rf"^\| {case}, {name} \|(.*)\|$", done.stdout, re.MULTILINE)
            assert min(map(float, re.findall(r"[\d.]+", row))) > 0


def test_what_opens_to_something_else_is_not_measured() -> None:
    broken = "import worker; worker.CONTESTANTS['bad'] = lambda: (lambda text: text, lambda text: b'')"
    done = run("-c", f"{broken}; worker.repetition('encrypt', 'bad')")
    assert "not what was sealed" in done.stderr

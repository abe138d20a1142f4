"""The scripts of bench/documents run on small files, and their figures are those of the same work."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "bench" / "documents"
OURS = ("floor", "floor_with_files", "letterlock", "letterlock_two_threads")


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(ROOT / "protocol"), os.environ.get("PYTHONPATH", "")))
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )


def test_the_comparison_prints_a_table() -> None:
    done = run("compare.py", "--mib", 2, "--rounds", 1, "--only", *OURS)
    assert done.returncode == 0, done.stderr
    for name in OURS:
        (row,) = re.findall(rf"^\| {name.replace('_', ' ')} \|(.*)\|$", done.stdout, re.MULTILINE)
        figures = [float(each.replace(",", "")) for each in re.findall(r"[\d.,]*\d", row)]
        assert len(figures) == 12
        assert min(figures) > 0
    assert "4 KiB at a random place: median" in done.stdout


def test_a_contestant_that_is_not_installed_is_named(tmp_path: Path) -> None:
    """The worker runs here without the peer, so it fails, and the script says so."""
    source = tmp_path / "source"
    source.write_bytes(bytes(100))
    done = run("worker.py", "crypt4gh", source, tmp_path / "sealed", tmp_path / "back")
    assert done.returncode != 0
    assert "No module named 'crypt4gh'" in done.stderr


def test_what_opens_to_something_else_is_not_measured(tmp_path: Path) -> None:
    broken = "import worker\nfrom pathlib import Path\n"
    broken += "worker.CONTESTANTS['bad'] = lambda: (lambda s, t: t.write_bytes(b''),) * 2\n"
    broken += f"worker.measure('bad', *[Path({str(tmp_path)!r}, each) for each in ('a', 'b', 'c')])\n"
    done = subprocess.run(
        [sys.executable, "-c", broken], capture_output=True, text=True, check=False, cwd=SCRIPTS
    )
    assert "does not give back what it was given" in done.stderr


def test_the_operations_of_a_collection_are_counted() -> None:
    done = run("membership.py", 6, 2)
    assert done.returncode == 0, done.stderr
    ((hpke, signatures, grants, of_documents),) = re.findall(
        r"^remove .* hpke (\d+)   signatures (\d+)   grants (\d+) .* grants of documents (\d+)$",
        done.stdout,
        re.MULTILINE,
    )
    assert (hpke, signatures, grants, of_documents) == ("6", "1", "5", "0")  # one opens the keys before
    assert re.search(r"^add .* hpke 2   signatures 1   grants 1 .* documents 0$", done.stdout, re.MULTILINE)
    assert re.search(r"^remove / floor [\d.]+; [\d.]+$", done.stdout, re.MULTILINE)

"""A run of one target for some time: one process after another, and the results."""

import re
import subprocess
import sys
from pathlib import Path
from time import monotonic

from fuzz.corpus import folder

_STATUS = re.compile(r"^#(\d+)\s.*cov: (\d+) ft: \d+ corp: (\d+)/(\S+)")
_DONE = re.compile(r"^stat::number_of_executed_units:\s*(\d+)")

_MOST_BROKEN = 20


class Campaign:
    """Starts worker.py again and again until the time is over; a process ends when it finds something."""

    def __init__(self, target: str, work: Path) -> None:
        self._target = target
        self._found = work / target / "found"
        self._broken = work / target / "findings"
        for each in (self._found, self._broken):
            each.mkdir(parents=True, exist_ok=True)
        self._executed = 0
        self._seconds = 0.0
        self._status = ("0", "0", "0b")
        self.broken = 0
        self._earlier = set(self._broken.iterdir())

    def run(self, seconds: int) -> None:
        begun = monotonic()
        while (left := int(seconds - (monotonic() - begun))) > 0:
            status = self._process(left)
            self._seconds = monotonic() - begun
            if status:
                self.broken += 1
            if self.broken > _MOST_BROKEN:
                raise RuntimeError("too many findings: see the output above")

    def findings(self) -> list[Path]:
        return sorted(set(self._broken.iterdir()) - self._earlier)

    def summary(self) -> str:
        coverage, inputs, size = self._status
        lines = [
            f"{self._target}: {self._executed} executions in {self._seconds:.0f} s",
            f"{self._executed / max(self._seconds, 1):.0f} executions a second",
            f"coverage {coverage} places, corpus {inputs} inputs of {size}, findings {self.broken}",
        ]
        return "\n".join([*lines, *map(str, self.findings())])

    def _process(self, seconds: int) -> int:
        """Run one worker to its end; return its exit status, which is not 0 after a finding."""
        executed = 0
        command, together = self._command(seconds), subprocess.STDOUT
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=together, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                if found := _STATUS.match(line):
                    executed = int(found[1])
                    self._status = (found[2], found[3], found[4])
                elif found := _DONE.match(line):
                    executed = int(found[1])
        self._executed += executed
        return process.returncode

    def _command(self, seconds: int) -> list[str]:
        return [
            sys.executable, "-m", "fuzz.worker", self._target,
            str(self._found), str(folder(self._target)),
            f"-artifact_prefix={self._broken}/", f"-max_total_time={seconds}",
            "-max_len=65536", "-timeout=10", "-rss_limit_mb=512", "-print_final_stats=1", "-reduce_inputs=0",
        ]  # fmt: skip

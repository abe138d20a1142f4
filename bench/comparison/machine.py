"""What a report says about the machine, the day and the versions: enough to compare, no names, no paths."""

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path


def processor() -> str:
    """Return the processor's model, if the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def commit() -> str:
    """Return the commit that was measured, with a mark if files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def about(versions: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the lines at the head of a report."""
    cores = f"{os.cpu_count()} cores, {processor()}, {platform.system()} {platform.machine()}"
    named = ", ".join(f"{name} {version}" for name, version in versions)
    return [
        ("date", datetime.now(UTC).strftime("%Y-%m-%d")),
        ("commit", commit()),
        ("machine", cores),
        ("versions", named),
    ]

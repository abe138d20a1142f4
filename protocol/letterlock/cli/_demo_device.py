"""One device of the demonstration: the commands on its profile, and the texts that it must show.

Not here: who does what when (_demo_play.py).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from letterlock.cli._demo_processes import DemoProcesses, Process, check
from letterlock.cli._output import say

_WAIT: Final = "0.6"
"""Seconds without a message after which a device stops listening."""

_MOST_ROUNDS: Final = 12
"""How often a device looks for a text that is on its way."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a device must show, and where it came from."""

    sender: str
    device: int
    text: str


class Device:
    """A device: a profile in a directory of its own."""

    def __init__(self, processes: DemoProcesses, home: Path, person: str, number: int) -> None:
        self._processes = processes
        self._home = home
        self.person = person
        self.number = number
        self._awaited: list[Text] = []
        self._shown: list[Text] = []

    @property
    def name(self) -> str:
        """What the demonstration calls it."""
        return f"{self.person}'s {'phone' if self.number == 1 else 'laptop'}"

    def start(self, *arguments: str | Path) -> Process:
        """Start one command on the profile."""
        return self._processes.start("--home", self._home, *arguments)

    def send(self, to: str, text: str) -> Process:
        """Begin to send a text."""
        draft = self._home / "draft"
        draft.write_text(text, encoding="utf-8")
        return self.start("send", to, draft, "--json")

    def listen(self) -> Process:
        """Begin to print what has arrived."""
        return self.start("receive", "--json", "--wait", _WAIT)

    def awaits(self, text: Text) -> None:
        """Note that the device must show a text, once."""
        self._awaited.append(text)

    @property
    def has_all(self) -> bool:
        """Whether the device has shown as much as it must."""
        return len(self._shown) >= len(self._awaited)

    def heard(self, lines: Iterable[str]) -> list[Text]:
        """Take what `receive` printed. Raises DemoFailed for a text that is wrong, or that came twice."""
        found = [_read(json.loads(line)) for line in lines]
        for each in found:
            check(each in self._awaited, f"{self.name} shows what nobody sent to it")
            check(each not in self._shown, f"{self.name} shows a text twice")
            self._shown.append(each)
        return found


def _read(shown: dict[str, Any]) -> Text:
    return Text(shown["sender"], shown["device"], shown.get("text", ""))


def deliver(devices: list[Device]) -> None:
    """Let devices listen, all at once, until each has shown what it must. Raises DemoFailed.

    From the second time on the others listen along: one of them may still have something to send.
    """
    for number in range(_MOST_ROUNDS):
        listening = [(each, each.listen()) for each in devices if number or not each.has_all]
        for device, process in listening:
            finished = process.finish()
            for text in device.heard(finished.lines):
                print_step(device.name, f"shows {text.text!r}", finished.milliseconds)
        if all(each.has_all for each in devices):
            return
    late = next(each for each in devices if not each.has_all)
    check(False, f"{late.name} did not get a text")  # noqa: FBT003


def expect_silence(devices: list[Device]) -> float:
    """Let devices listen once more: nothing may come. Return how long it took. Raises DemoFailed."""
    listening = [(each, each.listen()) for each in devices]
    finished = [(device, process.finish()) for device, process in listening]
    for device, each in finished:
        device.heard(each.lines)
    return max(each.milliseconds for _, each in finished)


def print_step(who: str, what: str, milliseconds: float) -> None:
    """Print one line about a step."""
    say(f"  {who:<14} {what:<66} {milliseconds:>6,.0f} ms")

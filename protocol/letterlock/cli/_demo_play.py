"""The demonstration's conversation, in order.

    begin             the relay starts, two people register, and each of them links a second device
    talk              a text and an answer reach the devices of both people
    lose_the_relay    the relay is killed and started again: what was sent meanwhile arrives, once
    look_inside       the relay's database holds none of the texts

Not here: devices and their checks (_demo_device.py), processes (_demo_processes.py).
"""

import json
from pathlib import Path
from typing import Final

from letterlock.cli._demo_device import Device, Text, deliver, expect_silence, print_step
from letterlock.cli._demo_processes import DemoProcesses, Process, check
from letterlock.cli._output import say

_ANY_PORT: Final = "127.0.0.1:0"
_PEOPLE: Final = ("alice", "bob")
_DIGITS: Final = 6


class Play:
    """A conversation between two people with a phone and a laptop each."""

    def __init__(self, directory: Path, processes: DemoProcesses) -> None:
        self._processes = processes
        self._database = directory / "relay.db"
        self._devices = [
            Device(processes, directory / f"{name}-{number}", name, number)
            for name in _PEOPLE
            for number in (1, 2)
        ]
        self._relay: Process
        self._address = _ANY_PORT
        self._texts: list[str] = []

    def run(self) -> None:
        """Play all of it. Raises DemoFailed, OSError."""
        say(
            "Alice and Bob have a phone and a laptop each, and a relay on this machine. Every line below is\n"
            "a `letterlock` command in a process of its own; the right column is how long it ran."
        )
        self._begin()
        self._talk()
        self._lose_the_relay()
        self._look_inside()

    # --- beginning ------------------------------------------------------------------------------------

    def _begin(self) -> None:
        say("\nThe relay starts, and two people register")
        self._start_relay("listens on")
        alice, _, bob, _ = self._devices
        begun = [(each, each.start("register", each.person, "--relay", self._url)) for each in (alice, bob)]
        for device, process in begun:
            print_step(device.name, f"registers {device.person}", process.finish().milliseconds)
        say("\nEach links a laptop: it shows a code, then both devices show the same six digits")
        self._link()

    def _start_relay(self, what: str) -> None:
        store = f"sqlite:///{self._database}"
        self._relay = self._processes.start(
            *("relay", "serve", "--json", "--store", store, "--listen", self._address)
        )
        self._address = json.loads(self._relay.line(1))["listening"]
        print_step("relay", f"{what} {self._address}", self._relay.milliseconds)

    @property
    def _url(self) -> str:
        return f"http://{self._address}"

    def _link(self) -> None:
        """Link the laptops of both people at the same time."""
        pairs = [(self._devices[at], self._devices[at + 1]) for at in (0, 2)]
        joining = [laptop.start("join", "--relay", self._url) for _, laptop in pairs]
        linking = [
            phone.start("link", process.line(1)) for (phone, _), process in zip(pairs, joining, strict=True)
        ]
        for (phone, laptop), join, link in zip(pairs, joining, linking, strict=True):
            digits = [_digits(join.line(2)), _digits(link.line(1))]
            check(digits[0] == digits[1], "two devices that are linked show different digits")
            link.type("yes\n")
            milliseconds = link.finish().milliseconds
            print_step(phone.name, f"links it, after comparing {digits[0]}", milliseconds)
            last = join.finish()
            check(last.lines[-1] == f"device 2 of {laptop.person}", "a laptop was not linked")
            print_step(laptop.name, f"is device 2 of {laptop.person}", last.milliseconds)

    # --- talking --------------------------------------------------------------------------------------

    def _talk(self) -> None:
        phone, _, _, laptop = self._devices
        say("\nA text reaches the other person's devices, and the writer's other device")
        self._send(phone, "Shall we meet tomorrow?")
        deliver(self._devices)
        self._send(laptop, "Gladly. At noon, by the river?")
        deliver(self._devices)

    def _others(self, writer: Device) -> list[Device]:
        return [each for each in self._devices if each is not writer]

    def _send(self, writer: Device, text: str) -> None:
        self._sent(writer, text, self._begin_sending(writer, text), kept=False)

    def _begin_sending(self, writer: Device, text: str) -> Process:
        self._texts.append(text)
        for each in self._others(writer):
            each.awaits(Text(writer.person, writer.number, text))
        return writer.send(_other_person(writer), text)

    def _sent(self, writer: Device, text: str, process: Process, *, kept: bool) -> None:
        finished = process.finish()
        told = json.loads("".join(finished.lines))
        check(not (kept and told["sent"]), "a text was sent through a relay that does not run")
        what = "keeps" if not told["sent"] else "sends"
        print_step(writer.name, f"{what} {text!r}", finished.milliseconds)

    # --- a relay that is killed -----------------------------------------------------------------------

    def _lose_the_relay(self) -> None:
        phone, laptop, bobs_phone, _ = self._devices
        say("\nThe relay is killed with a text in its mailboxes, and both people write without it")
        self._send(phone, "I am bringing my sister.")
        milliseconds = self._relay.milliseconds
        self._relay.kill()
        print_step("relay", "is killed (kill -9)", milliseconds)
        texts = [(laptop, "And a cake, if you like."), (bobs_phone, "I will bring lemonade.")]
        begun = [(writer, text, self._begin_sending(writer, text)) for writer, text in texts]
        for writer, text, process in begun:
            self._sent(writer, text, process, kept=True)
        say("\nIt starts again: what it held and what the devices kept arrives, once")
        self._start_relay("listens again on")
        deliver(self._devices)
        print_step("all four", "listen again, and nothing comes twice", expect_silence(self._devices))

    def _look_inside(self) -> None:
        say("\nWhat the relay has")
        self._relay.kill()
        files = list(self._database.parent.glob(f"{self._database.name}*"))
        stored = b"".join(path.read_bytes() for path in files)
        check(len(stored) > 0, "the relay stored nothing")
        check(not any(text.encode() in stored for text in self._texts), "the relay's database shows a text")
        finished = self._processes.run("relay", "check", "--store", f"sqlite:///{self._database}")
        print_step("relay", f"{len(stored):,} bytes on disk; none of the texts is in them", 0)
        print_step("relay check", finished.lines[-1], finished.milliseconds)


def _digits(line: str) -> str:
    """Return the six digits in a line that a linking command prints."""
    digits = "".join(character for character in line if character.isdigit())
    check(len(digits) == _DIGITS, "a device that is linked does not show six digits")
    return digits


def _other_person(writer: Device) -> str:
    return next(name for name in _PEOPLE if name != writer.person)

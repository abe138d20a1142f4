"""The demonstration's second conversation: two people with two devices each, over an exchange folder.

    meet            two users, each of whom links a second device: both devices show the same six digits
    write           each text reaches the contact's devices and the writer's other one; a forgery is refused
    meet_a_liar     the folder shows somebody else's device lists: the contact is frozen until a decision

Not here: how a step is run (_demo_steps.py).
"""

import json
import shutil
from pathlib import Path
from typing import Any, Final

from letterlock.cli._demo_conversation import print_step
from letterlock.cli._demo_processes import Finished, check
from letterlock.cli._demo_steps import Participant, Steps, random_source
from letterlock.cli._output import say

_NAMES: Final = ("carol", "dave")
_FROZEN: Final = 4
"""The exit status for device lists that contradict each other."""

_NO_WAITING: Final = ("--wait", "0")


class UserConversation:
    """A conversation between two people, each of whom has a phone and a laptop."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._folder = steps.directory / "folder"
        self._devices = [
            steps.participant(f"{name}'s {what}") for name in _NAMES for what in ("phone", "laptop")
        ]

    def meet(self) -> None:
        """Make the users, and let each of them link a second device."""
        say("\nCarol and Dave have two devices each. A folder stands for a server that nobody trusts")
        for at, name in enumerate(_NAMES):
            phone, laptop = self._devices[2 * at : 2 * at + 2]
            finished = self._user(phone, "init", name)
            print_step(name, "makes a user", "", finished.milliseconds)
            finished = self._over(phone, "publish", "--one-time", "4")
            print_step(phone.name, "publishes its list and prekeys", "", finished.milliseconds)
            self._link(phone, laptop)

    def _link(self, phone: Participant, laptop: Participant) -> None:
        shown, first = self._told(laptop, "join", *_NO_WAITING)
        code = shown["code"]
        _, second = self._told(phone, "link", code, *_NO_WAITING)
        shown, third = self._told(laptop, "join", *_NO_WAITING)
        digits = shown["digits"]
        _, fourth = self._told(phone, "link", code, "--digits", digits, *_NO_WAITING)
        shown, fifth = self._told(laptop, "join", *_NO_WAITING)
        check(shown.get("device") == 2, "a new device was not linked")
        milliseconds = sum(each.milliseconds for each in (first, second, third, fourth, fifth))
        print_step(laptop.name, "is linked, in five steps", f"both show {digits}", milliseconds)

    def write(self) -> None:
        """Let two devices write, and every other device read what it is to read, and nothing forged."""
        say("\nEach text reaches the other person's devices, and the writer's other device")
        phone, _, other, _ = self._devices
        self._send(phone, "dave", "Shall we meet?")
        self._read_everywhere(phone, "Shall we meet?")
        self._send(other, "carol", "Tomorrow at noon.")
        self._forge()
        self._read_everywhere(other, "Tomorrow at noon.", forged=1)
        numbers = [
            self._user(each, "verify", name)
            for each, name in ((self._devices[1], "dave"), (self._devices[3], "carol"))
        ]
        check(numbers[0].printed == numbers[1].printed, "the safety numbers of two people differ")
        milliseconds = sum(each.milliseconds for each in numbers)
        print_step("both laptops", "show the same safety number", "", milliseconds)

    def meet_a_liar(self) -> None:
        """Let the folder show other device lists under a name, and check that nothing is sent."""
        say("\nThe folder lies: it shows Carol's device lists as Dave's")
        phone = self._devices[0]
        lists = self._folder / "lists"
        right = lists / "right"
        (lists / "dave").rename(right)
        shutil.copytree(lists / "carol", lists / "dave")
        finished = self._over(phone, "learn", "dave", expected_status=_FROZEN)
        print_step("carol", "learns, and Dave is frozen", "", finished.milliseconds)
        draft, before = self._draft("a secret"), self._mail()
        finished = self._over(phone, "send", "dave", draft, expected_status=_FROZEN)
        check(self._mail() == before, "something was sent to a frozen contact")
        print_step("carol", "can send him nothing", "", finished.milliseconds)
        finished = self._user(phone, "keep", "dave")
        shutil.rmtree(lists / "dave")
        right.rename(lists / "dave")
        print_step("carol", "keeps the lists that she knows", "", finished.milliseconds)
        self._send(phone, "dave", "I asked you face to face.")
        self._read_everywhere(phone, "I asked you face to face.")

    def _send(self, device: Participant, name: str, text: str) -> None:
        finished = self._over(device, "send", name, self._draft(text), "--json")
        sent = json.loads(finished.printed)
        check(len(sent["to"]) == len(self._devices) - 1, "a text went to other devices than it should")
        print_step(device.name, f"writes to {name}", f"{len(sent['to'])} messages", finished.milliseconds)

    def _forge(self) -> None:
        """Add a copy of a message with one byte changed, which its reader must refuse."""
        path = random_source.choice(sorted(self._mail()))
        forged = bytearray(path.read_bytes())
        forged[-1] ^= random_source.randrange(1, 256)
        time, _, rest = path.name.partition("-")
        path.with_name(f"{int(time) + 1:020}-{rest}").write_bytes(forged)
        say("  a copy of one of them has one byte changed")

    def _read_everywhere(self, writer: Participant, text: str, *, forged: int = 0) -> None:
        refused, left = 0, self._mail()
        for device in self._devices:
            if device is not writer:
                finished = self._over(device, "receive", "--json")
                shown = [json.loads(line) for line in finished.printed.splitlines()]
                texts = [each["text"] for each in shown if "text" in each]
                check(texts == [text], "a device did not read what was sent")
                refused += sum("refused" in each for each in shown)
                print_step(device.name, "reads it", "", finished.milliseconds)
        check(refused == forged, "a forged message was not refused")
        check(not left & self._mail(), "a message was not taken out of the folder")

    def _draft(self, text: str) -> Path:
        path = self._steps.directory / "draft"
        path.write_text(text, encoding="utf-8")
        return path

    def _mail(self) -> set[Path]:
        return set(self._folder.glob("mail/*/*.message"))

    def _told(self, device: Participant, *arguments: str | Path) -> tuple[dict[str, Any], Finished]:
        """Return everything that a command told in JSON lines, the later lines in force."""
        finished = self._over(device, *arguments, "--json")
        told: dict[str, Any] = {}
        for line in finished.printed.splitlines():
            told |= json.loads(line)
        return told, finished

    def _over(self, device: Participant, *arguments: str | Path, expected_status: int = 0) -> Finished:
        return self._user(device, *arguments, "--folder", self._folder, expected_status=expected_status)

    def _user(self, device: Participant, *arguments: str | Path, expected_status: int = 0) -> Finished:
        return self._steps.run(device, "user", *arguments, expected_status=expected_status)

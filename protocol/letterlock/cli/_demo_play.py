"""The demonstration's scenes.

    meet        two profiles; Bob leaves a bundle and goes offline; Alice agrees with it
    converse    a message and an answer; ten at once, in random order, one lost, one forged, one twice
    restart     Bob's process is killed in the middle of reading
    compare     both see the same safety number

Not here: how a step is run and checked (demo_stage.py).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from letterlock.cli._demo_stage import Letter, Person, Stage, chance, check, tell
from letterlock.cli._output import say

_EACH: Final = 5
"""Messages that both write before they read any."""

_AT_A_TIME: Final = 2
"""Processes: whoever uses letterlock may run several on one profile."""


class Play:
    """A conversation between two people who are never online together."""

    def __init__(self, stage: Stage, texts: Iterator[bytes]) -> None:
        self._stage = stage
        self._texts = texts
        self._alice = stage.person("alice")
        self._bob = stage.person("bob")
        self._letters = 0

    def meet(self) -> None:
        """Make the profiles, and let Alice agree with Bob's bundle."""
        say("\nThey meet")
        for person in (self._alice, self._bob):
            tell(person.name, "makes a profile", "", self._stage.run(person, "init", person.name).time)
        path = self._stage.directory / "bob.bundle"
        ran = self._stage.run(self._bob, "bundle", "-o", path)
        tell("bob", "leaves a prekey bundle, goes offline", f"{path.stat().st_size:,} bytes", ran.time)
        ran = self._stage.run(self._alice, "add", "bob", path)
        tell("alice", "agrees with the bundle", "nothing is sent yet", ran.time)

    def converse(self, first: str) -> None:
        """Play one round."""
        say("\nA message and its answer")
        self._read(self._write([self._alice], first))
        self._read(self._write([self._bob], "answer"))
        say(f"\nBoth write {_EACH} messages before they read any, {_AT_A_TIME} processes at a time")
        self._deliver(self._write([self._alice, self._bob] * _EACH, "message"))

    def restart(self) -> None:
        """Kill a process of Bob's, and see that nothing is lost and nothing comes twice."""
        say("\nBoth restart, Bob in the middle of reading")
        (letter,) = self._write([self._alice], "message")
        tell("bob", f"is killed while he reads no. {letter.number}", "", self._stage.kill(letter).time)
        ran = self._stage.read_after_kill(letter)
        tell("bob", f"starts again, has no. {letter.number}", letter.arrived, ran.time)
        self._refuse_again(letter)
        say("\nAnd the same again")

    def compare(self) -> None:
        """Let both print the safety number."""
        say("\nThey compare safety numbers")
        ours = self._stage.run(self._alice, "safety-number", "bob")
        theirs = self._stage.run(self._bob, "safety-number", "alice")
        check(ours.printed == theirs.printed, "the safety numbers differ")
        groups = ours.printed.decode("ascii").split()
        check([len(group) for group in groups] == [5] * 12, "a safety number is not twelve groups of five")
        tell("both", "see the same", "", ours.time + theirs.time)
        say(f"  {' '.join(groups)}")

    def _write(self, senders: list[Person], what: str) -> list[Letter]:
        numbers = range(self._letters + 1, self._letters + len(senders) + 1)
        self._letters += len(senders)
        letters = [self._letter(number, sender) for number, sender in zip(numbers, senders, strict=True)]
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            for letter, ran in zip(letters, pool.map(self._stage.send, letters), strict=True):
                tell(letter.road, f"{what}, no. {letter.number}", letter.sizes, ran.time)
        return letters

    def _letter(self, number: int, sender: Person) -> Letter:
        recipient = self._bob if sender is self._alice else self._alice
        return self._stage.letter(number, sender, recipient, next(self._texts))

    def _read(self, letters: list[Letter]) -> None:
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            for letter, ran in zip(letters, pool.map(self._stage.read, letters), strict=True):
                tell(letter.recipient.name, f"reads no. {letter.number}", letter.arrived, ran.time)

    def _deliver(self, letters: list[Letter]) -> None:
        chance.shuffle(letters)
        lost, forged = letters.pop(), letters[0]
        order = " ".join(str(letter.number) for letter in letters)
        say(f"\nNo. {lost.number} is lost, the others arrive in the order {order}")
        lost.path.unlink()
        ran = self._stage.refuse(forged, self._stage.forge(forged))
        what = f"refuses no. {forged.number} with one byte changed"
        tell(forged.recipient.name, what, "nothing was changed by it", ran.time)
        self._read(letters)
        self._refuse_again(chance.choice(letters))

    def _refuse_again(self, letter: Letter) -> None:
        ran = self._stage.refuse(letter, letter.path)
        tell(letter.recipient.name, f"refuses no. {letter.number} a second time", "", ran.time)

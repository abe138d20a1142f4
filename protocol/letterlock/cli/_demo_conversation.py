"""The demonstration's conversation, in order.

    meet                      make two profiles; Bob leaves a bundle, with which Alice begins a session
    exchange_messages         a message and an answer; then six at once, in random order: one is lost, one is
                              also forged, one arrives twice
    restart                   Bob's process is killed while it decrypts
    compare_safety_numbers    both print the same number

Not here: how a step is run and checked (_demo_steps.py).
"""

from collections.abc import Callable, Iterator
from typing import Final

from letterlock.cli._demo_processes import Finished, check
from letterlock.cli._demo_steps import Message, Participant, Steps, random_source
from letterlock.cli._output import say

_MESSAGES_EACH: Final = 3
"""Messages that both write before they read any."""

_PARALLEL_PROCESSES: Final = 2
"""Processes that run at the same time, on one profile or on two."""


class Conversation:
    """A conversation between two people who are never online together."""

    def __init__(self, steps: Steps, texts: Iterator[bytes]) -> None:
        self._steps = steps
        self._texts = texts
        self._alice = steps.participant("alice")
        self._bob = steps.participant("bob")
        self._messages = 0

    def meet(self) -> None:
        """Make the profiles, and let Alice begin a session with Bob's bundle."""
        say("\nThey meet")
        for participant in (self._alice, self._bob):
            finished = self._steps.run(participant, "init", participant.name)
            print_step(participant.name, "makes a profile", "", finished.milliseconds)
        path = self._steps.directory / "bob.bundle"
        finished = self._steps.run(self._bob, "bundle", "-o", path)
        size = f"{path.stat().st_size:,} bytes"
        print_step("bob", "leaves a prekey bundle, goes offline", size, finished.milliseconds)
        finished = self._steps.run(self._alice, "add", "bob", path)
        print_step("alice", "begins a session with it", "nothing is sent yet", finished.milliseconds)

    def exchange_messages(self, first: str) -> None:
        """Exchange a message and its answer, then six messages at once. `first` names the first message."""
        say("\nA message and its answer")
        self._read(self._write([self._alice], first))
        self._read(self._write([self._bob], "answer"))
        say(
            f"\nBoth write {_MESSAGES_EACH} messages before they read any, "
            f"{_PARALLEL_PROCESSES} processes at a time"
        )
        self._deliver(self._write([self._alice, self._bob] * _MESSAGES_EACH, "message"))

    def restart(self) -> None:
        """Kill a process of Bob's, and check that no message is lost or delivered twice."""
        say("\nBob's process is killed while it decrypts, then started again")
        (message,) = self._write([self._alice], "message")
        milliseconds = self._steps.kill_while_reading(message)
        print_step("bob", f"is killed while reading no. {message.number}", "", milliseconds)
        finished = self._steps.read_after_kill(message)
        what = f"starts again, has no. {message.number}"
        print_step("bob", what, message.received, finished.milliseconds)
        self._refuse_duplicate(message)
        say("\nThe conversation goes on")

    def compare_safety_numbers(self) -> None:
        """Let both print the safety number, and check that it is the same."""
        say("\nThey compare safety numbers")
        alices = self._steps.run(self._alice, "safety-number", "bob")
        bobs = self._steps.run(self._bob, "safety-number", "alice")
        check(alices.printed == bobs.printed, "the safety numbers differ")
        groups = alices.printed.decode("ascii").split()
        check([len(group) for group in groups] == [5] * 12, "a safety number is not twelve groups of five")
        print_step("both", "see the same number", "", alices.milliseconds + bobs.milliseconds)
        say(f"  {' '.join(groups)}")

    def _write(self, senders: list[Participant], what: str) -> list[Message]:
        numbers = range(self._messages + 1, self._messages + len(senders) + 1)
        self._messages += len(senders)
        messages = [self._message(number, sender) for number, sender in zip(numbers, senders, strict=True)]
        for message, finished in _in_pairs(self._steps.write, messages):
            print_step(message.route, f"{what}, no. {message.number}", message.sizes, finished.milliseconds)
        return messages

    def _message(self, number: int, sender: Participant) -> Message:
        recipient = self._bob if sender is self._alice else self._alice
        return self._steps.message(number, sender, recipient, next(self._texts))

    def _read(self, messages: list[Message]) -> None:
        for message, finished in _in_pairs(self._steps.read, messages):
            reader, what = message.recipient.name, f"reads no. {message.number}"
            print_step(reader, what, message.received, finished.milliseconds)

    def _deliver(self, messages: list[Message]) -> None:
        random_source.shuffle(messages)
        lost, forged = messages.pop(), messages[0]
        order = " ".join(str(message.number) for message in messages)
        say(f"\nNo. {lost.number} is lost, the others arrive in the order {order}")
        lost.path.unlink()
        finished = self._steps.refuse(forged, self._steps.forge(forged))
        what = f"refuses no. {forged.number} with one byte changed"
        print_step(forged.recipient.name, what, "the profile is unchanged", finished.milliseconds)
        self._read(messages)
        self._refuse_duplicate(random_source.choice(messages))

    def _refuse_duplicate(self, message: Message) -> None:
        finished = self._steps.refuse(message, message.path)
        what = f"refuses no. {message.number} a second time"
        print_step(message.recipient.name, what, "", finished.milliseconds)


def _in_pairs(
    begin: Callable[[Message], Callable[[], Finished]], messages: list[Message]
) -> Iterator[tuple[Message, Finished]]:
    """Take a step for each message, two of them at the same time, and yield what came of each."""
    for start in range(0, len(messages), _PARALLEL_PROCESSES):
        pair = messages[start : start + _PARALLEL_PROCESSES]
        begun = [begin(message) for message in pair]
        for message, finish in zip(pair, begun, strict=True):
            yield message, finish()


def print_step(who: str, what: str, sizes: str, milliseconds: float) -> None:
    """Print one line about a step."""
    say(f"  {who:<14} {what:<40} {sizes:<44} {milliseconds:>6,.0f} ms")

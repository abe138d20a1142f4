"""The command `letterlock demo`.

It plays a conversation between two profiles in a temporary directory. Every step is a process of its own, and
messages travel as files. Each step is checked, and the first wrong result ends the demonstration.

Not here: the order of the steps (_demo_conversation.py), how a step is run and checked (_demo_steps.py).
"""

import tempfile
import time
from argparse import Namespace
from pathlib import Path

from letterlock.cli._demo_conversation import Conversation
from letterlock.cli._demo_processes import DemoProcesses
from letterlock.cli._demo_steps import Steps
from letterlock.cli._demo_text import excerpts, load_text
from letterlock.cli._demo_users import UserConversation
from letterlock.cli._output import say


def demo(arguments: Namespace) -> None:
    """Play the conversation. Raises DemoFailed, UsageError for a text that cannot be sent, OSError."""
    title, text = load_text(arguments.text)
    began = time.perf_counter()
    # Clean-up errors are not ignored: a file that cannot be removed is worth reporting.
    with tempfile.TemporaryDirectory(prefix="letterlock-demo-") as directory:
        streams = Path(directory) / "printed"
        streams.mkdir()
        processes = DemoProcesses(streams)
        say(
            f"Alice and Bob write to each other in {directory}. Every line is a process of its own.\n"
            f"The messages are excerpts from {title}, {len(text):,} bytes."
        )
        conversation = Conversation(Steps(Path(directory), processes), excerpts(text))
        conversation.meet()
        conversation.exchange_messages("first message")
        conversation.restart()
        conversation.exchange_messages("message")
        conversation.compare_safety_numbers()
        people = UserConversation(Steps(Path(directory), processes))
        people.meet()
        people.write()
        people.meet_a_liar()
        seconds = time.perf_counter() - began
        say(f"\nEverything was as expected: {processes.started} processes, {seconds:.1f} s.")

"""The command that shows everything at once: demo.

Two profiles in a temporary directory, every step a process of its own, messages as files. Each step is
checked; the first that is not as it should be ends it.

Not here: the scenes (demo_play.py), how a step is run and checked (demo_stage.py).
"""

import tempfile
import time
from argparse import Namespace
from pathlib import Path

from letterlock.cli._demo_play import Play
from letterlock.cli._demo_stage import Stage
from letterlock.cli._demo_text import load, pieces
from letterlock.cli._output import say


def demo(arguments: Namespace) -> None:
    """Play the conversation. Raises DemoFailed, UsageError for a text that cannot be sent."""
    title, text = load(arguments.text)
    lines = pieces(text)
    began = time.perf_counter()
    # No ignoring of clean-up errors: what cannot be removed is worth knowing.
    with tempfile.TemporaryDirectory(prefix="letterlock-demo-") as directory:
        stage = Stage(Path(directory))
        say(
            f"Alice and Bob write to each other in {directory}. Every line is a process of its own,\n"
            f"and to start one takes {stage.time_to_start():.0f} ms of the time beside it.\n"
            f"What they send are pieces of {title}, {len(text):,} bytes."
        )
        play = Play(stage, lines)
        play.meet()
        play.converse("first message")
        play.restart()
        play.converse("message")
        play.compare()
        seconds = time.perf_counter() - began
        say(f"\nEverything was as it should be: {stage.processes} processes, {seconds:.1f} s.")

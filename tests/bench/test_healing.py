"""The table of bench/README.md is what bench/healing.py prints; a conversation heals as soon as promised."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"


def load() -> Any:
    """Import the script, which is part of no package."""
    spec = importlib.util.spec_from_file_location("bench_healing", BENCH / "healing.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_healing"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


healing = load()
ALTERNATING = healing.TRAFFIC[0]


def test_the_table_has_a_row_for_each_traffic_and_payload() -> None:
    head, rule, *rows = healing.committed().splitlines()
    assert (head, rule) == healing.HEAD
    named = [tuple(row.split(" | ")[:2]) for row in rows]
    payloads = healing.PAYLOADS.values()
    assert named == [(f"| {traffic.name}", payload) for traffic in healing.TRAFFIC for payload in payloads]


@pytest.mark.parametrize("traffic", healing.TRAFFIC, ids=lambda traffic: traffic.name)
def test_rows_of_the_table_are_what_the_script_prints(traffic: Any) -> None:
    """Not all rows: `bench/healing.py --check` takes seconds."""
    payloads = [20, 2048, 20480] if traffic is ALTERNATING else [20480]
    for payload in payloads:
        assert healing.row(traffic, payload) in healing.committed().splitlines()


@pytest.mark.parametrize(("payload", "messages"), [(20, 86), (2048, 12)])
def test_a_conversation_that_alternates_heals_soon(payload: int, messages: int) -> None:
    assert healing.Conversation(ALTERNATING, payload, seed=1).play().first <= messages


def test_both_sides_heal_alike_whatever_the_seed() -> None:
    """Nothing but traffic and sizes decides; keys and ciphertexts are all of one length."""
    runs = [healing.Conversation(ALTERNATING, 2048, seed).play() for seed in (1, 2)]
    assert runs[0] == runs[1]


def test_a_table_that_differs_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["healing.py", "--check"])
    monkeypatch.setattr(healing, "table", healing.committed)
    assert healing.main() == 0
    monkeypatch.setattr(
        healing, "table", lambda: healing.committed().replace("| alternating | 20 B | ", "| x | ")
    )
    assert healing.main() == 1
    assert "-| alternating | 20 B | " in capsys.readouterr().out

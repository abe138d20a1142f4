"""The gate fails for what has grown, and for nothing else; the floor computes what the library does."""

import hmac
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import floor
import gate
from case import Case, Side, repetition
from letterlock._primitives.kdf import hkdf_sha256
from letterlock.limits import MAX_LOG_PAGES
from ratios import CASES, Result

BASE = {case.name: 2.0 for case in gate.gated()}


def result(name: str, ratio: float) -> Result:
    return Result.of(name, [1000 * ratio], [1000])


class Measuring:
    """What a run would find: the ratios given, one after the other, and 2.0 for all other cases."""

    def __init__(self, **ratios: list[float]) -> None:
        self._ratios = ratios
        self.asked: list[list[str]] = []

    def __call__(self, cases: Iterable[Case], rounds: int) -> list[Result]:
        names = [case.name for case in cases]
        self.asked.append(names)
        return [result(name, self._ratios[name].pop(0) if name in self._ratios else 2.0) for name in names]


@pytest.fixture
def baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({"measured_on": gate.environment(), "ratios": BASE}), "utf-8")
    monkeypatch.setattr(gate, "BASELINE", path)
    return path


@pytest.mark.usefixtures("baseline")
@pytest.mark.parametrize("ratio", [0.5, 1.9, 2.0, 2.2])
def test_what_has_not_grown_passes(ratio: float) -> None:
    assert gate.main([], Measuring(chain_step=[ratio])) == 0


@pytest.mark.usefixtures("baseline")
def test_what_has_grown_fails_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    measuring = Measuring(chain_step=[2.3, 2.25, 2.4])
    assert gate.main([], measuring) == 1
    assert "SLOWER: chain_step, 2.00 -> 2.25 x floor (+12%)" in capsys.readouterr().out
    assert measuring.asked[1:] == [["chain_step"]] * 2


@pytest.mark.usefixtures("baseline")
def test_what_only_seemed_to_have_grown_passes() -> None:
    measuring = Measuring(chain_step=[3.0, 2.1], encrypt_x3dh=[2.5, 2.5, 2.0])
    assert gate.main([], measuring) == 0
    assert measuring.asked[1:] == [["chain_step", "encrypt_x3dh"], ["encrypt_x3dh"]]


@pytest.mark.usefixtures("baseline")
def test_some_works_alone() -> None:
    measuring = Measuring()
    assert gate.main(["--only", "skip"], measuring) == 0
    assert all("skip" in name for name in measuring.asked[0])
    assert measuring.asked[0]


@pytest.mark.usefixtures("baseline")
@pytest.mark.parametrize("arguments", [["--only", "no such case"], ["--only", "skip", "--update"]])
def test_what_cannot_be_asked(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        gate.main(arguments, Measuring())
    assert caught.value.code == 2


def test_a_work_without_a_baseline_is_no_pass(baseline: Path) -> None:
    baseline.write_text(json.dumps({"measured_on": {}, "ratios": {}}), "utf-8")
    with pytest.raises(SystemExit):
        gate.main([], Measuring())


def test_a_baseline_is_the_median_of_runs(baseline: Path) -> None:
    assert gate.main(["--update"], Measuring(chain_step=[1.0, 9.0, 1.5])) == 0
    written = json.loads(baseline.read_text("utf-8"))
    assert written["ratios"]["chain_step"] == 1.5
    assert written["measured_on"] == gate.environment()
    assert written["ratios"].keys() == BASE.keys()


def test_the_committed_baseline_has_every_work() -> None:
    committed: dict[str, Any] = json.loads((Path(gate.__file__).parent / "baseline.json").read_text("utf-8"))
    assert committed["ratios"].keys() == BASE.keys()
    assert all(ratio > 0.3 for ratio in committed["ratios"].values())


def test_names_of_works_are_distinct() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


def test_a_repetition_counts_one_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    case = Case("w", lambda: (Side(lambda: None), Side(lambda: None)), 5, 2, disk=False, steady=True)

    monkeypatch.setattr("case.thread_time_ns", lambda: 1000 * len(calls))

    assert repetition(case, Side(lambda: calls.append(0))) == 500  # half a call
    assert len(calls) == 5
    batched = Side(calls.append, lambda count: [(n,) for n in range(count)])
    repetition(case, batched)
    assert calls[5:] == [0, 1, 2, 3, 4]


# --- the floor ----------------------------------------------------------------------------------------


def test_the_floors_derivations_are_the_librarys() -> None:
    key, data = os.urandom(32), os.urandom(32)

    def mac(key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, "sha256")

    assert floor.hmac(key, data) == mac(key, data)
    assert floor.step(key) == (mac(key, b"\2"), mac(key, b"\1"))
    for length, derive in ((32, floor.hkdf32), (64, floor.hkdf64), (96, floor.hkdf96)):
        assert derive(key, data, b"info") == hkdf_sha256(key, data, b"info", length)
    assert floor.walk(key, 3)[0] == mac(key, b"\1")
    assert floor.walk(key, 3)[2] == mac(mac(mac(key, b"\2"), b"\2"), b"\1")
    assert floor.sparse_walk(key, 1) == [mac(key, b"\0\0\0\1\1")]


@pytest.mark.parametrize("triple", [False, True])
def test_the_floors_messages_open(triple: bool) -> None:
    message = floor.Message(128, triple=triple)
    assert message.decrypt() == message.padded
    assert message.decrypt_late() == message.padded
    assert len(message.encrypt()) == len(message.wire)
    handshake = floor.Handshake(triple)
    handshake.initiate()
    assert handshake.respond() == handshake.message.padded


def test_the_floors_transaction_writes_and_empties_its_log_like_a_store(tmp_path: Path) -> None:
    log = tmp_path / "floor.db-wal"
    sizes: set[int] = set()
    with floor.transaction(tmp_path / "floor.db", 300) as act:
        for _ in range(3 * MAX_LOG_PAGES):
            before = log.stat().st_size
            act()
            sizes.add(log.stat().st_size)
            assert log.stat().st_size != before or before == 0
    assert 0 in sizes
    assert len(sizes) == MAX_LOG_PAGES + 1

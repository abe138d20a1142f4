"""`letterlock vectors check`: right answers pass, and every changed answer fails."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock.cli import main
from letterlock.errors import UsageError
from letterlock_vectors.check import check
from letterlock_vectors.files import Family, load
from letterlock_vectors.library import Library
from support.cli_tools import run

CHAIN = "00" * 32


def document(*tests: dict[str, Any], operation: str = "kdf.chain") -> dict[str, Any]:
    numbered = [
        {"tcId": number, "comment": f"number {number}", "flags": [], "rules": [], **test}
        for number, test in enumerate(tests, 1)
    ]
    return {
        "algorithm": "A", "family": "made-up", "protocolVersion": 1, "generator": "made_up.py",
        "header": ["-"],
        "numberOfTests": len(tests), "notes": {},
        "testGroups": [{"type": operation, "comment": "", "tests": numbered}],
    }  # fmt: skip


def right() -> dict[str, Any]:
    given = {"chain": CHAIN}
    answer = Library().ask("kdf.chain", given)
    return {"input": given, "result": "valid", "output": answer["out"]}


def refused(expect: str = "InvalidKey") -> dict[str, Any]:
    return {"input": {"key": CHAIN}, "result": "invalid", "expect": expect}


def families(tmp_path: Path, content: object) -> list[Family]:
    (tmp_path / "made-up.json").write_text(json.dumps(content), encoding="utf-8")
    return load(tmp_path)


def failures(tmp_path: Path, content: object) -> int:
    return sum(len(each.failures) for each in check(families(tmp_path, content), Library(), lambda _: None))


def test_right_answers_pass(tmp_path: Path) -> None:
    assert failures(tmp_path, document(right(), right())) == 0
    assert failures(tmp_path, document(refused(), operation="curve.public")) == 0


def spoil_output(test: dict[str, Any]) -> None:
    test["output"] = {**test["output"], "message": CHAIN}


def drop_output(test: dict[str, Any]) -> None:
    test["output"] = {"chain": test["output"]["chain"]}


def add_output(test: dict[str, Any]) -> None:
    test["output"] = {**test["output"], "more": 1}


def spoil_input(test: dict[str, Any]) -> None:
    test["input"] = {"chain": "01" * 32}


def refuse(test: dict[str, Any]) -> None:
    del test["output"]
    test.update(result="invalid", expect="InvalidKey")


@pytest.mark.parametrize("spoil", [spoil_output, drop_output, add_output, spoil_input, refuse])
def test_a_changed_answer_fails(tmp_path: Path, spoil: Callable[[dict[str, Any]], None]) -> None:
    test = right()
    spoil(test)
    assert failures(tmp_path, document(right(), test)) == 1


def test_a_refusal_with_another_name_fails(tmp_path: Path) -> None:
    assert failures(tmp_path, document(refused("PeerError"), operation="curve.public")) == 1
    accepted = {"input": {"key": "09" + "00" * 31}, "result": "invalid", "expect": "InvalidKey"}
    assert failures(tmp_path, document(accepted, operation="curve.public")) == 1


def without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.pop(name)


def in_test(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["testGroups"][0]["tests"][0].update(changes)


@pytest.mark.parametrize(
    "damage",
    [
        without("family"), without("testGroups"), without("numberOfTests"),
        lambda content: content.update(numberOfTests=3), in_test(tcId=2), in_test(result="acceptable"),
        in_test(result="invalid"), in_test(input=[1]), in_test(input=None),
        in_test(result="invalid", expect="InvalidKey", output={"steps": [{"error": "Another"}]}),
        lambda content: content.update(testGroups=[], numberOfTests=0),
    ],
)  # fmt: skip
def test_a_malformed_file_is_refused(tmp_path: Path, damage: Callable[[dict[str, Any]], object]) -> None:
    content = document(right(), right())
    damage(content)
    with pytest.raises(UsageError, match=r"made-up\.json"):
        families(tmp_path, content)


@pytest.mark.parametrize("data", [b"", b"[", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_a_file_that_is_not_a_json_object_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.json").write_bytes(data)
    with pytest.raises(UsageError, match=r"x\.json"):
        load(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no files"):
        load(tmp_path)


# --- the command ------------------------------------------------------------------------------------


def test_the_command_reports_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = right()
    spoil_output(wrong)
    path = tmp_path / "made-up.json"
    path.write_text(json.dumps(document(right(), wrong)), encoding="utf-8")
    assert main(["vectors", "check", str(path)]) == 1
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()[:3]] == [
        ["family", "tests", "valid", "invalid", "failed"],
        ["made-up", "2", "2", "0", "1"],
        ["all", "2", "2", "0", "1"],
    ]
    assert "made-up 2 (number 2): another output, not the recorded output" in out
    assert err == "letterlock: 1 answers are not as recorded\n"
    assert main(["vectors", "check", "--json", str(tmp_path)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["tests"], report["failed"], report["failures"][0]["tcId"]) == (2, 1, 2)


def test_the_command_passes_right_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "made-up.json"
    path.write_text(json.dumps(document(right())), encoding="utf-8")
    assert main(["vectors", "check", str(path)]) == 0
    assert capsys.readouterr().err == ""
    assert main(["vectors", "check", str(tmp_path / "nowhere")]) == 6
    assert main(["vectors"]) == 2


def test_another_implementation_can_be_asked(tmp_path: Path) -> None:
    (tmp_path / "made-up.json").write_text(json.dumps(document(right())), encoding="utf-8")
    ours = f"{sys.executable} -m letterlock vectors serve"
    run("vectors", "check", "--with", ours, str(tmp_path)).succeeded()
    silent = f"{sys.executable} -c pass"
    assert run("vectors", "check", "--with", silent, str(tmp_path)).status == 2
    stubborn = f"{sys.executable} -u -c 'while input(): print(\"{{}}\")'"
    assert run("vectors", "check", "--with", stubborn, str(tmp_path)).status == 2
    for nothing in ("", "'"):
        assert run("vectors", "check", "--with", nothing, str(tmp_path)).status == 2
    assert run("vectors", "check", "--with", "/nonexistent/command", str(tmp_path)).status == 6

"""Adding a device over the exchange folder, one step at a time, and a folder that lies about it."""

import builtins
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock.limits import LINKING_LIFETIME, MAX_LINKING_PACKAGE
from support.cli_tools import Arguments, Result, Stdin, environment, run
from support.user_cli import People


def states(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.succeeded().splitlines()]


def join(people: People, home: str = "laptop", *arguments: str | Path) -> list[dict[str, Any]]:
    """Let the new device do what it can."""
    return states(people.over(home, "join", "--wait", "0", "--json", *arguments))


def link(people: People, code: str, *arguments: str, home: str = "alice") -> list[dict[str, Any]]:
    """Let the old device do what it can."""
    return states(people.over(home, "link", code, "--wait", "0", "--json", *arguments))


def offered(people: People) -> str:
    """Return the code of a new device to which an offer was made."""
    code: str = join(people)[0]["code"]
    assert link(people, code) == [{"state": "waiting", "for": "answer"}]
    return code


def answered(people: People) -> tuple[str, str]:
    """Return the code, and the digits that the new device shows."""
    code = offered(people)
    shown = join(people)
    assert shown[-1] == {"state": "waiting", "for": "package"}
    return code, digits_in(shown)


def digits_in(shown: list[dict[str, Any]]) -> str:
    digits: str = next(each["digits"] for each in shown if "digits" in each)
    return digits


def linking(people: People) -> Path:
    (directory,) = (people.folder / "linking").iterdir()
    return directory


def listed(people: People, home: str = "alice") -> list[int]:
    return [each["id"] for each in people.json(home, "devices")["devices"]]


# --- as intended ----------------------------------------------------------------------------------


def test_two_people_with_two_devices_each(linked: People) -> None:
    assert listed(linked) == listed(linked, "alice 2") == [1, 2]
    assert linked.json("bob 2", "devices")["this_device"] == 2
    sent = linked.send("alice", "bob", b"to both")
    assert {(each["name"], each["device"]) for each in sent["to"]} == {("bob", 1), ("bob", 2), ("alice", 2)}
    for home, to in (("bob", None), ("bob 2", None), ("alice 2", "bob")):
        (shown,) = [each for each in linked.receive(home) if "text" in each]
        assert (shown["from"], shown["text"], shown["to"]) == ("alice", "to both", to)
    linked.send("bob 2", "alice", b"from the second")
    for home in ("alice", "alice 2", "bob"):
        assert linked.texts(home) == ["from the second"]
    number = linked.json("alice 2", "verify", "bob")["safety_number"]
    assert linked.json("bob", "verify", "alice", number)["state"] == "verified"
    assert linked.json("bob 2", "verify", "alice", number)["state"] == "verified"


def test_each_command_can_be_repeated_at_each_step(people: People) -> None:
    code = join(people)[0]["code"]
    assert join(people)[0]["code"] == code
    for _ in range(2):
        assert link(people, code) == [{"state": "waiting", "for": "answer"}]
    digits = digits_in(join(people))
    assert join(people)[0] == {"state": "digits", "digits": digits}
    for _ in range(2):
        (done,) = link(people, code, "--digits", digits)
        assert done == {"state": "linked", "name": "alice", "device": 2}
    assert listed(people) == [1, 2]
    for _ in range(2):
        assert join(people)[-1] == {"state": "linked", "name": "alice", "device": 2}
    assert list((people.folder / "linking").iterdir()) == []
    (done,) = link(people, code, "--digits", digits)  # the package may have been lost
    assert done["device"] == 2
    assert listed(people) == [1, 2]


def test_a_limited_device_adds_no_other(people: People) -> None:
    code = join(people)[0]["code"]
    link(people, code, "--class", "limited")
    digits = digits_in(join(people))
    link(people, code, "--digits", digits)
    join(people)
    assert people.json("laptop", "devices")["devices"][1]["class"] == "limited"
    code = join(people, "third")[0]["code"]
    assert people.over("laptop", "link", code, "--wait", "0").failed(2)


def test_the_contacts_come_along(friends: People) -> None:
    number = friends.json("alice", "verify", "bob")["safety_number"]
    friends.run("alice", "verify", "bob", number).succeeded()
    code, digits = answered(friends)
    link(friends, code, "--digits", digits)
    join(friends)
    (contact,) = friends.json("laptop", "contacts")["contacts"]
    assert (contact["name"], contact["state"], contact["devices"]) == ("bob", "verified", [])
    assert friends.json("laptop", "verify", "bob")["safety_number"] == number
    friends.send("laptop", "bob", b"from the laptop")
    assert friends.texts("bob") == ["from the laptop"]


def test_a_person_types_yes(people: People) -> None:
    code, digits = answered(people)
    arguments = (
        "--home",
        people.root / "alice",
        "user",
        "link",
        code,
        "--wait",
        "0",
        "--folder",
        people.folder,
    )
    result = run(*arguments, stdin=Stdin(b"yes\n", terminal=True)).succeeded().decode()
    assert f"the new device must show {digits}" in result
    assert listed(people) == [1, 2]


def test_the_code_may_come_over_standard_input_and_be_typed_badly(people: People) -> None:
    code = join(people)[0]["code"]
    typed = code.lower().replace("-", " ").encode()
    people.over("alice", "link", "-", "--wait", "0", stdin=typed).succeeded()
    people.over("alice", "link", *typed.decode().split(), "--wait", "0").succeeded()
    assert digits_in(join(people)).isdigit()


def test_a_terminal_gets_a_qr_code(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = people.over("laptop", "join", "--wait", "0").succeeded().decode()
    assert "\u2588" not in plain
    shown = people.over("laptop", "join", "--wait", "0", "--qr").succeeded()
    assert len(shown.splitlines()) > len(plain.splitlines()) + 20
    original = builtins.__import__

    def without_segno(name: str, *rest: Any) -> Any:
        if name == "segno":
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_segno)
    assert "letterlock[qr]" in people.over("laptop", "join", "--wait", "0", "--qr").failed(2)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert people.over("laptop", "join", "--wait", "0").succeeded().decode() == plain


def test_both_sides_wait_for_each_other(people: People) -> None:
    """The new device waits in a process of its own, as it does on a terminal."""
    code = join(people)[0]["code"]
    link(people, code)
    arguments: Arguments = ["--home", people.root / "laptop", "user", "join", "--json"]
    arguments += ["--folder", people.folder]
    with subprocess.Popen(
        [sys.executable, "-m", "letterlock", *arguments], stdout=subprocess.PIPE, env=environment()
    ) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["code"] == code
            digits = json.loads(process.stdout.readline())["digits"]
            link(people, code, "--digits", digits)
            assert json.loads(process.stdout.readline())["state"] == "linked"
            assert process.wait(60) == 0
        finally:
            process.kill()


# --- wrong, or too late ---------------------------------------------------------------------------


def test_other_digits_end_the_linking(people: People) -> None:
    code, digits = answered(people)
    before = people.json("alice", "devices")
    other = f"{(int(digits) + 1) % 10**6:06}"
    assert "somebody interferes" in people.over(
        "alice", "link", code, "--wait", "0", "--digits", other
    ).failed(4)
    assert people.json("alice", "devices") == before
    assert not (linking(people) / "package").exists()
    # The new device waits in vain, and its next code is another one.
    assert join(people)[-1] == {"state": "waiting", "for": "package"}
    fresh = join(people, "laptop", "--new-code")[0]["code"]
    assert fresh != code
    link(people, fresh)
    link(people, fresh, "--digits", digits_in(join(people)))
    assert join(people)[-1]["state"] == "linked"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345x", "\u0661" * 6])
def test_what_is_no_digits_is_asked_again(people: People, typed: str) -> None:
    code, digits = answered(people)
    assert "--digits" in people.over("alice", "link", code, "--wait", "0", "--digits", typed).failed(2)
    assert link(people, code, "--digits", f"{digits[:3]} {digits[3:]}")[0]["state"] == "linked"


def test_without_a_terminal_nobody_is_asked(people: People) -> None:
    code, digits = answered(people)
    result = people.over("alice", "link", code, "--wait", "0", "--json")
    assert result.status == 2
    assert b"--digits" in result.err
    assert json.loads(result.out) == {"state": "compare", "digits": digits}
    assert listed(people) == [1]


@pytest.mark.parametrize("answer", [b"no\n", b"\n", b"", b"y\n", b"yes please\n"])
def test_a_person_says_no(people: People, answer: bytes) -> None:
    code, _ = answered(people)
    arguments = ("user", "link", code, "--wait", "0", "--folder", people.folder)
    result = run("--home", people.root / "alice", *arguments, stdin=Stdin(answer, terminal=True))
    assert result.status == 4
    assert listed(people) == [1]


def test_a_code_expires(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    code = offered(people)
    fresh = join(people, "other")[0]["code"]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + LINKING_LIFETIME + 1)
    for home in ("laptop", "other"):
        assert "--new-code" in people.over(home, "join", "--wait", "0").failed(3)
    for each in (code, fresh):
        assert "--new-code" in people.over("alice", "link", each, "--wait", "0").failed(3)
    # The remedy that the error names works.
    again = join(people, "laptop", "--new-code")[0]["code"]
    link(people, again)
    link(people, again, "--digits", digits_in(join(people)))
    assert join(people)[-1]["state"] == "linked"


def test_a_code_expires_before_the_confirmation(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    code, digits = answered(people)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + LINKING_LIFETIME + 1)
    assert "--new-code" in people.over("alice", "link", code, "--digits", digits, "--wait", "0").failed(3)
    assert listed(people) == [1]


@pytest.mark.parametrize("code", ["", "AAAAA", "x" * 2000, "QYAQW-WBAIB", "grüße"])
def test_what_is_no_code_is_refused(people: People, code: str) -> None:
    people.over("alice", "link", code, "--wait", "0").failed(3)
    typed = people.over("alice", "link", "-", "--wait", "0", stdin=code.encode())
    typed.failed(2 if len(code) > 1400 else 3)


def test_a_mistyped_code_is_noticed(people: People) -> None:
    code = join(people)[0]["code"]
    swapped = code[:6] + code[7] + code[6] + code[8:]
    assert "mistyped" in people.over("alice", "link", swapped, "--wait", "0").failed(3)


def test_a_code_of_another_folder_waits(people: People) -> None:
    code = join(people)[0]["code"]
    shutil.rmtree(people.folder / "linking")
    assert link(people, code) == [{"state": "waiting", "for": "bundle"}]
    join(people)
    assert link(people, code) == [{"state": "waiting", "for": "answer"}]


def test_profiles_that_cannot_be_linked(people: People) -> None:
    assert "another --home" in people.over("alice", "join", "--new-code", "--wait", "0").failed(2)
    run("--home", people.root / "single", "init", "zoe").succeeded()
    people.over("single", "join", "--wait", "0").failed(5)
    code = join(people)[0]["code"]
    people.over("single", "link", code, "--wait", "0").failed(2)
    assert "letterlock user join" in people.over("laptop", "receive").failed(2)
    assert "letterlock user join" in people.run("laptop", "devices").failed(2)
    people.over("laptop", "join", "--wait", "x").failed(2)
    people.over("other", "join", "--wait", "0", "--place", "x" * 256).failed(2)
    assert not (people.root / "other" / "store.db").exists()


# --- a folder that lies ---------------------------------------------------------------------------


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "flipped": flipped,
    "half": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "longer": lambda data: data + b"x",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_wrong_files_are_refused_and_the_right_ones_taken_later(people: People, damage: str) -> None:
    change = DAMAGES[damage]

    def spoil(step: str) -> bytes:
        path = linking(people) / step
        whole = path.read_bytes()
        path.write_bytes(change(whole))
        return whole

    code = join(people)[0]["code"]
    whole = spoil("bundle")
    people.over("alice", "link", code, "--wait", "0").failed(3)
    (linking(people) / "bundle").write_bytes(whole)
    link(people, code)
    whole = spoil("offer")
    people.over("laptop", "join", "--wait", "0").failed(3)
    (linking(people) / "offer").write_bytes(whole)
    digits = digits_in(join(people))
    whole = spoil("answer")
    people.over("alice", "link", code, "--digits", digits, "--wait", "0").failed(3)
    (linking(people) / "answer").write_bytes(whole)
    link(people, code, "--digits", digits)
    whole = spoil("package")
    people.over("laptop", "join", "--wait", "0").failed(3)
    assert people.run("laptop", "devices").status == 2
    (linking(people) / "package").write_bytes(whole)
    assert join(people)[-1]["state"] == "linked"


def test_an_offer_that_is_replaced_later_changes_nothing(people: People) -> None:
    code, digits = answered(people)
    (linking(people) / "offer").write_bytes(b"another one")
    (linking(people) / "answer").unlink()
    assert join(people)[0] == {"state": "digits", "digits": digits}
    assert link(people, code) == [{"state": "waiting", "for": "answer"}]  # which writes the offer again
    join(people)
    link(people, code, "--digits", digits)
    assert join(people)[-1]["state"] == "linked"


def test_files_that_are_too_long_are_not_read(people: People) -> None:
    code = join(people)[0]["code"]
    with (linking(people) / "offer").open("wb") as file:
        file.truncate(2**40)
    assert join(people)[-1] == {"state": "waiting", "for": "offer"}
    link(people, code)
    digits = digits_in(join(people))
    with (linking(people) / "package").open("wb") as file:
        file.truncate(MAX_LINKING_PACKAGE + 4096)
    assert join(people)[-1] == {"state": "waiting", "for": "package"}
    link(people, code, "--digits", digits)
    assert join(people)[-1]["state"] == "linked"


def test_somebody_who_saw_the_code_adds_nobody(people: People) -> None:
    """Mallory makes an offer of her own, in the place of Alice's."""
    code = join(people)[0]["code"]
    people.make("mallory", 0)
    link(people, code, home="mallory")
    digits = digits_in(join(people))
    # The new device has answered Mallory, so Alice is told that its answer is not to her offer.
    assert "--new-code" in people.over("alice", "link", code, "--digits", digits, "--wait", "0").failed(3)
    assert listed(people) == [1]
    # Nor does Mallory add it: nobody told her the digits.
    assert people.over("mallory", "link", code, "--wait", "0").status == 2
    assert join(people)[-1] == {"state": "waiting", "for": "package"}

"""The command `enrol`: its table, its letters, what it says, and how it goes on. Nothing is sent."""

import asyncio
import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

import letterlock.cli._enrol_command as command
from letterlock import SqliteStore
from letterlock.cli import _user_table
from letterlock.cli._key_file import read_key_files
from letterlock.cli._output_file import TemporaryOutput
from letterlock.client import (
    EnrolmentStopped,
    NameTaken,
    NewUser,
    NotEnrolled,
    RelayUnavailable,
    ServerUnavailable,
)
from letterlock.errors import LetterlockError, StoreError
from letterlock.recovery import IdentityRefused
from letterlock.relay import TicketKey
from support.cli_tools import Result, run

LETTER = re.compile(r"[0-9a-hjkmnp-tv-z]{5}(-[0-9a-hjkmnp-tv-z]{5}){4}")


class Enrolled:
    """An enrolment that enrols whomever it is told, one at a time, and refuses as a test says."""

    done: ClassVar[dict[str, NewUser]]
    refusals: ClassVar[dict[str, BaseException]]
    opened: ClassVar[list[dict[str, Any]]]
    slowed: ClassVar[tuple[RelayUnavailable, ...]]

    @classmethod
    async def open(cls, store: Any, **options: Any) -> Self:
        store().close()
        cls.opened.append(options)
        return cls()

    async def is_enrolled(self, name: str) -> bool:
        return name in self.done

    async def enrol_all(
        self, users: Iterable[NewUser], *, at_once: int, progress: Any, refused: Any, waits: Any
    ) -> tuple[NotEnrolled, ...]:
        enrolled, failed = 0, list[NotEnrolled]()
        for each in self.slowed:
            waits(each)
        for user in users:
            error = self.refusals.get(user.name)
            if isinstance(error, RelayUnavailable | StoreError):
                raise EnrolmentStopped(error, enrolled, len(failed)) from error
            if isinstance(error, LetterlockError):
                failed.append(NotEnrolled(user.name, error))
                refused(failed[-1])
                continue
            if error is not None:
                raise error
            self.done.setdefault(user.name, user)
            enrolled += 1
            progress(user.name)
        return tuple(failed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def enrolled(monkeypatch: pytest.MonkeyPatch) -> type[Enrolled]:
    Enrolled.done, Enrolled.refusals, Enrolled.opened = {}, {}, []
    Enrolled.slowed = ()
    monkeypatch.setattr(command, "Enrolment", Enrolled)
    return Enrolled


def enrol(folder: Path, table: str | bytes, *options: str | Path) -> Result:
    """Write a table, and enrol who is in it."""
    file = folder / "users.csv"
    file.write_bytes(table.encode() if isinstance(table, str) else table)
    return again(folder, *options)


def again(folder: Path, *options: str | Path) -> Result:
    """Run the command with the table that is there."""
    servers = "--relay", "https://relay.example", "--key-server", "https://keys.example"
    return run("--home", folder / "home", "enrol", folder / "users.csv", *servers, *options)


def letters_in(file: Path) -> dict[str, str]:
    with file.open(newline="") as opened:
        return {each["name"]: each["password"] for each in csv.DictReader(opened)}


# --- who is made ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [
        "name,password\nann,once for ann\nbob,once for bob\n",
        "\ufeffpassword;NAME\r\nonce for ann;ann\r\n\r\nonce for bob;bob\r\n",
        'name,password,id\n"ann","once for ann",1\n"bob","once for bob",2',
    ],
)
def test_the_users_of_a_table_are_made(tmp_path: Path, enrolled: type[Enrolled], table: str) -> None:
    shown = enrol(tmp_path, table).succeeded()
    assert shown == b"2 enrolled, 0 refused\n"
    made = {name: user.password for name, user in enrolled.done.items()}
    assert made == {"ann": "once for ann", "bob": "once for bob"}
    servers = enrolled.opened[0]["servers"]
    assert (servers.relay, servers.key_server) == ("https://relay.example", "https://keys.example")


def test_a_password_is_made_for_whoever_has_none_and_shown_nowhere(
    tmp_path: Path, enrolled: type[Enrolled]
) -> None:
    letters = tmp_path / "letters.csv"
    result = enrol(tmp_path, "name,password\nann,\nbob,once for bob\nZo\u00eb,\n", "--letters", letters)
    result.succeeded()
    made = letters_in(letters)
    assert list(made) == ["ann", "Zo\u00eb"]
    assert letters.stat().st_mode & 0o077 == 0
    for name, password in made.items():
        assert LETTER.fullmatch(password)
        assert enrolled.done[name].password == password
        assert password.encode() not in result.out + result.err
    assert made["ann"] != made["Zo\u00eb"]
    assert [each.name for each in tmp_path.glob(".letterlock-*")] == []


def test_letters_are_whole_before_anybody_is_made(tmp_path: Path, enrolled: type[Enrolled]) -> None:
    letters = tmp_path / "letters.csv"
    enrolled.refusals["ann"] = KeyboardInterrupt()
    assert enrol(tmp_path, "name\nann\nbob\n", "--letters", letters).status == 130
    assert list(letters_in(letters)) == ["ann", "bob"]
    assert not enrolled.done


def test_a_run_that_follows_keeps_letters_and_adds_what_is_missing(
    tmp_path: Path, enrolled: type[Enrolled]
) -> None:
    letters = tmp_path / "letters.csv"
    enrolled.refusals["bob"] = KeyboardInterrupt()
    stopped = enrol(tmp_path, "name\nann\nbob\n", "--letters", letters)
    assert stopped.failed(130) == "stopped, 1 of 2 users are enrolled: run it again, and it goes on"
    first = letters_in(letters)
    enrolled.refusals.clear()
    shown = enrol(tmp_path, "name\nann\nbob\ncarol\n", "--letters", letters).succeeded()
    assert shown == b"3 enrolled, 0 refused\n"
    assert {name: each.password for name, each in enrolled.done.items()} == letters_in(letters)
    assert first.items() <= letters_in(letters).items()


def test_no_letter_is_made_that_would_open_nothing(tmp_path: Path, enrolled: type[Enrolled]) -> None:
    """The letters of an earlier run are printed and deleted: that password is in force."""
    letters = tmp_path / "letters.csv"
    enrol(tmp_path, "name\nann\nbob\n", "--letters", letters).succeeded()
    before = enrolled.done["ann"].password
    letters.unlink()
    shown = enrol(tmp_path, "name\nann\nbob\ncarol\n", "--letters", letters).succeeded().decode()
    assert shown.startswith("3 enrolled, 0 refused\n2 of them by an earlier run")
    assert list(letters_in(letters)) == ["carol"]
    assert enrolled.done["ann"].password == before


def test_keys_of_the_application_sign_tickets_and_answer_checks(
    tmp_path: Path, enrolled: type[Enrolled]
) -> None:
    for name in ("register", "check"):
        run("relay", "ticket", "key", tmp_path / name).succeeded()
    keys = "--ticket-key", tmp_path / "register", "--key-server-check", tmp_path / "check"
    enrol(tmp_path, "name,id,password\nann,patient 4711,once for ann\n", *keys).succeeded()
    ann = enrolled.done["ann"]
    assert ann.ticket is not None
    assert list(ann.identities) == [2]
    key = TicketKey(bytes.fromhex((tmp_path / "check").read_text()))
    answer = ann.identities[2]
    assert (answer.kind, answer.claim) == ("ticket", None)

    async def proven() -> bytes:
        return await answer.answer(b"a challenge")

    proof = asyncio.run(proven())
    same = key.sign_identity("patient 4711", server=2, challenge=b"a challenge")
    assert proof[:40] == same[:40]
    assert b"patient 4711" in proof


# --- what is refused --------------------------------------------------------------------------------------

HEAD = "name,id,password\n"
WRONG = [
    ("", "is empty: its first line names the columns"),
    ("user\nann\n", "line 1: it has to name the columns"),
    ("name,name\nann,ann\n", "line 1: it has to name the columns"),
    ("name,pasword\nann,once for ann\n", "line 1: it has to name the columns"),
    ("ann,once for ann\n", "line 1: it has to name the columns"),
    (HEAD + "ann,1,once for ann\nbob,2\n", "line 3: 2 columns, and the first line names 3"),
    (HEAD + "ann,1,once for ann\nbob,2,once,for bob\n", "line 3: 4 columns, and the first line names 3"),
    (HEAD + '"ann\n",1,once for ann\n', "line 2: the name has blanks"),
    (HEAD + "ann,1,once for ann \n", "line 2: the password has blanks"),
    (HEAD + "ann,1\x07,once for ann\n", "line 2: the id has blanks"),
    (HEAD + "ann,1,once\x1b[2J for ann\n", "line 2: the password has blanks"),
    (HEAD + ",1,once for ann\n", "line 2: "),
    (HEAD + f"{'n' * 300},1,once for ann\n", "line 2: "),
    (HEAD + 'ann,1,"once for\nbob,2,once for bob\n', "line 2: not CSV"),
    (HEAD + f'ann,1,"{"x" * 200_000}"\n', "line 2: not CSV"),
    (
        HEAD + "ann,1,once for ann\n\nbob,2,once for bob\nann,3,once again\n",
        "line 5: the name ann is in line 2",
    ),
    (HEAD + "Zoe\u0308,1,once for her\nZo\u00eb,2,once for her\n", "line 3: the name"),
    (HEAD + "ann,1,once for ann\nbob,1,once for bob\n", "line 3: the id 1 is in line 2"),
    (HEAD + "ann,1,once for ann\nbob,2,\n", "line 3: no password: give one, or name a file with --letters"),
]


@pytest.mark.parametrize(("table", "said"), WRONG)
def test_a_wrong_line_is_named_before_anybody_is_made(
    tmp_path: Path, enrolled: type[Enrolled], table: str, said: str
) -> None:
    text = enrol(tmp_path, table).failed(2)
    assert said in text
    assert "once" not in text  # no part of a password
    assert not enrolled.opened


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    assert "not in UTF-8" in enrol(tmp_path, b"name\n\xe4nn\n").failed(2)


def test_a_table_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_user_table, "MAX_USERS", 2)
    assert "more than 2 users" in enrol(tmp_path, "name\nann\nbob\ncarol\n").failed(2)
    monkeypatch.setattr(_user_table, "MAX_TABLE", 12)
    assert "more than 12 bytes" in enrol(tmp_path, "name\nann\nbob\n").failed(2)
    (tmp_path / "users.csv").unlink()
    assert "check the path" in again(tmp_path).failed(6)


def test_a_file_that_holds_no_letters_is_left_alone(tmp_path: Path, enrolled: type[Enrolled]) -> None:
    letters = tmp_path / "letters.csv"
    for content, said in (
        ("name\nann\n", "line 2: no password"),
        ("diary\n", "line 1: it has to name the columns"),
    ):
        letters.write_text(content)
        assert said in enrol(tmp_path, "name\nann\n", "--letters", letters).failed(2)
        assert letters.read_text() == content
    folder = tmp_path / "folder"
    folder.mkdir()
    assert "is a directory" in again(tmp_path, "--letters", folder).failed(2)
    assert not enrolled.done


def test_letters_that_cannot_be_written_make_nobody(
    tmp_path: Path, enrolled: type[Enrolled], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TemporaryOutput, "write", full)
    letters = tmp_path / "letters.csv"
    assert "make room" in enrol(
        tmp_path, "name,password\nann,\nbob,once for bob\n", "--letters", letters
    ).failed(6)
    assert not enrolled.done
    assert not letters.exists()


def test_a_check_needs_the_id_of_everybody(tmp_path: Path) -> None:
    run("relay", "ticket", "key", tmp_path / "key").succeeded()
    for table in ("name,password\nann,once for ann\n", HEAD + "bob,1,once for bob\nann,,once for ann\n"):
        assert "no id, by which a check would know ann" in enrol(
            tmp_path, table, "--relay-check", tmp_path / "key"
        ).failed(2)
    (tmp_path / "key").write_text("no key")
    assert "holds no ticket key" in again(tmp_path, "--relay-check", tmp_path / "key").failed(2)


TABLE = "name,password\nann,once for ann\nbob,once for bob\ncarol,once for her\n"


def test_whoever_is_refused_is_named_and_stops_nobody(tmp_path: Path, enrolled: type[Enrolled]) -> None:
    """The exit status is that of the first one."""
    enrolled.refusals.update(
        ann=NameTaken(), bob=IdentityRefused("server 2 wants its check of identity passed")
    )
    result = enrol(tmp_path, TABLE)
    assert (result.status, result.out) == (2, b"1 enrolled, 2 refused\n")
    first, second, last = result.err.decode().splitlines()
    assert first.endswith(
        "users.csv, line 2, ann: somebody else has this name at the relay: choose another one"
    )
    assert "line 3, bob: server 2 wants its check" in second
    assert last == "letterlock: 2 of 3 users are not enrolled: fix that, and run it again"
    assert b"once" not in result.err
    shown = again(tmp_path, "--json")
    assert b'"enrolled": 1' in shown.out
    assert b'"name": "ann"' in shown.out


@pytest.mark.parametrize(
    ("error", "status"), [(RelayUnavailable("the relay is away"), 1), (StoreError("the disk is full"), 5)]
)
def test_what_stops_all_says_how_far_it_came(
    tmp_path: Path, enrolled: type[Enrolled], error: LetterlockError, status: int
) -> None:
    enrolled.refusals["bob"] = error
    text = enrol(tmp_path, TABLE).failed(status)
    assert "1 users are enrolled, 0 were refused, and then: the" in text
    assert text.endswith(". Run it again: it goes on")
    enrolled.refusals.clear()
    assert again(tmp_path).succeeded() == b"3 enrolled, 0 refused\n"


def test_one_command_at_a_time(
    tmp_path: Path, enrolled: type[Enrolled], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = list[Result]()

    async def twice(self: Enrolled, *_: Any, **__: Any) -> None:
        inner.append(await asyncio.to_thread(again, tmp_path))
        inner.append(await asyncio.to_thread(run, "--home", tmp_path / "home", "rekey"))

    monkeypatch.setattr(Enrolled, "enrol_all", twice)
    enrol(tmp_path, TABLE)
    assert "another `letterlock enrol`" in inner[0].failed(2)
    assert "an enrolment, works in this profile" in inner[1].failed(5)


def test_the_store_is_sealed_under_a_key_of_its_own(tmp_path: Path) -> None:
    enrol(tmp_path, TABLE).succeeded()
    (key,) = read_key_files(tmp_path / "home")
    assert key.path.stat().st_mode & 0o077 == 0
    SqliteStore(tmp_path / "home" / "store.db", key=key.key).close()


@pytest.mark.parametrize(
    ("slow", "which"),
    [(RelayUnavailable("later", 30), "the relay"), (ServerUnavailable(2, 30), "the key server")],
)
def test_a_server_that_asks_to_wait_is_named_now_and_then(
    tmp_path: Path, enrolled: type[Enrolled], slow: RelayUnavailable, which: str
) -> None:
    enrolled.slowed = (slow,) * 50
    result = enrol(tmp_path, TABLE)
    (line,) = result.err.decode().splitlines()
    assert line.startswith(f"letterlock: {which} asks to come again in 30 seconds")
    assert "--address-calls" in line
    assert result.out == b"3 enrolled, 0 refused\n"


def test_progress_is_told_now_and_then(tmp_path: Path) -> None:
    table = "name,password\n" + "".join(f"user {each},once for them\n" for each in range(250))
    result = enrol(tmp_path, table)
    assert result.err.decode().splitlines() == [
        "letterlock: 100 of 250 users",
        "letterlock: 200 of 250 users",
    ]
    assert result.out == b"250 enrolled, 0 refused\n"

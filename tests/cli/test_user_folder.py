"""An exchange folder that lies: nothing in it is trusted, and nothing in it stops a user."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from letterlock._wire.address import Address
from letterlock.cli import _folder as folder_module
from letterlock.cli._folder import Folder, message_name, read, remove_if_unchanged
from letterlock.limits import MAX_BUNDLE, MAX_DEVICE_LIST, MAX_MESSAGE
from support.cli_tools import run
from support.user_cli import People


def sparse(path: Path, size: int) -> None:
    """Make a file that claims so many bytes and takes none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


# --- device lists ---------------------------------------------------------------------------------


def foreign(path: Path, people: People) -> None:
    people.make("carol", 0)
    shutil.copy(people.lists("carol") / "1.list", path)


def forged(path: Path, _: People) -> None:
    flip(path)


def half_written(path: Path, _: People) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def empty(path: Path, _: People) -> None:
    path.write_bytes(b"")


def too_long(path: Path, _: People) -> None:
    sparse(path, MAX_DEVICE_LIST + 1)


def huge(path: Path, _: People) -> None:
    sparse(path, 2**40)


def linked(path: Path, people: People) -> None:
    path.rename(people.root / "elsewhere")
    path.symlink_to(people.root / "elsewhere")


def pipe(path: Path, _: People) -> None:
    path.unlink()
    os.mkfifo(path)


def directory(path: Path, _: People) -> None:
    path.unlink()
    path.mkdir()


def missing(path: Path, _: People) -> None:
    path.unlink()


Damage = Callable[[Path, People], None]


@pytest.mark.parametrize("damage", [forged, half_written, empty])
def test_wrong_lists_of_a_new_name_are_refused(people: People, damage: Damage) -> None:
    damage(people.lists("bob") / "1.list", people)
    people.over("alice", "learn", "bob").failed(3)
    assert people.json("alice", "contacts") == {"contacts": []}


@pytest.mark.parametrize("damage", [too_long, huge, linked, pipe, directory, missing])
def test_what_is_no_list_is_no_list(people: People, damage: Damage) -> None:
    damage(people.lists("bob") / "1.list", people)
    for command in ("learn", "send"):
        assert "`letterlock user publish`" in people.over("alice", command, "bob").failed(2)


@pytest.mark.parametrize("damage", [forged, half_written, empty, too_long, huge, linked, pipe, missing])
def test_wrong_lists_of_a_contact_change_nothing(friends: People, damage: Damage) -> None:
    before = friends.json("alice", "contacts")
    damage(friends.lists("bob") / "1.list", friends)
    sent = friends.send("alice", "bob", b"on record")
    wrong = damage in {half_written, empty}  # a forged signature of a known list is not looked at
    assert [each.split(":")[0] for each in sent["problems"]] == [
        "the folder shows wrong device lists of bob"
    ] * wrong
    assert friends.texts("bob") == ["on record"]
    assert friends.json("alice", "contacts") == before


def test_lists_of_somebody_else_freeze_a_contact(friends: People) -> None:
    path = friends.lists("bob") / "1.list"
    right = path.read_bytes()
    foreign(path, friends)
    assert "`letterlock user keep NAME`" in friends.over("alice", "learn", "bob", "--json").failed(4)
    for command in ("send", "learn"):
        assert "`letterlock user keep NAME`" in friends.over("alice", command, "bob").failed(4)
    friends.run("alice", "verify", "bob", *["00000"] * 12).failed(4)
    assert friends.mail("bob.1") == []
    (contact,) = friends.json("alice", "contacts")["contacts"]
    assert (contact["state"], contact["devices"]) == ("conflicting", [])
    evidence = friends.root / "evidence"
    friends.run("alice", "evidence", "bob", "-o", evidence).succeeded()
    assert run("check-evidence", evidence).succeeded().startswith(b"other user, under the name bob")
    friends.send("bob", "alice", b"is held")
    (held,) = friends.receive("alice")
    assert held["held"]
    # The remedy that the error names works.
    friends.run("alice", "keep", "bob").succeeded()
    path.write_bytes(right)
    assert friends.texts("alice") == ["is held"]
    friends.send("alice", "bob", b"again")
    assert friends.texts("bob") == ["again"]


def test_the_other_lists_may_be_the_right_ones(friends: People) -> None:
    foreign(friends.lists("bob") / "1.list", friends)
    friends.over("alice", "learn", "bob").failed(4)
    friends.run("alice", "replace", "bob").succeeded()
    (contact,) = friends.json("alice", "contacts")["contacts"]
    assert contact["user_id"] == friends.json("carol", "devices")["user_id"]
    friends.run("alice", "replace", "bob").failed(2)
    friends.run("alice", "keep", "bob").failed(2)
    friends.run("alice", "evidence", "bob", "-o", friends.root / "none").failed(2)
    assert not (friends.root / "none").exists()


def test_own_lists_under_another_name_are_refused(people: People) -> None:
    shutil.copytree(people.lists("alice"), people.lists("mallory"))
    assert "own device lists" in people.over("alice", "learn", "mallory").failed(3)


def test_others_cannot_take_this_users_place(people: People) -> None:
    path = people.lists("alice") / "1.list"
    right = path.read_bytes()
    foreign(path, people)
    assert "version 1" in people.over("alice", "publish").failed(4)
    assert path.read_bytes() != right
    path.unlink()  # as the error says
    people.over("alice", "publish").succeeded()
    assert path.read_bytes() == right


# --- prekey bundles -------------------------------------------------------------------------------


def test_wrong_bundles_are_left_out(people: People) -> None:
    first, second, third, fourth, last = people.bundles("bob.1")
    other = people.bundles("alice.1")[0]
    flip(first)
    second.write_bytes(b"")
    sparse(third, MAX_BUNDLE + 1)
    shutil.copy(other, fourth)
    sent = people.send("alice", "bob", b"by the last resort")
    assert len(sent["problems"]) == 3
    assert all("bundle of bob.1 in the folder is of no use" in each for each in sent["problems"])
    assert people.texts("bob") == ["by the last resort"]
    assert people.bundles("bob.1") == [last]


def test_bundles_of_invented_devices_and_identities_serve_nobody(people: People) -> None:
    people.make("carol", 1)
    shutil.rmtree(people.folder / "bundles" / "bob.1")
    # Another "bob", whose keys Bob's device list does not have.
    run("--home", people.root / "mallory", "user", "init", "bob").succeeded()
    mallory = people.root / "mallory folder"
    run("--home", people.root / "mallory", "user", "publish", "--folder", mallory).succeeded()
    shutil.copytree(mallory / "bundles" / "bob.1", people.folder / "bundles" / "bob.1")
    shutil.copytree(mallory / "bundles" / "bob.1", people.folder / "bundles" / "bob.9")
    sent = people.send("alice", "bob", b"a secret")
    assert (sent["to"], len(sent["waiting"]), len(sent["problems"])) == ([], 1, 21)
    assert not (people.folder / "mail").exists()
    assert not (people.folder / "mail" / "bob.9").exists()


def test_a_bundle_that_is_handed_out_twice_is_not_used_twice(friends: People) -> None:
    kept = {path: path.read_bytes() for path in friends.bundles("bob.1")}
    friends.make("carol", 0)
    friends.send("carol", "bob", b"one")
    for path, data in kept.items():
        path.write_bytes(data)
    friends.make("dave", 0)
    friends.send("dave", "bob", b"two")
    shown = friends.receive("bob")
    assert [each["text"] for each in shown if "text" in each] == ["one"]
    assert [each["from"] for each in shown if "refused" in each] == ["dave"]


# --- messages -------------------------------------------------------------------------------------


def test_foreign_files_are_no_messages(friends: People) -> None:
    friends.send("alice", "bob", b"real")
    (message,) = friends.mail("bob.1")
    inbox = message.parent
    names = [
        "x",
        "x.message",
        ".hidden.message",
        message.name.removesuffix(".message"),
        message.name.replace("alice.1", "alice"),
        message.name.replace("alice.1", "alice.01"),
        message.name.replace("alice.1", "alice.0"),
        message.name.replace("alice.1", "alice.4294967296"),
        message.name.replace("alice.1", "%61lice.1"),
        message.name.replace("alice.1", "al%C3.1"),
        message.name.replace("alice.1", "al%0Aice.1"),
        message.name.replace("alice.1", f"{'a' * 181}.1"),
        message.name.replace("-alice", "alice"),
    ]
    for name in names:
        shutil.copy(message, inbox / name)
    assert friends.texts("bob") == ["real"]
    assert {path.name for path in inbox.iterdir()} == set(names)


def test_what_cannot_be_read_is_refused_and_removed(friends: People) -> None:
    friends.send("alice", "bob", b"real")
    (message,) = friends.mail("bob.1")
    whole = message.read_bytes()
    inbox = message.parent
    friends.make("carol", 0)
    friends.over("bob", "learn", "carol").succeeded()
    cases = {
        message_name(Address("alice"), 1): whole[: len(whole) // 2],
        message_name(Address("alice"), 2): b"",
        message_name(Address("alice"), 3): whole[:-1] + bytes([whole[-1] ^ 1]),
        message_name(Address("alice", 9), 4): whole,
        message_name(Address("carol"), 5): whole,
        message_name(Address("bob"), 6): whole,
        message_name(Address("bob", 2), 7): whole,
    }
    for name, data in cases.items():
        (inbox / name).write_bytes(data)
    sparse(inbox / message_name(Address("alice"), 8), MAX_MESSAGE + 1)
    sparse(inbox / message_name(Address("alice"), 9), 2**40)
    shown = friends.receive("bob")
    assert [each["text"] for each in shown if "text" in each] == ["real"]
    refused = [each for each in shown if "refused" in each]
    assert len(refused) == 9
    assert all(each["reason"] for each in refused)
    assert list(inbox.iterdir()) == []
    # The half-written file took nothing from the whole one, and a repeated one is silent.
    message.write_bytes(whole)
    assert friends.receive("bob") == []
    assert not message.exists()


def test_a_message_of_a_stranger_is_held(friends: People) -> None:
    friends.send("alice", "bob", b"real")
    (message,) = friends.mail("bob.1")
    stranger = message.with_name(message_name(Address("stranger"), 1))
    shutil.copy(message, stranger)
    shown = friends.receive("bob")
    assert [each["text"] for each in shown if "text" in each] == ["real"]
    assert [each["from"] for each in shown if "held" in each] == ["stranger"]
    assert shown[-1] == {"need": "device lists", "name": "stranger", "device": None}
    assert stranger.exists()
    assert "stays in the folder" in friends.over("bob", "receive").succeeded().decode()


def test_strangers_do_not_fill_the_contacts(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("letterlock.cli._exchange._MAX_STRANGERS", 1)
    for name in ("carol", "dave"):
        people.make(name, 0)
        people.send(name, "bob", name.encode())
    assert people.texts("bob") == ["carol"]
    people.send("alice", "bob", b"later")
    assert people.texts("bob") == ["dave"]  # what is held comes with the next command
    assert people.texts("bob") == ["later"]


def test_links_pipes_and_directories_are_no_messages(friends: People) -> None:
    friends.send("alice", "bob", b"real")
    (message,) = friends.mail("bob.1")
    message.rename(friends.root / "elsewhere")
    message.symlink_to(friends.root / "elsewhere")
    os.mkfifo(message.with_name(message_name(Address("alice"), 1)))
    message.with_name(message_name(Address("alice"), 2)).mkdir()
    assert friends.receive("bob") == []
    assert len(list(message.parent.iterdir())) == 3


def test_a_mailbox_that_is_a_link_holds_up_nobody_else(friends: People) -> None:
    friends.make("carol", 2)
    inbox, victim = friends.folder / "mail" / "bob.1", friends.root / "victim"
    victim.mkdir()
    inbox.rmdir()
    inbox.symlink_to(victim)
    for name, text in (("bob", b"kept"), ("carol", b"hi")):
        result = friends.over("alice", "send", name, stdin=text)
        assert result.status == 6
        assert b"the next command that uses the folder sends it" in result.err
        assert result.out.startswith(f"sent to {name}.1\n".encode())
    assert list(victim.iterdir()) == []
    assert friends.texts("carol") == ["hi"]
    assert friends.over("alice", "receive").status == 6
    inbox.unlink()
    assert friends.texts("alice") == []  # any command sends what was left
    assert friends.texts("bob") == ["kept"]


def test_only_so_many_messages_are_looked_at(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "_MAX_MESSAGES", 3)
    inbox = people.folder / "mail" / "bob.1"
    inbox.mkdir(parents=True)
    for number in range(6, 0, -1):
        (inbox / message_name(Address("alice"), number)).touch()
    letters = Folder(people.folder).letters(Address("bob"))
    assert [int(each.path.name[:20]) for each in letters] == [1, 2, 3]


def test_a_file_that_grew_since_it_was_read_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.write_bytes(b"half")
    content = read(path, 100)
    assert content is not None
    path.write_bytes(b"half and half")
    remove_if_unchanged(path, content)
    assert path.exists()
    content = read(path, 100)
    assert content is not None
    path.unlink()
    remove_if_unchanged(path, content)  # somebody was faster
    path.write_bytes(b"x" * 101)
    content = read(path, 100)
    assert content is not None
    assert content.data is None
    remove_if_unchanged(path, content)
    assert not path.exists()

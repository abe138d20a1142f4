"""Live users, by which two implementations link devices with each other."""

from collections.abc import Callable
from typing import Any

import pytest

from letterlock.errors import (
    AuthenticationFailed,
    InvalidSignature,
    LetterlockError,
    MalformedMessage,
    UsageError,
)
from letterlock.user import LinkingRefused
from letterlock_vectors.library import Library
from letterlock_vectors.operations.live_users import MAX_USERS

Run = Callable[[str, object], dict[str, Any]]

FULL, LIMITED = 1, 2


@pytest.fixture
def run() -> Run:
    """The operations of a library that has no users yet."""
    return Library().run


def changed(data: str, at: int = -1) -> str:
    """Return the bytes with one of them changed."""
    found = bytearray.fromhex(data)
    found[at] ^= 1
    return found.hex()


def begun(run: Run) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the code and bundle of device `b`, and the offer that `a` makes of them."""
    run("user.create", {"party": "a", "name": "alice"})
    shown = run("new_device.begin", {"party": "b", "place": ""})
    return shown, run("user.offer", {"party": "a", "class": FULL, **shown})


def test_a_device_is_linked_and_links_another_one(run: Run) -> None:
    user_id = run("user.create", {"party": "a", "name": "alice"})["user_id"]
    run("user.create", {"party": "bob", "name": "bob"})
    run("user.learn", {"party": "a", "name": "bob", **run("user.lists", {"party": "bob"})})
    for number, (old, new, device_class) in enumerate([("a", "b", FULL), ("b", "c", LIMITED)], 2):
        shown = run("new_device.begin", {"party": new, "place": "here"})
        offered = run("user.offer", {"party": old, "class": device_class, **shown})
        assert offered["id"] == number
        taken = run("new_device.take_offer", {"party": new, "sealed_offer": offered["sealed_offer"]})
        digits = run("user.take_answer", {"party": old, "answer": taken["answer"]})["digits"]
        assert digits == taken["digits"]
        package = run("user.confirm", {"party": old})
        assert package["list"] == run("user.lists", {"party": old})["lists"][-1]
        linked = run("new_device.take_package", {"party": new, "sealed_package": package["sealed_package"]})
        assert linked == {"name": "alice", "id": number, "user_id": user_id}
        assert run("user.contacts", {"party": new}) == run("user.contacts", {"party": "a"})
    assert len(run("user.lists", {"party": "c"})["lists"]) == 3


def refused(run: Run, error: type[LetterlockError], operation: str, **given: object) -> None:
    with pytest.raises(LetterlockError) as caught:
        run(operation, given)
    assert type(caught.value) is error


def test_changed_messages_are_refused_and_the_right_ones_are_taken_afterwards(run: Run) -> None:
    shown, offered = begun(run)
    refused(
        run, MalformedMessage, "user.offer", party="a", **{**shown, "class": FULL, "text": shown["text"][:-1]}
    )
    refused(run, LinkingRefused, "user.offer", party="a", **{**shown, "class": FULL, "bundle": "00"})
    sealed = offered["sealed_offer"]
    refused(run, AuthenticationFailed, "new_device.take_offer", party="b", sealed_offer=changed(sealed))
    answer = run("new_device.take_offer", {"party": "b", "sealed_offer": sealed})["answer"]
    refused(run, LinkingRefused, "user.take_answer", party="a", answer=changed(answer))
    refused(run, InvalidSignature, "user.take_answer", party="a", answer=changed(answer, 3000))
    refused(run, UsageError, "user.confirm", party="a")
    run("user.take_answer", {"party": "a", "answer": answer})
    package = run("user.confirm", {"party": "a"})["sealed_package"]
    refused(run, AuthenticationFailed, "new_device.take_package", party="b", sealed_package=changed(package))
    assert run("new_device.take_package", {"party": "b", "sealed_package": package})["id"] == 2


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("user.lists", {}), ("user.take_answer", {"answer": ""}), ("user.confirm", {}), ("user.contacts", {}),
        ("new_device.take_offer", {"sealed_offer": ""}), ("new_device.take_package", {"sealed_package": ""}),
    ],
)  # fmt: skip
def test_a_party_that_is_in_another_place_is_refused(run: Run, operation: str, given: dict[str, str]) -> None:
    refused(run, UsageError, operation, party="nobody", **given)
    name = "a" if operation.startswith("new") or operation == "user.confirm" else "b"
    run("user.create", {"party": "a", "name": "alice"})
    run("new_device.begin", {"party": "b", "place": ""})
    if operation != "user.lists" or name == "b":
        refused(run, UsageError, operation, party=name, **given)


def test_a_name_used_again_is_a_new_device(run: Run) -> None:
    begun(run)
    run("new_device.begin", {"party": "a", "place": ""})
    refused(run, UsageError, "user.lists", party="a")
    refused(run, UsageError, "user.take_answer", party="a", answer="")


def test_users_are_bounded(run: Run) -> None:
    for number in range(MAX_USERS):
        run("new_device.begin", {"party": str(number), "place": ""})
    refused(run, UsageError, "new_device.begin", party="one more", place="")
    refused(run, UsageError, "user.create", party="one more", name="alice")
    run("user.create", {"party": "0", "name": "alice"})


def test_an_unknown_class_is_refused(run: Run) -> None:
    shown, _ = begun(run)
    for number in (0, 3, 4):
        refused(run, UsageError, "user.offer", party="a", **{**shown, "class": number})

"""spec/recovery.md and spec/recovery.cddl agree with the code."""

import re
from pathlib import Path

import cbor2
import pytest

from letterlock._keyserver import _strangers
from letterlock._primitives.entropy import system_entropy
from letterlock._wire import identity_limits
from letterlock._wire import recovery_limits as limits
from letterlock._wire.linking import LinkingPayload
from letterlock._wire.recovery_box import BoxContents
from letterlock._wire.recovery_find import FindUser, UserFound
from letterlock._wire.recovery_frame import RECOVERY_CALLS, RecoveryFrame
from letterlock._wire.recovery_kept import BoxKept, GetBox, PutBox
from letterlock._wire.relay_body import DoneAnswer
from letterlock.recovery import (
    Challenged,
    Identify,
    LockEvaluated,
    LockStanding,
    NoticePlace,
    Proven,
    ShowLocks,
    WatchSecondLock,
    device_keys,
    notify_at,
)
from letterlock.recovery._enrolment import make_card
from letterlock.recovery._signing import UNSIGNED, signed_for
from letterlock.relay import TicketKey
from support.cddl_check import Mismatch, Schema
from support.gate_town import ANNA, GateTown, run
from support.recovery_town import Town
from support.second_lock_town import SecondTown

SPEC = Path(__file__).parents[2] / "spec"
PAGE = (SPEC / "recovery.md").read_text(encoding="utf-8")
NAMES = {
    30: "show", 31: "evaluate", 32: "succeed", 33: "begin", 34: "settle", 35: "finish",
    41: "lay", 42: "ask", 43: "take", 49: "stop", 50: "watch", 51: "keep",
    52: "notify",
}  # fmt: skip


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema((SPEC / "recovery.cddl").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def samples() -> dict[str, bytes]:
    """Return one encoding of each shape, made by a user and the real servers."""
    town = Town()
    made = town.set_up()
    shown = town.servers[0].show(ShowLocks(town.user_id))
    attempt = town.attempt()
    answers = town.ask(attempt)
    opened = attempt.finish(*answers)
    begin = town.begun[0]
    card = make_card(device_keys(town.key), town.user_id)
    return {
        "lock": made.lock.encode(),
        "show": ShowLocks(town.user_id).encode(),
        "shown": shown.encode(),
        "evaluate": attempt.requests[0].encode(),
        "evaluated": answers[0].encode(),
        "succeed": opened.successes[0].encode(),
        "told": town.servers[0].succeed(opened.successes[0]).encode(),
        "begin": begin[0].encode(),
        "begun": begin[1].encode(),
        "settle": made.settle[0].encode(),
        "finish": made.finish[1].encode(),
        "done": DoneAnswer().encode(),
        "card": card.encode(),
        "put-box": PutBox(town.user_id, 1, card, b"box", 1, card.by).encode(),
        "get-box": GetBox(town.user_id, 0, 2**53, None, card.by).encode(),
        "find": FindUser("alice").encode(),
        "found": UserFound(town.user_id).encode(),
        "kept": BoxKept(2**32 - 1, card, b"box", 1, (b"list",)).encode(),
        "frame": RecoveryFrame.of(ShowLocks(town.user_id), b"pass", (b"list",)).encode(),
        "contents": BoxContents(2**32 - 1, bytes(1952), bytes(3373), LinkingPayload(b"any")).encode(),
        **second_lock_samples(),
    }


def second_lock_samples() -> dict[str, bytes]:
    """Return one encoding of each shape of the second lock."""
    town = SecondTown()
    laid = town.set_up()
    asking = town.asking()
    wait = town.ask(1, asking)
    town.pass_hours(24)
    asked, _ = town.servers[1].ask(asking.request, checked=True)
    return {
        "lay": laid.lay[0].encode(),
        "keep": laid.keep[1].encode(),
        "ask": asking.request.encode(),
        "take": asking.take(wait).encode(),
        "stop": town.stop_call(1, wait.id).encode(),
        "watch": signed_for(1, WatchSecondLock(town.user_id, UNSIGNED), town.phone).encode(),
        "notify": notify_at(town.key, town.user_id, 2, 1, NoticePlace("mail", ANNA)).encode(),
        "asked": asked.encode(),
        "given": town.take(1, asking, wait).encode(),
        "watched": town.watch_at(1).encode(),
    }


@pytest.fixture(scope="module")
def identity_samples() -> dict[str, bytes]:
    """Return one encoding of each shape of a check, made by a gate."""
    town = GateTown()

    async def play() -> dict[str, bytes]:
        await town.bound()
        town.now += 61
        prove = await town.mailed()
        proven = await town.gates[1].prove(prove)
        return {
            "identify": Identify("mail", ANNA).encode(),
            "challenged": Challenged(prove.challenge).encode(),
            "prove": prove.encode(),
            "proven": proven.encode(),
            "id-ticket": TicketKey(bytes(32)).sign_identity("anna", server=2, challenge=prove.challenge),
            "bind": town.binding(proven.pass_).encode(),
        }

    return run(play())


def test_what_a_check_makes_validates(schema: Schema, identity_samples: dict[str, bytes]) -> None:
    for name, encoded in identity_samples.items():
        schema.validate(encoded, name)
    for name, empty in (
        ("challenged", Challenged(None, 1)),
        ("proven", Proven(None)),
        ("identify", Identify("a")),
    ):
        schema.validate(empty.encode(), name)


def test_every_element_of_a_check_has_one_type(schema: Schema, identity_samples: dict[str, bytes]) -> None:
    # A kind is a text, as is what that test puts in its place.
    test_every_element_has_one_type(schema, {k: v for k, v in identity_samples.items() if k != "identify"})


def test_the_checks_have_the_numbers_of_the_page(identity_samples: dict[str, bytes]) -> None:
    section = PAGE.split("## Identity")[1].split("\n## ")[0]
    shown = dict(re.findall(r"^    (\w+) +\[1, (\d\d), ", section, re.MULTILINE))
    assert {name: int(number) for name, number in shown.items()} == {"identify": 36, "prove": 37, "bind": 40}
    for name, number in shown.items():
        assert cbor2.loads(identity_samples[name])[1] == int(number)


def test_the_page_has_the_numbers_of_checks() -> None:
    section = PAGE.split("## Identity")[1].split("\n## ")[0]
    shown = re.findall(r"^\| [a-z][^|]+ \| ([\d,]+) \| [^|]+ \|$", section, re.MULTILINE)
    assert [int(each.replace(",", "")) for each in shown] == [
        identity_limits.CHALLENGE_SECONDS,
        identity_limits.FRESH_SECONDS,
        identity_limits.CHALLENGES,
        identity_limits.TRIES,
        identity_limits.MAIL_PAUSE,
        identity_limits.MAILS,
        identity_limits.PASS_SECONDS,
    ]
    guesses = 10**identity_limits.CODE_DIGITS / (identity_limits.CHALLENGES * identity_limits.TRIES)
    assert int(guesses / 1e6) == 66


def test_what_is_made_validates(schema: Schema, samples: dict[str, bytes]) -> None:
    for name, encoded in samples.items():
        schema.validate(encoded, name)
        schema.validate(encoded)


def test_a_refused_evaluation_validates(schema: Schema) -> None:
    refused = LockEvaluated(None, None, LockStanding(0, 2**32 - 1, rests=True)).encode()
    schema.validate(refused, "evaluated")
    assert LockEvaluated.decode(refused).encode() == refused


def test_every_element_has_one_type(schema: Schema, samples: dict[str, bytes]) -> None:
    for name, encoded in samples.items():
        items = cbor2.loads(encoded)
        for at in range(len(items)):
            if (name, at) == ("find", 2):
                continue  # a name is any text
            with pytest.raises(Mismatch):
                schema.validate(cbor2.dumps([*items[:at], "another type", *items[at + 1 :]]), name)
        for wrong in (items[:-1], [*items, 0]):
            with pytest.raises(Mismatch):
                schema.validate(cbor2.dumps(wrong), name)


def test_the_calls_have_the_numbers_of_the_page(samples: dict[str, bytes]) -> None:
    shown = dict(re.findall(r"^    (\w+) +\[1, (3\d|4[1-9]|5\d), user id", PAGE, re.MULTILINE))
    assert {int(number): name for name, number in shown.items()} == NAMES
    for number, name in NAMES.items():
        assert cbor2.loads(samples[name])[:2] == [1, number]


def test_the_page_has_the_names_of_all_calls() -> None:
    (shown,) = re.findall(r"^    NAME +((?:.+,\n)*.+)$", PAGE, re.MULTILINE)
    assert re.split(r",\s+", shown) == [each.name for each in RECOVERY_CALLS]


def test_the_page_has_the_limits_of_the_code() -> None:
    shown = dict(re.findall(r"^\| ([a-z][^|]+?) \| ([\d,]+) \|$", PAGE, re.MULTILINE))
    assert {name: int(value.replace(",", "")) for name, value in shown.items()} == {
        "uses until a success": limits.USES,
        "uses in a day (UTC)": limits.USES_A_DAY,
        "seconds between two uses": limits.PAUSE,
        "seconds for which a lock without uses rests": limits.REST,
        "uses after a rest": limits.USES_AFTER_REST,
        "new users without a pass in a day, in each process": _strangers.NEW_USERS,
        "new users by one identity in a day": _strangers._USERS_OF_ONE,
        "people for whom one identity makes provisional identities in a day": _strangers._PEOPLE_OF_ONE,
        "seconds after which a user without an identity is forgotten": limits.UNBOUND_SECONDS,
        "seconds of the shortest delay": limits.MIN_DELAY,
        "seconds of the longest delay": limits.MAX_DELAY,
        "seconds that count at most between two looks at a clock": limits.LONGEST_LOOK,
        "seconds for which a half is given after the delay": limits.OPEN_SECONDS,
        "seconds for which nobody asks after a device has stopped a wait": limits.QUIET_SECONDS,
        "mails about a second lock to one user in a day": limits.NOTICES_A_DAY,
    }


def test_the_page_has_the_floors_of_the_code() -> None:  # REC-4
    (rule,) = re.findall(r"^\* A client MUST refuse a lock.*?\n(?=\*)", PAGE, re.DOTALL | re.MULTILINE)
    numbers = [int(each.replace(",", "")) for each in re.findall(r"\b\d[\d,]*\b", rule.split("[REC")[0])]
    assert numbers == [limits.MIN_PASSES, limits.MIN_MEMORY, limits.MAX_PASSES, limits.MAX_MEMORY]


def test_every_refusal_is_an_error() -> None:
    from letterlock import recovery

    table = PAGE.split("## Refusals")[1].split("##")[0]
    names = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert len(names) == 8
    assert all(hasattr(recovery, name) for name in names)


def test_random_bytes_are_no_lock(schema: Schema) -> None:
    with pytest.raises(Mismatch):
        schema.validate(cbor2.dumps([1, system_entropy(32)]), "lock")

"""The code that a new device shows: its spellings, its mistakes, and its ten minutes. USR-20."""

import cbor2
import pytest

from letterlock._wire.linking import (
    LinkingCode,
)
from letterlock.errors import (
    MalformedMessage,
    UsageError,
)
from letterlock.limits import LINKING_LIFETIME
from letterlock.user import LinkingRefused
from letterlock.user._linking import CodeShown, DeviceKeys, offer_link
from support.linking_samples import ALICE, ANSWERED, CHAIN, NEW_ID, OFFERED, PAYLOAD, SHOWN, TAKEN
from support.pair import NOON, entropy_of
from support.user_tools import FULL


def test_a_code_survives_its_encodings() -> None:
    code = SHOWN.code
    for again in (LinkingCode.decode(code.encode()), LinkingCode.from_text(code.text())):
        assert (again.bundle_hash, again.secret, again.expires, again.place) == (
            code.bundle_hash, code.secret, NOON + LINKING_LIFETIME, "relay.example/meet",
        )  # fmt: skip
    assert len(code.encode()) < 120


def test_a_typed_code_may_be_spelt_loosely() -> None:
    text = SHOWN.code.text()
    assert {len(group) for group in text.split("-")[:-1]} == {5}
    loose = f"  {text.lower().replace('-', ' ')}\n".replace("o", "0").replace("i", "1").replace("b", "8")
    assert LinkingCode.from_text(loose).secret == SHOWN.code.secret


def test_every_mistyped_letter_is_noticed() -> None:
    letters = SHOWN.code.text().replace("-", "")
    for at, letter in enumerate(letters[:-1]):
        for other in "AZ27":
            if other != letter:
                with pytest.raises(MalformedMessage):
                    LinkingCode.from_text(letters[:at] + other + letters[at + 1 :])


@pytest.mark.parametrize(
    "text", ["", "A", "AAAAA-AAAAA", "!!!!!", "99999", "A" * 800, "Ä" * 10, "letterlock", "7" * 701]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        LinkingCode.from_text(text)


def test_neighbours_exchanged_or_left_out_are_noticed() -> None:
    letters = SHOWN.code.text().replace("-", "")
    for at in range(len(letters) - 1):
        exchanged = letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :]
        for wrong in ({exchanged} - {letters}) | {letters[:at] + letters[at + 1 :]}:
            with pytest.raises(MalformedMessage):
                LinkingCode.from_text(wrong)


def test_a_place_has_255_bytes() -> None:
    draw = entropy_of("place")
    keys = DeviceKeys.generate(draw)
    longest = CodeShown.begin(keys, NOON, "ø" * 127, draw).code
    assert LinkingCode.decode(longest.encode()).place == "ø" * 127
    with pytest.raises(UsageError, match="at most 255"):
        CodeShown.begin(keys, NOON, "ø" * 128, draw).code.encode()
    code = SHOWN.code
    wrong = cbor2.dumps([1, 11, code.bundle_hash, code.secret.expose(), code.expires, "ø" * 128])
    with pytest.raises(MalformedMessage, match="place"):
        LinkingCode.decode(wrong)


@pytest.mark.parametrize("now", [0, NOON - 1, NOON + LINKING_LIFETIME, NOON + 10**6])
def test_a_code_lives_ten_minutes_on_both_sides(now: int) -> None:
    """USR-20."""
    with pytest.raises(LinkingRefused, match="expired"):
        offer_link(CHAIN, SHOWN.code, SHOWN.bundle, now, (NEW_ID, FULL))
    with pytest.raises(LinkingRefused, match="expired"):
        SHOWN.receive(OFFERED.sealed, now, entropy_of(1))
    with pytest.raises(LinkingRefused, match="expired"):
        OFFERED.receive(TAKEN.answer, now)
    with pytest.raises(LinkingRefused, match="expired"):
        ANSWERED.confirm(2, ALICE.keys(2).signing, PAYLOAD, now)


def test_the_first_and_the_last_second() -> None:
    for now in (NOON, NOON + LINKING_LIFETIME - 1):
        offered = offer_link(CHAIN, SHOWN.code, SHOWN.bundle, now, (NEW_ID, FULL))
        taken = SHOWN.receive(offered.sealed, now, entropy_of(1))
        answered = offered.receive(taken.answer, now)
        new, _ = answered.confirm(2, ALICE.keys(2).signing, PAYLOAD, now)
        assert new.snapshot == offered.offer.snapshot

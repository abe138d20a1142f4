"""The keys of epochs: commitments, links and names."""

from dataclasses import replace

import pytest

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.log_opening import CollectionOpening, Link
from letterlock.documents import WrongEpochKey
from letterlock.documents._epoch_keys import (
    EpochKeys,
    commitment,
    history_commitment,
    open_link,
    open_name,
    seal_link,
    seal_name,
)
from letterlock.errors import UsageError


def keys(epoch: int) -> EpochKeys:
    return EpochKeys.generate(epoch, system_entropy)


def opening(of: EpochKeys, link: Link | None = None) -> CollectionOpening:
    assert of.history is not None
    name = seal_name(of, "team", system_entropy)
    return CollectionOpening(
        commitment(of.epoch, of.key), history_commitment(of.epoch, of.history), link, name
    )


def test_keys_match_their_commitments_and_no_others() -> None:  # DOC-73
    one, other = keys(1), keys(1)
    assert one.check(opening(one)) is one
    assert replace(one, history=None).check(opening(one)).history is None
    for wrong in (
        other,
        replace(one, history=other.history),
        replace(other, history=one.history),
        replace(one, epoch=2),
        replace(other, history=None),
    ):
        with pytest.raises(WrongEpochKey):
            wrong.check(opening(one))


def test_the_two_commitments_are_of_different_kinds() -> None:  # DOC-73
    one = keys(1)
    assert one.history is not None
    swapped = EpochKeys.from_text(1, one.history.expose() + one.key.expose())
    with pytest.raises(WrongEpochKey):
        swapped.check(opening(one))


def test_what_a_grant_holds() -> None:
    one = keys(3)
    for history in (False, True):
        text = one.text(history=history).expose()
        assert len(text) == (64 if history else 32)
        assert EpochKeys.from_text(3, text).check(opening(one)).key == one.key
    assert len(replace(one, history=None).text(history=True).expose()) == 32
    for length in (0, 31, 33, 63, 65, 96):
        with pytest.raises(WrongEpochKey):
            EpochKeys.from_text(3, bytes(length))


def test_a_link_opens_with_the_history_key_alone() -> None:  # DOC-74
    old, new, other = keys(1), keys(2), keys(2)
    link = seal_link(new, old)
    assert link is not None
    assert open_link(new, link, opening(old)) == old
    assert seal_link(replace(new, history=None), old) is None
    assert seal_link(new, replace(old, history=None)) is None
    for wrong in (
        other,
        replace(new, history=None),
        replace(new, history=other.history),
        replace(new, epoch=3),
        EpochKeys.from_text(2, other.key.expose() + new.key.expose()),
    ):
        with pytest.raises(WrongEpochKey):
            open_link(wrong, link, opening(old))
    for sealed in (link.sealed[:-1] + bytes([link.sealed[-1] ^ 1]), bytes(80)):
        with pytest.raises(WrongEpochKey):
            open_link(new, Link(1, sealed), opening(old))
    with pytest.raises(WrongEpochKey):
        open_link(new, link, opening(keys(1)))
    with pytest.raises(WrongEpochKey):
        open_link(new, replace(link, epoch=2), opening(old))


def test_an_epoch_key_does_not_open_a_link() -> None:  # DOC-74
    old, new = keys(1), keys(2)
    link = seal_link(new, old)
    assert link is not None
    as_history = EpochKeys.from_text(2, new.key.expose() * 2)
    with pytest.raises(WrongEpochKey):
        open_link(as_history, link, opening(old))


@pytest.mark.parametrize("name", ["", "team", "é" * 127, "x" * 255])
def test_names(name: str) -> None:  # DOC-75
    one = keys(1)
    sealed = seal_name(one, name, system_entropy).sealed
    assert len(sealed) == 284
    assert open_name(one, sealed) == name
    assert open_name(keys(1), sealed) is None
    assert open_name(replace(one, epoch=2), sealed) is None
    assert open_name(one, sealed[:-1] + bytes([sealed[-1] ^ 1])) is None


def test_names_that_are_none() -> None:
    one = keys(1)
    for wrong in ("x" * 256, "é" * 128, "\ud800"):
        with pytest.raises(UsageError):
            seal_name(one, wrong, system_entropy)

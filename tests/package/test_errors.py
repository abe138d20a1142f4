"""Every error survives pickle, copy and another process with its attributes, and carries a cause."""

import copy
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

import pytest

import letterlock.cli._demo_processes as cli_errors
import letterlock.user._errors as user_errors
from letterlock._wire.address import Address
from letterlock._wire.relay_error import RelayCode
from letterlock.client import EnrolmentStopped
from letterlock.client._errors import RelayRefused, ServerUnavailable
from letterlock.documents import UnknownAuthor
from letterlock.errors import (
    AddressMismatch,
    AuthenticationFailed,
    Cause,
    LetterlockError,
    PlaintextTooLong,
    ReplayRecordFull,
    StaleBundle,
    TooManySkipped,
    UnsupportedVersion,
    UntrustedIdentity,
)
from letterlock.groups import GroupEntryMissing
from letterlock.recovery import HalfWaits, LockWaits, ServerAtFault, WrongPassword
from letterlock.relay import RateLimited

ALICE, BOB = Address("alice", 1), Address("Zo\u00eb", 2)

MAKERS: Final[dict[type[LetterlockError], Callable[[], LetterlockError]]] = {
    PlaintextTooLong: lambda: PlaintextTooLong(20_000_000, 16_777_216),
    UnsupportedVersion: lambda: UnsupportedVersion(2, 1),
    StaleBundle: lambda: StaleBundle("the bundle was made on 2026-11-29: set the clock", 1_795_910_400, 0),
    AddressMismatch: lambda: AddressMismatch("the bundle belongs to another address", ALICE, BOB),
    TooManySkipped: lambda: TooManySkipped(2_001, 2_000),
    ReplayRecordFull: lambda: ReplayRecordFull(100_000),
    UntrustedIdentity: lambda: UntrustedIdentity(ALICE, bytes(range(32))),
    RateLimited: lambda: RateLimited(600),
    WrongPassword: lambda: WrongPassword(9, 1_795_910_400),
    LockWaits: lambda: LockWaits(2, 0, 1_795_910_400),
    HalfWaits: lambda: HalfWaits(2, 86_400),
    ServerAtFault: lambda: ServerAtFault(1, "its proof does not verify"),
    ServerUnavailable: lambda: ServerUnavailable(2, 30),
    EnrolmentStopped: lambda: EnrolmentStopped(ServerUnavailable(2, 30), 12, 3),
    RelayRefused: lambda: RelayRefused(RelayCode.STALE, 3),
    UnknownAuthor: lambda: UnknownAuthor(bytes(range(32)), 2, contradicts=True),
    GroupEntryMissing: lambda: GroupEntryMissing(7),
    AuthenticationFailed: lambda: AuthenticationFailed(Cause.OUR_STATE_WENT_BACK_PERHAPS),
}
"""How the code makes the errors that have an `__init__` of their own, apart from those with a fixed text."""


def family(kind: type[LetterlockError] = LetterlockError) -> Iterator[type[LetterlockError]]:
    yield kind
    for each in kind.__subclasses__():
        if each.__module__.startswith("letterlock."):
            yield from family(each)


KINDS: Final = sorted(set(family()), key=lambda kind: kind.__name__)


def made(kind: type[LetterlockError]) -> LetterlockError:
    if kind in MAKERS:
        return MAKERS[kind]()
    return kind() if hasattr(kind, "TEXT") else kind("text with a remedy")


def parts(error: LetterlockError) -> tuple[object, ...]:
    return type(error), str(error), repr(error), error.args, vars(error), error.cause


def same(one: LetterlockError, other: object) -> bool:
    return isinstance(other, LetterlockError) and parts(one) == parts(other)


def raise_it(kind: type[LetterlockError]) -> None:
    raise made(kind)


def test_the_walk_finds_the_tree() -> None:
    assert len(KINDS) > 25
    assert {cli_errors.DemoFailed, user_errors.ContactFrozen} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_unpickles_with_its_attributes(kind: type[LetterlockError]) -> None:
    error = made(kind)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert same(error, pickle.loads(pickle.dumps(error, protocol))), protocol


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_copied_with_its_attributes(kind: type[LetterlockError]) -> None:
    error = made(kind)
    error.add_note("a note of the application's")
    assert same(error, copy.copy(error))
    assert same(error, copy.deepcopy(error))


def test_it_arrives_from_another_process() -> None:
    """A ProcessPoolExecutor is broken for good by an error that does not unpickle."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for kind in KINDS:
            error = pool.submit(raise_it, kind).exception(timeout=60)
            assert isinstance(error, LetterlockError)
            error.__dict__.pop("__notes__", None)
            assert same(made(kind), error)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pickle_holds_attributes_of_plain_public_types(kind: type[LetterlockError]) -> None:
    """A key, a state or a store cannot be an attribute, so none is in a pickle."""
    for value in vars(made(kind)).values():
        assert isinstance(value, int | Address | bytes | Cause)
        assert not isinstance(value, bytes) or kind in {UntrustedIdentity, UnknownAuthor}  # public


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_a_cause(kind: type[LetterlockError]) -> None:
    assert isinstance(kind.cause, Cause)
    assert isinstance(made(kind).cause, Cause)


def test_every_cause_is_given() -> None:
    assert {made(kind).cause for kind in KINDS} | {kind.cause for kind in KINDS} == set(Cause)


def test_both_addresses_of_a_mismatch_are_named_in_ascii() -> None:
    error = AddressMismatch("the bundle belongs to another address", ALICE, BOB)
    assert str(error).endswith("(expected 'alice'.1, found 'Zo\\xeb'.2)")
    assert (error.expected, error.found) == (ALICE, BOB)
    assert AddressMismatch("our own key").found is None


def test_a_failure_has_one_text_for_every_cause() -> None:  # PRIM-8
    assert {str(AuthenticationFailed(cause)) for cause in Cause} == {AuthenticationFailed.TEXT}

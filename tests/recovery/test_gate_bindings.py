"""Passes and bindings: whose an identity is, who may say so, and what a pass lets in."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from letterlock._wire import identity_limits as limits
from letterlock.recovery import (
    BindIdentity,
    IdentityRefused,
    Proven,
    RecoveryRefused,
    ServerAtFault,
    bind_identity,
    same_user,
)
from support.gate_memory import MemoryGates
from support.gate_town import ANNA, BERT, PHONE, SAFE, TABLET, GateTown, run


def test_a_bound_identity_names_its_user_and_lets_in() -> None:  # REC-31
    town = GateTown()

    async def play() -> None:
        await town.bound()
        answer = await town.proven()
        assert answer.user_id == town.chain().user_id
        proven = await town.gates[1].require(answer.pass_, town.chain().user_id)
        assert (proven.kind, proven.user_id) == ("mail", town.chain().user_id)
        assert proven.tag == town.gates[1].tag("mail", ANNA)

    run(play())


# --- bindings ---------------------------------------------------------------------------------------------


def test_the_recovery_device_may_bind() -> None:
    town = GateTown()

    async def play() -> None:
        call = town.binding((await town.proven()).pass_, device=SAFE)
        await town.gates[1].bind(BindIdentity.decode(call.encode()), town.chain())
        assert (await town.proven()).user_id == town.chain().user_id

    run(play())


SPOILT: dict[str, Callable[[GateTown, BindIdentity], BindIdentity]] = {
    "of another user": lambda town, it: replace(it, user_id=town.chain("bert").user_id),
    "by a limited device": lambda town, it: town.binding(it.pass_, device=TABLET),
    "by another device": lambda town, it: replace(it, device_id=SAFE),
    "by no device": lambda town, it: replace(it, device_id=7),
    "signed for the other server": lambda town, it: town.binding(it.pass_, server=1),
    "signed by another user's phone": lambda town, it: replace(
        it, by=bind_identity(2, it.user_id, it.pass_, PHONE, town.owners["bert"].keys(PHONE).signing).by
    ),
    "with another signature": lambda town, it: replace(
        it, by=replace(it.by, signature=bytes(len(it.by.signature)))
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_binding_that_is_not_signed_rightly(name: str) -> None:  # REC-32
    town = GateTown()

    async def play() -> None:
        answer = await town.proven()
        with pytest.raises(RecoveryRefused):
            await town.gates[1].bind(SPOILT[name](town, town.binding(answer.pass_)), town.chain())
        assert (await town.proven()).user_id is None

    run(play())


def test_a_call_for_another_user_comes_with_no_lists_of_ones_own() -> None:  # REC-32
    """Bert's phone signs with Anna's user id, and his own device lists come with the call."""
    town = GateTown()
    signing = town.owners["bert"].keys(PHONE).signing

    async def play() -> None:
        answer = await town.proven(BERT)
        call = bind_identity(2, town.chain().user_id, answer.pass_ or b"", PHONE, signing)
        with pytest.raises(RecoveryRefused):
            await town.gates[1].bind(call, town.chain("bert"))
        assert (await town.proven(BERT)).user_id is None

    run(play())


def test_a_binding_signed_over_another_pass() -> None:  # REC-32
    """Whoever sees a call on its way cannot put a pass for an own address into it."""
    town = GateTown()

    async def play() -> None:
        annas, thiefs = await town.proven(ANNA), await town.proven(b"thief@example.org")
        call = replace(town.binding(annas.pass_), pass_=thiefs.pass_ or b"")
        with pytest.raises(RecoveryRefused):
            await town.gates[1].bind(call, town.chain())

    run(play())


async def no_good_pass(town: GateTown, call: BindIdentity) -> None:
    await town.gates[1].bind(town.binding(b"no pass"), town.chain())


async def the_pass_has_ended(town: GateTown, call: BindIdentity) -> None:
    town.now += limits.PASS_SECONDS
    await town.gates[1].bind(call, town.chain())


async def a_pass_of_the_other_server(town: GateTown, call: BindIdentity) -> None:
    await town.gates[0].bind(town.binding(call.pass_, server=1), town.chain())


@pytest.mark.parametrize("attempt", [no_good_pass, the_pass_has_ended, a_pass_of_the_other_server])
def test_a_binding_without_a_good_pass(
    attempt: Callable[[GateTown, BindIdentity], Awaitable[None]],
) -> None:  # REC-32
    town = GateTown()

    async def play() -> None:
        answer = await town.proven()
        with pytest.raises(IdentityRefused):
            await attempt(town, town.binding(answer.pass_))

    run(play())


def test_a_binding_comes_again_and_changes_nothing() -> None:
    town = GateTown()
    store = town.stores[1]
    assert isinstance(store, MemoryGates)

    async def play() -> None:
        call = await town.bound()
        before = dict(store.rows)
        await town.gate(2).bind(call, town.chain())
        assert store.rows == before

    run(play())


def test_an_old_binding_does_not_come_back() -> None:  # REC-32
    """An address that was given up stays given up, though its call is sent again within its minutes."""
    town = GateTown()

    async def play() -> None:
        old = await town.bound(ANNA)
        await town.bound(BERT)
        with pytest.raises(RecoveryRefused):
            await town.gates[1].bind(old, town.chain())
        assert (await town.proven(ANNA)).user_id is None
        assert (await town.proven(BERT)).user_id == town.chain().user_id

    run(play())


def test_a_pass_binds_for_one_user() -> None:  # REC-32
    town = GateTown()

    async def play() -> None:
        call = await town.bound(ANNA)
        with pytest.raises(RecoveryRefused):
            await town.gates[1].bind(town.binding(call.pass_, "bert"), town.chain("bert"))

    run(play())


def test_another_users_identity_is_not_taken() -> None:  # REC-32
    """Who has a mailbox for an hour learns whose it is, and takes nothing away."""
    town = GateTown()

    async def play() -> None:
        await town.bound(ANNA, "anna")
        stolen = await town.proven(ANNA)
        with pytest.raises(RecoveryRefused):
            await town.gates[1].bind(town.binding(stolen.pass_, "bert"), town.chain("bert"))
        assert (await town.proven(ANNA)).user_id == town.chain("anna").user_id

    run(play())


def test_an_identity_that_was_given_up_can_be_another_users() -> None:
    town = GateTown()

    async def play() -> None:
        await town.bound(ANNA, "anna")
        await town.bound(BERT, "anna")
        await town.bound(ANNA, "bert")
        assert (await town.proven(ANNA)).user_id == town.chain("bert").user_id
        assert (await town.proven(BERT)).user_id == town.chain("anna").user_id

    run(play())


def test_an_identity_that_the_operator_let_go_can_be_another_users() -> None:
    town = GateTown()

    async def play() -> None:
        await town.bound(ANNA, "anna")
        assert not await town.gates[1].release("mail", BERT)
        assert (await town.proven(ANNA)).user_id == town.chain("anna").user_id
        assert await town.gates[1].release("mail", ANNA)
        assert not await town.gates[1].release("mail", ANNA)
        await town.bound(ANNA, "bert")
        assert (await town.proven(ANNA)).user_id == town.chain("bert").user_id

    run(play())


def test_two_users_bind_one_identity_at_once() -> None:  # REC-32
    town = GateTown()

    async def play() -> None:
        passes = await town.proven(ANNA), await town.proven(ANNA)
        names = ("anna", "bert")
        calls = [town.binding(each.pass_, name) for each, name in zip(passes, names, strict=True)]
        done = await asyncio.gather(
            *(town.gates[1].bind(call, town.chain(name)) for call, name in zip(calls, names, strict=True)),
            return_exceptions=True,
        )
        assert [type(each) for each in done].count(RecoveryRefused) == 1
        winner = names[done.index(None)]
        assert (await town.proven(ANNA)).user_id == town.chain(winner).user_id

    run(play())


def test_an_older_device_list_binds_nothing() -> None:  # REC-32
    """A device that was revoked takes part no more, though its call has the list in which it stood."""
    town = GateTown()
    before = town.chain()
    town.owners["anna"].next(SAFE, revoke=(PHONE,))

    async def play() -> None:
        call = town.binding((await town.proven(ANNA)).pass_, device=SAFE)
        await town.gates[1].bind(call, town.chain())
        late = town.binding((await town.proven(BERT)).pass_)
        for chain in (before, town.chain()):
            with pytest.raises(RecoveryRefused):
                await town.gates[1].bind(late, chain)
        assert (await town.proven(BERT)).user_id is None

    run(play())


def test_an_older_device_list_binds_no_identity_of_another_kind() -> None:  # REC-32
    """Any one identity lets in: so the phone that was revoked adds none beside the one that is bound."""
    town = GateTown()
    before = town.chain()
    town.owners["anna"].next(SAFE, revoke=(PHONE,))

    async def play() -> None:
        call = town.binding((await town.proven(ANNA)).pass_, device=SAFE)
        await town.gates[1].bind(call, town.chain())
        stamped = await town.gates[1].prove(await town.stamp(b"thief"))
        with pytest.raises(RecoveryRefused):
            await town.gates[1].bind(town.binding(stamped.pass_), before)
        assert (await town.gates[1].prove(await town.stamp(b"thief"))).user_id is None

    run(play())


# --- rows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_released", [False, True])
def test_addresses_that_were_given_up_leave_no_rows(is_released: bool) -> None:
    town = GateTown()
    store = town.stores[1]
    assert isinstance(store, MemoryGates)

    async def play() -> None:
        for number in range(5):
            address = b"%d@example.org" % number
            await town.bound(address)
            if is_released:
                await town.gates[1].release("mail", address)
        await store.expire(town.now + limits.CHALLENGE_SECONDS)
        assert len(store.rows) == (0 if is_released else 2)  # owner and binding of the last one

    run(play())


# --- both servers -----------------------------------------------------------------------------------------

ONE, OTHER = bytes(32), bytes([1]) * 32


def test_both_servers_name_one_user() -> None:  # REC-34
    assert same_user(Proven(b"a", ONE), Proven(b"b", ONE)) == ONE


def test_two_users_at_two_servers_are_a_fault() -> None:  # REC-34
    with pytest.raises(ServerAtFault):
        same_user(Proven(b"a", ONE), Proven(b"b", OTHER))


@pytest.mark.parametrize(
    "answers",
    [
        (Proven(b"a"), Proven(b"b", ONE)),
        (Proven(b"a", ONE), Proven(None, None, 2)),
        (Proven(None), Proven(None)),
    ],
)
def test_an_identity_without_a_user_leads_nowhere(answers: tuple[Proven, Proven]) -> None:  # REC-34
    with pytest.raises(IdentityRefused):
        same_user(*answers)


def test_each_server_has_bindings_of_its_own() -> None:
    town = GateTown()

    async def play() -> None:
        await town.bound(ANNA, server=1)
        assert (await town.proven(ANNA, server=1)).user_id == town.chain().user_id
        assert (await town.proven(ANNA, server=2)).user_id is None

    run(play())

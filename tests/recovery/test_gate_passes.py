"""Passes: what lets in, what lets nobody in, and tokens that bring one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from letterlock._wire import identity_limits as limits
from letterlock.errors import MalformedMessage
from letterlock.recovery import (
    Identify,
    IdentityRefused,
    Proven,
)
from support.gate_town import ANNA, BERT, GateTown, run

# --- passes -----------------------------------------------------------------------------------------------

Refused = Callable[[GateTown, bytes], Awaitable[object]]


async def no_pass(town: GateTown, pass_: bytes) -> object:
    return await town.gates[1].require(None, town.chain().user_id)


async def for_another_user(town: GateTown, pass_: bytes) -> object:
    return await town.gates[1].require(pass_, town.chain("bert").user_id)


async def at_another_server(town: GateTown, pass_: bytes) -> object:
    return await town.gates[0].require(pass_, town.chain().user_id)


async def at_another_server_with_key_and_store(town: GateTown, pass_: bytes) -> object:
    return await town.gate(1, of=2).require(pass_, town.chain().user_id)


async def after_its_end(town: GateTown, pass_: bytes) -> object:
    town.now += limits.PASS_SECONDS
    return await town.gates[1].require(pass_, town.chain().user_id)


async def of_a_clock_ahead(town: GateTown, pass_: bytes) -> object:
    town.now -= limits.MAX_CLOCK_SLACK + 1
    return await town.gates[1].require(pass_, town.chain().user_id)


async def after_another_identity_was_bound(town: GateTown, pass_: bytes) -> object:
    await town.bound(BERT)
    return await town.gates[1].require(pass_, town.chain().user_id)


async def after_the_operator_let_it_go(town: GateTown, pass_: bytes) -> object:
    await town.gates[1].release("mail", ANNA)
    return await town.gates[1].require(pass_, town.chain().user_id)


async def a_challenge(town: GateTown, pass_: bytes) -> object:
    town.now += 61
    return await town.gates[1].require(await town.challenge(), town.chain().user_id)


async def one_bit_changed(town: GateTown, pass_: bytes) -> object:
    return await town.gates[1].require(pass_[:-1] + bytes([pass_[-1] ^ 1]), town.chain().user_id)


async def cut_short(town: GateTown, pass_: bytes) -> object:
    return await town.gates[1].require(pass_[:30], town.chain().user_id)


async def of_an_identity_without_a_user(town: GateTown, pass_: bytes) -> object:
    answer = await town.proven(BERT)
    return await town.gates[1].require(answer.pass_, town.chain().user_id)


async def from_before_the_binding(town: GateTown, pass_: bytes) -> object:
    """Bert proves his address, and binds it later: the first pass still is nobody's."""
    early = await town.proven(BERT)
    await town.bound(BERT, "bert")
    return await town.gates[1].require(early.pass_, town.chain("bert").user_id)


@pytest.mark.parametrize(
    "attempt",
    [
        no_pass,
        for_another_user,
        at_another_server,
        at_another_server_with_key_and_store,
        after_its_end,
        of_a_clock_ahead,
        after_another_identity_was_bound,
        after_the_operator_let_it_go,
        a_challenge,
        one_bit_changed,
        cut_short,
        of_an_identity_without_a_user,
        from_before_the_binding,
    ],
)
def test_a_pass_that_lets_nobody_in(attempt: Refused) -> None:  # REC-31
    town = GateTown()

    async def play() -> None:
        await town.bound()
        answer = await town.proven()
        assert answer.pass_ is not None
        await town.gates[1].require(answer.pass_, town.chain().user_id)
        with pytest.raises(IdentityRefused):
            await attempt(town, answer.pass_)

    run(play())


def test_a_pass_serves_until_its_end() -> None:
    """A lost answer is asked for again, and a password is tried twice."""
    town = GateTown()

    async def play() -> None:
        await town.bound()
        answer = await town.proven()
        for _ in range(3):
            await town.gate(2).require(answer.pass_, town.chain().user_id)
        town.now += limits.PASS_SECONDS - 1
        await town.gates[1].require(answer.pass_, town.chain().user_id)

    run(play())


# --- tokens -----------------------------------------------------------------------------------------------


def test_a_token_brings_a_pass_once() -> None:  # REC-27
    town = GateTown()

    async def play() -> None:
        proof = await town.stamp()
        answers = await asyncio.gather(
            *(town.gates[1].prove(proof) for _ in range(5)), return_exceptions=True
        )
        assert [type(each) for each in answers].count(Proven) == 1
        assert [type(each) for each in answers].count(IdentityRefused) == 4
        with pytest.raises(IdentityRefused):
            await town.gate(2).prove(proof)

    run(play())


def test_a_token_that_is_not_good_spends_nothing() -> None:
    town = GateTown()

    async def play() -> None:
        proof, other = await town.stamp(), await town.stamp()
        assert await town.gates[1].prove(replace(proof, proof=other.proof)) == Proven(None)
        assert (await town.gates[1].prove(proof)).pass_ is not None

    run(play())


def test_a_token_is_for_one_challenge_of_one_server() -> None:  # REC-30
    town = GateTown()

    async def play() -> None:
        proof = await town.stamp(server=2)
        with pytest.raises(IdentityRefused):
            await town.gates[0].prove(proof)
        own = await town.stamp(server=1)
        assert await town.gates[0].prove(replace(own, proof=proof.proof)) == Proven(None)
        town.now += limits.CHALLENGE_SECONDS
        with pytest.raises(IdentityRefused):
            await town.gates[1].prove(proof)

    run(play())


def test_a_token_check_takes_no_claim() -> None:
    with pytest.raises(MalformedMessage):
        run(GateTown().gates[1].identify(Identify("stamp", ANNA)))


def test_one_text_under_two_checks_is_two_identities() -> None:
    town = GateTown()

    async def play() -> None:
        await town.bound(ANNA)
        answer = await town.gates[1].prove(await town.stamp(ANNA))
        assert answer.user_id is None

    run(play())


def test_a_user_has_an_identity_of_each_kind() -> None:
    town = GateTown()

    async def play() -> None:
        await town.bound(ANNA)
        stamped = await town.gates[1].prove(await town.stamp(b"4711"))
        await town.gates[1].bind(town.binding(stamped.pass_), town.chain())
        for answer in (await town.proven(), await town.gates[1].prove(await town.stamp(b"4711"))):
            await town.gates[1].require(answer.pass_, town.chain().user_id)

    run(play())

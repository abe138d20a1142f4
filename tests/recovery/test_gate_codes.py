"""Codes: who gets one, how many tries there are, and that nothing serves twice."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from letterlock._wire import identity_limits as limits
from letterlock.errors import StoreBusy
from letterlock.recovery import (
    CheckUnavailable,
    Identify,
    IdentityRefused,
    Prove,
    Proven,
)
from support.gate_memory import MemoryGates
from support.gate_town import ANNA, BERT, GateTown, run


def another(code: bytes) -> bytes:
    """Return a code that is wrong in its last digit."""
    return code[:-1] + bytes([code[-1] ^ 1])


def test_a_code_brings_a_pass() -> None:
    town = GateTown()

    async def play() -> Proven:
        return await town.gates[1].prove(await town.mailed())

    answer = run(play())
    assert answer.pass_ is not None
    assert answer.user_id is None
    ((identity, code),) = town.letters[1].sent
    assert identity == ANNA
    assert (len(code), code.isdigit()) == (limits.CODE_DIGITS, True)
    assert Proven.decode(answer.encode()) == answer


@pytest.mark.parametrize("write", [lambda code: code[:5] + b" " + code[5:], lambda code: b" " + code + b"-"])
def test_a_code_may_be_written_in_groups(write: Callable[[bytes], bytes]) -> None:
    town = GateTown()

    async def play() -> Proven:
        proof = await town.mailed()
        return await town.gates[1].prove(replace(proof, proof=write(proof.proof)))

    assert run(play()).pass_ is not None


@pytest.mark.parametrize(
    "wrong",
    [
        another,
        lambda code: code[1:],
        lambda code: code + b"0",
        lambda code: b"0" + code,
        lambda code: code + b"\n",
        lambda code: b"\xff" * 10,
        lambda code: b" ",
        lambda code: bytes(limits.MAX_PROOF),
    ],
)
def test_another_code_brings_nothing_and_is_counted(wrong: Callable[[bytes], bytes]) -> None:  # REC-27
    town = GateTown()

    async def play() -> tuple[Proven, Proven]:
        proof = await town.mailed()
        first = await town.gates[1].prove(replace(proof, proof=wrong(proof.proof)))
        return first, await town.gates[1].prove(proof)

    first, second = run(play())
    assert first == Proven(None, None, limits.TRIES - 1)
    assert second.pass_ is not None


def test_after_three_wrong_codes_the_right_one_is_wrong() -> None:  # REC-27
    town = GateTown()

    async def play() -> list[Proven]:
        proof = await town.mailed()
        tries = [await town.gates[1].prove(replace(proof, proof=another(proof.proof))) for _ in range(5)]
        return [*tries, await town.gates[1].prove(proof)]

    answers = run(play())
    assert [each.tries_left for each in answers] == [2, 1, 0, 0, 0, 0]
    assert {each.pass_ for each in answers} == {None}


def test_a_new_challenge_has_tries_of_its_own_and_the_code_that_was_sent() -> None:  # REC-25
    """A stranger who uses up the tries of a challenge keeps nobody out."""
    town = GateTown()

    async def play() -> Proven:
        strangers = await town.challenge()
        for _ in range(4):
            await town.gates[1].prove(Prove(strangers, b"0000000000"))
        return await town.gates[1].prove(await town.mailed())

    assert run(play()).pass_ is not None
    assert len(town.letters[1].sent) == 1


def test_tries_at_once_are_counted_one_by_one() -> None:  # REC-27
    town = GateTown()

    async def play() -> list[Proven]:
        proof = await town.mailed()
        wrong = replace(proof, proof=another(proof.proof))
        answers = await asyncio.gather(*(town.gates[1].prove(wrong) for _ in range(20)))
        return [*answers, await town.gates[1].prove(proof)]

    answers = run(play())
    assert sorted(each.tries_left for each in answers) == [0] * 19 + [1, 2]
    assert {each.pass_ for each in answers} == {None}


def test_a_code_serves_once_even_at_once() -> None:  # REC-27
    town = GateTown()

    async def play() -> list[Proven | BaseException]:
        proof = await town.mailed()
        return await asyncio.gather(*(town.gates[1].prove(proof) for _ in range(5)), return_exceptions=True)

    answers = run(play())
    assert [type(each) for each in answers].count(Proven) == 1
    assert [type(each) for each in answers].count(IdentityRefused) == 4


def test_a_code_that_has_served_serves_no_other_challenge() -> None:  # REC-27
    town = GateTown()

    async def play() -> None:
        other = await town.challenge()
        proof = await town.mailed()
        await town.gates[1].prove(proof)
        for again in (proof, replace(proof, challenge=other)):
            with pytest.raises(IdentityRefused):
                await town.gates[1].prove(again)

    run(play())


def test_a_try_is_durable_before_it_is_answered() -> None:  # REC-27
    """A store that fails after the comparison gives no answer, and counts nothing that it did not keep."""

    class Failing(MemoryGates):
        fails = False

        async def change(self, keys, step):  # type: ignore[no-untyped-def] # as MemoryGates has it
            if self.fails:
                step(await self.load(keys))
                raise StoreBusy("a disk that is gone")
            return await super().change(keys, step)

    store = Failing()
    town = GateTown((MemoryGates(), store))

    async def play() -> None:
        proof = await town.mailed()
        before = dict(store.rows)
        store.fails = True
        for each in (proof, replace(proof, proof=another(proof.proof))):
            with pytest.raises(StoreBusy):
                await town.gates[1].prove(each)
        assert store.rows == before

    run(play())


def test_tries_outlive_a_restart() -> None:  # REC-27
    town = GateTown()

    async def play() -> Proven:
        proof = await town.mailed()
        for _ in range(3):
            await town.gate(2).prove(replace(proof, proof=another(proof.proof)))
        return await town.gate(2).prove(proof)

    assert run(play()) == Proven(None)


# --- when a code is sent ----------------------------------------------------------------------------------


def test_one_mail_a_minute_goes_to_one_address() -> None:  # REC-25
    town = GateTown()

    async def play() -> list[int]:
        counts = []
        for seconds in (0, 0, 30, 29, 1, 60, 60, 600):
            town.now += seconds
            await town.challenge()
            counts.append(len(town.letters[1].sent))
        return counts

    assert run(play()) == [1, 1, 1, 1, 2, 2, 2, 2]
    assert len({code for _, code in town.letters[1].sent}) == 1


def test_asking_at_once_sends_one_mail() -> None:  # REC-25
    town = GateTown()

    async def play() -> None:
        await asyncio.gather(*(town.challenge() for _ in range(20)))

    run(play())
    assert len(town.letters[1].sent) == 1


def test_a_code_of_twenty_minutes_goes_on_beside_the_next_one() -> None:  # REC-25
    town = GateTown()

    async def play() -> None:
        old = await town.mailed()
        town.now += limits.FRESH_SECONDS
        new = await town.mailed()
        assert new.proof != old.proof
        for mixed in (replace(old, proof=new.proof), replace(new, proof=old.proof)):
            assert (await town.gates[1].prove(mixed)).pass_ is None
        for each in (old, new):
            assert (await town.gates[1].prove(each)).pass_ is not None
            with pytest.raises(IdentityRefused):  # REC-27
                await town.gates[1].prove(each)

    run(play())


def test_no_stranger_takes_a_code_out_of_the_owners_hands() -> None:  # REC-25
    """A challenge lives for ten minutes at least, however often and whenever others ask."""
    town = GateTown()

    async def play() -> None:
        await town.challenge()
        town.now += limits.FRESH_SECONDS - 100
        mine = await town.mailed()
        ends = town.now + 600
        while town.now < ends:
            town.now += 50
            await town.gates[1].identify(Identify("mail", ANNA))
        assert (await town.gates[1].prove(mine)).pass_ is not None

    run(play())


def test_an_older_code_ends_and_keeps_its_tries() -> None:  # REC-27
    town = GateTown()

    async def play() -> None:
        first, other = await town.mailed(), await town.mailed()
        town.now += limits.FRESH_SECONDS
        await town.challenge()
        for left in (2, 1, 0, 0):
            wrong = await town.gates[1].prove(replace(first, proof=b"0"))
            assert (wrong.pass_, wrong.tries_left) == (None, left)
        assert (await town.gates[1].prove(first)).pass_ is None
        town.now += limits.CHALLENGE_SECONDS - limits.FRESH_SECONDS
        with pytest.raises(IdentityRefused):
            await town.gates[1].prove(other)

    run(play())


def test_after_fifty_challenges_one_waits() -> None:  # REC-25
    town = GateTown()

    async def play() -> None:
        began = town.now
        for _ in range(limits.CHALLENGES):
            await town.challenge()
        refused = await town.gates[1].identify(Identify("mail", ANNA))
        assert (refused.challenge, refused.not_before) == (None, began + limits.FRESH_SECONDS)
        assert await town.challenge(BERT)
        town.now = refused.not_before
        assert await town.challenge()

    run(play())


def test_after_a_success_the_next_code_comes_a_minute_after_the_last() -> None:  # REC-25
    town = GateTown()

    async def play() -> None:
        proof = await town.mailed()
        sent_at = town.now
        town.now += 20
        await town.gates[1].prove(proof)
        refused = await town.gates[1].identify(Identify("mail", ANNA))
        assert (refused.challenge, refused.not_before) == (None, sent_at + limits.MAIL_PAUSE)
        town.now = refused.not_before
        assert (await town.mailed()).proof != proof.proof

    run(play())


def test_an_address_in_another_case_is_the_same() -> None:
    town = GateTown()

    async def play() -> Proven:
        await town.challenge(b"Anna@EXAMPLE.org")
        return await town.gates[1].prove(await town.mailed(ANNA))

    assert run(play()).pass_ is not None
    assert len(town.letters[1].sent) == 1


def test_a_mail_that_could_not_be_sent_was_not_counted() -> None:
    town = GateTown()

    async def play() -> None:
        town.letters[1].broken = True
        for _ in range(5):
            with pytest.raises(CheckUnavailable):
                await town.challenge()
        town.letters[1].broken = False
        await town.challenge()
        assert len(town.letters[1].sent) == 1

    run(play())


def test_a_clock_that_was_ahead_holds_nobody_up() -> None:
    town = GateTown()

    async def play() -> None:
        town.now += 10**8
        proof = await town.mailed()
        town.now -= 10**8
        with pytest.raises(IdentityRefused):
            await town.gates[1].prove(proof)
        assert (await town.gates[1].prove(await town.mailed())).pass_ is not None

    run(play())

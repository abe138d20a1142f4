"""Challenges: whose they are, when they end, and what answers and rows tell of identities."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from letterlock._primitives.entropy import system_entropy
from letterlock._wire import identity_limits as limits
from letterlock.errors import MalformedMessage, UsageError
from letterlock.recovery import (
    Gate,
    GateKey,
    Identify,
    IdentityRefused,
    Prove,
    Proven,
    RecoveryRefused,
)
from support.gate_memory import MemoryGates
from support.gate_town import ANNA, BERT, GateTown, Letters, run

# --- whose challenge it is --------------------------------------------------------------------------------


def test_a_challenge_ends() -> None:
    town = GateTown()

    async def play() -> None:
        proof = await town.mailed()
        town.now += limits.CHALLENGE_SECONDS
        with pytest.raises(IdentityRefused):
            await town.gates[1].prove(proof)

    run(play())


def test_the_code_of_another_user_opens_nothing() -> None:
    town = GateTown()

    async def play() -> Proven:
        berts = await town.mailed(BERT)
        await town.challenge(ANNA)
        return await town.gates[1].prove(Prove(await town.challenge(ANNA), berts.proof))

    assert run(play()).pass_ is None


def test_the_challenge_of_another_server_opens_nothing() -> None:
    """Not even if both servers had one key and one store: a challenge says which of them it is of."""
    town = GateTown()
    twin = town.gate(1, of=2)

    async def play() -> None:
        proof = await town.mailed(server=2)
        for gate in (town.gates[0], twin):
            with pytest.raises(IdentityRefused):
                await gate.prove(proof)

    run(play())


@pytest.mark.parametrize(
    "damage",
    [
        lambda it: it[:-1],
        lambda it: it + b"\0",
        lambda it: bytes([it[0] ^ 1]) + it[1:],
        lambda it: it[:-1] + bytes([it[-1] ^ 1]),
        lambda it: b"\0",
        lambda it: it[:24],
        lambda it: system_entropy(len(it)),
    ],
)
def test_a_challenge_that_was_changed_is_none(damage: Callable[[bytes], bytes]) -> None:
    town = GateTown()

    async def play() -> None:
        proof = await town.mailed()
        with pytest.raises(IdentityRefused):
            await town.gates[1].prove(replace(proof, challenge=damage(proof.challenge)))

    run(play())


def test_a_pass_is_no_challenge() -> None:
    town = GateTown()

    async def play() -> None:
        answer = await town.proven()
        assert answer.pass_ is not None
        with pytest.raises(IdentityRefused):
            await town.gates[1].prove(Prove(answer.pass_, town.code()))

    run(play())


@pytest.mark.parametrize("claim", [None, b"no address", b"\xff"])
def test_a_claim_of_another_form_is_refused(claim: bytes | None) -> None:
    town = GateTown()
    with pytest.raises(MalformedMessage):
        run(town.gates[1].identify(Identify("mail", claim)))
    assert town.letters[1].sent == []


def test_a_check_that_the_server_does_not_have() -> None:
    with pytest.raises(RecoveryRefused):
        run(GateTown().gates[1].identify(Identify("phone", ANNA)))


# --- what the answers and the store tell ------------------------------------------------------------------


def test_known_and_unknown_identities_are_answered_alike() -> None:  # REC-26
    """The same answer, the same work in the store, and the same mail."""
    town = GateTown()
    store = town.stores[1]
    assert isinstance(store, MemoryGates)

    async def play() -> None:
        await town.bound(ANNA)
        town.now += 61
        seen = []
        for claim in (ANNA, BERT):
            before, sent = store.changes, len(town.letters[1].sent)
            answer = await town.gates[1].identify(Identify("mail", claim))
            assert answer.challenge is not None
            wrong = await town.gates[1].prove(Prove(answer.challenge, b"0" * 9))
            work = store.changes - before, len(town.letters[1].sent) - sent
            seen.append((len(answer.encode()), answer.not_before, wrong, work))
        assert seen[0] == seen[1]

    run(play())


def test_no_lookup_of_a_binding_happens_before_a_proof() -> None:  # REC-26
    class Watched(MemoryGates):
        loads = 0

        async def load(self, keys):  # type: ignore[no-untyped-def] # as MemoryGates has it
            self.loads += 1
            return await super().load(keys)

    store = Watched()
    town = GateTown((MemoryGates(), store))

    async def play() -> None:
        await town.bound(ANNA)
        town.now += 61
        store.loads = 0
        challenge = await town.challenge()
        await town.gates[1].prove(Prove(challenge, b"0" * 9))
        assert store.loads == 0

    run(play())


def test_the_store_has_no_identity_and_no_code() -> None:  # REC-33
    town = GateTown()
    store = town.stores[1]
    assert isinstance(store, MemoryGates)

    async def play() -> None:
        await town.bound(ANNA)
        await town.challenge(BERT)
        codes = [code.encode() for _, code in town.letters[1].sent]
        for key, row in store.rows.items():
            shown = key + row.record.expose()
            for secret in (b"anna", b"bert", b"example", *codes):
                assert secret not in shown.lower()

    run(play())


def test_the_same_identity_has_another_tag_at_the_other_server() -> None:  # REC-33
    town = GateTown()
    one, two = (gate.tag("mail", ANNA) for gate in town.gates)
    assert one != two
    assert town.gates[1].tag("stamp", ANNA) != two
    assert town.gates[1].claimed("mail", b"ANNA@example.org") == two


def test_rows_of_codes_and_tries_end() -> None:
    town = GateTown()
    store = town.stores[1]
    assert isinstance(store, MemoryGates)

    async def play() -> None:
        proof = await town.mailed()
        await town.gates[1].prove(replace(proof, proof=b"1"))
        assert len(store.rows) == 2
        assert await store.expire(town.now + limits.CHALLENGE_SECONDS) == 2

    run(play())


@pytest.mark.parametrize("length", [0, limits.MAX_CLAIM + 1])
def test_an_identity_has_a_length(length: int) -> None:
    with pytest.raises(MalformedMessage):
        GateTown().gates[1].tag("mail", bytes(length))


@pytest.mark.parametrize("checks", [{}, {"Mail": Letters()}, {"": Letters()}, {"a" * 17: Letters()}])
def test_a_gate_has_checks_with_names(checks: dict[str, Letters]) -> None:
    with pytest.raises(UsageError):
        Gate(2, GateKey(bytes(32)), MemoryGates(), checks)


def test_a_gate_is_of_one_of_two_servers() -> None:
    with pytest.raises(UsageError):
        Gate(3, GateKey(bytes(32)), MemoryGates(), {"mail": Letters()})
    assert GateTown().gates[0].kinds == ("mail", "stamp")

"""voprf.*: the function of RFC 9497 that two parties compute, with ristretto255 and SHA-512, verifiable.

`voprf.run` takes both parts. Its client draws a blind, and the server a nonce for its proof, so no answer
between them can be recorded; but what comes out is always the same.

Not here: what recovery makes of it (recovery.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives import voprf
from letterlock._primitives.secret import KEY_BYTES
from letterlock._primitives.voprf import Blinding, OprfPublicKey, OprfSeed
from letterlock.errors import UsageError
from letterlock_vectors.inputs import Input, Operation, Output, unhex


def seed_of(given: Input, name: str = "seed") -> OprfSeed:
    """Return the secret of a server."""
    return OprfSeed(given.sized(name, KEY_BYTES))


def answered(given: Input, blinding: Blinding) -> bytes:
    """Return a server's evaluation, changed as `server` says.

    `seed` has its key, `proof_seed` / null the one that it proves; `other` / null: an input of its own choice
    that it evaluates; `change` / null.
    """
    other = given.optional_hex("other")
    blinded = blinding.blinded if other is None else Blinding(other).blinded
    evaluation = voprf.evaluate(seed_of(given), blinded)
    if not given.is_null("proof_seed"):
        proof = voprf.evaluate(seed_of(given, "proof_seed"), blinded)[voprf.BLINDED_BYTES :]
        evaluation = evaluation[: voprf.BLINDED_BYTES] + proof
    return _changed(evaluation, given)


def _changed(evaluation: bytes, given: Input) -> bytes:
    """Return an evaluation with other bytes from an index on, or with a number added there."""
    match given.raw("change"):
        case None:
            return evaluation
        case ["put", int(at), str(put)]:
            new = unhex(put, "change")
        case ["add", int(at), str(added)]:
            addend = unhex(added, "change")
            size = len(addend)
            number = int.from_bytes(evaluation[at : at + size], "little") + int.from_bytes(addend, "little")
            new = (number % 256**size).to_bytes(size, "little")
        case ["cut", int(at)]:
            return evaluation[:at]
        case _:
            raise UsageError("`change` must be a change of an evaluation: see vectors/README.md")
    return evaluation[:at] + new + evaluation[at + len(new) :]


def _public(given: Input) -> Output:
    return {"key": OprfPublicKey(given.hex("key")).data.hex()}


def _from_seed(given: Input) -> Output:
    return {"public": voprf.public_key(seed_of(given)).data.hex()}


def _evaluate(given: Input) -> Output:
    element = voprf.evaluate(seed_of(given), given.hex("blinded"))[: voprf.BLINDED_BYTES]
    return {"element": element.hex()}


def _run(given: Input) -> Output:
    public, blinding = OprfPublicKey(given.hex("public")), Blinding(given.hex("input"))
    evaluation = answered(given.nested("server"), blinding)
    return {"output": blinding.finish(evaluation, public).expose().hex()}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "voprf.evaluate": _evaluate,
    "voprf.from_seed": _from_seed,
    "voprf.public": _public,
    "voprf.run": _run,
}

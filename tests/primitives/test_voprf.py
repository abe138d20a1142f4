"""The oblivious function against RFC 9497, appendix A.1.2, and what it refuses."""

import copy
import pickle
from typing import Any

import pytest
from voprf import ristretto

from letterlock._primitives import voprf
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.labels import RECOVERY_SERVER_KEY
from letterlock._primitives.voprf import Blinding, OprfOutput, OprfPublicKey, OprfSeed
from letterlock.errors import InvalidKey, InvalidSignature
from support import external

SEED = OprfSeed(bytes(range(32)))
NO_ELEMENTS = {
    "the identity": bytes(32),
    "all bits": b"\xff" * 32,
    "one, which is negative": b"\x01" + bytes(31),
    "p + 2, which is not canonical": (2**255 - 19 + 2).to_bytes(32, "little"),
    "a byte too few": bytes(31),
    "a byte too many": bytes(33),
    "an element and a byte more": bytes.fromhex(
        "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d7600"
    ),
    "nothing": b"",
}
"""What is no element of the group, or one that is refused."""


def published() -> dict[str, Any]:
    (found,) = [each for each in external.load("rfc/rfc9497.ristretto255-sha512.json") if each["mode"] == 1]
    return dict(found)


@pytest.fixture
def rfc(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the published set, and derive keys with its info."""
    document = published()
    monkeypatch.setattr(voprf, "RECOVERY_SERVER_KEY", bytes.fromhex(document["keyInfo"]))
    return document


def test_the_published_key(rfc: dict[str, Any]) -> None:
    seed = OprfSeed(bytes.fromhex(rfc["seed"]))
    assert voprf.public_key(seed).data.hex() == rfc["pkSm"]


def test_the_published_evaluations_and_outputs(rfc: dict[str, Any]) -> None:
    seed, public = OprfSeed(bytes.fromhex(rfc["seed"])), OprfPublicKey(bytes.fromhex(rfc["pkSm"]))
    cases = [each for each in rfc["vectors"] if each["Batch"] == 1]
    assert len(cases) == 2
    for case in cases:
        evaluation = voprf.evaluate(seed, bytes.fromhex(case["BlindedElement"]))
        assert evaluation[:32].hex() == case["EvaluationElement"]
        blinding = Blinding(bytes.fromhex(case["Input"]))
        output = blinding.finish(voprf.evaluate(seed, blinding.blinded), public)
        assert output.expose().hex() == case["Output"]


def test_each_blinding_is_another_one() -> None:
    assert len({Blinding(b"one input").blinded for _ in range(8)}) == 8


def test_the_output_depends_on_key_and_input_alone() -> None:
    def output(seed: OprfSeed, text: bytes) -> bytes:
        blinding = Blinding(text)
        return blinding.finish(voprf.evaluate(seed, blinding.blinded), voprf.public_key(seed)).expose()

    other = OprfSeed(bytes(32))
    assert output(SEED, b"a") == output(SEED, b"a")
    assert len({output(SEED, b"a"), output(SEED, b"b"), output(other, b"a")}) == 3


def test_an_evaluation_with_another_key_is_refused() -> None:
    blinding, other = Blinding(b"input"), OprfSeed(bytes(32))
    with pytest.raises(InvalidSignature):
        blinding.finish(voprf.evaluate(other, blinding.blinded), voprf.public_key(SEED))
    with pytest.raises(InvalidSignature):
        blinding.finish(voprf.evaluate(SEED, blinding.blinded), voprf.public_key(other))


def test_an_evaluation_of_another_input_is_refused() -> None:
    one, other = Blinding(b"input"), Blinding(b"input")
    with pytest.raises(InvalidSignature):
        one.finish(voprf.evaluate(SEED, other.blinded), voprf.public_key(SEED))


def test_every_changed_byte_of_an_evaluation_is_refused() -> None:
    blinding = Blinding(b"input")
    evaluation, public = voprf.evaluate(SEED, blinding.blinded), voprf.public_key(SEED)
    assert len(evaluation) == voprf.EVALUATION_BYTES
    for at in range(len(evaluation)):
        changed = evaluation[:at] + bytes((evaluation[at] ^ 1,)) + evaluation[at + 1 :]
        with pytest.raises(InvalidSignature):
            blinding.finish(changed, public)
    for wrong in (b"", evaluation[:-1], evaluation + b"\0", bytes(96), b"\xff" * 96):
        with pytest.raises(InvalidSignature):
            blinding.finish(wrong, public)
    assert len(blinding.finish(evaluation, public).expose()) == voprf.OUTPUT_BYTES


@pytest.mark.parametrize("data", NO_ELEMENTS.values(), ids=NO_ELEMENTS)
def test_what_is_no_element_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidKey):
        OprfPublicKey(data)
    with pytest.raises(InvalidKey):
        voprf.evaluate(SEED, data)
    with pytest.raises(InvalidKey):
        voprf.check_blinded(data)


def test_a_blinding_is_neither_copied_nor_shown() -> None:
    blinding = Blinding(b"input")
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            attempt(blinding)
    assert repr(blinding) == "<Blinding>"
    with pytest.raises(AttributeError):
        blinding.blinded = bytes(32)


def test_the_library_knows_the_same_output_without_blinding() -> None:
    evaluator = ristretto.Evaluator.from_seed(SEED.expose(), RECOVERY_SERVER_KEY)
    blinding = Blinding(text := system_entropy(48))
    output = blinding.finish(voprf.evaluate(SEED, blinding.blinded), voprf.public_key(SEED))
    assert output == OprfOutput(evaluator.evaluate_known_input(text))

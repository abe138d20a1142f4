"""VOPRF(ristretto255, SHA-512) of RFC 9497, in verifiable mode: one party has the input, the other the key.

    client                                    server
    blinded = r * H(input)         ->         evaluated = k * blinded, and a proof for k * G
    output  = Hash(input, evaluated / r)      learns nothing of the input

    seed        32 random bytes; DeriveKeyPair(seed, info) gives k                          (section 3.2.1)
    public      k * G, 32 bytes            blinded      32 bytes
    evaluation  32 bytes, and a proof of 64            output       64 bytes

Elements are canonical, and none is the identity. The package `voprf` draws r and the proof's nonce itself.

Not here: what is blinded, and how often a key may be used (recovery/).
"""

from typing import ClassVar, Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import RECOVERY_SERVER_KEY
from letterlock._primitives.secret import KEY_BYTES, Immutable, Secret, Uncopyable
from letterlock.errors import InvalidKey, InvalidSignature, UsageError

try:
    from voprf import ristretto
except ModuleNotFoundError as error:  # pragma: no cover
    raise UsageError("recovery needs voprf: python -m pip install 'letterlock[recovery]'") from error

BLINDED_BYTES: Final = 32
OUTPUT_BYTES: Final = 64
PROOF_BYTES: Final = 64
EVALUATION_BYTES: Final = BLINDED_BYTES + PROOF_BYTES


class OprfSeed(Secret):
    """The server's secret: 32 random bytes from which its key is derived."""

    __slots__ = ()


class OprfOutput(Secret):
    """What the function gives for one input under one key, 64 bytes."""

    __slots__ = ()
    LENGTH = OUTPUT_BYTES


@dataclass(frozen=True, slots=True)
class OprfPublicKey:
    """k * G: 32 bytes, canonical and not the identity. Raises InvalidKey for any other bytes."""

    LENGTH: ClassVar[int] = KEY_BYTES

    data: bytes

    def __post_init__(self) -> None:
        _public(self.data)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.data.hex()})"


class Blinding(Immutable, Uncopyable):
    """An input that is on its way to a server: `blinded` travels, and the rest opens the answer."""

    __slots__ = ("_client", "blinded")

    blinded: bytes
    _client: ristretto.Client

    def __init__(self, text: bytes) -> None:
        """Blind an input of 1 to 65,535 bytes. Each time gives another `blinded`, of 32 bytes."""
        client, blinded = ristretto.Client.blind(text)
        object.__setattr__(self, "_client", client)
        object.__setattr__(self, "blinded", blinded.serialize())

    def finish(self, evaluation: bytes, public: OprfPublicKey) -> OprfOutput:
        """Return the output, having checked that the server used the key of `public`.

        Raises InvalidSignature for a proof of another key, and for bytes that are no evaluation.
        """
        try:
            answer = ristretto.VerifiableOutput.deserialize(_turned(evaluation, BLINDED_BYTES))
            return OprfOutput(self._client.finalize(answer, _public(public.data)))
        except ValueError:
            raise InvalidSignature("an evaluation is not by the key that was announced: discard it") from None

    def __repr__(self) -> str:
        return "<Blinding>"


def public_key(seed: OprfSeed) -> OprfPublicKey:
    """Return the public key of a seed."""
    return OprfPublicKey(_evaluator(seed).public_key.serialize())


def evaluate(seed: OprfSeed, blinded: bytes) -> bytes:
    """Return the evaluation of a blinded input, 96 bytes: the element, then the proof.

    Raises InvalidKey for bytes that are no element, or are the identity.
    """
    return _turned(_evaluator(seed).evaluate(_element(blinded)).serialize(), PROOF_BYTES)


def check_blinded(blinded: bytes) -> None:
    """Raise InvalidKey for bytes that `evaluate` refuses."""
    _element(blinded)


def _element(blinded: bytes) -> ristretto.BlindedInput:
    try:
        if len(blinded) == BLINDED_BYTES:  # the package passes over bytes that come after an element
            return ristretto.BlindedInput.deserialize(blinded)
    except ValueError:
        pass
    raise InvalidKey("a blinded input is no element of the group: discard it")


def _turned(data: bytes, at: int) -> bytes:
    """Return both parts in the other order: the package puts the proof first, and the RFC the element."""
    return data[at:] + data[:at]


def _evaluator(seed: OprfSeed) -> ristretto.Evaluator:
    return ristretto.Evaluator.from_seed(seed.expose(), RECOVERY_SERVER_KEY)


def _public(data: bytes) -> ristretto.PublicKey:
    try:
        return ristretto.PublicKey.deserialize(data)
    except ValueError:
        raise InvalidKey("a key of an oblivious function is no element of the group: discard it") from None

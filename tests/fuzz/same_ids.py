"""A pair of fixed seed whose prekey ids have no random gaps, so that committed inputs stay what they are."""

from letterlock._primitives.entropy import Entropy
from support.pair import BOTH_SUITES, Pair

JUMP_BYTES = 4
"""What a jump of the ids draws, and nothing else. Zeros are no jump."""


class SameIds(Pair):
    """Alice and Bob, with both suites; nothing is drawn from the seed for jumps."""

    def __init__(self, seed: object) -> None:
        super().__init__(suites=BOTH_SUITES, seed=seed)

    def entropy(self, name: str) -> Entropy:
        draw = super().entropy(name)
        return lambda length: bytes(length) if length == JUMP_BYTES else draw(length)

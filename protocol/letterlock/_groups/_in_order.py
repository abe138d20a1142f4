"""A text that is not late, by the native module: signature, chain, tag and content in one step.

Returns None wherever anything is unusual, and where there is no native module. Then Python's way
(_receiving.py) gives the answer, or the error. Long texts are left to Python too, because OpenSSL opens them
faster.
"""

from typing import Final, TypeAlias

from letterlock._primitives.native import NATIVE
from letterlock._ratchet.keys import SkippedKeys
from letterlock._wire.group_content import GroupContent, Heard
from letterlock._wire.group_text import GroupText
from letterlock._wire.sender_chain import GroupChainKey

Step: TypeAlias = tuple[GroupChainKey, SkippedKeys, GroupContent]
"""What an authentic text leads to: the chain key behind it, keys of what it skipped, and what it holds."""

LONGEST: Final = 16 * 1024
"""Bytes of a text up to which the native module is asked."""


def step_natively(
    public: bytes, number: int, key: GroupChainKey, text: GroupText, entry_hash: bytes
) -> Step | None:
    """Return what a text leads to, signed under `public`. `number` and `key` are of the next of its chain."""
    if NATIVE is None or len(text.encoded) > LONGEST or text.place.number < number:
        return None
    opened = NATIVE.open_group_text(public, number, key.expose(), text.encoded, entry_hash)
    if opened is None:
        return None
    after, skipped, head_before, heard, content = opened
    heads = tuple(Heard(*each) for each in heard)
    return GroupChainKey(after), SkippedKeys(skipped), GroupContent(head_before, heads, content)

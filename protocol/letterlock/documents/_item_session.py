"""A session of items: many small things under one key, granted once.

    commitment     HMAC-SHA-256(session key, label || session id)                                    [DOC-46]
    DK_i || C_i    HMAC-SHA-512(session key, label || item id), 32 bytes each                        [DOC-47]
    item           01 || session id || item id || C_i || AEAD(DK_i, nonce 0, text, all before)
    text           content || 80 || zeros to a multiple of 32

Each item has a random id, so a key seals one text, and its nonce is constant. C_i commits to the key: an item
opens to one content, whoever made it.

An item is not signed: every reader of the session can make one.

Not here: grants of the session key (_documents.py).
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from letterlock._primitives import aead
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import hmac_sha256
from letterlock._primitives.labels import SESSION_COMMITMENT, SESSION_ITEM
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._wire.grant_limits import MAX_ITEM, SUBJECT_ID_BYTES
from letterlock._wire.grant_subject import Subject
from letterlock.documents._blind_index import BlindIndex
from letterlock.documents._errors import WrongGrantedKey
from letterlock.documents._granted_key import GrantedKey
from letterlock.errors import AuthenticationFailed, MalformedMessage, UsageError

_FORMAT: Final = b"\1"
_STEP: Final = 32
_NONCE: Final = bytes(aead.NONCE_BYTES)
_ID_AT: Final = 1 + SUBJECT_ID_BYTES
_COMMITMENT_AT: Final = _ID_AT + SUBJECT_ID_BYTES
_TEXT_AT: Final = _COMMITMENT_AT + KEY_BYTES
_LEAST: Final = _TEXT_AT + _STEP + aead.TAG_BYTES


class ItemKey(Secret):
    """The key of a session of items, 32 bytes."""

    __slots__ = ()


def session_commitment(key: ItemKey, session: bytes) -> bytes:
    """Return the 32 bytes to which a grant of the session commits. [DOC-46]"""
    return hmac_sha256(key.expose(), SESSION_COMMITMENT + session)


def fits_session(subject: Subject, key: GrantedKey) -> bool:
    """Return whether a granted key is the one to which a session's subject commits. [DOC-46]"""
    if len(key.expose()) != KEY_BYTES:
        return False
    return hmac.compare_digest(session_commitment(ItemKey(key.expose()), subject.id), subject.commitment)


class ItemSession(Uncopyable):
    """Seals and opens small items. `id` has 16 bytes, and stands in every item."""

    __slots__ = ("_entropy", "_key", "id")

    def __init__(self, session: bytes, key: ItemKey, entropy: Entropy) -> None:
        """Not for applications, which call `Documents.begin_items` and `items`."""
        self.id = session
        self._key = key
        self._entropy = entropy

    def seal(self, contents: Sequence[bytes]) -> list[bytes]:
        """Return an item for each content of up to 65,536 bytes: 82 to 113 bytes longer. Raises UsageError.

        Item ids are random, so sealing again gives other items.
        """
        key, start = self._key.expose(), _FORMAT + self.id
        ids = self._entropy(SUBJECT_ID_BYTES * len(contents))
        sealed: list[bytes] = []
        at = 0
        for content in contents:
            if type(content) is not bytes or len(content) > MAX_ITEM:
                raise UsageError(f"an item is bytes, at most {MAX_ITEM}: seal a document for more")
            item_id = ids[at : at + SUBJECT_ID_BYTES]
            at += SUBJECT_ID_BYTES
            both = hmac.digest(key, SESSION_ITEM + item_id, hashlib.sha512)
            head = start + item_id + both[KEY_BYTES:]
            text = content + b"\x80" + bytes(-(len(content) + 1) % _STEP)
            sealed.append(head + aead.seal(both[:KEY_BYTES], _NONCE, text, head))
        return sealed

    def open(self, items: Sequence[bytes]) -> list[bytes]:
        """Return the content of each item, or nothing at all.

        Raises MalformedMessage, AuthenticationFailed, and UsageError for an item of another session.
        """
        key, start = self._key.expose(), _FORMAT + self.id
        contents: list[bytes] = []
        for item in items:
            if type(item) is not bytes:
                raise UsageError(f"an item is bytes, not {type(item).__name__}")
            _check(item, start)
            head = item[:_TEXT_AT]
            both = hmac.digest(key, SESSION_ITEM + item[_ID_AT:_COMMITMENT_AT], hashlib.sha512)
            text = None
            if hmac.compare_digest(both[KEY_BYTES:], item[_COMMITMENT_AT:_TEXT_AT]):
                text = aead.open_sealed(both[:KEY_BYTES], _NONCE, item[_TEXT_AT:], head)
            if text is None:
                raise AuthenticationFailed
            contents.append(_content(text))
        return contents

    def blind_index(self, name: str, *, bits: int) -> BlindIndex:
        """Return what makes tokens of a field's values, for whoever has this session. Raises UsageError.

        `name` says which field: tokens of two fields do not compare. `bits`, 1 to 24, is the length of a
        token. It is a little below the logarithm to base 2 of how many values the field has, so that
        several values share each token; spec/json.md says what tokens tell a server.
        """
        return BlindIndex(self._key, name, bits)

    def __repr__(self) -> str:
        return f"<ItemSession {self.id[:4].hex()}>"


def checked_session(subject: Subject, key: GrantedKey, entropy: Entropy) -> ItemSession:
    """Return the session of a granted key. Raises WrongGrantedKey. [DOC-46]"""
    if not fits_session(subject, key):
        raise WrongGrantedKey
    return ItemSession(subject.id, ItemKey(key.expose()), entropy)


def session_of(item: bytes) -> bytes:
    """Return the id of the session of an item, 16 bytes. Raises MalformedMessage."""
    if type(item) is not bytes or len(item) < _LEAST or item[:1] != _FORMAT:
        raise MalformedMessage("not an item of a session: discard it")
    return item[1:_ID_AT]


def _check(item: bytes, start: bytes) -> None:
    if not _LEAST <= len(item) <= _LEAST + MAX_ITEM or item[:1] != _FORMAT:
        raise MalformedMessage("not an item of a session: discard it")
    if item[:_ID_AT] != start:
        raise UsageError("the item is of another session: ask Documents.items for that one")


def _content(text: bytes) -> bytes:
    content, mark, _ = text.rpartition(b"\x80")
    if not mark or text != content + mark + bytes(-(len(content) + 1) % _STEP):
        raise MalformedMessage("the padding of an item is not one that sealing makes: discard it")
    return content

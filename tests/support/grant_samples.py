"""One grant and one note of each form, whose signatures nobody made."""

from typing import Final

from letterlock._primitives.passphrase import PassphraseParameters
from letterlock._wire.grant import Grant, GrantTerms
from letterlock._wire.grant_note import GrantNote, NoteAction, NoteTerms
from letterlock._wire.grant_recipient import (
    CollectionRecipient,
    LinkRecipient,
    PasswordRecipient,
    ProvisionalRecipient,
    Recipient,
    UnknownRecipient,
    UserRecipient,
)
from letterlock._wire.grant_subject import Subject
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy, Signer

SIGNER: Final = Signer(bytes(32), 2**32 - 1, 1, bytes(32))
SIGNED_BY: Final = SignedBy(SIGNER, bytes(1952), bytes(3373))
PLACE: Final = Place(1, 3, (bytes(32), b"s" * 32))
RECIPIENTS: Final[dict[str, Recipient]] = {
    "user": UserRecipient(bytes(32), 3, bytes(32)),
    "collection": CollectionRecipient(bytes(16), 7),
    "link": LinkRecipient(bytes(16)),
    "password": PasswordRecipient(PassphraseParameters(bytes(16), 3, 64 * 1024 * 1024)),
    "provisional": ProvisionalRecipient(bytes(32), b"k" * 32),
    "unknown": UnknownRecipient(200, b"anything"),
}


def grant_sample(recipient: str = "user", valid_until: int | None = 2**40) -> Grant:
    """Return a grant to a recipient."""
    before = None if valid_until is None else b"b" * 32
    what = Subject(1, b"i" * 16, 2, bytes(32))
    terms = GrantTerms(what, RECIPIENTS[recipient], SIGNER, 7, "treatment", valid_until, before)
    return Grant.of(terms, terms.encode(), bytes(1168), PLACE, SIGNED_BY)


def note_sample(action: NoteAction = NoteAction.WITHDRAW) -> GrantNote:
    """Return a note."""
    terms = NoteTerms(action, 1, b"i" * 16, (bytes(32), b"h" * 32), 0, SIGNER, 7, "moved away")
    return GrantNote.of(terms, terms.encode(), PLACE, SIGNED_BY)

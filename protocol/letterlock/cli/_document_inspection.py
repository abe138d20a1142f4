"""What a sealed document shows without any key: what whoever stores it sees.

Its content, name, author and length stay hidden; the length is shown as far as the padding lets it be seen.
Nothing of this was verified.

Not here: messages and bundles (letterlock._wire.inspection).
"""

from io import BufferedReader

from letterlock._wire.grant import Grant
from letterlock._wire.grant_recipient import (
    CollectionRecipient,
    LinkRecipient,
    PasswordRecipient,
    ProvisionalRecipient,
    Recipient,
    UserRecipient,
)
from letterlock._wire.inspection import Inspection, Shown
from letterlock.cli._sealed_file import read_sealed
from letterlock.cli._user_report import printable, time_text


def inspect_document(source: BufferedReader) -> Inspection:
    """Return what a sealed document shows. Raises MalformedMessage, UnsupportedVersion."""
    sealed = read_sealed(source)
    header, footer = sealed.front.header, sealed.footer
    fields: dict[str, Shown] = {
        "document": header.id.hex(),
        "version": header.version,
        "commitment": sealed.front.commitment.hex(),
        "segments": footer.segments,
        "sealed_metadata_bytes": len(header.sealed_metadata),
        "grants": len(sealed.grants),
    }
    fields |= {f"grant_{number}": _grant(each) for number, each in enumerate(sealed.grants, 1)}
    return Inspection("sealed document", sealed.size, fields)


def _grant(grant: Grant) -> dict[str, Shown]:
    terms = grant.terms
    return {
        "hash": grant.hash.hex(),
        **_recipient(terms.recipient),
        "granter_id": terms.signer.user_id.hex(),
        "device": terms.signer.device_id,
        "issued": time_text(terms.issued),
        "purpose": printable(terms.purpose) or None,
        "valid_until": time_text(terms.valid_until) or None,
    }


def _recipient(recipient: Recipient) -> dict[str, Shown]:
    match recipient:
        case UserRecipient():
            return {"for": "user", "user_id": recipient.user_id.hex(), "generation": recipient.generation}
        case CollectionRecipient():
            return {"for": "collection", "collection": recipient.id.hex(), "epoch": recipient.epoch}
        case LinkRecipient():
            return {"for": "link", "link_id": recipient.id.hex()}
        case PasswordRecipient():
            return {"for": "password"}
        case ProvisionalRecipient():
            return {"for": "provisional", "provisional_id": recipient.id.hex()}
        case other:
            return {"for": f"kind {other.kind}"}

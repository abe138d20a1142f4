"""One linking at rest: the code, the offer, the answer and the package, for tests that change them."""

from typing import Any, Final

from letterlock._primitives.labels import LINKING_PACKAGE
from letterlock._wire.linking import (
    LinkingPackage,
    LinkingPayload,
)
from letterlock.user import _linking as linking
from letterlock.user._linking import CodeShown, DeviceKeys, offer_link
from support.pair import NOON, entropy_of
from support.user_tools import FULL, Owner

ALICE: Final = Owner("alice")
ALICE.next(add=[(2, FULL)])
CHAIN: Final = ALICE.chain
NEW_ID: Final = 7
PAYLOAD: Final = b"seeds, contacts, groups"


def new_device(seed: object = "new") -> CodeShown:
    draw = entropy_of(seed)
    return CodeShown.begin(DeviceKeys.generate(draw), NOON, "relay.example/meet", draw)


SHOWN: Final = new_device()
OFFERED: Final = offer_link(CHAIN, SHOWN.code, SHOWN.bundle, NOON + 5, (NEW_ID, FULL))
TAKEN: Final = SHOWN.receive(OFFERED.sealed, NOON + 9, entropy_of("take"))
ANSWERED: Final = OFFERED.receive(TAKEN.answer, NOON + 10)
LIST, PACKAGE = ANSWERED.confirm(2, ALICE.keys(2).signing, PAYLOAD, NOON + 11)


def package_of(lists: Any, payload: bytes = PAYLOAD, signer: int = 2) -> LinkingPackage:
    transcript = linking._transcript(TAKEN.code, TAKEN.sealed_offer, TAKEN.answer)
    signature = ALICE.keys(signer).signing.sign(transcript + payload, LINKING_PACKAGE)
    return LinkingPackage(tuple(lists), LinkingPayload(payload), signature)

"""Every domain-separation label in one place, so that two uses cannot share one.

These are the HKDF `info` strings and signature prefixes of protocol version 1. A test checks that they are
distinct, and that none is a prefix of another with the same use. [PRIM-9]

Not here: Signal's own labels. Callers of `letterlock.hazmat` pass those.
"""

from typing import Final

# PQXDH section 3.2 asks for the form info_CURVE_HASH_PQKEM, with at least eight bytes of info. X3DH asks for
# a string that names the application.
PQXDH: Final = b"letterlock-v1_PQXDH_X25519_SHA-256_ML-KEM-1024"
X3DH: Final = b"letterlock-v1_X3DH_X25519_SHA-256"

ROOT_STEP: Final = b"letterlock-v1 root step"

PQ_SPLIT: Final = b"letterlock-v1 pq split"
PQ_CHAIN_START: Final = b"letterlock-v1 pq chain start"
PQ_CHAIN_ADD_EPOCH: Final = b"letterlock-v1 pq chain add epoch"
PQ_HYBRID: Final = b"letterlock-v1 pq hybrid"
PQ_AUTHENTICATOR: Final = b"letterlock-v1 pq authenticator update"
PQ_EPOCH_SECRET: Final = b"letterlock-v1 pq epoch secret"
PQ_HEADER: Final = b"letterlock-v1 pq header"
PQ_CIPHERTEXT: Final = b"letterlock-v1 pq ciphertext"

PQ_CHAIN_NAME: Final = b"letterlock-v1 pq chain name"

BUNDLE_SIGNATURE: Final = b"letterlock-v1 bundle signature"

TRANSCRIPT: Final = "letterlock-v1 handshake transcript"

DEVICE_LIST: Final = "letterlock-v1 device list"
LIST_SIGNATURE: Final = b"letterlock-v1 list signature"
DEVICE_PROOF: Final = b"letterlock-v1 device proof"
USER_FINGERPRINT: Final = b"letterlock-v1 user fingerprint"

LINKING_OFFER: Final = b"letterlock-v1 linking offer"
LINKING_PACKAGE: Final = b"letterlock-v1 linking package"
LINKING_HISTORY: Final = b"letterlock-v1 linking history"
LINKING_DIGITS: Final = b"letterlock-v1 linking digits"
DOCUMENT_SEED: Final = b"letterlock-v1 document seed"

DOCUMENT_BODY: Final = b"letterlock-v1 document body"
DOCUMENT_METADATA: Final = b"letterlock-v1 document metadata"
DOCUMENT_TRAILER: Final = b"letterlock-v1 document trailer"
DOCUMENT_AUTHOR: Final = b"letterlock-v1 document author"
BLOB_NAME: Final = b"letterlock-v1 name of a blob"

GRANT_SIGNATURE: Final = b"letterlock-v1 grant signature"
GRANT_TERMS: Final = b"letterlock-v1 terms of a grant"
GRANT_LEAF: Final = b"letterlock-v1 leaf of a grant"
GRANTED_KEY: Final = b"letterlock-v1 granted key"
LINK_ID: Final = b"letterlock-v1 id of a link"
GRANT_NOTE: Final = b"letterlock-v1 note about grants"
NOTE_LEAF: Final = b"letterlock-v1 leaf of a note"
SESSION_COMMITMENT: Final = b"letterlock-v1 session key commitment"
SESSION_ITEM: Final = b"letterlock-v1 item of a session"
JSON_SECTION: Final = b"letterlock-v1 section of json"
JSON_TRAILER: Final = b"letterlock-v1 trailer of json"
JSON_AUTHOR: Final = b"letterlock-v1 author of json"
JSON_NAME: Final = b"letterlock-v1 name of json"
BLIND_INDEX: Final = b"letterlock-v1 blind index"
ACCESS_RECORD: Final = b"letterlock-v1 access record"

COLLECTION_ENTRY: Final = b"letterlock-v1 collection entry"
EPOCH_KEY: Final = b"letterlock-v1 epoch key commitment"
HISTORY_KEY: Final = b"letterlock-v1 history key commitment"
EPOCH_LINK: Final = b"letterlock-v1 epoch link"
PARCEL_FOR_USER: Final = b"letterlock-v1 parcel for a user"
PARCEL_FOR_COLLECTION: Final = b"letterlock-v1 parcel for a collection"
PARCEL_FOR_GROUP: Final = b"letterlock-v1 parcel for a group"
COLLECTION_NAME: Final = b"letterlock-v1 collection name"

STORE_VALUES: Final = b"letterlock-v1 store values"
STORE_INDEX: Final = b"letterlock-v1 store index"
STORE_WRAP: Final = b"letterlock-v1 store key wrap"

RELAY_ACCOUNT: Final = b"letterlock-v1 relay account"
RELAY_SHELF_OF_USER: Final = b"letterlock-v1 relay shelf of a user"
RELAY_SHELF_OF_COLLECTION: Final = b"letterlock-v1 relay shelf of a collection"
RELAY_TEXTS_OF_GROUP: Final = b"letterlock-v1 relay texts of a group"
RELAY_LOGIN: Final = b"letterlock-v1 relay login"
RELAY_NEWER: Final = b"letterlock-v1 relay newer lists"
RELAY_TICKET: Final = b"letterlock-v1 relay ticket"
RELAY_CHALLENGE: Final = b"letterlock-v1 relay challenge"
RELAY_TOKEN: Final = b"letterlock-v1 relay token"

GROUP_TEXT: Final = b"letterlock-v1 text of a group"
GROUP_SIGNATURE: Final = b"letterlock-v1 signature of a group text"
GROUP_CHAIN: Final = b"letterlock-v1 chain of a group"
GROUP_HEAD: Final = b"letterlock-v1 head of a group chain"
GROUP_EPOCH: Final = b"letterlock-v1 epoch secret of a group"
GROUP_ENTRY: Final = b"letterlock-v1 group entry"
GROUP_NAME: Final = b"letterlock-v1 name of a group"
GROUP_HISTORY: Final = b"letterlock-v1 history of a group"

RECOVERY_SALT: Final = b"letterlock-v1 salt of a recovery"
RECOVERY_INPUT: Final = b"letterlock-v1 input of a recovery"
RECOVERY_SERVER_KEY: Final = b"letterlock-v1 server key of a recovery"
RECOVERY_HEADER: Final = b"letterlock-v1 header of a lock"
RECOVERY_KEYS: Final = b"letterlock-v1 keys of a lock"
RECOVERY_CHANGE: Final = b"letterlock-v1 change of a lock"
RECOVERY_SUCCESS: Final = b"letterlock-v1 success of a recovery"
RECOVERY_DEVICE: Final = b"letterlock-v1 recovery device"
RECOVERY_TICKET: Final = b"letterlock-v1 ticket of a recovery"
RECOVERY_CARD: Final = b"letterlock-v1 recovery card"
RECOVERY_BOX: Final = b"letterlock-v1 recovery box"
RECOVERY_KEEPING: Final = b"letterlock-v1 keeping of a recovery box"
RECOVERY_DECOY: Final = b"letterlock-v1 decoy of a lock"
RECOVERY_NOBODY: Final = b"letterlock-v1 user id of nobody"

IDENTITY_KEYS: Final = b"letterlock-v1 keys of identity checks"
IDENTITY_NONCE: Final = b"letterlock-v1 nonce of an identity"
IDENTITY_CHALLENGE: Final = b"letterlock-v1 challenge of an identity"
IDENTITY_PASS: Final = b"letterlock-v1 pass of an identity"
IDENTITY_TAG: Final = b"letterlock-v1 tag of an identity"
IDENTITY_CODE: Final = b"letterlock-v1 code of an identity"
IDENTITY_BINDING: Final = b"letterlock-v1 binding of an identity"
IDENTITY_TICKET: Final = b"letterlock-v1 ticket of an identity"
RECOVERY_HALF: Final = b"letterlock-v1 half of a recovery key"
RECOVERY_RELEASE: Final = b"letterlock-v1 released half of a key"

PROVISIONAL_OWNER: Final = b"letterlock-v1 owner of a provisional identity"
PROVISIONAL_WITHDRAWAL: Final = b"letterlock-v1 withdrawal of a provisional identity"
PROVISIONAL_RELEASE: Final = b"letterlock-v1 released provisional seed"

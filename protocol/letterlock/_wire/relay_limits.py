"""The limits of what travels between a relay and its clients, each with its reason.

Both sides must agree on every limit here. They are checked before the work that they bound.

Not here: limits on how much and how often, which are a relay's own choice (relay/).
"""

from typing import Final

from letterlock.limits import MAX_DEVICES

KIB: Final = 1024
MIB: Final = 1024 * KIB

ACCOUNT_KEY_BYTES: Final = 16
"""Bytes of the hash that stands for an account's name in a relay's database."""

RELAY_ID_BYTES: Final = 16
"""Bytes of the random id of a claim, a send, a message in a mailbox, a meeting place or a ticket."""

MAX_CHALLENGE: Final = 128
"""Bytes of a challenge, whose form is the relay's own affair."""

MAX_TOKEN: Final = 512
"""Bytes of a token. It holds the name of an account, which has up to 255 bytes."""

MAX_RELAY_NAME: Final = 263
"""Bytes of the name by which a relay is known: the host of its URL, with the port."""

MAX_SHOWN_COUNTER: Final = 2**63 - 1
"""The greatest counter that a device shows: databases hold so much in one column."""

MAX_CHAIN_LISTS: Final = 20
"""Device lists in one body. Verifying one costs a few signatures, so this bounds the work of one request."""

MAX_CHAIN_BYTES: Final = 4 * MIB
"""Bytes of the device lists in one body: 20 lists of the largest size."""

MAX_UPLOAD: Final = 256 * KIB
"""Bytes of a publication that a relay takes: 100 pairs take 170 KiB."""

MAX_UPLOAD_PAIRS: Final = 100
"""Pairs of one-time prekeys in a publication that a relay takes. Verifying a pair costs one signature."""

MAX_SEND: Final = 4 * MIB
"""Bytes of the body of a send. 32 devices can get 128 KiB each in one."""

MAX_RELAYED_MESSAGE: Final = 768 * KIB
"""Bytes of one message. A larger text is better sent as a file: many brokers refuse more than 1 MiB."""

MAX_SENT_MESSAGES: Final = MAX_DEVICES
"""Messages in one send, one for each device of the recipient."""

MAX_FETCHED: Final = 100
"""Messages in one answer to a fetch."""

MAX_FETCHED_BYTES: Final = 4 * MIB
"""Bytes of the messages in one answer to a fetch, but for the last one."""

MAX_FETCH_ANSWER: Final = MAX_FETCHED_BYTES + MAX_RELAYED_MESSAGE + 64 * KIB
"""Bytes of an answer to a fetch: its messages, and a name, an id and numbers with each."""

MAX_WAIT: Final = 60
"""Seconds for which a relay holds a request that waits for something. Proxies close idle ones after a minute
or more."""

MAX_ACKNOWLEDGED: Final = 256
"""Ids in one acknowledgement, and ids that a fetch skips: as many as may be in flight on one socket."""

MAX_PLACE_PART: Final = 512 * KIB
"""Bytes of one part of what is put into a meeting place."""

MAX_PLACE_PARTS: Final = 33
"""Parts of a linking package: 16 MiB, and one part more for what sealing adds."""

MAX_STRANGERS_PART: Final = 32 * KIB
"""Bytes of a linking bundle, an offer or an answer. None of them is longer than 18 KiB."""

MAX_PARCEL: Final = 256 * KIB
"""Bytes of a parcel: thirty grants with their signatures. Databases keep it as one value."""

MAX_SHELVED: Final = 64
"""Parcels in one call, each for any shelf."""

MAX_SHELVE: Final = 4 * MIB
"""Bytes of the body of such a call."""

MAX_SHELF_PARCELS: Final = 100
"""Parcels in one answer with what is on a shelf."""

MAX_SHELF_BYTES: Final = 4 * MIB
"""Bytes of the parcels in such an answer, but for the first one."""

MAX_UNSHELVED: Final = 256
"""Hashes of parcels that one call takes from a shelf."""

MAX_LOG_ENTRIES: Final = 256
"""Entries of a collection's log in one answer."""

MAX_LOG_BYTES: Final = 4 * MIB
"""Bytes of the entries in one answer, but for the first one."""

MAX_FOLLOWED: Final = 256
"""Groups of which one socket is told. Each costs a watch, so a client asks for further ones by itself."""

SMALL_BODY: Final = 2 * KIB
"""Bytes of a body that holds a name, a few ids and numbers: a name has 255 bytes, a token 512."""

"""Every number that bounds something, with its reason or its precedent.

A limit is checked before the work it bounds is done. Two builds that talk to each other must agree
on the ones marked (protocol); the others are local choices.
"""

from typing import Final

# --- what travels ---------------------------------------------------------------------------------

PROTOCOL_VERSION: Final = 1

MAX_PLAINTEXT: Final = 16 * 1024 * 1024
"""(protocol) bytes in one message. Room for a photograph; larger documents belong in an envelope of their
own, because a message is held in memory several times while it is sealed or opened."""

MIN_PADDED: Final = 32
"""(protocol) bytes: every plaintext up to 31 bytes looks alike; above, PADME leaks O(log log n) bits."""

MAX_PADDED: Final = MAX_PLAINTEXT + 512 * 1024
"""(protocol) What PADME makes of the longest plaintext; a padded one above this cannot be one of ours."""

MAX_MESSAGE: Final = MAX_PADDED + 4096
"""(protocol) bytes of a whole message: headers, the 1,568-byte KEM ciphertext and the tag fit in 4,096."""

MAX_BUNDLE: Final = 8 * 1024
"""(protocol) bytes of a prekey bundle: three curve keys, three signatures and a KEM key come to 1.9 KiB."""

MAX_PUBLICATION: Final = 4 * 1024 * 1024
"""(protocol) bytes of a publication: 1,000 pairs of one-time prekeys take 1.8 MiB."""

MAX_PUBLISHED_ONE_TIME: Final = 1000
"""One-time prekeys of each kind in one publication. Signal's clients keep 100 on the server; ten times
that is a busy first day."""

MAX_MESSAGE_DEPTH: Final = 1
"""(protocol) A message is one flat array, so that 16 MiB of forged nested arrays are refused unparsed."""

MAX_CBOR_ITEMS: Final = 10_019
"""(protocol) Items in all the arrays of a publication, arrays included: 1,000 pairs of prekeys, five items
each, and 19 more."""

MAX_CBOR_DEPTH: Final = 4
"""Nesting of arrays in anything we send: a publication's lists of prekeys are the deepest, at 3."""

MAX_NAME_BYTES: Final = 255
"""(protocol) bytes of UTF-8 in an address name: an e-mail address is at most 254."""

MAX_ID: Final = 2**32 - 1
"""(protocol) prekey ids and device ids fit four bytes."""

MAX_COUNTER: Final = 2**32 - 1
"""(protocol) message numbers and chain lengths fit four bytes; a chain that long is refused, never
wrapped."""

MAX_SIGNED_MESSAGE: Final = 4096
"""XEdDSA hashes a message twice, so what it signs is kept small; our longest signed prekey is 1.6 KiB."""

# --- the ratchet ----------------------------------------------------------------------------------

MAX_SKIP: Final = 2000
"""(protocol) Messages that one message may jump over in one chain. Before the message has authenticated each
costs one HMAC, so a forged header costs at most 4 ms, or 7 ms in suite 2 with its two chains. Signal stores
2,000 a chain and lets a header jump 25,000, which is much work for anybody who can send bytes."""

MAX_TRIAL_STEPS: Final = 4 * MAX_SKIP
"""Chain steps in all the sessions that are tried for one message, so that a forged header costs about as
much with 40 archived sessions as with four."""

MAX_SKIPPED_KEYS: Final = 2 * MAX_SKIP
"""Skipped message keys kept in one session; of suite 2 twice as many, for a message has two. One message can
skip MAX_SKIP in the old chain and as many in the new one, so the total must hold both; beyond it the oldest
go first, as a message that late has been given up."""

MAX_CODEWORDS: Final = 64
"""(protocol) Codewords of the post-quantum ratchet in one message; the longest text sent so has 36."""

CODEWORD_BYTES: Final = 32
"""(protocol) bytes of a codeword: 16 elements of two bytes. Everything that is sent in codewords has a length
that is a multiple of 32."""

MAX_CODEWORD_INDEX: Final = 2**16 - 1
"""(protocol) Codewords are numbered by elements of the field GF(2^16), so an index fits two bytes."""

MAX_PAST_CHAINS: Final = 1000
"""Finished receiving chains remembered in one session, 32 bytes each, only so that a message that comes
twice is called a duplicate and not a forgery. An older duplicate is still refused, less precisely."""

# --- sessions and prekeys -------------------------------------------------------------------------

MAX_ARCHIVED_SESSIONS: Final = 40
"""Earlier sessions kept with one peer device, as Signal keeps. Each is one trial for an unknown message."""

MAX_REPLAY_RECORDS: Final = 65536
"""Accepted handshakes remembered for one prekey that can be used twice, 32 bytes each. When it is full,
further ones are refused until the prekey rotates: evicting would let an attacker flush the record and
replay."""

MAX_ONE_TIME_PREKEYS: Final = 10_000
"""One-time prekeys of one kind waiting in a store. A server that claims to have lost them all cannot make
a device hoard private keys without end."""

DAY: Final = 24 * 60 * 60

PREKEY_ROTATION: Final = 7 * DAY
"""Seconds after which publishing makes a new signed prekey and a new last-resort prekey. X3DH suggests a
week to a month; shorter limits what a stolen prekey can read."""

PREKEY_GRACE: Final = 30 * DAY
"""Seconds for which a retired prekey still opens late first messages. Then it is gone, and with it the
power to read them."""

ONE_TIME_LIFETIME: Final = 90 * DAY
"""Seconds for which an unused one-time prekey is kept. A bundle that old is stale in its signed prekey
too."""

# --- at rest --------------------------------------------------------------------------------------

ARGON2_OPSLIMIT: Final = 3
ARGON2_MEMLIMIT: Final = 64 * 1024 * 1024
"""Argon2id passes and bytes for a passphrase: RFC 9106's second recommended setting (64 MiB, three
passes), about 0.15 s here, on phones too."""

ARGON2_MAX_OPSLIMIT: Final = 16
ARGON2_MAX_MEMLIMIT: Final = 1024 * 1024 * 1024
"""What a stored parameter may ask of us at most: the file is not trusted before the key is known."""

MAX_PASSPHRASE: Final = 4096
"""Bytes of UTF-8: beyond this it is a file, and the caller's mistake."""

BUSY_TIMEOUT: Final = 30.0
"""Seconds to wait for another process's transaction. A transaction of ours lasts milliseconds."""

SAFETY_NUMBER_ITERATIONS: Final = 5200
"""(protocol) SHA-512 passes of a fingerprint, as Signal: 5200 give 112 bits of security from 30 digits."""

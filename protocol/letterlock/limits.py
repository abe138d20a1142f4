"""Every limit and waiting time, each with its reason.

A limit is checked before the work that it bounds. Both sides of a conversation must agree on a limit marked
(protocol). The others are this implementation's own choice.
"""

from typing import Final

# --- what travels ---------------------------------------------------------------------------------

PROTOCOL_VERSION: Final = 1
"""(protocol) The version of messages, and of the protocol as a whole."""

BUNDLE_VERSION: Final = 2
"""(protocol) The version of prekey bundles and publications. In version 1, which release 0.1.0 made, each
prekey had a signature of its own, and none covered a time."""

MAX_PLAINTEXT: Final = 16 * 1024 * 1024
"""(protocol) Bytes of plaintext in one message, enough for a photograph. Encrypt a longer document
as a file, because memory holds a message several times while it is encrypted or decrypted."""

MIN_PADDED: Final = 32
"""(protocol) Bytes of the shortest padded plaintext, so that all plaintexts of up to 31 bytes look alike.
Above this length PADME leaks O(log log n) bits of the length n."""

MAX_PADDED: Final = MAX_PLAINTEXT + 512 * 1024
"""(protocol) Bytes of the longest padded plaintext: the length to which PADME pads the longest plaintext."""

MAX_MESSAGE: Final = MAX_PADDED + 4096
"""(protocol) Bytes of a whole message. The headers, the 1,568-byte KEM ciphertext and the tag fit in
4,096."""

MAX_BUNDLE: Final = 8 * 1024
"""(protocol) Bytes of a prekey bundle. Three curve keys, a signature and a KEM key come to 1.8 KiB."""

MAX_PUBLICATION: Final = 4 * 1024 * 1024
"""(protocol) Bytes of a publication. 1,000 one-time prekeys of each kind take 1.8 MiB."""

MAX_PUBLISHED_ONE_TIME: Final = 1000
"""One-time prekeys of each kind in one publication. Signal's clients keep 100 on the server; ten times as
many serve a busy first day."""

MAX_EXPANDED_PREKEYS: Final = 100
"""One-time KEM prekeys of a publication that a store in memory keeps expanded, because a first message is
read faster then. An expanded key takes up to 20 KiB. Of a publication with more, none are kept so."""

MAX_CBOR_ITEMS: Final = 10_018
"""(protocol) Items in all the arrays of a publication, counting the arrays: 1,000 pairs of ten items each,
and 18 more."""

MAX_CBOR_DEPTH: Final = 4
"""(protocol) Nesting of arrays in bundles and publications; a message is one flat array. The deepest arrays
are the prekeys in the pairs of a publication."""

MAX_NAME_BYTES: Final = 255
"""(protocol) Bytes of UTF-8 in the name of an address. An e-mail address has at most 254."""

MAX_DAY: Final = 2_932_896
"""(protocol) The greatest number of a day, counted from 1970: the last day of the year 9999, so that every
day has a date that can be shown."""

MAX_ID: Final = 2**32 - 1
"""(protocol) The greatest prekey id and device id: ids fit in four bytes."""

ID_JUMP: Final = 4096
"""Each publication skips a random number of prekey ids: at most one 4,096th of those left, about 2**20 at
first. After a restore, two publications of 1,000 pairs (2,002 ids each) share an id in 0.4 % of cases, two
single bundles in 0.0004 %. Weekly publications of that size leave a third of the ids after 80 years, even if
every jump is the longest. Jumps shrink with what is left, so there is room for 36,500 single bundles too."""

MAX_COUNTER: Final = 2**32 - 1
"""(protocol) The greatest message number and chain length: counters fit in four bytes. A longer chain is
refused; a counter never wraps around."""

MAX_SIGNED_MESSAGE: Final = 4096
"""Bytes that XEdDSA signs at once, kept few because it hashes them twice. Our longest bundle has 2.0 KiB."""

# --- the ratchet ----------------------------------------------------------------------------------

MAX_SKIP: Final = 2000
"""(protocol) Messages that one message may skip in one chain. Each costs one HMAC before the message is
authenticated, so this bounds the work that a forged header causes. Signal stores 2,000 a chain and lets a
header skip 25,000, which is much work for anybody who can send bytes."""

MAX_TRIAL_STEPS: Final = 4 * MAX_SKIP
"""Chain steps in all the sessions that are tried for one message. A forged header therefore causes about as
much work with 40 archived sessions as with four."""

MAX_SKIPPED_KEYS: Final = 2 * MAX_SKIP
"""Skipped message keys kept in one session; in suite 2 twice as many, because a message has two. One message
can skip MAX_SKIP messages in the old chain and as many in the new one. Beyond the limit the oldest keys are
deleted first, because their messages are the least likely to arrive."""

MAX_KEYS_IN_ROW: Final = 32
"""Skipped keys of one chain that share a row of a store: three rows fill a page of a SQLite store. A late
message writes its row again, so a longer row would cost it more."""

MAX_CODEWORDS: Final = 64
"""(protocol) Codewords of the post-quantum ratchet in one message. The longest value sent in codewords fills
36."""

FULL_CODEWORDS_UNTIL: Final = 4
"""(protocol) Number of the last message of a double-ratchet chain that carries as many computed codewords as
fit. So a peer that answers soon is sent all that it may need."""

COMPUTED_CODEWORD_INTERVAL: Final = 4
"""(protocol) The later messages of a chain carry one computed codeword if this divides their number. It costs
more time than the rest of a short message, and helps a silent peer only against losses."""

CODEWORD_BYTES: Final = 32
"""(protocol) Bytes of a codeword: 16 field elements of two bytes. The length of each value that is sent in
codewords is a multiple of 32."""

MAX_CODEWORD_INDEX: Final = 2**16 - 1
"""(protocol) The greatest index of a codeword. The elements of the field GF(2^16) number the codewords, so an
index fits in two bytes."""

MAX_PAST_CHAINS: Final = 1000
"""Finished receiving chains remembered in one session, 32 bytes each. They let a duplicate be reported as
DuplicateMessage; an older duplicate is refused as AuthenticationFailed."""

# --- sessions and prekeys -------------------------------------------------------------------------

MAX_ARCHIVED_SESSIONS: Final = 40
"""Earlier sessions kept with one peer device, as many as Signal keeps. Each may be tried for a message that
the active session does not decrypt."""

MAX_CROSSED_MESSAGES: Final = 16
"""Messages that a peer sends in a session which crossed one of ours, apart from initial messages, before ours
can no longer take its place. Two sides that initiate at once need three to agree on one of the two sessions;
more leave room for loss and delay. A thief of old keys has to come within so many messages."""

MAX_REPLAY_RECORDS: Final = 65536
"""Accepted handshakes remembered for one reusable prekey, 32 bytes each. When the record is full, further
handshakes are refused until the prekey rotates: forgetting old ones would let an attacker flush the record
and replay them."""

MAX_USED_PREKEYS: Final = 128
"""One-time prekeys of one peer that are remembered after we used them, 32 bytes each, so that a bundle is not
used twice. Beyond the limit the oldest are forgotten: a bundle that old is rarely kept by anybody."""

MAX_ONE_TIME_PREKEYS: Final = 10_000
"""One-time prekeys of one kind that wait in a store. Without a limit, a server that claims to have lost them
could make a device hoard private keys without end. At the limit, those that expire first make room: a refusal
to make new ones would let the same server keep anybody from beginning a session."""

DAY: Final = 24 * 60 * 60
"""Seconds in a day."""

PREKEY_ROTATION: Final = 7 * DAY
"""Seconds after which publishing makes a new signed prekey and a new last-resort prekey. The first message
that is decrypted after that time retires the old ones, even if nobody publishes. X3DH suggests a
week to a month; a shorter time limits what a stolen prekey can decrypt."""

UPKEEP_MESSAGES: Final = 64
"""Decrypted messages between two looks at whether the prekeys are due for rotation: an ordinary message does
not read the clock. The first message after an account was opened looks, and so does every initial message."""

PREKEY_GRACE: Final = 30 * DAY
"""Seconds for which a retired prekey still decrypts late initial messages. It is then deleted, and nobody can
decrypt them any more."""

KEPT_LIFETIME: Final = 30 * DAY
"""Seconds for which a skipped key is kept, and an archived session. Letters that arrive later cannot be read.
The thief of an old copy could otherwise read a letter that was held back for years, and write another one."""

MAX_BUNDLE_AGE: Final = 90 * DAY
"""Seconds since the day on which the signed prekey of a bundle was made, by the initiator's clock. A device
that is used makes a new one every week, so an older bundle belongs to a device that was off for three months,
or comes from a server that hides the newer ones."""

MAX_BUNDLE_LEAD: Final = DAY
"""Seconds by which that day may begin later than the initiator's clock shows: clocks may differ so much
without harm."""

ONE_TIME_LIFETIME: Final = MAX_BUNDLE_AGE
"""Seconds for which an unused one-time prekey is kept while its signed prekey is current: nobody accepts an
older bundle."""

# --- users and their devices ----------------------------------------------------------------------

MAX_DEVICES: Final = 32
"""(protocol) Devices of one user. A message is encrypted for each, so this bounds what a contact's list can
cost. Signal's servers allow six, and Sesame's examples 32."""

MAX_SNAPSHOT: Final = 16 * 1024
"""(protocol) Bytes of the signed part of a device list. 32 devices, 64 revoked ones and a document key come
to 6 KiB."""

MAX_DEVICE_LIST: Final = 192 * 1024
"""(protocol) Bytes of a device list: a snapshot, 33 signatures and as many ML-DSA keys, if one version adds
32 devices."""

MAX_REVOKED_DEVICES: Final = 64
"""(protocol) Revoked devices that a device list still names. Beyond the limit the earliest are left out: if a
full list refused further revocations, a thief could fill it."""

MAX_DEVICE_CLASS: Final = 255
"""(protocol) The greatest number of a device class. Three have a meaning; the others are left to releases to
come, whose devices this one treats as limited."""

HEAD_BYTES: Final = 8
"""(protocol) Bytes of a hash that stand for a version of a device list in the content of a message. Only the
user's own devices could look for two lists that share them."""

MESSAGE_ID_BYTES: Final = 16
"""(protocol) Bytes of the random id of a message's content. Two contents of one sender never share one."""

MAX_CONTENT: Final = MAX_PLAINTEXT - 1024
"""(protocol) Bytes of content, not counting the tags of earlier messages. Those tags fit in the rest of a
plaintext, and so does a sync copy, which is the whole content with a name, a user id and heads of its own."""

MAX_CONTENT_KIND: Final = 2**32 - 1
"""(protocol) The greatest number of a kind of content: it fits in four bytes."""

MAX_EARLIER: Final = 5
"""(protocol) Earlier messages that carried the same content to the same device: as many as one content is
sent again."""

MAX_ATTACHMENTS: Final = 32
"""(protocol) Attachments of one content. A longer document is better sent as a file of its own."""

MAX_ATTACHMENT_NAME: Final = 255
"""(protocol) Bytes of UTF-8 in the name of an attachment, as many as file systems allow."""

MAX_MEDIA_TYPE: Final = 127
"""(protocol) Characters of the media type of an attachment: RFC 6838 allows as many in each of its halves,
and no registered one comes near."""

MAX_RECEIPT_IDS: Final = 1024
"""(protocol) Contents that one receipt acknowledges: 16 KiB of ids."""

MAX_NOTICE_LISTS: Final = 100
"""(protocol) Device lists in one list notice. A device that missed more versions asks the directory."""

MAX_NOTICE_BYTES: Final = 4 * 1024 * 1024
"""Bytes of device lists that we put into one list notice: 20 lists of the largest size."""

LISTS_PAUSE: Final = 60
"""Seconds after the directory was asked for a chain, in which it is not asked for the same head again. A
device that invents heads would otherwise have us ask without end."""

LISTS_ANSWER: Final = 5
"""Seconds after the directory was asked for a chain, in which a device that it lacks is refused. Later it is
asked again, because a device may write as soon as it is linked."""

LISTS_AGE: Final = DAY
"""Seconds after the directory showed the lists of a name, in which they are taken as they are. Older ones may
lack a revocation, so the application is asked to fetch them, once in as many seconds."""

LISTS_PATIENCE: Final = 60 * 60
"""Seconds in which a device list that this device signed is kept back, after the directory first answered
without it or a content arrived. Another device may have signed one at the same time. A directory that hides a
revocation delays it by no more, unless it lets nothing through at all."""

MAX_LISTS_ASKED: Final = 100
"""Contacts whose lists one upkeep asks for. Those of the other contacts are asked for by the next ones."""

RECEIPT_DELAY: Final = 30
"""Seconds after which a receipt is due. Those that become due together travel in one message."""

HOUR: Final = 60 * 60
"""Seconds in an hour."""

MAX_ATTEMPTS: Final = MAX_EARLIER
"""How often we ask for one message, and how often we seal one content again for one device."""

MAX_REQUESTS_AN_HOUR: Final = 10
"""Retry requests to all devices of one contact in an hour. Whoever carries messages can make up any number
that cannot be read. Later ones wait for the next hour."""

MAX_OPEN_REQUESTS: Final = 2
"""Retry requests in one session that the device has not acknowledged. If one more message cannot be read
then, the session is replaced: a message alone may be damaged or forged."""

MAX_RENEWALS_AN_HOUR: Final = 3
"""Sessions with all devices of one contact that repair replaces in an hour. A new session may begin without a
one-time prekey, so nobody may cause many."""

MAX_UNREAD: Final = 100
"""Messages of one contact that could not be read and are to be asked for. Further ones are given up."""

MAX_UNREAD_IN_ALL: Final = 1000
"""The same for all contacts together: the most that has to be looked through for one more."""

RETRY_PAUSE: Final = HOUR
"""Seconds after which a retry request that was not acknowledged goes out again, in a new session. The pause
doubles with each attempt: a device may be off for a day."""

SILENCE: Final = DAY
"""Seconds for which a device may leave a message unacknowledged although it writes, or a first message
unanswered. Then the session is replaced."""

RESEND_PAUSE: Final = 2 * DAY
"""Seconds after which a message that was not acknowledged is sealed again in its session, although the device
writes nothing: it may have been lost on the way. The pause doubles with each attempt."""

MAX_STRAYS: Final = 3
"""Messages that a device wrote in a session which it had left. One may be the mistake of a clock."""

STRAY_LEAD: Final = DAY
"""Seconds after the first message in a session which the device had left. What it dates later was written
after it had left: clocks may differ by so much without harm."""

MAX_EVIDENCE: Final = 4 * 1024 * 1024
"""Bytes of exported evidence: two chains of device lists of about 250 versions each."""

MAX_EVIDENCE_LISTS: Final = 1000
"""Device lists in one piece of evidence."""

LINKING_LIFETIME: Final = 10 * 60
"""Seconds for which a linking code may be used: long enough to walk to the other device. A code that was
photographed is soon worth nothing."""

MAX_PLACE_BYTES: Final = 255
"""(protocol) Bytes of UTF-8 that say where two devices meet."""

MAX_LINKING_CODE: Final = 350
"""(protocol) Bytes of a linking code: a hash, a secret and a place. A QR code holds their text."""

MAX_LINKING_BUNDLE: Final = 4 * 1024
"""(protocol) Bytes of a linking bundle: the public keys of a new device come to 3.3 KiB."""

MAX_LINKING_ANSWER: Final = 6 * 1024
"""(protocol) Bytes of a linking answer: a proof and a nonce come to 5.4 KiB."""

MAX_LINKING_PACKAGE: Final = 16 * 1024 * 1024
"""(protocol) Bytes of a linking package: the chain, seeds, contacts, and what else a new device is given."""

MAX_SEEDS_AHEAD: Final = 32
"""Generations by which a document seed may be ahead of the device lists on record. It is kept until its list
is there, and a device that was off may have missed some revocations."""

MAX_LINKED_CONTACTS: Final = 40_000
"""(protocol) Contacts in the payload of a linking package: with the longest names they come to 14 MB."""

# --- at rest --------------------------------------------------------------------------------------

ARGON2_OPSLIMIT: Final = 3
"""Passes of Argon2id over a new store's passphrase: the second recommended setting of RFC 9106."""

ARGON2_MEMLIMIT: Final = 64 * 1024 * 1024
"""Bytes of memory for Argon2id, from the same setting. A phone has that much to spare."""

ARGON2_MAX_OPSLIMIT: Final = 16
"""The most passes that a store file may ask for. The file is not trusted before the key is known, and could
otherwise keep the caller waiting without end."""

ARGON2_MAX_MEMLIMIT: Final = 1024 * 1024 * 1024
"""The most bytes of memory that a store file may ask for, for the same reason."""

MAX_PASSPHRASE: Final = 4096
"""Bytes of UTF-8 in a passphrase. Anything longer is a file, passed by mistake."""

MAX_LOG_PAGES: Final = 16
"""Pages that the write-ahead log of a SQLite store may hold. Then the log is copied to the file and emptied.
A message writes at least one page, so the files hold the states of the last 16 messages at most. The log can
grow beyond that while another connection reads the file. With fewer pages it would be emptied more often, and
emptying it costs about as much as a message."""

DECODED_ROWS: Final = 256
"""Rows of a SQLite store that are kept decoded in memory. Beyond as many busy peers, decoding costs little
beside the disk. A session of the largest size is a few kilobytes, so they take about a megabyte."""

DECODED_SECONDS: Final = 300.0
"""Seconds for which such a row is kept. A conversation that pauses for longer pays for one decoding."""

MAX_DECODED_ROWS: Final = 2**20
"""The most that an application may ask for. A larger number is a mistake: memory would not hold it."""

BUSY_TIMEOUT: Final = 30.0
"""Seconds to wait for the transaction of another thread or process. Our own transactions are far shorter, so
a longer wait means that the other one hangs."""

MAX_BUSY_TIMEOUT: Final = 2_000_000
"""Seconds, about 23 days. SQLite counts milliseconds in 31 bits, and would not wait at all for more."""

MAX_UNDELIVERED: Final = 64
"""Texts of one peer that an `AsyncAccount` keeps in memory for calls that were cancelled too late. A text may
have 16 MiB, so a program that never asks for them must be told."""

SAFETY_NUMBER_ITERATIONS: Final = 5200
"""(protocol) SHA-512 passes of a fingerprint, as many as Signal makes. With 5,200 passes, 30 digits give 112
bits of security."""

"""The numbers of recovery, each with its reason.

Those marked (protocol) are the same for everyone. The others are a server's own choice, within what a client
accepts.
"""

from typing import Final

from letterlock.limits import (
    ARGON2_MAX_MEMLIMIT,
    ARGON2_MAX_OPSLIMIT,
    ARGON2_MEMLIMIT,
    ARGON2_OPSLIMIT,
    DAY,
)

LOCK_ID_BYTES: Final = 16
"""(protocol) Bytes of a lock's id: enough that random ones never meet."""

RECOVERY_KEY_BYTES: Final = 32
"""(protocol) Bytes of the recovery key."""

SEALED_KEY_BYTES: Final = 32 + RECOVERY_KEY_BYTES + 16
"""(protocol) Bytes of a sealed recovery key: a commitment, the key, and a tag."""

NONCE_BYTES: Final = 32
"""(protocol) Bytes that a client signs after it opened a lock."""

SERVERS: Final = (1, 2)
"""(protocol) The relay is server 1, the key server is server 2."""

MAX_HELD_LOCKS: Final = 2
"""(protocol) Locks that a server holds for a user: one in force, and perhaps the next one."""

MIN_PASSES: Final = ARGON2_OPSLIMIT
"""(protocol) Passes of Argon2id below which a client refuses a lock: no server can make guessing cheap."""

MIN_MEMORY: Final = ARGON2_MEMLIMIT
"""(protocol) Bytes of memory of Argon2id below which a client refuses a lock, for the same reason."""

MAX_PASSES: Final = ARGON2_MAX_OPSLIMIT
"""(protocol) Passes above which a client refuses a lock: a server could otherwise keep it busy."""

MAX_MEMORY: Final = ARGON2_MAX_MEMLIMIT
"""(protocol) Bytes of memory above which a client refuses a lock, for the same reason."""

USES: Final = 10
"""Uses of a lock until it is opened. A person who has forgotten which password it was tries fewer."""

USES_A_DAY: Final = 3
"""Uses in a day (UTC). Whoever is unsure thinks again, and hears of guesses by others meanwhile."""

PAUSE: Final = 30
"""Seconds between two uses."""

REST: Final = 7 * DAY
"""Seconds for which a lock without uses rests. It is not destroyed: anybody could then destroy it."""

USES_AFTER_REST: Final = 3
"""Uses after a rest."""

MAX_USES: Final = 1000
"""(protocol) The most uses that a server may allow: each costs a few bits of strength of its key."""

TICKET_BYTES: Final = 4 + 64
"""(protocol) Bytes of a ticket: its end, and a signature."""

TICKET_SECONDS: Final = 600
"""(protocol) How long a ticket is good: a client asks the other server at once, if slowly."""

TICKET_SLACK: Final = 120
"""(protocol) Seconds by which the clocks of the two servers may differ."""

MAX_LOCK: Final = 256
"""(protocol) Bytes of a lock."""

SMALL_RECOVERY_BODY: Final = 1024
"""(protocol) Bytes of a body without a composite signature."""

SIGNED_RECOVERY_BODY: Final = 8 * 1024
"""(protocol) Bytes of a body with one: key and signature take 5.3 KiB."""

MAX_PASS: Final = 512
"""(protocol) Bytes of a pass: a few fields and a tag."""

MAX_FRAME_LISTS: Final = 256
"""(protocol) Device lists that come with a call. Whoever has more sends those since the last change."""

MAX_FRAME_LISTS_BYTES: Final = 4 * 1024 * 1024
"""(protocol) Bytes of these lists: 256 lists of a user with a few devices take 2.5 MiB."""
HALF_BYTES: Final = RECOVERY_KEY_BYTES
"""(protocol) Bytes of each half of a recovery key: a random one, and the key xor it."""

WAIT_ID_BYTES: Final = 16
"""(protocol) Bytes of the id of a wait: enough that random ones never meet."""

MIN_DELAY: Final = DAY
"""(protocol) The shortest delay of a second lock, in seconds: a day in which a notice is seen."""

MAX_DELAY: Final = 3 * DAY
"""(protocol) The longest delay: a weekend and a day. Who is locked out waits at least that long."""

MAX_DEPOSITS: Final = 2
"""(protocol) Deposits that a server holds for a user: one in force, and perhaps the next one."""

LONGEST_LOOK: Final = 60 * 60
"""(protocol) What a server counts at most between two looks at its clock: a clock that jumps adds no more."""

OPEN_SECONDS: Final = 7 * DAY
"""(protocol) How long a half is given after the delay. Nobody begins a wait now and ends it in a year."""

QUIET_SECONDS: Final = 7 * DAY
"""(protocol) How long nobody can ask after a device has stopped a wait: a thief is stopped once a week."""

UNBOUND_SECONDS: Final = 30 * DAY
"""How long a server that checks identities keeps what a user without one brought. Nobody could open it."""

NOTICES_A_DAY: Final = 4
"""Mails about a second lock that a server sends to one user in a day: nobody's mailbox is filled by it."""

MAX_PERSON_IDENTITIES: Final = 32
"""Provisional identities of one person at a server: enough for many granters, and an answer of 48 KiB."""

PROVISIONAL_LIFE: Final = 366 * DAY
"""(protocol) How far ahead a provisional identity may end: its seeds lie at both servers until then."""

RELEASED_BODY: Final = 64 * 1024
"""(protocol) Bytes of an answer with sealed seeds."""

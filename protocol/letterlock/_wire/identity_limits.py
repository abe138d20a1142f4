"""The numbers of the identity checks, each with its reason.

Those marked (protocol) are the same for everyone. The others are a server's own choice.
"""

from typing import Final

MAX_KIND: Final = 16
"""(protocol) Characters of the name of a check, such as `mail`."""

MAX_CLAIM: Final = 320
"""(protocol) Bytes of an identity that somebody claims: a mail address has at most 254."""

MAX_PROOF: Final = 8 * 1024
"""(protocol) Bytes of a proof. A token of a sign-on service takes 1 to 4 KiB."""

MAX_CHALLENGE: Final = 512
"""(protocol) Bytes of a challenge. It is the server's own affair what they say."""

CHALLENGE_SECONDS: Final = 1800
"""How long a challenge and its code are good: mail may take minutes, and a person has to find it."""

FRESH_SECONDS: Final = 1200
"""For how long a code is shown to further challenges. Each of them then has ten minutes left at least."""

PASS_SECONDS: Final = 900
"""How long a pass is good: a person types a password wrongly, and has to wait between two tries."""

CODE_DIGITS: Final = 10
"""Digits of a code. 50 challenges and 3 tries each guess one code with a chance of one in 66 million."""

TRIES: Final = 3
"""Wrong codes for one challenge. Whoever mistypes three times asks for another challenge."""

CHALLENGES: Final = 50
"""Challenges that share one code. Somebody who asks for an address of others uses up some of them."""

MAIL_PAUSE: Final = 60
"""Seconds between two mails to one address."""

MAILS: Final = 2
"""Mails with one code: the first may have been lost."""

MAX_CLOCK_SLACK: Final = 120
"""Seconds by which the clocks of two machines may differ."""

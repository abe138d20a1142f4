"""How old a bundle may be. Its signature covers the day on which its signed prekey was made.

    refused     now - made > MAX_BUNDLE_AGE,   made - now > MAX_BUNDLE_LEAD                    [HAND-15]
                made is the first second of that day, now is the initiator's clock

Otherwise a server could hand out for ever a bundle whose private keys it has stolen.

Not here: when the owner makes new prekeys (_device/).
"""

from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.day import date_of, day_of
from letterlock.errors import StaleBundle
from letterlock.limits import DAY, MAX_BUNDLE_AGE, MAX_BUNDLE_LEAD


def require_fresh(bundle: PrekeyBundle, now: int) -> None:
    """Raise StaleBundle for a bundle that is too old, or of a time to come. [HAND-15]

    `now` is in seconds since 1970 (UTC). Verify the signature first: it makes the day its owner's.
    """
    made = bundle.made_on * DAY
    if -MAX_BUNDLE_LEAD <= now - made <= MAX_BUNDLE_AGE:
        return
    dates = f"the bundle was made on {date_of(bundle.made_on)}, and this clock shows {date_of(day_of(now))}"
    if now > made:
        raise StaleBundle(f"{dates}: ask its owner for a new one, or set the clock if it is wrong", made, now)
    raise StaleBundle(f"{dates}: set the clock, or ask the owner to set theirs and publish", made, now)

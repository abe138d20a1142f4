"""What a store raises beside StoreError.

    LetterlockError
    `-- RateLimited     too many claims; some seconds later there is a bundle again

Not here: what a client is told (_relay.py).
"""

from letterlock.errors import Cause, LetterlockError


class RateLimited(LetterlockError):
    """A device claims bundles of another one too often. Repeat the claim after `seconds`."""

    cause = Cause.NOT_ALLOWED

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many claims: repeat it after {seconds} seconds")
        self.seconds = seconds

"""A scene of the model of users: Alice and Bob, and what a story may do to their messages.

Not here: the stories (users_breakdowns.py).
"""

from letterlock.user import Need, NeedKind
from support.users_cast import Known
from support.users_people import Copy, Flight
from support.users_play import Play


class Scene:
    """Alice writes to Bob. She may have a second device; Carol is there too."""

    def __init__(self, known: Known, devices: int) -> None:
        self.play = Play(0, (devices, 1, 1), known)
        self.world = self.play.world
        self.alice, self.bob, self.carol = (self.device(name) for name in ("alice", "bob", "carol"))

    def device(self, name: str, id_: int = 1) -> Copy:
        return self.world.people[name].devices[id_]

    def write(self, copy: Copy, name: str) -> None:
        """Write a text, and begin the sessions that it needs."""
        self.play.written += 1
        self.world.send(copy, name, b"text %d" % self.play.written)
        self.meet(copy)

    def meet(self, copy: Copy) -> None:
        while copy.memory.needs:
            self.play.meet(copy, copy.memory.needs.pop(0), lies=0)

    def bring(self) -> None:
        """Deliver what is on its way."""
        while self.world.flights:
            self.play.deliver(self.world.flights.pop(0))

    def lose(self) -> None:
        self.world.flights.clear()

    def first(self) -> Flight:
        return self.world.flights.pop(0)

    def look(self, copy: Copy, name: str) -> None:
        """Show the true lists."""
        self.play.meet(copy, Need(NeedKind.LISTS, name, after=0), lies=0)

    def restored(self, copy: Copy) -> None:
        copy.restore(-1)
        self.world.spoiled.add(copy.address)

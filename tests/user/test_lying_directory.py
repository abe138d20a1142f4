"""A directory that lies to a user: what is stored, sent and reported afterwards.

test_directory.py has the rules that lists break. Here a `User` with sessions and texts that wait is lied to.
"""

from letterlock.user import EventKind
from support.user_devices import Person, world


def test_one_person_under_two_names_stays_two_contacts() -> None:
    """Mallory's lists are shown for Carol's and for Dave's; later the directory shows Carol's own."""
    made = world()
    mallory, carol = Person("mallory", made.clock), Person("carol", made.clock)
    mallory.add()
    alice = made.alice.first
    alice.learn("carol", mallory.lists)
    alice.learn("dave", mallory.lists)
    alice.learn("carol", carol.lists)
    alice.contact("carol").replace()
    assert [each.user_id == mallory.first.user_id for each in alice.contacts()] == [False, False, True]
    assert alice.learn("dave", mallory.lists).events == ()
    assert [each.id for each in alice.contact("dave").devices] == [1, 2]


def test_two_branches_of_one_chain_under_two_names_stay_apart() -> None:
    made = world()
    mallory = Person("mallory", made.clock)
    mallory.add()
    fork = mallory.fork(at=1)
    alice = made.alice.first
    alice.learn("carol", mallory.lists)
    alice.learn("dave", fork)
    for name, lists in (("carol", mallory.lists), ("dave", fork)):
        assert alice.learn(name, lists).events == ()
    conflict = alice.learn("carol", fork)
    assert [each.kind for each in conflict.events] == [EventKind.CONFLICT]

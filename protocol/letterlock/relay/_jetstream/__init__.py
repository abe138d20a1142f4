"""A relay's database in NATS JetStream: beyond one machine. The servers replicate, elect and rebalance.

    64 streams    an account's subjects are all in one of them, chosen by a hash of the account
    records       one message on a subject; a change is accepted only if the subject is still as it was read
    mail          one message on a subject of its own, named in the record of its mailbox

A send is one atomic batch. Its first message requires that the account's head is unchanged, each record of a
mailbox that nobody changed it, and the messages come with them. So all devices get theirs, or none, and the
count of messages and bytes in a mailbox is exact. The order of a mailbox is the order in its record.

An acknowledgement is one atomic batch as well: the record without the ids, and an empty message in place of
each message, which the servers delete a second later. To delete by sequence writes far more, and a purge for
each message would be a change beside the record's.

What an account or a device had is under a name that its keys are part of (see subjects.py). A change of the
head that replaces or revokes it makes that name lead nowhere, in one step. What is under it is purged then.

No stream has a maximum age: a mailbox would still name what the servers deleted. `expire` deletes old mail
together with its entry. Only what no record names has an end of its own: meeting places and spent values.

Not here: what a relay asks of a database (relay/_store.py).
"""

from letterlock.relay._jetstream.store import JetStreamRelayStore

__all__ = ["JetStreamRelayStore"]

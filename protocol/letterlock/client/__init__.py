"""The client: a user whose messages travel through a relay.

Not here: keys, sessions and device lists, which are a `User`'s; the relay itself (relay/).
"""

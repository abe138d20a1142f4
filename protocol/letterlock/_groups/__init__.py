"""Sender chains: pure functions that seal a text once for all members of a group, and open it.

Not here: sessions, which carry epoch secrets and chains to each device; members; stores.
"""

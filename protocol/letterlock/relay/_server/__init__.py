"""The relay as a server.

Not here: what a call does (the relay's core), databases.
"""

"""The two servers of recovery: an asyncio core over SQLite or PostgreSQL, in the relay or by itself.

    _rows               sealed rows under tags: one protocol for both databases
    _sqlite, _postgresql, _opening
    _keys               the secrets of a server, in a file of their own
    _desk               from the frame of a call to its answer
    _lists, _boxes      what changes of locks and boxes rest on
    _signers, _turns    who signed a call, and whose lists are verified next
    _gate               where a check of identity has its place
    _server             the process of a key server

Not here: what a call does to a user's locks (recovery/); the skin of HTTP (relay/_server/).
"""

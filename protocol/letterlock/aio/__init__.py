"""The calls of `Account` for asyncio: awaited, and made in a thread of their own.

>>> import asyncio
>>> from letterlock import Address, MemoryStore
>>> from letterlock.aio import AsyncAccount
>>> async def main() -> bytes:
...     async with (
...         await AsyncAccount.create(MemoryStore(), Address("alice")) as alice,
...         await AsyncAccount.create(MemoryStore(), Address("bob")) as bob,
...     ):
...         await alice.initiate(bob.address, await bob.bundle())
...         return await bob.decrypt(alice.address, await alice.encrypt(bob.address, b"hello"))
>>> asyncio.run(main())
b'hello'

Each `AsyncAccount` has one worker thread. It makes all calls on the store, in the order in which they were
awaited. The thread of the event loop computes nothing and waits for no disk.

A call that is cancelled does not happen, unless its commit has begun. Then it happens, and the text of a
`decrypt` is kept in memory: `decrypt` returns it when the same message is given again.

`import letterlock` does not import this module.
"""

from letterlock.aio._account import AsyncAccount

__all__ = ["AsyncAccount"]

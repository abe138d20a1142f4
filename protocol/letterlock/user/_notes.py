"""Notes about single devices, for limits on what each can make this device do.

    DEVICE    encoded address      what was noted of the device

Every method runs inside the caller's transaction. Not here: the limits (_heads.py,
_repair.py, _renewal.py, _strays.py).
"""

from dataclasses import replace

from letterlock._records.device import DeviceRecord, decode_device, encode_device
from letterlock._wire.address import Address
from letterlock.stores import DeferredRecord, EntryKind, EntryRow, Store


class Notes:
    """What was noted of devices."""

    __slots__ = ("_tables",)

    def __init__(self, store: Store) -> None:
        self._tables = store.tables

    def of(self, address: Address) -> DeviceRecord:
        """Return what was noted of a device; nothing, if it is new."""
        row = self._tables.entries.load(EntryKind.DEVICE, address.encoded)
        return DeviceRecord(address) if row is None else row.record.decoded(decode_device)

    def save(self, noted: DeviceRecord) -> None:
        """Replace what was noted of a device."""
        record = DeferredRecord(noted, encode_device)
        self._tables.entries.save(EntryRow(EntryKind.DEVICE, noted.address.encoded, None, record))

    def noticed(self, address: Address) -> int:
        """Return the newest version of our own list that a device was sent in a notice, or 0."""
        return self.of(address).noticed

    def note_notice(self, address: Address, version: int) -> None:
        """Note that a device was sent this version of our own list."""
        self.save(replace(self.of(address), noticed=version))

    def hear(self, address: Address, time: int) -> None:
        """Note that a message of a device was read at a time."""
        noted = self.of(address)
        if time > noted.heard:
            self.save(replace(noted, heard=time))

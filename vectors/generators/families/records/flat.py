"""Records of fixed layout: named fields in order, and records in which one of them is other bytes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from generators.support.cbor_nodes import Defect
from generators.support.family import Group


@dataclass(frozen=True)
class Flat:
    """A record: the name and bytes of each field, in order."""

    fields: tuple[tuple[str, bytes], ...]

    def encode(self) -> bytes:
        """Return the record."""
        return b"".join(data for _, data in self.fields)

    def __getitem__(self, name: str) -> bytes:
        return dict(self.fields)[name]

    def at(self, **changes: bytes) -> bytes:
        """Return the record with other bytes in these fields."""
        assert changes.keys() <= dict(self.fields).keys()
        return b"".join(changes.get(name, data) for name, data in self.fields)

    def number(self, name: str, number: int) -> bytes:
        """Return the record with another number in a field."""
        return self.at(**{name: number.to_bytes(len(self[name]), "big")})


def cuts(whole: Flat) -> Iterator[Defect]:
    """Yield the record truncated before and in each field, and with bytes after its end."""
    encoded, at = whole.encode(), 0
    for name, data in whole.fields:
        if data:
            yield Defect(f"ends before {name}", "Truncated", "STO-20", encoded[:at])
            if len(data) > 1:
                yield Defect(f"ends in {name}", "Truncated", "STO-20", encoded[: at + len(data) - 1])
        at += len(data)
    yield Defect("one byte after the end", "TrailingBytes", "STO-20", encoded + b"\0")
    yield Defect("itself once more after the end", "TrailingBytes", "STO-20", encoded * 2)


def unused(whole: Flat, names: Iterable[str]) -> Iterator[Defect]:
    """Yield the record with the first and the last bit of each unused field set."""
    for name in names:
        length = len(whole[name])
        for comment, data in (
            ("its last bit", b"\0" * (length - 1) + b"\1"),
            ("its first bit", b"\x80" + b"\0" * (length - 1)),
        ):
            yield Defect(f"{name} is unused: {comment}", "UnusedField", "STO-20", whole.at(**{name: data}))


def refuse(group: Group, name: str, defects: Iterable[Defect]) -> None:
    """Add records that must be refused."""
    for each in defects:
        comment, data = f"{name}: {each.comment}", {"record": each.data.hex()}
        if not group.asks(data):  # two records begin alike, so some of their cuts are one
            group.invalid(comment, data, "CorruptStore", flags=[each.flag], rules=[each.rule])

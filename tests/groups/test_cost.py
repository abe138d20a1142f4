"""What a text reads and writes in a store: the same in a small group and in a large one. GRP-34"""

from collections import Counter
from typing import Any

import pytest

from letterlock import MemoryStore
from letterlock.groups import GroupPost
from letterlock.stores import EntryKind, EntryRow
from support.group_town import GroupTown


@pytest.fixture
def touched(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, EntryKind]]:
    """Count which rows of entries are read and written."""
    found: Counter[tuple[str, EntryKind]] = Counter()
    kind = type(MemoryStore().tables.entries)
    load, save, everything = kind.load, kind.save, kind.all

    def loaded(self: Any, which: EntryKind, key: bytes) -> EntryRow | None:
        found["load", which] += 1
        return load(self, which, key)

    def saved(self: Any, row: EntryRow) -> None:
        found["save", row.kind] += 1
        save(self, row)

    def scanned(self: Any, which: EntryKind) -> Any:
        found["scan", which] += 1
        return everything(self, which)

    for name, method in (("load", loaded), ("save", saved), ("all", scanned)):
        monkeypatch.setattr(kind, name, method)
    return found


def costs(size: int, touched: Counter[tuple[str, EntryKind]]) -> tuple[dict[Any, int], dict[Any, int], int]:
    """Return what sealing and opening one text touch in a group of some size, and the length of the text."""
    names = [f"u{at}" for at in range(size)]
    town = GroupTown(*names)
    team = town.new("u0", *names[1:])
    for _ in range(2):
        for name in ("u1", "u0"):
            post: GroupPost = town.post(name, team)
            for other in ("u0", "u1"):
                town.show(other, post, team)
    touched.clear()
    post = town.at("u0").encrypt(team, b"hello")
    sealing = dict(touched)
    touched.clear()
    assert town.at("u1").decrypt(team, post.text).text == b"hello"
    assert (post.outgoing, post.needs) == ((), ())
    return sealing, dict(touched), len(post.text)


def test_a_text_touches_the_same_rows_in_every_group(touched: Counter[tuple[str, EntryKind]]) -> None:
    small, large = costs(3, touched), costs(12, touched)
    assert small == large
    sealing, opening, _ = large
    assert sum(sealing.values()) <= 6
    assert sum(opening.values()) <= 9
    assert not {EntryKind.GROUP, EntryKind.GROUP_AUDIENCE, EntryKind.GROUP_ENTRY} & {
        kind for _, kind in (*sealing, *opening)
    }

"""The bodies of a relay, each with its elements, as spec/relay.md has them."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from generators.support.bodies import Body
from generators.support.encoding import Value
from generators.support.family import Json
from generators.support.labels import draw
from generators.support.relay_elements import (
    Element,
    Wrong,
    blob,
    device,
    different,
    ids,
    items,
    name,
    record,
    uint,
    wide,
)

KIB: Final = 1024
U32: Final = 2**32 - 1
MESSAGE: Final = 768 * KIB
LIST: Final = 192 * KIB
BUNDLE: Final = 8 * KIB
PART: Final = 512 * KIB
STRANGERS: Final = 32 * KIB
PARCEL: Final = 256 * KIB
ENTRY: Final = 72 * KIB
LOG: Final = 10_000


def _id(key: str = "id") -> Element:
    return blob(key, draw(f"relay {key}", 16), 16, 16)


def _version() -> tuple[Element, Element]:
    return uint("version", 3, 1, U32), blob("head", draw("relay head", 8), 8, 8)


def _lists(least: int) -> Element:
    one = blob("list", draw("relay list", 40), 1, LIST)
    return items("lists", one, least, 20, lambda at: draw(f"relay list {at}", 30))


def _devices() -> Element:
    found = items("devices", device(), 1, 32, lambda at: at)
    return different(found, [("the same twice", [7, 7]), ("the same at both ends", [7, 1, 7])])


def _messages() -> Element:
    message = blob("message", draw("relay message", 60), 1, MESSAGE)
    one = record([device(), message], lambda answers: list(answers.values()))
    found = items("messages", one, 1, 32, lambda at: [at, draw(f"relay message {at}", 5)])
    twice: list[tuple[str, Value]] = [
        ("two for one device", [[7, b"one"], [7, b"two"]]),
        ("the same twice", [[7, b"one"], [7, b"one"]]),
    ]
    return different(found, twice)


def _deliveries() -> Element:
    elements = [
        blob("id", draw("relay id 1", 16), 16, 16), uint("time", 1_700_000_000, 0, U32), name("bob"),
        device(), blob("message", draw("relay message", 60), 1, MESSAGE),
    ]  # fmt: skip
    one = record(elements, dict)
    first = elements[0].value

    def make(at: int) -> Value:
        return [draw(f"relay id {at}", 16), at, "b\u00f8b", at, draw(f"relay message {at}", 5)]

    return different(
        items("deliveries", one, 0, 100, make),
        [("one id twice", [[first, 1, "bob", 1, b"one"], [first, 2, "ann", 2, b"two"]])],
    )


def _bundles() -> Element:
    one = blob("bundle", draw("relay bundle", 50), 1, BUNDLE, null=True)
    return items("bundles", one, 0, 32, lambda at: draw(f"relay bundle {at}", 20))


def _challenge() -> Element:
    return blob("challenge", draw("relay challenge", 48), 1, 128)


def _signature() -> Element:
    return blob("signature", draw("relay signature", 64), 64, 64)


def _put() -> tuple[Element, ...]:
    part, parts = uint("part", 2, 0, 32), uint("parts", 5, 3, 33)
    # A part is below the parts, of which there are five; later tests change both.
    beside = [Wrong("Step", "the number of the parts", "WIRE-4", 5)]
    return (
        _id("place"),
        uint("step", 4, 4, 4)._replace(
            right=[], wrong=[Wrong("Step", str(step), "WIRE-4", step) for step in (1, 2, 3, 5)]
        ),
        part._replace(right=[("0", 0), ("4", 4)], wrong=[*part.wrong, *beside]),
        parts,
        blob("data", draw("relay part", 70), 1, PART),
    )


def _get() -> tuple[Element, ...]:
    step = uint("step", 4, 0, 4)
    return (
        _id("place"), step._replace(right=[]), uint("part", 2, 0, 32), uint("wait", 60, 0, 60),
    )  # fmt: skip


def _shelf() -> tuple[Element, Element]:
    """Return kind and id of a user's shelf; those of a collection are among the later tests."""
    kind = uint("kind", 1, 1, 2)
    beside = [Wrong("Shelf", "2, with an id of 32 bytes", "WIRE-4", 2)]
    return (
        kind._replace(right=[], wrong=[*kind.wrong, *beside]),
        blob("id", draw("relay user id", 32), 32, 32),
    )


def _parcel() -> Element:
    return blob("parcel", draw("relay parcel", 60), 1, PARCEL)


def _shelved() -> Element:
    one = record([*_shelf(), _parcel()], dict)
    found = items(
        "parcels", one, 1, 64, lambda at: [1, draw(f"relay user id {at}", 32), draw(f"parcel {at}", 5)]
    )
    first, second = one.value, [1, draw("relay user id", 32), b"another"]
    return different(
        found._replace(right=[*found.right, ("two on one shelf", [first, second])]),
        [("the same twice", [first, first]), ("the same at both ends", [first, second, first])],
    )


def _outcomes() -> Element:
    one = uint("outcome", 0, 0, 2)
    return items("outcomes", one, 0, 64, lambda at: at % 3)


def _numbered(key: str, others: Sequence[Element], newest: int, show: Callable[[Json], Any]) -> Element:
    """Return what stands under growing numbers up to `newest`. `others` are the elements after a number."""
    one = record([uint("number", 7, 1, newest), *others], show)
    *middle, _ = (each.value for each in others)

    def make(at: int) -> Value:
        return [at + 2, *middle, draw(f"{others[-1].key} {at}", 5)]

    found = items(key, one, 0, min(100, newest - 2), make)
    first, second = [7, *middle, b"one"], [9, *middle, b"two"]
    above = [newest + 1, *middle, b"two"]
    wrong = [
        Wrong("Order", what, "WIRE-4", value)
        for what, value in (
            ("a number twice", [first, first]), ("a smaller number after it", [second, first]),
            ("a number above the newest", [first, above]),
        )
    ]  # fmt: skip
    # Where there are fewer numbers than elements, one more of them is refused for its number.
    counted = [each for each in found.wrong if each.flag != "Count" or newest > 102]
    return found._replace(value=[first, second], wrong=[*counted, *wrong])


def _parcels() -> Element:
    return _numbered("parcels", [_parcel()], 90, lambda answers: list(answers.values()))


def _text() -> Element:
    return blob("text", draw("relay text", 60), 1, MESSAGE)


def _texts() -> Element:
    return _numbered("texts", [uint("time", 1_700_000_000, 0, U32), _text()], 150, dict)


def _newest(value: int = 90) -> Element:
    """Return a number above which no number beside it is. Smaller ones are among the later tests."""
    newest = uint("newest", value, 0, U32)
    return newest._replace(right=[each for each in newest.right if each[1] != 0])


def _hashes() -> Element:
    one = blob("hash", draw("relay hash 1", 32), 32, 32)
    found = items("hashes", one, 1, 256, lambda at: draw(f"relay hash {at}", 32))
    return different(found, [("the same twice", [one.value, one.value])])


def _entries() -> Element:
    one = blob("entry", draw("relay entry", 50), 1, ENTRY)
    return items("entries", one, 0, 256, lambda at: draw(f"relay entry {at}", 20))


def _collection() -> Element:
    return blob("collection", draw("relay collection", 16), 16, 16)


def _group() -> Element:
    return blob("group", draw("relay group", 16), 16, 16)


def _taken() -> Element:
    """Return 0; with entries beside it 1 is refused, and later tests have both."""
    taken = uint("is_taken", 0, 0, 1, lambda value: value == 1)
    beside = [Wrong("Taken", "1, with entries that the caller lacks", "WIRE-4", 1)]
    return taken._replace(right=[], wrong=[*taken.wrong, *beside])


BODIES: Final = (
    Body("challenge", 1, (name("alice"), device())),
    Body("challenge-answer", None, (_challenge(),)),
    Body("authenticate", 2, (name("alice"), device(), _challenge(), wide("counter", 5), _signature())),
    Body(
        "authenticate-answer", None,
        (blob("token", draw("relay token", 90), 1, 512), uint("seconds", 3600, 0, U32), wide("highest", 4),
         uint("version", 3, 1, U32)),
    ),
    Body("register", 3, (name("alice"), _lists(1), blob("ticket", draw("ticket", 110), 0, 2048, null=True))),
    Body("lists", 4, (name("bob"), uint("after", 2, 0, U32))),
    Body("lists-answer", None, (uint("version", 3, 1, U32), _lists(0))),
    Body("append", 5, (blob("encoded", draw("relay list", 40), 1, LIST),)),
    Body(
        "publish", 6,
        (uint("number", 9, 1, U32), blob("publication", draw("publication", 80), 1, 256 * KIB)),
    ),
    Body("publish-answer", None, (uint("stock", 100, 0, U32),)),
    Body("claim", 7, (_id(), name("bob"), *_version(), _devices())),
    Body("claim-answer", None, (_bundles(),)),
    Body("send", 8, (_id(), name("bob"), *_version(), _messages())),
    Body("fetch", 9, (uint("most", 10, 1, 100), uint("wait", 30, 0, 60), ids("skip", 0, 256))),
    Body("fetch-answer", None, (uint("stock", 100, 0, U32), _deliveries())),
    Body("mail-frame", 9, (uint("stock", 100, 0, U32), _deliveries())),
    Body("ack", 10, (ids("ids", 1, 256),)),
    Body("state", 11, ()),
    Body(
        "state-answer", None,
        (uint("version", 3, 1, U32), uint("number", 9, 0, U32), uint("stock", 100, 0, U32),
         uint("messages", 12, 0, U32), wide("size", 34_000)),
    ),
    Body("open-place", 12, (_id("place"),)),
    Body("put", 13, _put()),
    Body("get", 14, _get()),
    Body(
        "newer", 21,
        (name("alice"), device(), _challenge(), uint("after", 2, 1, U32), _signature()),
    ),
    Body("get-answer", None, (uint("parts", 5, 1, 33), blob("data", draw("relay part", 70), 0, PART))),
    Body("shelve", 15, (_shelved(),)),
    Body("shelve-answer", None, (_outcomes(),)),
    Body("shelf", 16, (*_shelf(), uint("after", 7, 0, U32), uint("most", 50, 1, 100))),
    Body("shelf-answer", None, (_newest(), _parcels())),
    Body("unshelve", 17, (*_shelf(), _hashes())),
    Body("shelf-frame", 16, (uint("newest", 9, 0, U32),)),
    Body("log", 18, (_collection(), uint("after", 3, 0, LOG))),
    Body("log-answer", None, (uint("newest", 5, 1, LOG), _entries())),
    Body("log-append", 19, (blob("entry", draw("relay entry", 50), 1, ENTRY),)),
    Body("log-append-answer", None, (_taken(), uint("newest", 6, 0, LOG), _entries())),
    Body("user", 20, (blob("user_id", draw("relay user id", 32), 32, 32), uint("after", 2, 0, U32))),
    Body("group-send", 22, (_text(),)),
    Body("group-send-answer", None, (uint("number", 7, 1, U32),)),
    Body(
        "group-texts", 23,
        (_group(), uint("after", 7, 0, U32), uint("most", 50, 1, 100), uint("wait", 30, 0, 60)),
    ),
    Body("group-texts-answer", None, (_newest(150), _texts())),
    Body("follow-frame", 24, (ids("groups", 0, 256),)),
    Body("group-frame", 24, (_group(), uint("newest", 9, 0, U32))),
    Body("done", None, ()),
    Body("error", None, (uint("code", 7, 1, 11), uint("number", 30, 0, U32))),
    Body(
        "ticket", None,
        (name("alice"), uint("not_after", 1_700_000_000, 0, U32), _id("nonce"),
         uint("may_replace", 0, 0, 1, lambda value: value == 1), _signature()),
    ),
)  # fmt: skip

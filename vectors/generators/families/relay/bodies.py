"""The bodies of a relay, each with its elements, as spec/relay.md has them."""

from typing import Any, Final, NamedTuple

from generators.support.encoding import Value
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


class Body(NamedTuple):
    """One kind of body: the number of its call or None, and its elements."""

    kind: str
    number: int | None
    elements: tuple[Element, ...]

    def opening(self) -> list[Value]:
        """Return what stands before the elements."""
        return [1] if self.number is None else [1, self.number]

    def array(self, at: int = 0, value: Value = None, *, changed: bool = False) -> list[Value]:
        """Return the whole array, with another value at one of the elements if `changed`."""
        values = [each.value for each in self.elements]
        return [*self.opening(), *([*values[:at], value, *values[at + 1 :]] if changed else values)]

    def answer(self, array: list[Value]) -> dict[str, Any]:
        """Return what reading an array gives."""
        values = array[len(self.opening()) :]
        return {each.key: each.show(value) for each, value in zip(self.elements, values, strict=True)}


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
        "newer", 15,
        (name("alice"), device(), _challenge(), uint("after", 2, 1, U32), _signature()),
    ),
    Body("get-answer", None, (uint("parts", 5, 1, 33), blob("data", draw("relay part", 70), 0, PART))),
    Body("done", None, ()),
    Body("error", None, (uint("code", 7, 1, 11), uint("number", 30, 0, U32))),
    Body(
        "ticket", None,
        (name("alice"), uint("not_after", 1_700_000_000, 0, U32), _id("nonce"),
         uint("may_replace", 0, 0, 1, lambda value: value == 1), _signature()),
    ),
)  # fmt: skip

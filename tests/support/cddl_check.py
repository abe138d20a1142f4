"""An exact validator for the part of CDDL (RFC 8610) that spec/letterlock.cddl is written in.

    rule = T        T: `n`  `n..m`  `tstr`  `bstr`  `null`  a rule's name  `T / T`  an array
    array           `[T, key: T]` in this order, keys being comments;  `[n*m T]` alone in its brackets
    .size           `tstr .size S`, in bytes of UTF-8, and `bstr .size S`;  S: `n`  `(n..m)`
    .cbor           `bstr .cbor name`: the bytes are one item, and nothing after it

Why it exists: pycddl 0.6.4 is wrong for this schema, in two ways.
    - `[0, x: bstr .cbor b]` refuses everything: `.cbor` is applied to the array's first element.
    - `[x: b / c / null]`, b and c being arrays, takes an array like neither; `[x: 1 / 2 / null]` refuses [1].

`cddlparser` parses. Whatever it parses beyond the lines above is refused by name when a Schema is made, so
that the schema cannot outgrow its check unseen. Texts of errors quote the schema, never the data.

Not here: deterministic encoding, which CDDL cannot express; `tests/wire/test_cbor.py` has it.
"""

import re
from collections.abc import Callable, Sequence
from graphlib import CycleError, TopologicalSorter
from io import BytesIO
from typing import Any, Final, Never, TypeAlias

import cbor2
import cddlparser
from cddlparser import Token, Tokens, ast

Steps: TypeAlias = tuple[int, ...]
Check: TypeAlias = Callable[[Any, Steps], None]

CBOR: Final = -1  # the step from a byte string to the item in it; the others are indices


class Unsupported(Exception):
    """The schema has a construct that is not of the part above."""


class Mismatch(Exception):
    """The data is not of the shape; `path` is where, such as `$[8].cbor[3]`."""

    def __init__(self, steps: Steps, reason: str) -> None:
        self.steps, self.reason = steps, reason
        self.path = "$" + "".join(".cbor" if step == CBOR else f"[{step}]" for step in steps)
        super().__init__(f"{self.path}: {reason}")


class Schema:
    """The rules of a CDDL text, every one of them of the part above, and which rules each refers to."""

    def __init__(self, text: str) -> None:
        tree = cddlparser.parse(text)
        if not tree.rules or tree.serialize() != text:  # the parser stops at a NUL
            raise Unsupported("a text without rules, or that cddlparser does not read to its end")
        _screen(tree)
        self.references: dict[str, set[str]] = {}
        for rule in tree.rules:
            if rule.name.name in {*self.references, *_PRELUDE} or rule.assign.type != Tokens.ASSIGN:
                raise _unsupported(rule, "a second definition, or an extension")
            self.references[rule.name.name] = set()
        self._checks = {rule.name.name: self._type(rule.type, rule.name.name) for rule in tree.rules}
        try:
            TopologicalSorter(self.references).prepare()
        except CycleError as error:
            raise Unsupported(f"recursion: {error.args[1]}") from None

    def validate(self, data: bytes, rule: str | None = None) -> None:
        """Raise Mismatch unless `data` is one item as `rule`, or else the first rule, describes it."""
        self._checks[rule or next(iter(self._checks))](_decode(data, ()), ())

    def _type(self, node: ast.CDDLNode, rule: str) -> Check:  # noqa: PLR0911 - one for each construct
        """Return the check of a type in this rule."""
        match node:
            case ast.Type(choices, openToken=None):
                return _one_of([self._type(choice, rule) for choice in choices])
            case ast.Value() | ast.Range():
                low, high = _bounds(node)
                return _leaf(int, f"not an integer of {low}..{high}", lambda v: low <= v <= high)
            case ast.Array([ast.GroupChoice(written)]):
                least, most, entries = _counted(written)
                return _array([self._type(entry.type, rule) for entry in entries], least, most)
            case ast.Typename("tstr" | "bstr" | "null" as name):
                return _leaf(_PRELUDE[name], f"not {name}", lambda _: True)
            case ast.Typename(name) if name in self.references:
                self.references[rule].add(name)
                return lambda item, steps: self._checks[name](item, steps)  # noqa: PLW0108 - not there yet
            case ast.Operator(ast.Typename("tstr" | "bstr" as name), Token(literal="size"), size):
                low, high = _bounds(size)
                fits = lambda v: low <= len(v.encode() if name == "tstr" else v) <= high  # noqa: E731
                return _leaf(_PRELUDE[name], f"not {name} of {low}..{high} bytes", fits)
            case ast.Operator(ast.Typename("bstr"), Token(literal="cbor"), ast.Typename() as carried):
                inner = self._type(carried, rule)
                return lambda item, steps: inner(_decode(item, steps), (*steps, CBOR))
            case _:
                raise _unsupported(node)


_PRELUDE: Final[dict[str, type]] = {"tstr": str, "bstr": bytes, "null": type(None)}


def _unsupported(node: ast.CDDLNode, what: str | None = None) -> Unsupported:
    return Unsupported(f"{what or type(node).__name__}: {' '.join(node.serialize().split())}")


def _screen(node: ast.CDDLNode) -> None:
    """Refuse what `_type` does not look at: names with ornaments, member keys that are no bare word."""
    odd_name = isinstance(node, ast.Typename) and (node.unwrapped or node.parameters or node.name[0] == "$")
    bare_word = isinstance(node, ast.Memberkey) and node.hasColon and isinstance(node.type, ast.Typename)
    if odd_name or (isinstance(node, ast.Memberkey) and not bare_word):
        raise _unsupported(node)
    for child in node.getChildren():
        _screen(child)


def _bounds(node: ast.CDDLNode) -> tuple[int, int]:
    """Return the least and the greatest integer that a literal or a range stands for."""
    match node:
        case ast.Value(text, "number") if re.fullmatch("0|-?[1-9][0-9]*", text):
            return int(text), int(text)
        case ast.Range(ast.Value() as least, ast.Value() as most, Token(Tokens.INCLRANGE)):
            return _bounds(least)[0], _bounds(most)[0]
        case ast.Type([ast.Range() as inner]):
            return _bounds(inner)
        case _:
            raise _unsupported(node, "not an integer or a range of integers")


def _counted(entries: list[ast.GroupEntry]) -> tuple[int, int, list[ast.GroupEntry]]:
    """Return how many elements an array has, at least and at most, and the entries that describe them.

    cddlparser 0.6.0 takes no zero for n: it reads `0*m T` as two entries, the literal 0 and `*m T`.
    """
    match entries:
        case [ast.GroupEntry(ast.Occurrence(int(low), int(high), [_, _, _]))] if low <= high:
            return low, high, entries
        case [
            ast.GroupEntry(None, None, ast.Type([ast.Value("0", "number")], openToken=None), separator=None),
            ast.GroupEntry(ast.Occurrence(_, int(high), [star, _])) as entry,
        ] if star == Token(Tokens.ASTERISK, ""):  # equal: neither space nor comment before it
            return 0, high, [entry]
        case _ if all(entry.occurrence is None for entry in entries):
            return len(entries), len(entries), entries
        case _:
            first = next(entry for entry in entries if entry.occurrence is not None)
            raise _unsupported(first, "an occurrence other than `n*m`, or beside other entries")


def _leaf(kind: type, reason: str, fits: Callable[[Any], bool]) -> Check:
    def check(item: Any, steps: Steps) -> None:
        if type(item) is not kind or not fits(item):  # exactly: a bool is no integer
            raise Mismatch(steps, reason)

    return check


def _array(checks: Sequence[Check], low: int, high: int) -> Check:
    def check(item: Any, steps: Steps) -> None:
        if type(item) is not list:
            raise Mismatch(steps, "not an array")
        for index, element in enumerate(item[:high]):
            checks[index if len(checks) > 1 else 0](element, (*steps, index))  # the only one is for all
        if not low <= len(item) <= high:
            raise Mismatch((*steps, min(len(item), high)), f"an array of {len(item)}, not {low}..{high}")

    return check


def _one_of(checks: Sequence[Check]) -> Check:
    """Return a check that passes if one of these does. Its error quotes the checks that got furthest."""

    def check(item: Any, steps: Steps) -> None:
        failures: list[Mismatch] = []
        for each in checks:
            try:
                return each(item, steps)
            except Mismatch as failure:
                failures.append(failure)
        furthest = max(failure.steps for failure in failures)
        raise Mismatch(furthest, ", ".join(each.reason for each in failures if each.steps == furthest))

    return check


class _NoTags(dict[int, Callable[..., object]]):
    """No construct above has a tag; decoded, a bignum would be an integer."""

    def __getitem__(self, tag: int) -> Never:
        raise ValueError(tag)


def _decode(data: Any, steps: Steps) -> object:
    if type(data) is not bytes:
        raise Mismatch(steps, "not bstr")
    stream = BytesIO(data)
    try:
        item: object = cbor2.load(stream, semantic_decoders=_NoTags())
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError):
        raise Mismatch(steps, "not well-formed, or with a tag") from None
    if stream.read():  # `loads` would pass over these
        raise Mismatch(steps, "bytes after the item")
    return item

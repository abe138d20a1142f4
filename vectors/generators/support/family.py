"""A family of vectors: groups of tests, each put to the library as it is added.

    family = Family("kdf", "HKDF-SHA-256 and HMAC-SHA-256", ["what it is about"], {"Flag": "what it means"})
    group = family.group("kdf.chain", "one step")
    group.valid("an ordinary step", {"chain": hexed("a chain key", 32)}, rules=["RAT-2"])
    group.invalid("a short key", {...}, "InvalidKey", flags=["Flag"], rules=["PRIM-2"])
    family.encode()

The author of a test says what the library must answer. A different answer stops the generation, so that no
mistake is recorded as the truth.

Not here: the operations (letterlock_vectors/operations/), writing files (generators/__main__.py).
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from letterlock.errors import LetterlockError
from letterlock.limits import PROTOCOL_VERSION
from letterlock_vectors.library import Library

SPEC: Final = Path(__file__).parents[3] / "spec"

Json = dict[str, Any]

run: Final = Library().run
"""Asks the library an operation."""


class GenerationError(Exception):
    """The library answers otherwise than the author says, or the author broke a rule of the form."""


class Family:
    """One file of vectors: its groups, in the order in which they were made."""

    def __init__(self, name: str, algorithm: str, header: list[str], notes: Mapping[str, str]) -> None:
        """`notes` explains each flag."""
        self.name = name
        self.notes = dict(notes)
        self._algorithm = algorithm
        self._header = header
        self._groups: list[Group] = []
        self._rules = _rules()
        self._used: set[str] = set()
        self._comments: set[str] = set()
        self._questions: set[str] = set()
        self._count = 0

    def group(self, operation: str, comment: str) -> "Group":
        """Begin a group: every test of it asks for the same operation."""
        self._groups.append(Group(self, operation, comment))
        return self._groups[-1]

    def take(self, where: str, comment: str, flags: Sequence[str], rules: Sequence[str]) -> Json:
        """Return the beginning of the next test, once its names are known to be good."""
        if where in self._comments:
            raise GenerationError(f"{where}: another test of the group has this comment")
        for flag in flags:
            if flag not in self.notes:
                raise GenerationError(f"{where}: flag {flag} is not in the notes")
        if len({*rules}) != len(rules) or len({*flags}) != len(flags):
            raise GenerationError(f"{where}: a rule or flag stands there twice")
        for rule in rules:
            if rule not in self._rules:
                raise GenerationError(f"{where}: rule {rule} is not in spec/")
        self._comments.add(where)
        self._used.update(flags)
        self._count += 1
        return {"tcId": 0, "comment": comment, "flags": list(flags), "rules": list(rules)}

    def take_input(self, where: str, operation: str, given: Json) -> None:
        """Raise GenerationError if the same was asked before: it would count twice and show nothing new."""
        if self.asks(operation, given):
            raise GenerationError(f"{where}: another test asks the same")
        self._questions.add(operation + json.dumps(given, sort_keys=True))

    def asks(self, operation: str, given: Json) -> bool:
        """Return whether a test asks this already."""
        return operation + json.dumps(given, sort_keys=True) in self._questions

    def encode(self) -> str:
        """Return the whole file."""
        unused = sorted(set(self.notes) - self._used)
        if unused:
            raise GenerationError(f"{self.name}: no test has the flags {', '.join(unused)}")
        groups = [group.encode() for group in self._groups]
        # Numbered as they stand in the file: tests may be added to several groups in turn.
        for number, test in enumerate((test for group in groups for test in group["tests"]), 1):
            test["tcId"] = number
        whole = {
            "algorithm": self._algorithm,
            "family": self.name,
            "protocolVersion": PROTOCOL_VERSION,
            "generator": "generators.families." + self.name.replace("-", "_"),
            "header": self._header,
            "numberOfTests": self._count,
            "notes": self.notes,
            "testGroups": groups,
        }
        # In ASCII: some names in here are made of characters that nobody sees.
        return json.dumps(whole, indent=1) + "\n"


class Group:
    """Tests of one operation."""

    def __init__(self, family: Family, operation: str, comment: str) -> None:
        self._family = family
        self._operation = operation
        self._comment = comment
        self._tests: list[Json] = []

    def encode(self) -> Json:
        """Return the group as it stands in the file."""
        if not self._tests:
            raise GenerationError(f"{self._family.name}, {self._comment}: no tests")
        return {"type": self._operation, "comment": self._comment, "tests": self._tests}

    def asks(self, given: Json) -> bool:
        """Return whether a test of the family asks the same of this operation."""
        return self._family.asks(self._operation, given)

    def valid(
        self,
        comment: str,
        given: Json,
        *,
        flags: Sequence[str] = (),
        rules: Sequence[str] = (),
        output: Json | None = None,
    ) -> Json:
        """Add a test that must be answered, as `output` says if it is given. Return the answer."""
        answer = self._answered(comment, given, output)
        self._add(comment, flags, rules, {"input": given, "result": "valid", "output": answer})
        return answer

    def invalid(
        self, comment: str, given: Json, expect: str, *, flags: Sequence[str] = (), rules: Sequence[str] = ()
    ) -> None:
        """Add a test that must be refused by this name."""
        where = self._where(comment)
        try:
            answer = run(self._operation, given)
        except LetterlockError as error:
            if type(error).__name__ != expect:
                raise GenerationError(f"{where}: {error!r} where {expect} was expected") from error
        else:
            raise GenerationError(f"{where}: {expect} was expected, but the answer is {_short(answer)}")
        self._add(comment, flags, rules, {"input": given, "result": "invalid", "expect": expect})

    def play(
        self,
        comment: str,
        given: Json,
        *,
        flags: Sequence[str] = (),
        rules: Sequence[str] = (),
        output: Json | None = None,
    ) -> Json:
        """Add a play in which no step is refused. Return the answer."""
        answer = self._answered(comment, given, output)
        if refusals(answer):
            raise GenerationError(f"{self._where(comment)}: refused steps in {_short(answer)}")
        self._add(comment, flags, rules, {"input": given, "result": "valid", "output": answer})
        return answer

    def invalid_play(
        self,
        comment: str,
        given: Json,
        expect: str,
        *,
        flags: Sequence[str] = (),
        rules: Sequence[str] = (),
        also: Sequence[str] = (),
    ) -> Json:
        """Add a play that is about a refusal; `also` are others that stand in it. Return the answer."""
        answer = self._answered(comment, given, None)
        found, wanted = set(refusals(answer)), {expect, *also}
        if found != wanted:
            raise GenerationError(
                f"{self._where(comment)}: refusals {sorted(found)}, expected {sorted(wanted)}"
            )
        result = {"input": given, "result": "invalid", "expect": expect, "output": answer}
        self._add(comment, flags, rules, result)
        return answer

    def _answered(self, comment: str, given: Json, output: Json | None) -> Json:
        try:
            answer = run(self._operation, given)
        except LetterlockError as error:
            raise GenerationError(f"{self._where(comment)}: refused, {error!r}") from error
        if output is not None and answer != output:
            raise GenerationError(f"{self._where(comment)}: {_short(answer)}, expected {_short(output)}")
        return answer

    def _add(self, comment: str, flags: Sequence[str], rules: Sequence[str], result: Json) -> None:
        # Through JSON at once: a later change of what was passed in must not change the test.
        whole = self._family.take(self._where(comment), comment, flags, rules) | result
        self._tests.append(json.loads(json.dumps(whole)))
        self._family.take_input(self._where(comment), self._operation, result["input"])

    def _where(self, comment: str) -> str:
        return f"{self._family.name}, {self._operation}, {comment}"


def refusals(answer: Json) -> list[str]:
    """Return the names of the refused steps of a play, in order."""
    return [step["error"] for step in answer["steps"] if "error" in step]


def _rules() -> frozenset[str]:
    """Return every rule id of the specification: ids stand in square brackets there."""
    text = "".join(page.read_text(encoding="utf-8") for page in sorted(SPEC.glob("*.md")))
    return frozenset(re.findall(r"\[([A-Z]+-\d+)\]", text))


def _short(answer: Json) -> str:
    text = json.dumps(answer)
    return text if len(text) < 500 else text[:500] + " ..."

"""Put every vector to an implementation, and count the answers that are not as recorded.

Not here: reading files (files.py), whom to ask (responder.py), printing (cli/).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from letterlock_vectors.files import Family, Test
from letterlock_vectors.responder import Answer, Responder


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is not the recorded one."""

    family: str
    test: Test
    answered: Answer

    def shown(self) -> dict[str, Any]:
        """Return it for a report."""
        return {
            "family": self.family,
            "tcId": self.test.number,
            "comment": self.test.comment,
            "expected": self.test.expected,
            "answered": self.answered,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one family went."""

    family: Family
    failures: tuple[Failure, ...]

    def counts(self) -> dict[str, Any]:
        """Return the row of the table."""
        tests = self.family.tests
        valid = sum(test.valid for test in tests)
        return {
            "family": self.family.name,
            "tests": len(tests),
            "valid": valid,
            "invalid": len(tests) - valid,
            "failed": len(self.failures),
        }


def check(families: Iterable[Family], responder: Responder, progress: Callable[[str], None]) -> list[Verdict]:
    """Put all tests to `responder`; `progress` is told each family's name before it begins."""
    verdicts: list[Verdict] = []
    for family in families:
        progress(family.name)
        answers = ((test, responder.ask(test.operation, test.given)) for test in family.tests)
        failures = tuple(
            Failure(family.name, test, answer) for test, answer in answers if answer != test.expected
        )
        verdicts.append(Verdict(family, failures))
    return verdicts

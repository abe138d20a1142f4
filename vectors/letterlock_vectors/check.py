"""Put every vector to an implementation, and collect the answers that differ from the recorded ones.

Not here: reading files (files.py), implementations (library.py, line_client.py), printing (commands.py).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from letterlock_vectors.files import Family, Test
from letterlock_vectors.responder import Answer, Responder


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that differs from the recorded one."""

    family: str
    test: Test
    answered: Answer

    def shown(self) -> dict[str, Any]:
        """Return the failure as an entry of the JSON report."""
        return {
            "family": self.family,
            "tcId": self.test.number,
            "comment": self.test.comment,
            "expected": self.test.expected,
            "answered": self.answered,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one family."""

    family: Family
    failures: tuple[Failure, ...]

    def counts(self) -> dict[str, Any]:
        """Return the family's row of the table."""
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
    """Put all tests to `responder`. Calls `progress` with each family's name before it begins."""
    verdicts: list[Verdict] = []
    for family in families:
        progress(family.name)
        answers = ((test, responder.ask(test.operation, test.given)) for test in family.tests)
        failures = tuple(
            Failure(family.name, test, answer) for test, answer in answers if answer != test.expected
        )
        verdicts.append(Verdict(family, failures))
    return verdicts

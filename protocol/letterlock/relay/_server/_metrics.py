"""What operators count: requests by call and answer, sockets, bytes held, faults, and what the store holds.

With several workers each writes its numbers to a directory that all read, so any of them answers for all.
No label is or hides an identity.

Not here: who may see the numbers (_pages.py).
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
    multiprocess,
)

from letterlock.relay._store import Counts

DIRECTORY_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where the workers write their numbers. prometheus_client reads it when it is imported."""

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_OK: Final = "OK"


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all workers since the relay was started, and what the store held when it was counted."""

    requests: dict[str, int]
    failures: dict[str, int]
    sockets: int
    faults: int
    stored: dict[str, int]


class Metrics:
    """The numbers of this process. Make one a process, after it was forked. `server` stands in all names."""

    def __init__(self, server: str = "relay") -> None:
        self._prefix = prefix = f"letterlock_{server}_"
        shared = DIRECTORY_VARIABLE in os.environ
        self._registry = CollectorRegistry()
        own = None if shared else self._registry
        self._seconds = Histogram(
            f"{prefix}request_seconds",
            "Time from a request's head to its answer, waiting for mail included",
            ["call", "code"],
            buckets=_BUCKETS,
            registry=own,
        )
        self._sockets = _gauge(prefix + "sockets", "WebSockets that are open", own)
        self._bytes = _gauge(
            prefix + "body_bytes", "Bytes of requests and answers that are held in memory", own
        )
        self._faults = _counter(
            prefix + "faults", "Exceptions that nobody expected: each is a bug or a broken store", own
        )
        self._refused = _counter(
            prefix + "refused_connections", "Connections closed because there were too many", own
        )
        self._late = _counter(
            prefix + "late_connections", "Connections closed because the client was too slow", own
        )
        self._displaced = _counter(
            prefix + "displaced_sockets", "WebSockets closed for a newer one of the device", own
        )
        self._expired = _counter(
            prefix + "expired_messages", "Messages deleted because nobody fetched them", own
        )
        self._recovery = _by_what(prefix + "recovery", "What happened to locks, halves and notices", own)
        self._stored = _stored(prefix, own)
        if shared:
            multiprocess.MultiProcessCollector(self._registry)  # type: ignore[no-untyped-call]
        self._child = cache(self._seconds.labels)

    def request(self, call: str, code: str, seconds: float) -> None:
        """Count a request that was answered."""
        self._child(call, code).observe(seconds)

    def socket(self, change: int) -> None:
        """Count a socket that opened (1) or closed (-1)."""
        self._sockets.inc(change)

    def body(self, change: int) -> None:
        """Count bytes of a request that are held, or were let go."""
        self._bytes.inc(change)

    def fault(self) -> None:
        """Count an exception that nobody expected."""
        self._faults.inc()

    def refused(self) -> None:
        """Count a connection too many."""
        self._refused.inc()

    def late(self) -> None:
        """Count a connection of a client that was too slow."""
        self._late.inc()

    def displaced(self) -> None:
        """Count a socket that a newer one displaced."""
        self._displaced.inc()

    def expired(self, messages: int) -> None:
        """Count messages that nobody fetched in time."""
        self._expired.inc(messages)

    def recovery(self, what: str) -> None:
        """Count what happened to somebody's recovery."""
        self._recovery.labels(what).inc()

    def stored(self, counts: Counts) -> None:
        """Note what the store holds."""
        for what in ("accounts", "devices", "bundles", "messages", "bytes"):
            self._stored.labels(what).set(getattr(counts, what))

    def page(self) -> bytes:
        """Return all numbers in the text format of Prometheus."""
        return generate_latest(self._registry)

    def totals(self) -> Totals:
        """Return sums over all workers."""
        return _sum(self._registry.collect(), self._prefix)


def _counter(name: str, text: str, registry: CollectorRegistry | None) -> Counter:
    return Counter(name, text, registry=registry)


def _by_what(name: str, text: str, registry: CollectorRegistry | None) -> Counter:
    return Counter(name, text, ["what"], registry=registry)


def _gauge(name: str, text: str, registry: CollectorRegistry | None) -> Gauge:
    return Gauge(name, text, registry=registry, multiprocess_mode="livesum")


def _stored(prefix: str, registry: CollectorRegistry | None) -> Gauge:
    return Gauge(
        f"{prefix}stored",
        "What the store holds, counted now and then",
        ["what"],
        registry=registry,
        multiprocess_mode="mostrecent",
    )


def _sum(metrics: Iterable[Metric], prefix: str) -> Totals:
    requests: dict[str, int] = {}
    failures: dict[str, int] = {}
    stored: dict[str, int] = {}
    sockets = faults = 0
    for metric in metrics:
        for sample in metric.samples:
            amount = int(sample.value)
            if sample.name == f"{prefix}request_seconds_count":
                call, code = sample.labels["call"], sample.labels["code"]
                requests[call] = requests.get(call, 0) + amount
                if code != _OK:
                    failures[code] = failures.get(code, 0) + amount
            elif sample.name == f"{prefix}sockets":
                sockets += amount
            elif sample.name == f"{prefix}faults_total":
                faults += amount
            elif sample.name == f"{prefix}stored":
                stored[sample.labels["what"]] = amount
    return Totals(requests, failures, sockets, faults, stored)


def forget_worker(process: int) -> None:
    """Take a worker that ended out of the numbers of what is open now."""
    multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call]


def release() -> str:
    """Return the version of letterlock."""
    try:
        return installed_version("letterlock")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "unknown"

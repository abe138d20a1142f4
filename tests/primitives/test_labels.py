"""PRIM-9: labels separate domains. Also tested here: the two functions of _primitives/entropy.py."""

import itertools
import time

from letterlock._primitives import labels
from letterlock._primitives.entropy import system_clock, system_entropy


def all_labels() -> dict[str, bytes]:
    values = {name: value for name, value in vars(labels).items() if name.isupper()}
    return {name: value.encode() if isinstance(value, str) else value for name, value in values.items()}


def test_labels_are_distinct() -> None:
    values = list(all_labels().values())
    assert len(values) >= 8
    assert len(set(values)) == len(values)


def test_labels_name_protocol_and_version_and_are_long_enough() -> None:
    """PQXDH section 3.2 asks for info of at least eight bytes that names the application."""
    for label in all_labels().values():
        assert label.startswith(b"letterlock-v1")
        assert len(label) > len(b"letterlock-v1") + 8
        assert label.isascii()


def test_no_label_is_a_prefix_of_another() -> None:
    begins = {
        (one, other)
        for (one, a), (other, b) in itertools.permutations(all_labels().items(), 2)
        if b.startswith(a)
    }
    assert begins == set()


def test_system_entropy_gives_the_length_it_was_asked_for_and_never_the_same_twice() -> None:
    assert [len(system_entropy(length)) for length in (0, 1, 32, 64)] == [0, 1, 32, 64]
    assert system_entropy(32) != system_entropy(32)


def test_system_clock_gives_whole_seconds() -> None:
    before = int(time.time())
    now = system_clock()
    assert type(now) is int
    assert before <= now <= int(time.time())

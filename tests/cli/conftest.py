"""Fixtures of the command line's tests."""

import os
from collections.abc import Iterator

import pytest

from support.cli_forks import fork_server, second_fork_server
from support.cli_tools import fast_path, no_profile, profiles, template
from support.document_cli import readers, readers_template
from support.rekeying import no_terminal
from support.user_cli import friends, linked, linked_template, people, people_template

__all__ = [
    "fast_path",
    "fork_server",
    "friends",
    "linked",
    "linked_template",
    "no_profile",
    "no_terminal",
    "people",
    "people_template",
    "private_files",
    "profiles",
    "readers",
    "readers_template",
    "second_fork_server",
    "template",
]


@pytest.fixture(autouse=True)
def private_files() -> Iterator[None]:
    """Make files that only their owner reads: the commands warn of a key that others may read."""
    before = os.umask(0o077)
    yield
    os.umask(before)

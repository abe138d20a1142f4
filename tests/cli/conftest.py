"""Fixtures of the command line's tests."""

from support.cli_forks import fork_server, second_fork_server
from support.cli_tools import fast_path, no_profile, profiles, template

__all__ = ["fast_path", "fork_server", "no_profile", "profiles", "second_fork_server", "template"]

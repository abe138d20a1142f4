"""Settings of a relay, from flags, the environment and a TOML file.

Not here: the options (_relay_options.py); reading them (_settings_reader.py).
"""

from argparse import Namespace
from collections.abc import Mapping

from letterlock.cli._relay_options import RELAY
from letterlock.cli._settings_reader import read_values, values_of
from letterlock.relay._server._settings import Settings


def settings_of(arguments: Namespace) -> Settings:
    """Return the settings for a command. Raises UsageError, OSError."""
    return Settings(**values_of(RELAY, arguments))  # type: ignore[arg-type] # each option reads its own kind


def read_settings(flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Settings:
    """Return the settings that flags, environment and file make together. Raises UsageError, OSError."""
    return Settings(**read_values(RELAY, flags, environment))  # type: ignore[arg-type] # as above

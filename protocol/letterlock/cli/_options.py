"""Options of a server: what each is called, and how its value is read from a text or from TOML.

A table of options makes flags, environment variables and the keys of a configuration file.

Not here: the tables (_relay_options.py, _keyserver_options.py); reading them (_settings_reader.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from letterlock.errors import UsageError

Value = str | int | bool
"""The value of a setting."""

CONFIG: Final = "config"
"""The option that names the configuration file. It has no place in the file itself."""

_WORDS: Final = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. `read` makes a value of a text or of what TOML gives, or raises UsageError."""

    name: str
    default: Value
    metavar: str
    help: str
    read: Callable[[str, object], Value]

    @property
    def attribute(self) -> str:
        """The name in a `Settings` or an argparse namespace."""
        return self.name.replace("-", "_")


def text(where: str, given: object) -> str:
    """Read a text."""
    if not isinstance(given, str):
        raise UsageError(f"{where} must be a text: put it in quotes")
    return given


def switch(where: str, given: object) -> bool:
    """Read on or off."""
    value = _WORDS.get(given) if isinstance(given, str) else given
    if not isinstance(value, bool):
        raise UsageError(f"{where} must be on or off")
    return value


def integer(least: int, most: int) -> Callable[[str, object], int]:
    """Return what reads a whole number within bounds."""

    def read(where: str, given: object) -> int:
        value: object = given
        if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 16:
            value = int(given)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise UsageError(f"{where} must be a whole number from {least} to {most}")
        return value

    return read


def choice(*choices: str) -> Callable[[str, object], str]:
    """Return what reads one of some words."""

    def read(where: str, given: object) -> str:
        if not isinstance(given, str) or given not in choices:
            raise UsageError(f"{where} must be one of {', '.join(choices)}")
        return given

    return read


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one server. `command` is shown in errors; `prefix` begins its environment variables."""

    command: str
    prefix: str
    options: tuple[Option, ...]

    @property
    def config_variable(self) -> str:
        """The environment variable that names the configuration file."""
        return self.prefix + CONFIG.upper()

    def variable(self, option: Option) -> str:
        """Return the environment variable of an option."""
        return self.prefix + option.name.upper().replace("-", "_")

    @property
    def by_name(self) -> dict[str, Option]:
        """The options by their names."""
        return {option.name: option for option in self.options}

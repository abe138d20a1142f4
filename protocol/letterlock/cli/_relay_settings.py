"""Settings of a relay, from flags, the environment and a TOML file, in this order of precedence.

A key that no option has is an error: a misspelt limit must not be silently without effect.

Not here: the options (_relay_options.py).
"""

import os
import tomllib
from argparse import Namespace
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from letterlock.cli._relay_options import BY_NAME, CONFIG, CONFIG_VARIABLE, OPTIONS, PREFIX, Value
from letterlock.errors import UsageError
from letterlock.relay._server._settings import Settings


def settings_of(arguments: Namespace) -> Settings:
    """Return the settings for a command. Raises UsageError, OSError."""
    given = vars(arguments)
    flags = {option.name: given.get(option.attribute) for option in OPTIONS}
    return read_settings(flags | {CONFIG: given.get(CONFIG)}, os.environ)


def read_settings(flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Settings:
    """Return the settings that flags, environment and file make together. Raises UsageError, OSError.

    `flags` maps names of options, and `config`, to what the command line gave, None for nothing.
    """
    path = flags.get(CONFIG) or environment.get(CONFIG_VARIABLE)
    values: dict[str, Value] = {option.attribute: option.default for option in OPTIONS}
    for name, where, given in [
        *(_from_file(Path(path)) if path else ()),
        *_from_environment(environment),
        *(
            (name, f"--{name}", given)
            for name, given in flags.items()
            if given is not None and name != CONFIG
        ),
    ]:
        option = BY_NAME[name]
        values[option.attribute] = option.read(where, given)
    return Settings(**values)  # type: ignore[arg-type] # each option reads its own kind


def _from_file(path: Path) -> Iterator[tuple[str, str, object]]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} is not TOML: write lines such as `workers = 2`") from error
    for name, given in found.items():
        if name not in BY_NAME:
            raise UsageError(f"{path.name} has an unknown key {name!r}: {_suggestion(name, [*BY_NAME])}")
        yield name, f"{name} in {path.name}", given


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    known = {option.variable: option.name for option in OPTIONS}
    for variable, given in environment.items():
        if variable in known:
            yield known[variable], variable, given
        elif variable.startswith(PREFIX) and variable != CONFIG_VARIABLE:
            remedy = _suggestion(variable, [*known, CONFIG_VARIABLE])
            raise UsageError(f"unknown environment variable {variable}: {remedy}")


def _suggestion(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else "see `letterlock relay serve --help`, or leave it out"

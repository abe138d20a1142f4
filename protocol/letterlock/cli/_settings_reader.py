"""Values of options from flags, the environment and a TOML file, in this order of precedence.

A key that no option has is an error: a misspelt limit must not be silently without effect.

Not here: the options (_relay_options.py, _keyserver_options.py).
"""

import os
import tomllib
from argparse import Namespace
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from letterlock.cli._options import CONFIG, Options, Value
from letterlock.errors import UsageError


def values_of(table: Options, arguments: Namespace) -> dict[str, Value]:
    """Return the values for a command, by attribute. Raises UsageError, OSError."""
    given = vars(arguments)
    flags = {option.name: given.get(option.attribute) for option in table.options}
    return read_values(table, flags | {CONFIG: given.get(CONFIG)}, os.environ)


def read_values(
    table: Options, flags: Mapping[str, str | None], environment: Mapping[str, str]
) -> dict[str, Value]:
    """Return the values that flags, environment and file make together. Raises UsageError, OSError.

    `flags` maps names of options, and `config`, to what the command line gave, None for nothing.
    """
    path = flags.get(CONFIG) or environment.get(table.config_variable)
    values: dict[str, Value] = {option.attribute: option.default for option in table.options}
    for name, where, given in [
        *(_from_file(table, Path(path)) if path else ()),
        *_from_environment(table, environment),
        *(
            (name, f"--{name}", given)
            for name, given in flags.items()
            if given is not None and name != CONFIG
        ),
    ]:
        option = table.by_name[name]
        values[option.attribute] = option.read(where, given)
    return values


def _from_file(table: Options, path: Path) -> Iterator[tuple[str, str, object]]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} is not TOML: write lines such as `workers = 2`") from error
    known = [*table.by_name]
    for name, given in found.items():
        if name not in known:
            remedy = _suggestion(table, name, known)
            raise UsageError(f"{path.name} has an unknown key {name!r}: {remedy}")
        yield name, f"{name} in {path.name}", given


def _from_environment(table: Options, environment: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    known = {table.variable(option): option.name for option in table.options}
    for variable, given in environment.items():
        if variable in known:
            yield known[variable], variable, given
        elif variable.startswith(table.prefix) and variable != table.config_variable:
            remedy = _suggestion(table, variable, [*known, table.config_variable])
            raise UsageError(f"unknown environment variable {variable}: {remedy}")


def _suggestion(table: Options, name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"see `letterlock {table.command} --help`, or leave it out"

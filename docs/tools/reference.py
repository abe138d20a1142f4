"""Make the reference pages: one directive for each public name, and the help of each command.

    python docs/tools/reference.py        print the names of the pages and their first lines

The lists come from the package itself and from the command line's own parser, so that no new name or command
is left out.

Not here: the text of a docstring, which mkdocstrings inserts.
"""

import os
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from types import ModuleType
from typing import Final

import letterlock
from letterlock import (
    aio,
    client,
    documents,
    errors,
    groups,
    hazmat,
    identity,
    limits,
    recovery,
    stores,
    user,
)
from letterlock.cli._parser import build_parser

INTRODUCTIONS: Final = {
    "letterlock": "What an application imports. The errors have a [page of their own](errors.md).",
    "aio": "The account for asyncio: [a web back end](../how-to/web-back-end.md#with-asyncio) uses it.",
    "user": "One person with several devices. The [specification](../spec/user.md) has the rules.",
    "client": "A user whose messages travel through a relay, for asyncio and without.",
    "documents": "Files that are sealed once and shared by grants: [how to](../how-to/documents.md).",
    "groups": "Conversations of many: [specification](../spec/groups.md).",
    "recovery": "A password and two servers: [how to](../how-to/recovery.md).",
    "identity": "Checks of who somebody is, for recovery: [how to](../how-to/identity-checks.md).",
    "stores": "Where an account lives, and the interface of [another store](../how-to/another-store.md).",
    "errors": "Catch one of the four kinds of error, or a class below it.",
    "limits": "Every number that bounds something, with its reason.",
    "hazmat": "!!! danger\n    For test vectors and other implementations. An application needs none of it.",
}


FIRST: Final = (
    "Account",
    "Address",
    "PrekeyBundle",
    "Publication",
    "Suite",
    "Peer",
    "SafetyNumber",
    "inspect",
)
"""What a reader looks for first; the other names follow in the order of the alphabet."""


def pages() -> dict[str, str]:
    """Return the Markdown of each page by its name."""
    store_names = public_names(stores)
    elsewhere = {*store_names, *vars(errors)}
    return {
        "letterlock": _names(
            letterlock, [name for name in public_names(letterlock) if name not in elsewhere]
        ),
        "aio": _names(aio, aio.__all__),
        "user": _names(user, user.__all__),
        "client": _names(client, client.__all__),
        "documents": _names(documents, documents.__all__),
        "groups": _names(groups, groups.__all__),
        "recovery": _names(recovery, recovery.__all__),
        "identity": _names(identity, identity.__all__),
        "stores": _names(stores, store_names),
        "errors": _module(errors, "show_bases: true"),
        "limits": _module(limits, "show_bases: false"),
        "hazmat": _names(hazmat, hazmat.__all__),
        "command-line": command_line(),
    }


def public_names(module: ModuleType) -> list[str]:
    """Return what a module offers, whether a star import brings it or not."""
    values = vars(module).items()
    found = {name for name, value in values if name[0] != "_" and not isinstance(value, ModuleType)}
    return [name for name in FIRST if name in found] + sorted(found - {*FIRST})


def _names(module: ModuleType, names: list[str]) -> str:
    about = f"::: {module.__name__}\n    options: {{members: false, show_root_heading: false}}"
    directives = [f"::: {module.__name__}.{name}" for name in names]
    return "\n\n".join([_heading(module.__name__), about, *directives]) + "\n"


def _module(module: ModuleType, more: str) -> str:
    options = "show_root_heading: false, show_root_toc_entry: false, show_category_heading: false"
    return f"{_heading(module.__name__)}\n\n::: {module.__name__}\n    options: {{{options}, {more}}}\n"


def _heading(title: str) -> str:
    return f"# {title}\n\n{INTRODUCTIONS[title.removeprefix('letterlock.')]}"


def command_line() -> str:
    """Return the page of the command: its help, and that of each of its commands."""
    os.environ["COLUMNS"] = "100"  # argparse wraps its help to the terminal
    parser = build_parser()
    parts = ["# The command line\n\nGenerated from the parser itself.", _help("letterlock", parser)]
    parts += [_help(f"letterlock {name}", each) for name, each in commands(parser)]
    return "\n\n".join(parts) + "\n"


def commands(parser: ArgumentParser, before: str = "") -> Iterator[tuple[str, ArgumentParser]]:
    """Yield every command that does something, `vectors check` for one, with its parser."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for name, each in action.choices.items():
                inner = list(commands(each, f"{before}{name} "))
                yield from inner or [(f"{before}{name}", each)]


def _help(title: str, parser: ArgumentParser) -> str:
    return f"## `{title}`\n\n```text\n{parser.format_help().rstrip()}\n```"


if __name__ == "__main__":
    for page, text in pages().items():
        print(f"{page}: {len(text.splitlines())} lines")

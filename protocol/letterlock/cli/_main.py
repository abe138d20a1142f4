"""The program: takes arguments, runs one command, returns an exit status.

A command's module is imported only when that command runs, so that the others do not slow it down.

Not here: what the commands do; COMMANDS names their modules.
"""

import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Final, cast

from letterlock.cli._error_report import INTERRUPTED, NotAll, exit_status, explain
from letterlock.cli._parser import build_parser
from letterlock.errors import LetterlockError, UsageError

COMMANDS: Final = {
    "--version": ("letterlock.cli._version_command", "print_version"),
    "init": ("letterlock.cli._profile_commands", "init"),
    "backup": ("letterlock.cli._profile_commands", "backup"),
    "rekey": ("letterlock.cli._profile_commands", "rekey"),
    "bundle": ("letterlock.cli._profile_commands", "bundle"),
    "peers": ("letterlock.cli._peer_commands", "peers"),
    "add": ("letterlock.cli._peer_commands", "add"),
    "accept": ("letterlock.cli._peer_commands", "accept"),
    "safety-number": ("letterlock.cli._peer_commands", "safety_number"),
    "encrypt": ("letterlock.cli._message_commands", "encrypt"),
    "decrypt": ("letterlock.cli._message_commands", "decrypt"),
    "inspect": ("letterlock.cli._inspect_command", "inspect_file"),
    "check-evidence": ("letterlock.cli._evidence_command", "check_evidence"),
    "demo": ("letterlock.cli._demo_command", "demo"),
    **{
        f"user {name}": ("letterlock.cli._user_commands", name)
        for name in (
            "init",
            "devices",
            "publish",
            "learn",
            "contacts",
            "verify",
            "keep",
            "replace",
            "evidence",
        )
    },
    "user send": ("letterlock.cli._user_messages", "send"),
    "user receive": ("letterlock.cli._user_messages", "receive"),
    "user revoke": ("letterlock.cli._linking_commands", "revoke"),
    "user upkeep": ("letterlock.cli._user_messages", "upkeep"),
    "user join": ("letterlock.cli._linking_commands", "join"),
    "user link": ("letterlock.cli._linking_commands", "link"),
    **{
        name: ("letterlock.cli._client_commands", name)
        for name in ("register", "send", "receive", "devices", "join", "link", "status")
    },
    "seal": ("letterlock.cli._seal_command", "seal"),
    "open": ("letterlock.cli._open_command", "open_document"),
    **{name: ("letterlock.cli._share_commands", name) for name in ("share", "take", "grants")},
    **{name: ("letterlock.cli._address_commands", name) for name in ("claim", "withdraw", "addresses")},
    **{name: ("letterlock.cli._revoke_commands", name) for name in ("revoke", "erase")},
    **{f"record {name}": ("letterlock.cli._record_commands", name) for name in ("seal", "share", "grants")},
    "record open": ("letterlock.cli._record_commands", "open_record"),
    "record revoke": ("letterlock.cli._record_commands", "revoke"),
    **{
        f"collection {name}": ("letterlock.cli._collection_commands", name)
        for name in (
            "create",
            "show",
            "add",
            "remove",
            "role",
            "rename",
            "renew",
            "leave",
            "close",
            "evidence",
            "keep",
            "forget",
        )
    },
    **{
        f"group {name}": ("letterlock.cli._group_commands", name)
        for name in (
            "create",
            "show",
            "add",
            "remove",
            "role",
            "rename",
            "renew",
            "send",
            "delivered",
            "leave",
            "close",
            "evidence",
            "keep",
            "forget",
        )
    },
    **{
        f"recovery {name}": ("letterlock.cli._recovery_commands", name)
        for name in ("setup", "bind", "password", "recover", "status")
    },
    **{
        f"recovery second-lock {name}": ("letterlock.cli._second_lock_commands", function)
        for name, function in (
            ("on", "turn_on"),
            ("off", "turn_off"),
            ("status", "status"),
            ("stop", "stop"),
            ("ask", "ask"),
        )
    },
    "enrol": ("letterlock.cli._enrol_command", "enrol"),
    "group give-history": ("letterlock.cli._history_commands", "give"),
    "group histories": ("letterlock.cli._history_commands", "list_all"),
    "group read-history": ("letterlock.cli._history_commands", "read"),
    "group list": ("letterlock.cli._group_commands", "list_all"),
    "collection list": ("letterlock.cli._collection_commands", "list_all"),
    "access-record": ("letterlock.cli._access_record_commands", "write_record"),
    "check-access-record": ("letterlock.cli._access_record_commands", "check_record"),
    "relay serve": ("letterlock.cli._relay_commands", "serve"),
    "relay migrate": ("letterlock.cli._relay_commands", "migrate"),
    "relay backup": ("letterlock.cli._relay_commands", "backup"),
    "relay check": ("letterlock.cli._relay_commands", "check"),
    "relay ticket key": ("letterlock.cli._ticket_commands", "key"),
    "relay ticket sign": ("letterlock.cli._ticket_commands", "sign"),
    "relay ticket identity": ("letterlock.cli._ticket_commands", "identity"),
    "keyserver serve": ("letterlock.cli._keyserver_commands", "serve"),
    "keyserver migrate": ("letterlock.cli._keyserver_store_commands", "migrate"),
    "keyserver backup": ("letterlock.cli._keyserver_store_commands", "backup"),
    "keyserver check": ("letterlock.cli._keyserver_store_commands", "check"),
    "keyserver release": ("letterlock.cli._release_commands", "release"),
    "keyserver keys": ("letterlock.cli._keyserver_commands", "keys"),
    "vectors check": ("letterlock.cli._vector_commands", "check_vectors"),
    "vectors serve": ("letterlock.cli._vector_commands", "serve_vectors"),
}
"""The module and function of every command."""

Command = Callable[[Namespace], None]


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status. `argv` defaults to the process's arguments."""
    try:
        _run(argv)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (LetterlockError, OSError, NotAll) as error:
        _print_error(explain(error))
        return exit_status(error)
    return 0


def _run(argv: list[str] | None) -> None:
    try:
        arguments = build_parser().parse_args(argv)
    except SystemExit:  # after --help; a wrong argument is a UsageError
        return
    name = "--version" if arguments.version else arguments.command
    if name is None:
        raise UsageError("no command given: see `letterlock --help`")
    load_command(name)(arguments)


def load_command(name: str) -> Command:
    """Import and return the function that runs a command."""
    module, function = COMMANDS[name]
    return cast("Command", getattr(import_module(module), function))


def _print_error(text: str) -> None:
    if sys.stderr is None:  # closed by the process that started us
        return
    with suppress(OSError):  # the exit status still reports the failure
        print(f"letterlock: {text}", file=sys.stderr, flush=True)

"""The commands that change which devices a user has: `letterlock user join`, `link` and `revoke`.

    join, on the new device         exchange folder        link, on a device of the user
    shows a code                    bundle  ->
                                            <-  offer      takes the code
    shows six digits                answer  ->             shows six digits, and asks
    is a device of the user                 <-  package    adds the device to the list

Each step is stored before its file is written, so a repeated command goes on where it was. A wrong file in
the folder stops nothing: the right one may follow until the code expires.

Not here: what each step proves (letterlock.user).
"""

import sys
import time
from argparse import Namespace
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from hmac import compare_digest
from typing import Any, Final, TypeVar

from letterlock.cli._exchange import Exchange
from letterlock.cli._folder import Folder, Step, open_folder
from letterlock.cli._input import read_text
from letterlock.cli._output import say
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.cli._profile import (
    NO_ACCOUNT,
    STORE_NAME,
    create_profile,
    has_entry,
    open_store,
    profile_directory,
    require_clock,
)
from letterlock.cli._user_parser import ONE_TIME_BUNDLES
from letterlock.cli._user_profile import OutgoingMessages, UserProfile, open_user, require_listed
from letterlock.cli._user_report import print_exchange_lines, print_json, report
from letterlock.errors import NoAccount, PeerError, StoreError, TrustError, UsageError
from letterlock.limits import MAX_LINKING_CODE
from letterlock.stores import EntryKind, SqliteStore
from letterlock.user import DeviceClass, Link, LinkingCode, LinkingRefused, NewDevice, User

_Result = TypeVar("_Result")

_INTERVAL: Final = 0.25
"""Seconds between two looks at the folder."""

_JOIN: Final = "letterlock user join"
_AGAIN: Final = "`letterlock user join --new-code` shows one"
_CLASSES: Final = {"full": DeviceClass.FULL, "limited": DeviceClass.LIMITED}


# --- the new device ---------------------------------------------------------------------------------------


def join(arguments: Namespace) -> None:
    """Make this profile a device of a user. Raises UsageError, PeerError, StoreError, OSError."""
    require_clock()
    folder = open_folder(arguments.folder, make=True)
    if not (profile_directory(arguments.home) / STORE_NAME).exists():
        create_profile(
            arguments.home,
            lambda store: NewDevice.begin(store, arguments.place),
            passphrase=arguments.passphrase,
        )
    with open_store(arguments.home, _JOIN) as store:
        user = _linked(arguments, store) or _join(arguments, store, folder)
        if user is None:
            return
        exchange = Exchange(UserProfile(user, store, OutgoingMessages(store, user.address)), folder)
        exchange.publish_lists()
        exchange.publish_bundles(ONE_TIME_BUNDLES)
        device = user.address.device_id
        _tell(
            arguments,
            {"state": "linked", "name": user.name, "device": device},
            f"this is device {device} of {user.name} now, and its prekey bundles are in the folder",
        )


def _linked(arguments: Namespace, store: SqliteStore) -> User | None:
    """Return the user if this profile is a device already, or None if it is about to become one."""
    try:
        user = User.open(store)
    except NoAccount:
        if has_entry(store, EntryKind.LINKING):
            return None
        raise StoreError(NO_ACCOUNT) from None
    if arguments.new_code:
        raise UsageError("this profile is a device of a user already: choose another --home for a new one")
    return user


def _join(arguments: Namespace, store: SqliteStore, folder: Folder) -> User | None:
    new = NewDevice.open(store)
    if arguments.new_code:
        folder.remove_steps(new.code.bundle_hash)
        new = NewDevice.begin(store, arguments.place)
    bundle_hash = new.code.bundle_hash
    folder.put_step(bundle_hash, Step.BUNDLE, new.bundle)
    until = time.monotonic() + arguments.wait
    with _naming_remedy():
        if not _answer(arguments, new, folder, until):
            _tell_waiting(arguments, "offer", "`letterlock user link CODE` on a device of the user")
            return None
        shown = f"{new.digits}: the device that adds this one must show the same digits"
        _tell(arguments, {"state": "digits", "digits": new.digits}, shown)
        user = _await(folder, bundle_hash, Step.PACKAGE, new.receive_package, until)
    if user is None:
        _tell_waiting(
            arguments, "package", "your answer on the other device, whether the digits are the same"
        )
        return None
    folder.remove_steps(bundle_hash)
    return user


def _answer(arguments: Namespace, new: NewDevice, folder: Folder, until: float) -> bool:
    """Answer the offer, or the same one again. Return False if there is none yet."""
    bundle_hash, answer = new.code.bundle_hash, None
    if _is_answered(new):
        offer = folder.step(bundle_hash, Step.OFFER)
        with suppress(PeerError):  # somebody has put another one there since
            answer = None if offer is None else new.receive_offer(offer)
    else:
        _require_current(new.code)
        _show_code(arguments, new.code)
        answer = _await(folder, bundle_hash, Step.OFFER, new.receive_offer, until)
    if answer is not None:
        folder.put_step(bundle_hash, Step.ANSWER, answer)
    return _is_answered(new)


def _show_code(arguments: Namespace, code: LinkingCode) -> None:
    if arguments.json:
        print_json({"state": "code", "code": code.text(), "expires": code.expires}, indent=None)
        return
    if arguments.qr:
        say(code.qr_terminal().rstrip("\n"))
    elif sys.stdout.isatty():
        try:
            say(code.qr_terminal().rstrip("\n"))
        except UsageError as error:
            say(str(error))
    say(f"on a device of the user: letterlock user link {code.text()}")


# --- the device that adds it ------------------------------------------------------------------------------


def link(arguments: Namespace) -> None:
    """Add a new device. Raises UsageError, PeerError, TrustError for other digits, StoreError, OSError."""
    folder = open_folder(arguments.folder)
    typed = "".join(arguments.code)
    if typed == STANDARD_STREAM:
        typed = read_text(STANDARD_STREAM, 4 * MAX_LINKING_CODE).decode("ascii", "replace")
    code = LinkingCode.from_text(typed)
    until = time.monotonic() + arguments.wait
    with open_user(arguments.home) as profile, _naming_remedy():
        exchange = Exchange(profile, folder)
        exchange.refresh(profile.user.name)
        linking = _begun(profile.user, code) or _begin(arguments, profile.user, folder, code, until)
        if linking is None:
            _tell_waiting(arguments, "bundle", "the new device's bundle: do both use the same folder?")
            return
        folder.put_step(code.bundle_hash, Step.OFFER, linking.offer)
        if not _is_answered(linking):
            _require_current(code)
            found = _await(
                folder, code.bundle_hash, Step.ANSWER, lambda data: _answered(linking, data), until
            )
            if found is None:
                _tell_waiting(arguments, "answer", "`letterlock user join` on the new device")
                return
        _compare(arguments, linking)
        with profile.user.transaction():
            confirmed = linking.confirm()
            exchange.record(confirmed.outgoing)
        exchange.publish_lists()
        device = linking.device_id
        if confirmed.device_list not in profile.user.device_lists():
            linking.forget()
            raise UsageError("another device of yours changed the device list first: begin with a new code")
        folder.put_step(code.bundle_hash, Step.PACKAGE, confirmed.package)
        exchange.post()
        line = f"device {device} was added; it is ready when `letterlock user join` says so"
        _tell(arguments, {"state": "linked", "name": profile.user.name, "device": device}, line)
        print_exchange_lines(exchange, as_json=arguments.json)
        exchange.require_posted()


def _begun(user: User, code: LinkingCode) -> Link | None:
    return next((each for each in user.links() if each.bundle_hash == code.bundle_hash), None)


def _begin(arguments: Namespace, user: User, folder: Folder, code: LinkingCode, until: float) -> Link | None:
    def begin(bundle: bytes) -> Link:
        return user.link(code, bundle, _CLASSES[arguments.device_class])

    return _await(folder, code.bundle_hash, Step.BUNDLE, begin, until)


def _is_answered(linking: Link | NewDevice) -> bool:
    try:
        return bool(linking.digits)
    except UsageError:
        return False


def _answered(linking: Link, answer: bytes) -> Link:
    linking.receive(answer)
    return linking


def _compare(arguments: Namespace, linking: Link) -> None:
    """Ask whether both devices show the same digits. Raises TrustError, and ends the linking, if not."""
    digits = linking.digits
    if arguments.digits is None:
        _tell(arguments, {"state": "compare", "digits": digits}, f"the new device must show {digits}")
        if sys.stdin is None or not sys.stdin.isatty():
            raise UsageError(
                "there is no terminal to ask on: repeat the command with --digits, and the digits that the "
                "new device shows"
            )
        say("type yes if it shows the same digits:")
        same = sys.stdin.readline().strip().lower() == "yes"
    else:
        typed = "".join(arguments.digits.split())
        if len(typed) != len(digits) or not typed.isascii() or not typed.isdigit():
            raise UsageError("--digits takes the six digits that the new device shows")
        same = compare_digest(typed, digits)
    if not same:
        linking.forget()
        raise TrustError(
            "other digits: somebody interferes, or this is another device's code. Nothing was added. Begin "
            f"again with a new code: {_AGAIN}"
        )


# --- a device that goes -----------------------------------------------------------------------------------


def revoke(arguments: Namespace) -> None:
    """Take a device out of the device list. Raises UsageError, TrustError, StoreError, OSError."""
    folder = open_folder(arguments.folder)
    with open_user(arguments.home) as profile:
        user, exchange = profile.user, Exchange(profile, folder)
        exchange.post()
        exchange.refresh(user.name)
        require_listed(user)
        if arguments.device == user.address.device_id and not arguments.yes:
            raise UsageError("this is the device that runs the command: --yes revokes it, for good")
        with user.transaction():
            revoked = user.revoke(arguments.device)
            exchange.record(revoked.outgoing)
        version = exchange.publish_lists()
        exchange.note(needs=revoked.needs)
        exchange.meet()
        exchange.post()
    shown = {"name": user.name, "device": arguments.device, "version": version}
    line = f"device {arguments.device} of {user.name} is revoked, with version {version} of the device list"
    report(arguments, shown, [line], exchange)
    exchange.require_posted()


# --- both -------------------------------------------------------------------------------------------------


def _await(
    folder: Folder, bundle_hash: bytes, step: Step, take: Callable[[bytes], _Result], until: float
) -> _Result | None:
    """Return what `take` makes of a step, once the folder has it; None if it does not come in time.

    What `take` refuses is looked at again once it has changed. Raises its PeerError at the end.
    """
    seen: bytes | None = None
    refused: PeerError | None = None
    while True:
        data = folder.step(bundle_hash, step)
        if data is not None and data != seen:
            try:
                return take(data)
            except PeerError as error:
                seen, refused = data, error
        left = until - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(left, _INTERVAL))
    if refused is not None:
        raise refused
    return None


@contextmanager
def _naming_remedy() -> Generator[None]:
    """Let a refusal name the command that shows a new code."""
    try:
        yield
    except LinkingRefused as error:
        raise LinkingRefused(f"{error}: {_AGAIN}") from None
    except PeerError as error:
        raise LinkingRefused(
            f"the other device's file in the folder is wrong ({error}): repeat the command once it is "
            f"replaced, or begin again with a new code: {_AGAIN}"
        ) from None


def _require_current(code: LinkingCode) -> None:
    """Raise LinkingRefused if nobody can answer this code any more."""
    if code.expires <= time.time():
        raise LinkingRefused("the code has expired, or a clock is wrong: show a new code and begin again")


def _tell(arguments: Namespace, value: dict[str, Any], line: str) -> None:
    if arguments.json:
        print_json(value, indent=None)
    else:
        say(line)


def _tell_waiting(arguments: Namespace, what: str, whom: str) -> None:
    line = f"waiting for {whom}; then repeat this command"
    _tell(arguments, {"state": "waiting", "for": what}, line)

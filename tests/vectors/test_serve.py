"""`letterlock vectors serve`: every line is answered, and only the end of the input ends it."""

import json
import subprocess
import sys
from typing import Any

import pytest

from letterlock_vectors import serve
from letterlock_vectors.library import Library
from letterlock_vectors.serve import answer

LIBRARY = Library()


def ask(op: object, given: object, id_: object = 1) -> dict[str, Any]:
    reply: dict[str, Any] = json.loads(
        answer(LIBRARY, json.dumps({"id": id_, "op": op, "in": given}).encode())
    )
    assert reply.pop("id") == id_
    return reply


def test_an_operation_is_answered() -> None:
    chain = ask("kdf.chain", {"chain": "00" * 32})["out"]
    assert set(chain) == {"chain", "message"}
    assert ask("curve.public", {"key": "00" * 32}) == {"error": "InvalidKey"}


def test_hello_names_the_implementation() -> None:
    hello = ask("hello", {})["out"]
    assert (hello["implementation"], hello["protocol"]) == ("letterlock", 1)
    assert {"hello", "kdf.chain", "account.play", "party.decrypt"} <= set(hello["operations"])


@pytest.mark.parametrize("id_", [None, 0, "x", [1, {"a": 2}], {"b": None}, 1.5])
def test_the_answer_repeats_the_id(id_: object) -> None:
    assert "error" in ask("no such thing", {}, id_)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"{", b"[]", b"7", b"null", b"\xff\xfe", b"{}", b'{"op": 5}', b'{"op": "kdf.chain"}',
        b"[" * 10_000,
        b'{"op": "kdf.chain", "in": []}', b'{"op": "kdf.chain", "in": {}}', b'{"op": "nothing", "in": {}}',
        b'{"op": "kdf.chain", "in": {"chain": 5}}', b'{"op": "kdf.chain", "in": {"chain": "0"}}',
        b'{"op": "kdf.chain", "in": {"chain": "AA"}}', b'{"op": "kdf.chain", "in": {"chain": " 00"}}',
        b'{"op": "kdf.hkdf", "in": {"salt": "", "ikm": "", "info": "", "length": true}}',
        b'{"op": "handshake.initiate", "in": {"address": ["a"]}}',
    ],
)  # fmt: skip
def test_a_line_that_is_not_a_request_is_refused(line: bytes) -> None:
    reply = json.loads(answer(LIBRARY, line))
    assert reply["error"] == "UsageError"
    assert reply["detail"]


@pytest.mark.parametrize(
    "name", ["kdf.chain", "kdf.root", "kdf.hkdf", "xeddsa.sign", "seal.seal", "store.open"]
)
def test_unusable_values_are_refused_and_nothing_else_escapes(name: str) -> None:
    """Each operation is asked with one value of each type in all of its fields."""
    names = """chain root agreement salt ikm info length private message nonce key message_key associated_data
               ratchet_key previous_length number plaintext data_key table columns value"""
    fields = names.split()
    junks: list[object] = [None, "", "00", "zz", 0, -1, 2**70, 1.5, True, [], {}, "00" * 32]
    for junk in junks:
        reply = ask(name, dict.fromkeys(fields, junk))
        assert set(reply) <= {"out", "error", "detail"}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("kdf.hkdf", {"salt": "", "ikm": "", "info": "", "length": 0}),
        ("kdf.hkdf", {"salt": "", "ikm": "", "info": "", "length": 10**9}),
        ("kdf.chain", {"chain": "00" * 31}),
        ("curve.agree", {"private": "00", "public": "09" + "00" * 31}),
        ("kem.from_seed", {"seed": "00" * 63}),
        ("xeddsa.sign", {"private": "00" * 32, "message": "", "nonce": "00" * 32}),
    ],
)
def test_values_of_the_wrong_length_are_refused(name: str, given: object) -> None:
    assert ask(name, given)["error"] == "UsageError"


def test_a_line_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "MAX_LINE", 30)
    assert json.loads(answer(LIBRARY, b'{"id": 5, "op": "hello", "in": {}}'))["error"] == "UsageError"


def test_as_a_process() -> None:
    lines = [
        b'{"id": 1, "op": "hello", "in": {}}',
        b"junk",
        b'{"id": 2, "op": "curve.public", "in": {"key": "00"}}',
    ]
    done = subprocess.run(
        [sys.executable, "-m", "letterlock", "vectors", "serve"],
        input=b"\n".join(lines), capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert first["out"]["implementation"] == "letterlock"
    assert (second["id"], second["error"]) == (None, "UsageError")
    assert third == {"id": 2, "error": "InvalidKey"}
    assert done.stderr == b""

"""The grants that travel with a document are rewritten, and nothing else changes."""

import io

import pytest

from letterlock.documents._grants import read_grants, write_grants
from letterlock.errors import MalformedMessage, UsageError
from support.sealed import as_file, content, open_whole, sealed


@pytest.mark.parametrize("length", [0, 200_000])
def test_grants_are_rewritten(length: int) -> None:
    document = sealed(length)
    file = io.BytesIO(document.data)
    for grants in (b"some grants", bytes(2**20), b"", b"others"):
        write_grants(file, grants)
        assert read_grants(file) == grants
        changed = document.with_data(file.getvalue())
        assert open_whole(changed).grants == grants
        assert as_file(changed).readall() == content(length)
    write_grants(file, b"")
    assert file.getvalue() == document.data


def test_too_many_are_refused() -> None:
    file = io.BytesIO(sealed(0).data)
    with pytest.raises(UsageError, match="at most 1048576"):
        write_grants(file, bytes(2**20 + 1))
    assert file.getvalue() == sealed(0).data


@pytest.mark.parametrize("data", [b"", bytes(100), sealed(0).data[:-1]])
def test_what_is_no_document_has_none(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_grants(io.BytesIO(data))
    file = io.BytesIO(data)
    with pytest.raises(MalformedMessage):
        write_grants(file, b"grants")
    assert file.getvalue() == data


def test_a_footer_that_claims_more_than_the_limit_is_refused() -> None:
    data = bytearray(sealed(0).data)
    data[-20:-16] = (2**20 + 1).to_bytes(4, "big")
    with pytest.raises(MalformedMessage, match="above the limits"):
        read_grants(io.BytesIO(data))

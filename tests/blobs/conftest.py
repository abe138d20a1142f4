"""One server with the S3 API for all tests of this folder, and the two storages."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from letterlock.blobs import Blobs, DirectoryBlobs, S3Blobs
from support.s3_server import BUCKET, Scripted, client_of, moto


@pytest.fixture(scope="session")
def s3_endpoint() -> Generator[str]:
    with moto() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def s3_client(s3_endpoint: str) -> Any:
    return client_of(s3_endpoint)


@pytest.fixture
def scripted() -> Generator[Scripted]:
    made = Scripted()
    yield made
    made.close()


@pytest.fixture(params=["directory", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    """Return an empty storage of each kind."""
    if request.param == "directory":
        return DirectoryBlobs(tmp_path / "blobs")
    return S3Blobs(BUCKET, f"{tmp_path.name}/", client=request.getfixturevalue("s3_client"))

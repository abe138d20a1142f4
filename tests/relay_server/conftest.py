"""One relay for all tests of a module that leave it running."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.relay_server import Server, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("relay")) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path

"""Which URLs a client takes. CLN-6"""

import pytest

from letterlock.client._http import RelayUrl
from letterlock.errors import UsageError


@pytest.mark.parametrize(
    ("url", "text", "name"),
    [
        ("https://relay.example", "https://relay.example", "relay.example"),
        ("https://Relay.Example/", "https://relay.example", "relay.example"),
        ("https://relay.example:443", "https://relay.example", "relay.example"),
        ("https://relay.example:8443", "https://relay.example:8443", "relay.example:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://localhost:80", "http://localhost", "localhost"),
        ("http://[::1]:8000", "http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_a_url_is_a_scheme_a_host_and_a_port(url: str, text: str, name: str) -> None:
    assert (RelayUrl(url).text, RelayUrl(url).name) == (text, name)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "relay.example",
        "ftp://relay.example",
        "file:///etc/passwd",
        "https://",
        "https://relay.example/path",
        "https://relay.example?query",
        "https://relay.example#part",
        "https://user@relay.example",
        "https://user:word@relay.example",
        "https://relay.example:port",
        "https://relay.example:99999",
        "https://r\u00e9lay.example",
        "https://" + "a" * 300,
        None,
        b"https://relay.example",
    ],
)
def test_anything_else_is_refused(url: object) -> None:
    with pytest.raises(UsageError, match="the URL of a server is such as"):
        RelayUrl(url)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    ["http://relay.example", "http://192.0.2.1", "http://127.0.0.1.example", "http://localhost.example"],
)
def test_without_tls_only_this_machine_is_reached(url: str) -> None:
    with pytest.raises(UsageError, match="needs https"):
        RelayUrl(url)
    assert RelayUrl(url, allow_insecure=True).text == url

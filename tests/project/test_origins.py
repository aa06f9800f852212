"""Which pages may open a socket."""

import pytest

from project.origins import admits

HOST = b"localhost:8000"


def headers(origin: str | None = None, host: str = "localhost:8000", **more: str) -> dict[bytes, str]:
    given = {b"host": host} | {name.encode(): value for name, value in more.items()}
    return given if origin is None else given | {b"origin": origin}


def test_a_page_of_this_very_server_may() -> None:
    assert admits(headers("http://localhost:8000"))
    assert admits(headers("http://127.0.0.1:9000", host="127.0.0.1:9000"))
    assert admits(headers("http://[::1]:8000", host="[::1]:8000"))


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:9999",
        "https://localhost:8000",
        "http://evil.example",
        "http://localhost.evil.example:8000",
        "http://localhost:8000@evil.example",
        "http://[::1",
        "http://localhost:port",
        "file://",
        "localhost:8000",
    ],
)
def test_a_foreign_page_may_not(origin: str) -> None:
    assert not admits(headers(origin))
    assert not admits(headers(origin, authorization="Bearer parley_x"))


def test_a_rebound_name_may_not_although_origin_and_host_agree() -> None:
    assert not admits(headers("http://evil.example:8000", host="evil.example:8000"))


@pytest.mark.parametrize("origin", [None, "null"])
def test_without_an_origin_only_a_token_may(origin: str | None) -> None:
    assert not admits(headers(origin))
    assert not admits(headers(origin, authorization="Basic eA=="))
    assert admits(headers(origin, authorization="Bearer parley_x"))


def test_in_production_the_public_address_and_nothing_else(settings: pytest.FixtureRequest) -> None:
    settings.DEVELOPMENT, settings.PUBLIC_URL = False, "https://chat.example.com:8443"
    settings.ALLOWED_HOSTS = ["chat.example.com", ".team.example"]
    assert admits(headers("https://chat.example.com:8443"))
    assert admits(headers("https://chat.example.com"))
    assert admits(headers("https://a.team.example"))
    assert not admits(headers("http://chat.example.com", host="chat.example.com"))
    assert not admits(headers("https://chat.example.com:9000", host="chat.example.com:9000"))
    assert not admits(headers("http://localhost:8000"))

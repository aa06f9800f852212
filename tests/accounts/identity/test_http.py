"""What a request to an issuer may reach: https, the public internet for a workspace's own, and no further."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from accounts.oidc.http import fetch_json, is_acceptable, is_public
from accounts.oidc.refusals import Refused


@pytest.mark.parametrize(
    ("url", "in_development", "in_production"),
    [
        ("https://login.example/x", True, True),
        ("http://localhost:8080", True, False),
        ("http://127.0.0.1:8080", True, False),
        ("http://[::1]:8080", True, False),
        ("http://login.example", False, False),
        ("http://127.0.0.1.evil.example", False, False),
        ("https://user@login.example", False, False),
        ("https://login.example/#x", False, False),
        ("https://", False, False),
        ("https://login.example:0/", False, False),
        ("https://login.example:99999/", False, False),
        ("https://[::1", False, False),
        ("ftp://login.example", False, False),
        ("//login.example", False, False),
        ("https://login.example/" + "x" * 600, False, False),
    ],
)
def test_only_https_is_asked_and_this_machine_in_development(
    settings: Any, url: str, in_development: bool, in_production: bool
) -> None:
    assert is_acceptable(url) is in_development
    settings.DEVELOPMENT = False
    assert is_acceptable(url) is in_production


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("127.8.9.1", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("::ffff:169.254.169.254", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:a9fe:a9fe::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
    ],
)
def test_an_address_is_public_or_not_however_it_is_written(address: str, public: bool) -> None:
    assert is_public(address) is public


class Listener(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.heard.append(self.path)  # type: ignore[attr-defined]
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def listener() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Listener)
    server.heard = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def heard(listener: HTTPServer) -> list[str]:
    found: list[str] = listener.heard  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("private", [False, True])
def test_a_workspaces_issuer_at_a_private_address_is_sent_no_byte(settings: Any, private: bool) -> None:
    """The installation's own may be at one: the greeting of TLS arrives."""
    settings.DEVELOPMENT = False
    heard: list[bytes] = []

    def listen() -> None:
        with door.accept()[0] as caller:
            heard.append(caller.recv(1))

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=listen)
        thread.start()
        with pytest.raises(Refused, match="unreachable"):
            fetch_json(f"https://127.0.0.1:{door.getsockname()[1]}/x", private=private, headers={})
        thread.join(10)
    assert heard == ([b"\x16"] if private else [b""])


def test_a_redirect_is_not_followed(listener: HTTPServer) -> None:
    assert fetch_json(f"http://127.0.0.1:{listener.server_address[1]}/away", private=True, headers={}) == (302, {})
    assert heard(listener) == ["/away"]


def test_a_proxy_of_the_environment_is_not_asked(listener: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert fetch_json(f"http://127.0.0.1:{listener.server_address[1]}/x", private=True, headers={}) == (200, {})

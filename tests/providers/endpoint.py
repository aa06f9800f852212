"""A token endpoint in a thread of its own that counts what it is asked."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Endpoint:
    """`status` and `answer` (None for a fresh token) are what it says after `seconds`; `asked` what it was sent.
    Whoever reads it is told `public`; `claims` are what an identity token says beside what it has to."""

    url: str = ""
    status: int = 200
    answer: dict[str, Any] | None = None
    seconds: float = 0.2
    lifetime: float = 3600
    asked: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    public: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)

    def said(self) -> dict[str, Any]:
        if self.answer is not None:
            return self.answer
        token = f"sk-fetched-{len(self.asked):04d}-aaaaaaaaaaaaaaaaaaaa"
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    told = Endpoint()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            with lock:
                told.asked.append(json.loads(body) if body.startswith("{") else body)
                told.headers.append(dict(self.headers))
                said = json.dumps(told.said()).encode()
            time.sleep(told.seconds)
            self.say(told.status, said)

        def do_GET(self) -> None:
            self.say(200, json.dumps(told.public).encode())

        def say(self, status: int, said: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}/oauth/token"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()

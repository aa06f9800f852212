"""An upstream that answers every call with an error which repeats the caller's key, as careless gateways do."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import ClassVar

STATUSES = (401, 403, 429, 500, 400, 404, 503)


class Echo(BaseHTTPRequestHandler):
    statuses = cycle(STATUSES)
    keys: ClassVar[set[str]] = set()

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = self.headers.get("Authorization") or self.headers.get("x-goog-api-key") or ""
        self.keys.add(key.removeprefix("Bearer "))
        body = json.dumps({"error": {"message": f"Incorrect API key provided: {key}", "type": key, "code": key}})
        self.send_response(next(self.statuses))
        self.send_header("Content-Type", "application/json")
        self.send_header("x-request-id", key)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: object) -> None:
        """The echo keeps no log of its own."""


@contextmanager
def echoing() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

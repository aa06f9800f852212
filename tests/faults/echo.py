"""An upstream that fails every call in the way its address names, and repeats the caller's key as careless gateways do.

`http://…/f/<fault>/…` fails with `<fault>`; `http://…/token` exchanges what it is sent for a key of its own; any other
address refuses the key."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from tests.faults.canaries import key_of

STATUSES = ("400", "401", "402", "403", "404", "413", "422", "429", "500", "502", "503", "529")
# An answer that begins well: one that is no event, one that is an error, one that ends too early.
STREAMS = ("garbage", "error", "cut")
FAULTS = (*STATUSES, *STREAMS)


class Echo(BaseHTTPRequestHandler):
    keys: ClassVar[set[str]] = set()
    # Which fault was served to which key.
    served: ClassVar[set[tuple[str, str]]] = set()
    # What was given for a subject token.
    issued: ClassVar[dict[str, str]] = {}

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = [self.headers.get(name) for name in ("Authorization", "x-api-key", "x-goog-api-key")]
        key = next((each for each in given if each), "").removeprefix("Bearer ")
        if self.path.endswith("/token"):
            key = json.loads(sent)["subject_token"]
        if self.path == "/token":
            token = self.issued[key] = key_of("openai")
            return self._send(200, "application/json", json.dumps({"access_token": token, "expires_in": 3600}), key)
        _, _, rest = self.path.partition("/f/")
        fault = rest.partition("/")[0] or "401"
        self.keys.add(key)
        if self.command == "POST":
            self.served.add((fault, key))
        if fault in STREAMS:
            return self._send(200, "text/event-stream", self._stream(fault, key), key)
        body = {"error": {"message": f"Incorrect API key provided: {key}", "type": key, "code": key}, "detail": key}
        return self._send(int(fault), "application/json", json.dumps(body), key)

    def _stream(self, fault: str, key: str) -> str:
        error = json.dumps({"type": "error", "error": {"message": key, "type": "overloaded_error", "code": key}})
        lines = {"garbage": f"data: {{{key}\n\n", "error": f"event: error\ndata: {error}\n\n", "cut": f": {key}\n\n"}
        return lines[fault]

    def _send(self, status: int, kind: str, body: str, key: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("x-request-id", key)
        self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body.encode())))
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

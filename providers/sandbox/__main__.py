"""`python -m providers.sandbox`: run the sandbox on this machine and print its address as one line of JSON."""

import argparse
import asyncio
import contextlib
import ipaddress
import json
import os
import socket
import sys
import threading

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from providers.sandbox.app import PACE, NotInProduction, Sandbox, refuse_production
from providers.sandbox.connection import DROP

# In the environment, where other people of this machine cannot read it.
SECRET = "PARLEY_SANDBOX_SECRET"


class DroppingProtocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """uvicorn's protocol with one more extension: the application can close the socket in the middle of an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {DROP: {"close": self.transport.close}}


class AnnouncingServer(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or [])[0].getsockname()[:2]
        sys.stdout.write(json.dumps({"url": f"http://{f'[{host}]' if ':' in host else host}:{port}"}) + "\n")
        sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    try:
        refuse_production()
        bound = _bound(options.host, options.port)
    except (NotInProduction, ValueError, OverflowError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    config = uvicorn.Config(
        Sandbox(options.pace, os.environ.get(SECRET, "")),
        http=DroppingProtocol,
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=0,
        timeout_keep_alive=60,
    )
    server = AnnouncingServer(config)
    if options.lifeline:
        threading.Thread(target=_watch_stdin, args=(server,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        server.run(sockets=[bound])
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m providers.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--pace", type=float, default=PACE, help="pieces a second, 0 for as fast as possible")
    parser.add_argument("--lifeline", action="store_true", help="exit when standard input closes")
    return parser.parse_args(arguments)


def _bound(host: str, port: int) -> socket.socket:
    """A listening address on this machine. Raises ValueError for any other and OSError for a port in use."""
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host.strip("[]"))
    if not address.is_loopback:
        raise ValueError(f"The sandbox listens on this machine only, not on {host}: use 127.0.0.1.")
    bound = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
    if os.name == "posix":
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((str(address), port))
    return bound


def _watch_stdin(server: uvicorn.Server) -> None:
    """Whoever started us holds the other end; when it dies, so do we. Unbuffered, so that no lock outlives the exit."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main())

"""What a serving process does beside its requests: it answers runs, keeps the catalog fresh, checks the
providers and loads adapters early.

Nothing here starts at import: the first request, the server's own start-up event or `manage.py up` asks for it.
"""

import asyncio
import ctypes
import gc
import logging
import threading
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from twisted.internet import reactor, threads

from accounts import vault
from catalog import schedule, snapshot
from chat import relay, runner
from providers import registry, rounds, runtime
from providers.database import in_database
from providers.drills import running as drills
from providers.models import Credential

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_started = False
_refused: str | None = None


class Serving:
    """The whole application; a process that is handed its first scope is one that serves."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif settings.TESTING:
            await self.application(scope, receive, send)
        elif await refusal():  # of a server that has no start-up event, as daphne
            await _turn_away(scope, send)
        else:
            start()
            await self.application(scope, receive, send)


async def refusal() -> str:
    """Why this process must not serve, asked once; empty when it may."""
    global _refused
    if _refused is None:
        _refused = await in_database(vault.refusal)
        if _refused:
            logger.critical("%s", _refused)
    return _refused


async def _turn_away(scope: dict[str, Any], send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1011})
        return
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": 503, "headers": [kind]})
    said = b"This server cannot read what it has stored. Its log says what is missing.\n"
    await send({"type": "http.response.body", "body": said})


async def lifespan(receive: Any, send: Any) -> None:
    """A server whose key ring cannot read what is stored does not begin; one that announces its end gives running
    answers time to finish before the loop is gone."""
    while (await receive())["type"] == "lifespan.startup":
        if message := await refusal():
            await send({"type": "lifespan.startup.failed", "message": message})
            return
        if not settings.TESTING:
            start()
        await send({"type": "lifespan.startup.complete"})
    await asyncio.to_thread(stop)
    await send({"type": "lifespan.shutdown.complete"})


def start() -> None:
    """Start, once in this process, what runs beside the requests. Returns at once."""
    global _started
    with _lock:
        if _started:
            return
        _started = True
    _drain_with_reactor()
    threading.Thread(target=_work, name="background", daemon=True).start()


def stop() -> None:
    """Let running answers finish within the grace time and interrupt the rest cleanly; blocks until then."""
    runner.drain(settings.DRAIN_SECONDS)
    relay.stop()
    schedule.stop()
    rounds.stop()
    drills.leave()


def _work() -> None:
    if settings.RUNNER == "inside":
        runner.start_in_background()
    else:
        relay.listen_in_background()
    schedule.start_in_background()
    rounds.start_in_background()
    _load_adapters()


def _load_adapters() -> None:
    """Import the SDKs that somebody here has a key for, so that the first token does not wait for it, and read the
    catalog, so that the first page does not."""
    try:
        snapshot.current()
        stored = set(Credential.objects.order_by().values_list("provider_id", flat=True).distinct())
    except DatabaseError:
        stored = set()
    finally:
        close_old_connections()
    keyed = stored | {name for name, key in settings.PROVIDER_KEYS.items() if key}
    ids = [one.provider_id for one in registry.available() if settings.SANDBOX_URL or one.provider_id in keyed]
    runtime.prewarm(ids).join()
    _settle()


def _settle() -> None:
    """Keep the collector from walking what imports made, which is a fifth of a second for every open stream, and
    return to the system what they freed, where the C library can."""
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _drain_with_reactor() -> None:
    """Daphne has no start-up or shutdown event of its own; its reactor waits for what is registered here."""
    waiting: Any = reactor  # its interface is declared in a way that type checkers do not read
    waiting.addSystemEventTrigger("before", "shutdown", threads.deferToThread, stop)

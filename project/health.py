"""Two questions a supervisor asks: is the process alive, and can it store anything. Neither asks a provider."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from channels.layers import channel_layers
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.problems import Problem
from project.problems import JSON, body

SECONDS = 2.0
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="readiness")
_asked: dict[str, asyncio.Future[bool]] = {}


@login_not_required
async def alive(request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all; touches no storage."""
    return JsonResponse({"status": "alive"})


@login_not_required
async def ready(request: HttpRequest) -> HttpResponse:
    """200 when database and message side both take a write within two seconds, else 503 naming the failing one."""
    sides: dict[str, Callable[[], Awaitable[bool]]] = {"database": database_writes, "messages": messages_pass}
    answers = await asyncio.gather(*(within(name, check) for name, check in sides.items()))
    failing = [name for name, well in zip(sides, answers, strict=True) if not well]
    if not failing:
        return JsonResponse({"status": "ready"})
    problem = Problem(503, "not_ready", f"Not ready: {' and '.join(failing)}.", "Try again soon.", failing=failing)
    response = HttpResponse(body(problem), content_type=JSON, status=503)
    response["Retry-After"] = "2"
    return response


async def within(name: str, check: Callable[[], Awaitable[bool]]) -> bool:
    """Ask once at a time: a side that hangs is not asked again until it has answered."""
    running = _asked.get(name)
    if running is None or running.done() or running.get_loop() is not asyncio.get_running_loop():
        running = _asked[name] = asyncio.ensure_future(check())
    done, _ = await asyncio.wait({running}, timeout=SECONDS)
    return bool(done) and running.result()


async def database_writes() -> bool:
    return await asyncio.get_running_loop().run_in_executor(_threads, _store_and_roll_back)


def _store_and_roll_back() -> bool:
    """Over a connection of its own: whether a new one can be had is part of the question."""
    try:
        with transaction.atomic():
            Session(session_key="readyz", session_data="", expire_date=datetime.now(UTC) + timedelta(minutes=1)).save()
            transaction.set_rollback(True)
    except DatabaseError:
        return False
    finally:
        connection.close()
    return True


async def messages_pass() -> bool:
    """The cache and the channel layer; both live in this process unless Redis is configured."""
    if not settings.REDIS_URL:
        return True
    from redis.exceptions import RedisError  # noqa: PLC0415 - loaded only where Redis is configured

    try:
        await asyncio.get_running_loop().run_in_executor(_threads, cache.set, "readyz", 1, 5)
        await channel_layers["default"].group_send("readyz", {"type": "readyz"})
    except (RedisError, OSError):
        return False
    return True

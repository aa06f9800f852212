"""Wake-ups between processes, over the channel layer: one small message for a whole window of writes. A lost one
makes a reader late by one poll, never wrong."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer, channel_layers
from django.conf import settings

from chat import hub
from providers.own_loop import OwnLoop

logger = logging.getLogger(__name__)

GROUP = "journal"
# A group sends to its sender too, who has told its own readers already.
_ME = uuid4().hex
RECONNECT_SECONDS = 1.0


def enabled() -> bool:
    """With no Redis there is nothing to relay to: an in-process layer ends where the hub ends."""
    return bool(settings.REDIS_URL)


def _layer_errors() -> tuple[type[Exception], ...]:
    """What a layer raises when Redis is away or a channel is full; a wake-up is worth a line in the log, no more."""
    from redis.exceptions import RedisError  # noqa: PLC0415 - loaded only where Redis is configured

    return RedisError, OSError, ChannelFull, TimeoutError


def _layer() -> BaseChannelLayer:
    return channel_layers["default"]


async def announce(topics: Iterable[str], *, stop: Iterable[UUID] = (), queued: bool = False) -> None:
    """Tell other processes that these topics have something new, which runs to stop, and whether a run may be queued:
    that costs each of them a query."""
    if not enabled():
        return
    said = {"from": _ME, "topics": list(topics), "stop": [str(run_id) for run_id in stop], "queued": queued}
    try:
        await _layer().group_send(GROUP, {"type": "journal.wake", **said})
    except _layer_errors() as error:
        logger.warning("a wake-up was not relayed: %s", type(error).__name__)


def announce_from_thread(topics: Sequence[str], *, stop: Iterable[UUID] = ()) -> None:
    """The same for synchronous callers."""
    if enabled():
        async_to_sync(announce)(topics, stop=list(stop), queued=bool(topics))


async def listen(on_stop: Callable[[UUID], None], on_wake: Callable[[], None]) -> None:
    """Hand every wake-up of other processes to this one's readers and runner; runs until cancelled."""
    while enabled():
        try:
            await _listen_once(on_stop, on_wake)
        except _layer_errors() as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # the layer's clean-up failed in its turn and hid it
                raise asyncio.CancelledError from error
            logger.warning("the relay lost its connection (%s), trying again", type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)


async def _read_only() -> None:
    await listen(lambda _: None, lambda: None)


_ears = OwnLoop("relay", _read_only)


def listen_in_background() -> None:
    """For a process whose runs are executed elsewhere: its readers are told in time all the same."""
    if enabled():
        _ears.start()


def stop() -> None:
    _ears.stop()


async def _listen_once(on_stop: Callable[[UUID], None], on_wake: Callable[[], None]) -> None:
    layer = _layer()
    channel = await layer.new_channel()
    await layer.group_add(GROUP, channel)
    try:
        while True:
            message: dict[str, Any] = await layer.receive(channel)
            if message["from"] == _ME:
                continue
            hub.publish_all((topic, ()) for topic in message["topics"])
            for run_id in message["stop"]:
                on_stop(UUID(run_id))
            if message["queued"]:
                on_wake()
    finally:
        await layer.group_discard(GROUP, channel)

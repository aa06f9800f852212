"""The layer that wakes readers in other processes keeps an idle reader."""

import asyncio

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer

from tests import machine

IDLE = 6.5  # redis-py gives up on a silent socket after five seconds unless it is told not to


@pytest.mark.redis
@pytest.mark.anyio
async def test_a_reader_that_was_idle_for_longer_than_the_sockets_timeout_still_hears() -> None:
    configured = {"address": machine.REDIS, "socket_timeout": None}
    layer = RedisPubSubChannelLayer(hosts=[configured], prefix="parley-test")
    channel = await layer.new_channel()
    await layer.group_add("readers", channel)
    heard = asyncio.ensure_future(layer.receive(channel))
    await asyncio.sleep(IDLE)
    assert not heard.done()
    await layer.group_send("readers", {"type": "wake"})
    assert (await asyncio.wait_for(heard, 2))["type"] == "wake"
    await layer.flush()


def test_the_settings_ask_for_that_layer_and_no_timeout() -> None:
    import subprocess
    import sys

    from tests.guards.source import ROOT

    code = "from project.settings import CHANNEL_LAYERS as layers; print(layers['default'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"REDIS_URL": "redis://127.0.0.1:6379/3", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "RedisPubSubChannelLayer" in done.stdout
    assert "'socket_timeout': None" in done.stdout

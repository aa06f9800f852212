"""How an adapter treats what it shares: the socket, the pool, the environment, other people's cookies."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import httpx2
import pytest

from providers import http
from providers.events import TextDelta
from tests.contract.answers import Answer
from tests.contract.dialects import SECRET, Dialect, asked, plugged, speaking
from tests.contract.upstream import Upstream
from tests.contract.wire import Script, plays

pytestmark = pytest.mark.anyio

OPENING = Answer(text=("once upon a time",), terminal=False)
POISON = {
    "OPENAI_API_KEY": "sk-poison",
    "OPENAI_ADMIN_KEY": "sk-poison",
    "OPENAI_BASE_URL": "http://poison.test",
    "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer sk-poison\nX-Poison: poison",
    "OPENAI_ORG_ID": "org-poison",
    "OPENAI_PROJECT_ID": "proj-poison",
    "OPENAI_LOG": "debug",
    "ANTHROPIC_API_KEY": "sk-ant-poison",
    "ANTHROPIC_AUTH_TOKEN": "sk-ant-poison",
    "ANTHROPIC_BASE_URL": "http://poison.test",
    "ANTHROPIC_CUSTOM_HEADERS": "x-api-key: sk-ant-poison\nX-Poison: poison",
    "ANTHROPIC_PROFILE": "poison",
    "ANTHROPIC_CONFIG_DIR": "/nonexistent/poison",
    "ANTHROPIC_LOG": "debug",
    "GOOGLE_API_KEY": "AIza-poison",
    "GEMINI_API_KEY": "AIza-poison",
    "GOOGLE_GENAI_USE_VERTEXAI": "1",
    "GOOGLE_GENAI_USE_ENTERPRISE": "1",
    "GOOGLE_GEMINI_BASE_URL": "http://poison.test",
    "GOOGLE_GENAI_API_VERSION": "poison",
    "GOOGLE_CLOUD_PROJECT": "poison",
    "GOOGLE_CLOUD_LOCATION": "poison",
    "MISTRAL_API_KEY": "poison",
    "MISTRAL_DEBUG": "1",
    "MISTRAL_SA_TOKEN_PATH": "/nonexistent/poison",
    "MISTRAL_SDK_TELEMETRY": "dedicated",
    "HTTP_PROXY": "http://poison.test:1",
    "HTTPS_PROXY": "http://poison.test:1",
    "ALL_PROXY": "socks5://poison.test:1",
}


def base(dialect: Dialect, url: str) -> str:
    return url + dialect.base_url.removeprefix("http://vendor.test")


async def first_text(dialect: Dialect, url: str, seen: asyncio.Event) -> None:
    stream = dialect.runtime.stream_generate(dialect.credential(base_url=base(dialect, url)), asked())
    async for event in stream:
        if isinstance(event, TextDelta):
            seen.set()


async def test_cancelling_the_reader_closes_the_vendors_socket(dialect: Dialect) -> None:
    async with Upstream(dialect.wire.render(OPENING)).running() as upstream:
        seen = asyncio.Event()
        reader = asyncio.create_task(first_text(dialect, upstream.url, seen))
        await seen.wait()
        reader.cancel()
        async with asyncio.timeout(1):
            await upstream.left.wait()
        with pytest.raises(asyncio.CancelledError):
            await reader
    await http.close()


async def test_leaving_the_stream_closes_the_vendors_socket(dialect: Dialect) -> None:
    async with Upstream(dialect.wire.render(OPENING)).running() as upstream:
        credential = dialect.credential(base_url=base(dialect, upstream.url))
        async with aclosing(dialect.runtime.stream_generate(credential, asked())) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    break
        async with asyncio.timeout(1):
            await upstream.left.wait()
    await http.close()
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("provider-stream")] == []


async def test_a_reader_that_goes_before_the_first_byte_leaves_nothing_behind(dialect: Dialect) -> None:
    async with Upstream(b"").running() as upstream:
        reader = asyncio.create_task(first_text(dialect, upstream.url, asyncio.Event()))
        await upstream.asked.wait()
        reader.cancel()
        async with asyncio.timeout(1):
            await upstream.left.wait()
    await http.close()


async def test_one_tenants_cookie_never_reaches_anothers_request(dialect: Dialect) -> None:
    answer = plays(dialect.wire.render(Answer(text=("ok",))), set_cookie="tenant=alice; Path=/")
    with plugged(answer) as wire:
        await dialect.read(asked(), dialect.credential("sk-alice-0123456789"))
        await dialect.read(asked(), dialect.credential("sk-bob-0123456789"))
    assert [request.headers.get("cookie") for request in wire.requests] == [None, None]
    assert dialect.secret_in(wire) == "sk-bob-0123456789"


async def test_the_shared_pool_is_left_open(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))) as wire:
        shared = http.client()
        await dialect.read(asked())
        await dialect.runtime.validate_credential(dialect.credential())
        assert not shared.is_closed
        await dialect.read(asked())
    assert wire.open == 0
    assert not http.placeholder().is_closed


async def test_nothing_in_the_environment_changes_the_wire(dialect: Dialect, monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))) as clean:
        await dialect.read(asked())
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))) as poisoned:
        await dialect.read(asked())
    before, after = clean.requests[0], poisoned.requests[0]
    assert (after.method, after.url, after.content) == (before.method, before.url, before.content)
    assert after.headers == before.headers
    assert "poison" not in repr(after.headers.raw)


async def test_the_pool_itself_ignores_proxies(dialect: Dialect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a real socket: with the proxy believed, nothing would arrive."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with Upstream(dialect.wire.render(OPENING)).running() as upstream:
        seen = asyncio.Event()
        reader = asyncio.create_task(first_text(dialect, upstream.url, seen))
        await seen.wait()
        reader.cancel()
        await asyncio.wait({reader})
    await http.close()


async def test_calls_beside_each_other_keep_their_keys(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))) as wire:
        keys = [f"sk-tenant-{number:08}" for number in range(20)]
        await asyncio.gather(*(dialect.read(asked(key), dialect.credential(key)) for key in keys))
    for request in wire.requests:
        key = (request.headers.get("x-goog-api-key") or request.headers["authorization"]).removeprefix("Bearer ")
        assert key.encode() in request.content


async def test_no_secret_is_in_what_can_be_printed(dialect: Dialect) -> None:
    credential = dialect.credential()
    with plugged(httpx2.ConnectError(f"could not send {SECRET}")):
        error = await dialect.fails(asked(), credential)
    assert SECRET not in f"{credential!r} {error!r} {error} {error.message} {error.__cause__!r}"


@speaking("openai", "openai_compatible")
async def test_an_api_key_does_not_expire_like_a_session(dialect: Dialect) -> None:
    body = b'{"error":{"code":"token_expired","message":"expired","type":"invalid_request_error"}}'
    with plugged(Script((body,), 401)):
        codes = [
            (await dialect.fails(asked(), replace(dialect.credential(), kind=kind))).code.value
            for kind in ("api_key", "session")
        ]
    assert codes == ["invalid_auth", "session_expired"]

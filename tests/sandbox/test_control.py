"""Arming faults from outside, what the records say, and who is let in."""

import asyncio
import time
from typing import Any

import httpx2
import pytest

from providers.sandbox.connection import BODY_LIMIT
from tests.sandbox.server import SandboxServer
from tests.sandbox.test_faults import request, texts

pytestmark = pytest.mark.anyio


async def statuses(sandbox: SandboxServer, http: httpx2.AsyncClient, count: int, wire: str = "openai") -> list[int]:
    return [(await http.post(**request(sandbox, wire, "Hello /tokens 1"))).status_code for _ in range(count)]


async def test_an_armed_fault_strikes_as_often_as_told(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    sandbox.arm("openai", "overloaded", count=2)
    assert await statuses(sandbox, http, 1, "gemini") == [200]
    assert await statuses(sandbox, http, 3) == [503, 503, 200]


async def test_a_count_of_zero_strikes_until_it_is_disarmed(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    sandbox.arm("any", "server_error", count=0)
    assert await statuses(sandbox, http, 3) == [500, 500, 500]
    sandbox.disarm()
    assert await statuses(sandbox, http, 1) == [200]


async def test_listing_models_fails_only_when_told_so(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    listing = {"url": f"{sandbox.openai}/models", "headers": {"authorization": "Bearer sandbox-key"}}
    sandbox.arm("openai", "overloaded")
    assert (await http.get(**listing)).status_code == 200  # type: ignore[arg-type]
    sandbox.arm("openai", "rate_limit", on="models", seconds=2)
    answer = await http.get(**listing)  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")


async def test_disarming_lets_go_of_what_hangs(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    sandbox.arm("openai", "hang")
    waiting = asyncio.create_task(http.post(**request(sandbox, "openai", "Hello")))
    await asyncio.to_thread(sandbox.wait_for, lambda one: one["provider"] == "openai")
    await asyncio.to_thread(sandbox.disarm)
    with pytest.raises(httpx2.RemoteProtocolError):
        await waiting


@pytest.mark.parametrize(
    "order",
    [
        None,
        [],
        {"provider": "openai"},
        {"provider": "openai", "fault": "magic"},
        {"provider": "nobody", "fault": "cut"},
        {"provider": "openai", "fault": "cut", "count": -1},
        {"provider": "openai", "fault": "cut", "after": "many"},
        {"provider": "openai", "fault": "cut", "on": "monday"},
    ],
)
async def test_a_bad_order_is_refused_with_a_sentence(
    sandbox: SandboxServer, http: httpx2.AsyncClient, order: Any
) -> None:
    answer = await http.post(f"{sandbox.url}/_sandbox/faults", json=order)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert (await http.get(f"{sandbox.url}/_sandbox/faults")).json() == []


async def test_a_record_says_what_was_asked_and_how_it_ended(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    began = time.time()
    await http.post(**request(sandbox, "openai", "Hello /tokens 7"))
    record = sandbox.requests()[-1]
    assert (record["provider"], record["path"], record["model"]) == ("openai", "/openai/v1/responses", "gpt-sandbox")
    assert (record["outcome"], record["deltas_sent"], record["key_hint"]) == ("completed", 7, "…-key")
    assert record["body"]["input"] == "Hello /tokens 7"
    assert began <= record["started_at"] <= record["ended_at"] <= time.time()


@pytest.mark.parametrize("wire", ["openai", "chat", "gemini"])
async def test_a_client_that_leaves_is_seen_long_before_the_next_piece(
    sandbox: SandboxServer, http: httpx2.AsyncClient, wire: str
) -> None:
    async with http.stream("POST", **request(sandbox, wire, "Hello /slow 0.5 /tokens 100")) as answer:
        async for part in answer.aiter_text():
            if texts(wire, part):
                break
    left = time.time()
    record = await asyncio.to_thread(sandbox.wait_for, lambda one: one["ended_at"])
    assert (record["outcome"], record["deltas_sent"]) == ("client_closed", 1)
    assert record["ended_at"] - left < 1


async def test_the_pace_can_be_chosen(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    began = time.monotonic()
    answer = await http.post(**request(sandbox, "gemini", "/slow 20 /tokens 10"))
    assert texts("gemini", answer.text) == [f"{number} " for number in range(1, 11)]
    assert 0.4 <= time.monotonic() - began < 5


async def test_large_bodies_are_kept_short(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    await http.post(**request(sandbox, "chat", "x" * 200_000, stream=False))
    kept = sandbox.requests()[-1]["body"]["messages"][0]["content"]
    assert kept == f"{'x' * 500}… (200000 characters)"


async def test_a_body_over_the_limit_is_refused(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    answer = await http.post(f"{sandbox.openai}/responses", content=b" " * (BODY_LIMIT + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null"])
async def test_a_body_that_is_no_json_is_the_clients_mistake(
    sandbox: SandboxServer, http: httpx2.AsyncClient, content: bytes
) -> None:
    answer = await http.post(
        f"{sandbox.openai}/responses", content=content, headers={"authorization": "Bearer sandbox-key"}
    )
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


async def test_more_input_than_the_model_reads_is_refused(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    given = request(sandbox, "openai", "x" * 600_000)
    given["json"]["model"] = "gpt-sandbox-mini"
    answer = await http.post(**given)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded")


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"host": "evil.example"}])
async def test_a_page_in_a_browser_cannot_reach_it(
    sandbox: SandboxServer, http: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await http.get(f"{sandbox.url}/_sandbox/requests", headers=headers)
    assert answer.status_code == 403


async def test_an_unknown_address_is_a_404(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    answer = await http.get(f"{sandbox.url}/openai/v1/nothing")
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "Invalid URL (GET /openai/v1/nothing)")

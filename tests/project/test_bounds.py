"""A request without a declared length is bounded too, whatever the server."""

from typing import Any

import pytest

from project.bounds import BodyBound

LIMIT = 2 * 1024 * 1024


async def send_to(application: Any, chunks: list[bytes], accept: bytes = b"*/*") -> list[dict[str, Any]]:
    waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await BodyBound(application)({"type": "http", "path": "/x", "headers": [(b"accept", accept)]}, receive, send)
    return sent


async def reader(scope: dict[str, Any], receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"read"})


@pytest.mark.anyio
async def test_a_body_within_the_limit_is_passed_on() -> None:
    assert [part.get("status") for part in await send_to(reader, [b"x" * 1024] * 2048)] == [200, None]


@pytest.mark.anyio
async def test_the_first_byte_over_the_limit_ends_it() -> None:
    start, body = await send_to(reader, [b"x" * LIMIT, b"x"])
    assert start["status"] == 413
    assert (b"content-type", b"text/html; charset=utf-8") in start["headers"]
    assert b"too large" in body["body"]


@pytest.mark.anyio
async def test_a_program_is_told_in_its_own_way() -> None:
    start, body = await send_to(reader, [b"x" * (LIMIT + 1)], accept=b"application/json")
    assert (b"content-type", b"application/problem+json") in start["headers"]
    assert b'"code": "body_too_large"' in body["body"]


@pytest.mark.anyio
async def test_an_answer_that_has_begun_is_not_followed_by_another() -> None:
    async def eager(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await receive()

    assert [part["status"] for part in await send_to(eager, [b"x" * (LIMIT + 1)])] == [200]

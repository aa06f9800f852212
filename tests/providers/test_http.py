"""The pool: one a loop, closed on request, deaf to the environment, and without a memory for cookies."""

import asyncio

import httpx2
import pytest

from providers import http
from providers.contract import Deadlines

pytestmark = pytest.mark.anyio


async def test_one_loop_has_one_client_until_it_is_closed() -> None:
    first = http.client()
    assert http.client() is first
    await http.close()
    assert first.is_closed
    second = http.client()
    assert second is not first
    await http.close()


def test_every_loop_has_its_own() -> None:
    async def mine() -> httpx2.AsyncClient:
        client = http.client()
        await http.close()
        return client

    assert asyncio.run(mine()) is not asyncio.run(mine())


async def test_closing_what_was_never_opened_is_fine() -> None:
    await http.close()


async def test_a_lent_client_is_used_here_and_in_tasks_started_here_only() -> None:
    lent = http.make(httpx2.MockTransport(lambda _: httpx2.Response(200)))

    async def seen() -> httpx2.AsyncClient:
        return http.client()

    with http.use(lent):
        assert http.client() is lent
        assert await asyncio.create_task(seen()) is lent
    assert http.client() is not lent
    await http.close()


async def test_a_cookie_is_forgotten_at_once() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, headers={"set-cookie": "a=b; Path=/"})

    async with http.make(httpx2.MockTransport(answer)) as client:
        await client.get("http://vendor.test/")
        await client.get("http://vendor.test/")
    assert "cookie" not in asked[1].headers


async def test_a_redirect_is_handed_back() -> None:
    away = httpx2.Response(302, headers={"location": "http://elsewhere.test/"})
    async with http.make(httpx2.MockTransport(lambda _: away)) as client:
        assert (await client.get("http://vendor.test/")).status_code == 302


def test_the_sockets_patience_is_longer_than_the_pumps() -> None:
    timeout = http.timeout(Deadlines(connect=3, first_event=10, idle=20))
    assert (timeout.connect, timeout.read) == (3, 25)


def test_the_expensive_things_are_made_once() -> None:
    assert http.ssl_context() is http.ssl_context()
    assert http.placeholder() is http.placeholder()

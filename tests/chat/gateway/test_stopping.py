"""An answer that is passed through ends when somebody stops it, and when its token is no longer good."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from uuid import UUID

import httpx2
import openai
import pytest
from openai import OpenAI

from tests.chat.gateway.test_clients import MODELS, said
from tests.faults.servers import Sandbox
from tests.faults.test_replicas import closed_after

LONG = "A long story /slow 30 /tokens 2000"
SILENT = "A silent one /fault hang_stream after 3"


def stop(http: httpx2.Client, run_id: str) -> None:
    assert http.post(f"/api/v1/runs/{run_id}/stop/").status_code == 202


def kept(http: httpx2.Client, run_id: str) -> dict[str, Any]:
    """The run once its end is stored."""
    until = time.monotonic() + 5
    while (run := http.get(f"/api/v1/runs/{run_id}/").json())["state"] == "running":
        assert time.monotonic() < until
        time.sleep(0.05)
    found: dict[str, Any] = run
    return found


def chunks(client: OpenAI, words: str) -> tuple[str, Iterator[Any]]:
    stream = client.chat.completions.create(model=MODELS[0], messages=said(words), stream=True)
    return stream.response.headers["X-Parley-Run"], iter(stream)


@pytest.mark.parametrize("words", [LONG, SILENT])
def test_a_stopped_stream_ends_with_an_error(client: OpenAI, http: httpx2.Client, sandbox: Sandbox, words: str) -> None:
    run_id, arriving = chunks(client, words)
    next(arriving)
    asked = time.time()
    stop(http, run_id)
    with pytest.raises(openai.APIError, match="stopped") as caught:
        list(arriving)
    assert caught.value.code == "stopped"
    assert closed_after(sandbox, asked) < 1.0
    run = kept(http, run_id)
    assert (run["state"], run["trace"]["attempts"][-1]["outcome"]) == ("stopped", "stopped")


def test_a_stopped_response_has_failed(client: OpenAI, http: httpx2.Client, sandbox: Sandbox) -> None:
    with client.responses.create(model=MODELS[1], input=LONG, stream=True) as stream:
        arriving = iter(stream)
        while next(arriving).type != "response.output_text.delta":
            pass
        asked = time.time()
        stop(http, stream.response.headers["X-Parley-Run"])
        *_, end = arriving
    assert closed_after(sandbox, asked) < 1.0
    assert (end.type, end.response.error.code) == ("response.failed", "stopped")
    assert kept(http, stream.response.headers["X-Parley-Run"])["state"] == "stopped"


def test_a_stopped_request_that_does_not_stream_is_refused_once(
    server: Any, http: httpx2.Client, sandbox: Sandbox
) -> None:
    before = len(sandbox.requests())
    with OpenAI(api_key=server.token, base_url=f"{server.url}/v1") as client, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.chat.completions.create, model=MODELS[0], messages=said(LONG))
        run_id = running(server)
        until_there(lambda: len(sandbox.requests()) > before)
        asked = time.time()
        stop(http, run_id)
        with pytest.raises(openai.APIStatusError) as caught:
            waiting.result(10)
    assert (caught.value.status_code, caught.value.code) == (410, "stopped")
    assert closed_after(sandbox, asked) < 1.0
    assert len(sandbox.requests()) == before + 1, "the client does not ask again by itself"
    assert kept(http, run_id)["state"] == "stopped"


def test_a_revoked_token_ends_its_streams_and_no_others(
    server: Any, client: OpenAI, http: httpx2.Client, sandbox: Sandbox
) -> None:
    token = server.installation.manage("create_api_token", "owner@example.com", "--scopes", "chat", "account")
    _, others = chunks(client, "Another /slow 30 /tokens 240")
    next(others)
    with OpenAI(api_key=token, base_url=f"{server.url}/v1", max_retries=0) as mine:
        run_id, arriving = chunks(mine, SILENT)
        next(arriving)
        asked = time.monotonic()
        revoke(server.url, token)
        with pytest.raises(openai.APIError) as caught:
            list(arriving)
    assert caught.value.code == "invalid_token"
    assert time.monotonic() - asked < 5
    assert kept(http, run_id)["state"] == "stopped"
    assert list(others)[-1].choices[0].finish_reason == "stop"


def running(server: Any) -> str:
    """The id of the one run that goes on; its client is not told it before the answer."""
    found: list[str] = []

    def there() -> bool:
        with closing(sqlite3.connect(server.installation.home / "parley.sqlite3")) as database:
            rows = database.execute("SELECT id FROM chat_run WHERE state = 'running'")
            found[:] = [str(UUID(row[0])) for row in rows]
        return bool(found)

    until_there(there)
    return found[0]


def revoke(url: str, token: str) -> None:
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
        rows = http.get("/api/v1/me/api-tokens/").json()["results"]
        mine = next(row["id"] for row in rows if row["hint"].endswith(token[-4:]))
        assert http.delete(f"/api/v1/me/api-tokens/{mine}/").status_code == 204


def until_there(there: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not there():
        assert time.monotonic() < until
        time.sleep(0.02)

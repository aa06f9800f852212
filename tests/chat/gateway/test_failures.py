"""What the door refuses, and how an answer that breaks is told."""

import json
import time
from typing import Any

import httpx2
import openai
import pytest
from django.test import Client
from openai import OpenAI

from accounts.models import User
from accounts.policies import Actor
from tests.chat.gateway.test_clients import MODELS, said
from tests.faults.servers import Sandbox, Server


@pytest.mark.parametrize(
    ("directive", "status", "code"),
    [
        ("/fault bad_key", 403, "invalid_auth"),
        ("/fault quota", 429, "insufficient_quota"),
        ("/fault too_long", 400, "context_length_exceeded"),
        ("/fault server_error", 503, "provider_unavailable"),
    ],
)
def test_a_failure_before_the_first_word_has_its_status(client: OpenAI, directive: str, status: int, code: str) -> None:
    for stream in (False, True):
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model=MODELS[3], messages=said(directive), stream=stream)
        assert (caught.value.status_code, caught.value.code) == (status, code)


def test_a_cut_answer_is_an_error_and_never_an_end(client: OpenAI, http: httpx2.Client) -> None:
    body = {"model": MODELS[0], "messages": said("/fault cut after 3 Say a lot"), "stream": True}
    told = http.post("/v1/chat/completions", json=body).text
    assert '"content"' in told
    assert "[DONE]" not in told
    assert json.loads(told.strip().rpartition("data: ")[2])["error"]["code"] == "provider_unavailable"
    told = http.post(
        "/v1/responses", json={"model": MODELS[0], "input": "/fault cut after 3 Say a lot", "stream": True}
    ).text
    assert "event: response.failed" in told
    assert "response.completed" not in told


def test_a_client_that_leaves_cancels_the_provider(sandbox: Sandbox, http: httpx2.Client) -> None:
    body = {"model": MODELS[0], "messages": said("/tokens 400 /slow 20 leaving"), "stream": True}
    with http.stream("POST", "/v1/chat/completions", json=body) as response:
        next(response.iter_lines())
    until = time.monotonic() + 3
    while time.monotonic() < until:
        mine = [each for each in sandbox.requests() if "leaving" in json.dumps(each["body"])]
        if mine and mine[-1]["outcome"] == "client_closed":
            return
        time.sleep(0.05)
    raise AssertionError(f"the upstream is still open: {mine[-1]}")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b'{"messages": []}', "messages"),
        (b'{"messages": [{"role": "robot", "content": "x"}]}', None),
        (b'{"messages": [{"role": "user", "content": "x"}], "n": 2}', "n"),
        (b'{"messages": [{"role": "tool", "tool_call_id": "a", "content": "x"}]}', "messages.0.tool_call_id"),
        (b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": -1}', "max_tokens"),
        (b'{"messages": [{"role": "user", "content": "x"}], "tools": [{"type": "web"}]}', None),
        (b"[" * 100_000, None),
        (b"\xff\xfe", None),
    ],
)
def test_what_makes_no_sense_is_refused(http: httpx2.Client, body: bytes, param: str | None) -> None:
    answer = http.post("/v1/chat/completions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.json()["error"]["param"] == param


def test_a_model_that_is_not_there_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="lists openai/none"):
        client.chat.completions.create(model="openai/none", messages=said("Hi"))


def test_the_key_is_one_of_our_tokens(server: Server) -> None:
    for key in ("parley_wrong", "x"):
        with (
            OpenAI(api_key=key, base_url=f"{server.url}/v1", max_retries=0) as client,
            pytest.raises(openai.AuthenticationError),
        ):
            client.models.list()
    assert httpx2.get(f"{server.url}/v1/models").status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["models", "responses", "chat/completions"])
def test_a_session_opens_nothing(alice: Actor, name: str) -> None:
    browser = Client()
    browser.force_login(User.objects.get(pk=alice.user_id))
    for method in ("get", "post", "put", "delete"):
        assert getattr(browser, method)(f"/v1/{name}").status_code == 401


def test_a_token_without_the_scope_reads_models_alone(server: Any) -> None:
    token = server.installation.manage("create_api_token", "owner@example.com", "--scopes", "models")
    with OpenAI(api_key=token, base_url=f"{server.url}/v1", max_retries=0) as client:
        assert client.models.list().data
        with pytest.raises(openai.PermissionDeniedError, match="scope chat"):
            client.chat.completions.create(model=MODELS[0], messages=said("Hi"))


def test_the_run_is_kept_with_its_facts_and_without_its_text(server: Server, http: httpx2.Client) -> None:
    sent: Any = {"model": MODELS[2], "messages": said("A secret question"), "top_p": 0.5, "presence_penalty": 0}
    answer = http.post("/v1/chat/completions", json=sent)
    assert answer.headers["X-Parley-Model"] == MODELS[2]
    assert answer.headers["X-Parley-Ignored"] == "top_p"
    until = time.monotonic() + 5
    while (kept := http.get(f"/api/v1/runs/{answer.headers['X-Parley-Run']}/")).status_code == 404:
        assert time.monotonic() < until
        time.sleep(0.05)
    run = kept.json()
    assert (run["state"], run["served_model"], run["credential_source"]) == ("done", MODELS[2], "sandbox")
    assert run["usage"]["output_tokens"] == answer.json()["usage"]["completion_tokens"]
    assert "secret question" not in json.dumps(run)


def test_a_limit_holds_here_too(server: Any, http: httpx2.Client) -> None:
    token = server.installation.manage("create_api_token", "owner@example.com", "--scopes", "policy")
    owner = {"Authorization": f"Bearer {token}"}
    limit = {
        "provider_id": "anthropic",
        "model_pattern": "*haiku*",
        "measure": "requests",
        "period": "month",
        "hard": 1,
    }
    made = httpx2.post(f"{server.url}/api/v1/limits/", json=limit, headers=owner)
    assert made.status_code == 201, made.text
    body = {"model": "anthropic/claude-sandbox-haiku", "messages": said("Hi")}
    assert http.post("/v1/chat/completions", json=body).status_code == 200
    refused = http.post("/v1/chat/completions", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "limit_reached")
    assert int(refused.headers["Retry-After"]) > 0

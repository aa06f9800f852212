"""Every failure on demand, as a plain HTTP client sees it on each wire; adapters are tested elsewhere."""

import json
import time
from typing import Any

import httpx2
import pytest

from tests.sandbox.server import SandboxServer

pytestmark = pytest.mark.anyio

WIRES = ("openai", "chat", "compatible", "gemini")
NAMES = {"openai": "openai", "chat": "openai", "compatible": "openai_compatible", "gemini": "gemini"}


def request(sandbox: SandboxServer, wire: str, text: str, *, stream: bool = True) -> dict[str, Any]:
    """The arguments of an httpx2 request that asks `text` on a wire."""
    if wire == "gemini":
        url = f"{sandbox.gemini}/v1beta/models/gemini-sandbox-flash"
        url += ":streamGenerateContent?alt=sse" if stream else ":generateContent"
        return {"url": url, "json": {"contents": [{"parts": [{"text": text}]}]}, "headers": {"x-goog-api-key": "AIzaX"}}
    body: dict[str, Any] = {"model": "gpt-sandbox", "stream": stream}
    if wire == "openai":
        url, body["input"] = f"{sandbox.openai}/responses", text
    else:
        url = f"{sandbox.openai if wire == 'chat' else sandbox.compatible}/chat/completions"
        body |= {"messages": [{"role": "user", "content": text}]}
        body |= {"model": "compatible-sandbox"} if wire == "compatible" else {}
    return {"url": url, "json": body, "headers": {"authorization": "Bearer sandbox-key"}}


def texts(wire: str, body: str) -> list[str]:
    """The pieces of text in an event stream; what is no JSON is passed over."""
    found = []
    for line in body.splitlines():
        try:
            data = json.loads(line.removeprefix("data: ")) if line.startswith("data: {") else {}
        except ValueError:
            continue
        if wire == "openai":
            found.append(data["delta"] if data.get("type") == "response.output_text.delta" else "")
        elif wire == "gemini":
            found += [p.get("text", "") for c in data.get("candidates", ()) for p in c["content"]["parts"]]
        else:
            found += [choice["delta"].get("content") or "" for choice in data.get("choices", ())]
    return [text for text in found if text]


async def read_into(seen: list[bytes], http: httpx2.AsyncClient, asked: dict[str, Any]) -> None:
    async with http.stream("POST", **asked) as answer:
        async for part in answer.aiter_bytes():
            seen.append(part)  # noqa: PERF401 - what came before the cut must stay


TERMINAL = {"openai": "response.completed", "chat": "[DONE]", "compatible": "[DONE]", "gemini": '"finishReason":"STOP"'}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("fault", "openai_status", "openai_code", "gemini_status", "gemini_word"),
    [
        ("bad_key", 401, "invalid_api_key", 400, "API_KEY_INVALID"),
        ("expired", 401, "token_expired", 400, "expired"),
        ("forbidden", 403, "insufficient_permissions", 403, "PERMISSION_DENIED"),
        ("rate_limit", 429, "rate_limit_exceeded", 429, '"retryDelay":"7s"'),
        ("quota", 429, "insufficient_quota", 429, "PerDay"),
        ("too_long", 400, "context_length_exceeded", 400, "exceeds the maximum number of tokens"),
        ("not_found", 404, "model_not_found", 404, "NOT_FOUND"),
        ("server_error", 500, "server_error", 500, "INTERNAL"),
        ("overloaded", 503, "server_is_overloaded", 503, "UNAVAILABLE"),
    ],
)
async def test_an_early_failure_has_the_vendors_status_and_body(
    sandbox: SandboxServer,
    http: httpx2.AsyncClient,
    wire: str,
    fault: str,
    openai_status: int,
    openai_code: str,
    gemini_status: int,
    gemini_word: str,
) -> None:
    answer = await http.post(**request(sandbox, wire, f"Hello /fault {fault}"))
    expected = gemini_status if wire == "gemini" else openai_status
    assert answer.status_code == expected
    assert (gemini_word if wire == "gemini" else f'"code":"{openai_code}"') in answer.text
    assert answer.headers.get("retry-after") == ("7" if fault == "rate_limit" and wire != "gemini" else None)
    assert sandbox.requests()[-1]["outcome"] == f"fault:{fault}"


@pytest.mark.parametrize("wire", WIRES)
async def test_a_failure_after_some_pieces_comes_inside_the_stream(
    sandbox: SandboxServer, http: httpx2.AsyncClient, wire: str
) -> None:
    for fault, openai_word, gemini_word in (
        ("rate_limit", "rate_limit_exceeded", "RESOURCE_EXHAUSTED"),
        ("stream_error", "server_error", "UNAVAILABLE"),
    ):
        answer = await http.post(**request(sandbox, wire, f"Hello /fault {fault} after 4"))
        last = answer.text.strip().rpartition("data: ")[2]
        assert (answer.status_code, len(texts(wire, answer.text))) == (200, 4)
        assert (gemini_word if wire == "gemini" else openai_word) in last
        assert TERMINAL[wire] not in answer.text


@pytest.mark.parametrize("wire", WIRES)
async def test_a_cut_stream_breaks_off_after_its_pieces(
    sandbox: SandboxServer, http: httpx2.AsyncClient, wire: str
) -> None:
    seen: list[bytes] = []
    with pytest.raises(httpx2.RemoteProtocolError):
        await read_into(seen, http, request(sandbox, wire, "Hello /fault cut after 5"))
    assert len(texts(wire, b"".join(seen).decode())) == 5
    assert sandbox.requests()[-1]["outcome"] == "fault:cut"


@pytest.mark.parametrize("wire", WIRES)
async def test_a_truncated_stream_ends_cleanly_without_its_terminal_event(
    sandbox: SandboxServer, http: httpx2.AsyncClient, wire: str
) -> None:
    whole = await http.post(**request(sandbox, wire, "Hello /fault truncate"))
    part = await http.post(**request(sandbox, wire, "Hello /fault truncate after 2"))
    assert "".join(texts(wire, whole.text)).endswith("```")
    assert len(texts(wire, part.text)) == 2
    assert TERMINAL[wire] not in whole.text + part.text


@pytest.mark.parametrize("wire", WIRES)
async def test_a_connection_can_close_before_anything_is_said(
    sandbox: SandboxServer, http: httpx2.AsyncClient, wire: str
) -> None:
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        await http.post(**request(sandbox, wire, "Hello /fault connect"))
    assert sandbox.requests()[-1]["outcome"] == "fault:connect"


@pytest.mark.parametrize(("fault", "pieces"), [("hang", 0), ("hang_stream after 2", 2)])
async def test_silence_lasts_until_the_client_leaves(
    sandbox: SandboxServer, http: httpx2.AsyncClient, fault: str, pieces: int
) -> None:
    with pytest.raises(httpx2.ReadTimeout):
        await http.post(**request(sandbox, "openai", f"Hello /fault {fault}"), timeout=0.3)
    record = sandbox.wait_for(lambda one: one["ended_at"])
    assert (record["outcome"], record["deltas_sent"]) == ("client_closed", pieces)


@pytest.mark.parametrize("wire", WIRES)
async def test_noise_in_a_stream_does_not_stop_it(sandbox: SandboxServer, http: httpx2.AsyncClient, wire: str) -> None:
    plain = await http.post(**request(sandbox, wire, "/tokens 9"))
    for fault, sign in (("garbage", '"delta":"bro\n'), ("unknown_event", "ovelty")):
        noisy = await http.post(**request(sandbox, wire, f"/tokens 9 /fault {fault}"))
        assert sign in noisy.text
        assert "".join(texts(wire, noisy.text)) == "".join(texts(wire, plain.text))
        assert TERMINAL[wire] in noisy.text


async def test_an_oversized_line_is_32_mebibytes_long(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    longest = line = 0
    async with http.stream("POST", **request(sandbox, "chat", "Hello /fault oversized")) as answer:
        async for part in answer.aiter_bytes():
            line = line + len(part) if b"\n" not in part else len(part) - part.rindex(b"\n")
            longest = max(longest, line)
    assert longest > 32 * 1024 * 1024 - 65536


@pytest.mark.parametrize("wire", WIRES)
async def test_a_character_comes_in_two_halves(sandbox: SandboxServer, http: httpx2.AsyncClient, wire: str) -> None:
    answer = await http.post(**request(sandbox, wire, "Hello /fault split_unicode"))
    found = texts(wire, answer.text)
    assert "\ud83d" in found
    whole = "".join(found).encode("utf-16", "surrogatepass").decode("utf-16")
    assert whole == "An emoji in two halves: \U0001f600, an é, a 語 and a family \U0001f469."


@pytest.mark.parametrize(
    ("wire", "fault", "sign"),
    [
        ("openai", "empty", '"output":[]'),
        ("chat", "empty", '"finish_reason":"stop"'),
        ("gemini", "empty", '"finishReason":"STOP"'),
        ("openai", "refusal", "response.refusal.delta"),
        ("chat", "refusal", '"refusal":"I"'),
        ("gemini", "refusal", '"finishReason":"PROHIBITED_CONTENT"'),
        ("openai", "length", '"reason":"max_output_tokens"'),
        ("chat", "length", '"finish_reason":"length"'),
        ("gemini", "length", '"finishReason":"MAX_TOKENS"'),
        ("openai", "blocked", '"code":"content_policy_violation"'),
        ("openai", "blocked after 3", '"reason":"content_filter"'),
        ("chat", "blocked after 3", '"finish_reason":"content_filter"'),
        ("gemini", "blocked", '"blockReason":"PROHIBITED_CONTENT"'),
        ("gemini", "blocked after 3", '"finishReason":"SAFETY"'),
    ],
)
async def test_a_bent_answer_is_well_formed(
    sandbox: SandboxServer, http: httpx2.AsyncClient, wire: str, fault: str, sign: str
) -> None:
    answer = await http.post(**request(sandbox, wire, f"Hello /fault {fault}"))
    assert sign in answer.text
    if "after 3" in fault:
        assert len(texts(wire, answer.text)) == 3


async def test_a_slow_first_byte_comes_and_then_the_answer(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    sandbox.arm("openai", "slow_first_byte", seconds=0.4)
    began = time.monotonic()
    answer = await http.post(**request(sandbox, "openai", "Hello /tokens 2"))
    assert time.monotonic() - began >= 0.4
    assert texts("openai", answer.text) == ["1 ", "2 "]


@pytest.mark.parametrize(("fault", "status"), [("server_error", 500), ("stream_error", 500), ("rate_limit", 429)])
async def test_an_answer_in_one_piece_fails_too(
    sandbox: SandboxServer, http: httpx2.AsyncClient, fault: str, status: int
) -> None:
    answer = await http.post(**request(sandbox, "gemini", f"Hello /fault {fault}", stream=False))
    assert answer.status_code == status


async def test_an_answer_in_one_piece_can_be_garbage_or_cut(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    garbage = await http.post(**request(sandbox, "openai", "Hello /fault garbage", stream=False))
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|Invalid"):
        garbage.json()
    with pytest.raises(httpx2.RemoteProtocolError):
        await http.post(**request(sandbox, "openai", "Hello /fault cut", stream=False))


async def test_an_unknown_fault_is_named_in_the_answer(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    answer = await http.post(**request(sandbox, "chat", "Hello /fault magic"))
    assert "There is no fault called `magic`." in "".join(texts("chat", answer.text))

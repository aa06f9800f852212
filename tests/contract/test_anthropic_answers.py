"""What only Anthropic answers: its reasons to stop, its blocks and errors, its list with limits and capabilities."""

import json
from dataclasses import replace
from typing import Any

import pytest

from providers.contract import Part, ToolCallPart
from providers.errors import ErrorCode
from providers.events import FinishReason, NativeEvent, Started, ToolArgsDelta, UsageUpdate
from tests.contract import anthropic_wire
from tests.contract.answers import MODEL, Answer
from tests.contract.anthropic_wire import block, ended, stream
from tests.contract.dialects import Dialect, asked, finished, plugged, speaking
from tests.contract.test_anthropic import CALL, QUESTION, body
from tests.contract.test_errors import refusal
from tests.contract.wire import Script, plays

pytestmark = [pytest.mark.anyio, speaking("anthropic")]


# ---------------------------------------------------------------- answers
@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("stop_sequence", FinishReason.STOP),
        ("pause_turn", FinishReason.PAUSED),
        ("model_context_window_exceeded", FinishReason.CONTEXT_FULL),
        ("refusal", FinishReason.REFUSAL),
    ],
)
async def test_every_way_to_stop_has_its_reason(dialect: Dialect, native: str, reason: FinishReason) -> None:
    with plugged(plays(stream(*ended(native)))):
        end = finished(await dialect.read(asked()))
    assert (end.reason, end.native_reason) == (reason, native)


async def test_why_the_vendor_refused_is_kept(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(refusal=("No.",))))):
        events = await dialect.read(asked())
    (told,) = [event for event in events if isinstance(event, NativeEvent)]
    assert (told.native_type, told.data["category"]) == ("stop_details", "cyber")


async def test_the_input_is_counted_before_the_answer_is_there(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))):
        events = await dialect.read(asked())
    first = next(event for event in events if isinstance(event, UsageUpdate))
    assert (first.usage.input_tokens, first.usage.cached_input_tokens, first.usage.output_tokens) == (30, 10, 1)
    assert isinstance(events[0], Started)


async def test_blocks_and_deltas_nobody_knows_are_kept(dialect: Dialect) -> None:
    opening = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    search = block(opening, {"type": "input_json_delta", "partial_json": '{"query":"x"}'})
    strange = [{**event, "index": 1} for event in block({"type": "dream"}, {"type": "dream_delta", "dream": "sheep"})]
    with plugged(plays(stream(*search, *strange, *ended("pause_turn")))):
        events = await dialect.read(asked())
    assert [event.native_type for event in events if isinstance(event, NativeEvent)] == [
        "server_tool_use",
        "dream",
        "dream_delta",
    ]
    message = finished(events).message
    assert [type(part) for part in message.parts] == [Part], "what could not be read whole is not replayed"
    assert body(QUESTION, message)["messages"][1]["content"] == [{**opening, "input": {"query": "x"}}]


async def test_a_call_that_was_cut_off_is_kept_as_it_came(dialect: Dialect) -> None:
    cut = block({**CALL, "input": {}}, {"type": "input_json_delta", "partial_json": '{"city":"Par'})
    with plugged(plays(stream(*cut, *ended("max_tokens")))):
        (call,) = finished(await dialect.read(asked())).message.parts
    assert isinstance(call, ToolCallPart)
    assert (call.arguments, call.opaque) == ('{"city":"Par', None)


@pytest.mark.parametrize(("given", "arguments"), [({"city": "Paris"}, '{"city":"Paris"}'), ({}, "{}")])
async def test_a_call_may_come_whole(dialect: Dialect, given: dict[str, str], arguments: str) -> None:
    with plugged(plays(stream(*block({**CALL, "input": given}), *ended("tool_use")))):
        events = await dialect.read(asked())
    (call,) = finished(events).message.parts
    assert isinstance(call, ToolCallPart)
    assert (call.arguments, call.opaque) == (arguments, {**CALL, "input": given})
    assert [event.fragment for event in events if isinstance(event, ToolArgsDelta)] == [arguments] * bool(given)


# ---------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("case", "code"),
    [
        (anthropic_wire.error(402, "billing_error", "Pay."), ErrorCode.QUOTA_EXCEEDED),
        (anthropic_wire.error(429, "rate_limit_error", "x", "ramp_limit_exceeded"), ErrorCode.RATE_LIMITED),
        (anthropic_wire.error(429, "rate_limit_error", "x", "enforced_spend_limit_reached"), ErrorCode.QUOTA_EXCEEDED),
        (anthropic_wire.error(400, "invalid_request_error", "x", "organization_on_hold"), ErrorCode.PERMISSION_DENIED),
        (anthropic_wire.error(413, "request_too_large", "Request exceeds the size"), ErrorCode.CONTEXT_TOO_LONG),
        (anthropic_wire.error(413, "request_too_large", "image exceeds 5 MB maximum"), ErrorCode.INVALID_REQUEST),
        (
            anthropic_wire.error(400, "invalid_request_error", "Output blocked by content filtering policy"),
            ErrorCode.CONTENT_BLOCKED,
        ),
        (anthropic_wire.error(504, "timeout_error", "Slow."), ErrorCode.TIMEOUT),
        (anthropic_wire.error(409, "conflict_error", "Busy."), ErrorCode.INVALID_REQUEST),
        (anthropic_wire.error(429, "novel_error", "Hm."), ErrorCode.RATE_LIMITED),
        (anthropic_wire.error(503, "novel_error", "Hm."), ErrorCode.PROVIDER_UNAVAILABLE),
    ],
)
async def test_the_cause_decides_then_the_type_then_the_status(
    dialect: Dialect, case: tuple[int, dict[str, Any], dict[str, str]], code: ErrorCode
) -> None:
    status, told, headers = case
    with plugged(Script((json.dumps(told).encode(),), status, headers)):
        assert (await dialect.fails(asked())).code is code


async def test_an_expired_token_is_an_expired_session_only_for_a_session(dialect: Dialect) -> None:
    told = anthropic_wire.error(401, "authentication_error", "OAuth token has expired.")[1]
    with plugged(Script((json.dumps(told).encode(),), 401)):
        codes = [
            (await dialect.fails(asked(), replace(dialect.credential(), kind=kind))).code.value
            for kind in ("api_key", "session")
        ]
    assert codes == ["invalid_auth", "session_expired"]


async def test_an_error_inside_a_stream_names_its_request(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.stream_error("overloaded"))):
        error = await dialect.fails(asked())
    assert (error.detail, error.request_id, error.status) == ("overloaded", "req_1", None)


# ---------------------------------------------------------------- models
async def test_every_page_of_the_list_is_read(dialect: Dialect) -> None:
    first = json.loads(dialect.wire.models()) | {"has_more": True}
    with plugged(plays(json.dumps(first).encode()), plays(dialect.wire.models())) as wire:
        models = await dialect.runtime.list_models(dialect.credential())
    assert [model.model_id for model in models] == [MODEL, MODEL]
    assert wire.requests[1].url.params["after_id"] == "claude-2.1"


async def test_a_model_that_says_nothing_of_itself_is_unknown_and_not_unable(dialect: Dialect) -> None:
    row = {"type": "model", "id": "claude-new", "created_at": "1970-01-01T00:00:00Z", "lifecycle": "active"}
    with plugged(plays(json.dumps({"data": [row]}).encode())):
        (model,) = await dialect.runtime.list_models(dialect.credential())
    assert (model.supports_tools, model.supports_vision, model.context_window, model.created_at) == (None,) * 4


async def test_a_bad_key_is_found_out_by_the_list(dialect: Dialect) -> None:
    with plugged(refusal(dialect, "bad_key")) as wire:
        check = await dialect.runtime.validate_credential(dialect.credential())
    assert check.error is not None
    assert (check.ok, check.error.code) == (False, ErrorCode.INVALID_AUTH)
    assert wire.requests[0].url.path == "/v1/models"

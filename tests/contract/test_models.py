"""Listing models and checking a key: unbilled, filtered to what chats, and honest about what it could not learn."""

import json
from datetime import UTC, datetime

import httpx2
import pytest

from providers import registry
from providers.errors import ErrorCode, ProviderError
from tests.contract.answers import MODEL
from tests.contract.dialects import DIALECTS, SECRET, Dialect, plugged, speaking
from tests.contract.test_errors import refusal
from tests.contract.wire import Script, plays

pytestmark = pytest.mark.anyio


def test_the_suite_covers_every_provider_that_is_built_in() -> None:
    assert [dialect.provider_id for dialect in DIALECTS] == [provider.provider_id for provider in registry.BUILT_IN]


async def test_only_models_that_chat_are_listed(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.models())) as wire:
        models = await dialect.runtime.list_models(dialect.credential())
    assert [model.model_id for model in models] == [MODEL]
    (request,) = wire.requests
    assert (request.method, request.url.path.rsplit("/", 1)[1]) == ("GET", "models")
    assert dialect.secret_in(wire) == SECRET
    assert SECRET not in str(request.url)


async def test_what_the_vendor_says_of_a_model_is_kept_and_the_rest_is_unknown(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.models())):
        (model,) = await dialect.runtime.list_models(dialect.credential())
    match dialect.provider_id:
        case "openai":
            assert model.created_at == datetime(2026, 1, 1, tzinfo=UTC)
            assert model.retires_at == datetime(2027, 1, 14, tzinfo=UTC)
            assert model.context_window is None
        case "gemini":
            assert (model.label, model.context_window, model.max_output_tokens) == ("Model One", 1048576, 65536)
            assert model.supports_reasoning is True
        case "anthropic":
            assert (model.label, model.context_window, model.max_output_tokens) == ("Model One", 1000000, 128000)
            assert (model.supports_vision, model.supports_reasoning, model.supports_structured) == (True, True, True)
            assert model.created_at == datetime(2026, 1, 1, tzinfo=UTC)
            assert model.retires_at == datetime(2027, 1, 14, tzinfo=UTC)
        case "mistral":
            assert (model.context_window, model.retires_at) == (262144, datetime(2027, 1, 14, 12, tzinfo=UTC))
            assert (model.supports_tools, model.supports_vision, model.supports_reasoning) == (True, True, False)
        case _:
            assert model.context_window == 32768
    assert model.supports_structured is (True if dialect.provider_id == "anthropic" else None)


@speaking("gemini")
async def test_every_page_is_read(dialect: Dialect) -> None:
    first = json.loads(dialect.wire.models()) | {"nextPageToken": "page-2"}
    with plugged(plays(json.dumps(first).encode()), plays(dialect.wire.models())) as wire:
        models = await dialect.runtime.list_models(dialect.credential())
    assert len(models) == 2
    assert wire.requests[1].url.params["pageToken"] == "page-2"


async def test_a_good_key_is_good(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.models())):
        check = await dialect.runtime.validate_credential(dialect.credential())
    assert (check.ok, check.error, check.model_count) == (True, None, 1)
    assert check.latency_ms >= 0


async def test_a_bad_key_is_bad(dialect: Dialect) -> None:
    with plugged(refusal(dialect, "bad_key")):
        check = await dialect.runtime.validate_credential(dialect.credential())
    assert not check.ok
    assert check.error is not None
    assert check.error.code is ErrorCode.INVALID_AUTH


@speaking("openai")
async def test_a_restricted_key_that_may_not_list_is_good(dialect: Dialect) -> None:
    with plugged(refusal(dialect, "forbidden")):
        check = await dialect.runtime.validate_credential(dialect.credential())
    assert (check.ok, check.error, check.model_count) == (True, None, None)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (httpx2.ConnectError("refused"), ErrorCode.PROVIDER_UNAVAILABLE),
        (httpx2.ReadTimeout("slow"), ErrorCode.TIMEOUT),
        (Script((b"not json",)), ErrorCode.PROVIDER_UNAVAILABLE),
        (Script((b'{"data":[{"id":7}],"models":7}',)), ErrorCode.PROVIDER_UNAVAILABLE),
        (Script((), 302, {"location": "https://elsewhere.test"}), ErrorCode.INVALID_REQUEST),
    ],
    ids=["refused", "slow", "garbage", "another shape", "redirect"],
)
async def test_a_list_that_cannot_be_read_is_a_typed_error(
    dialect: Dialect, script: Script | Exception, code: ErrorCode
) -> None:
    with plugged(script) as wire, pytest.raises(ProviderError) as caught:
        await dialect.runtime.list_models(dialect.credential())
    assert caught.value.code is code
    assert len(wire.requests) == 1


@speaking("openai", "anthropic", "mistral", "openai_compatible")
async def test_an_endless_list_is_given_up(dialect: Dialect) -> None:
    with plugged(Script((b"x" * 1_000_000,) * 20)) as wire, pytest.raises(ProviderError) as caught:
        await dialect.runtime.list_models(dialect.credential())
    assert caught.value.detail == "bad_payload"
    assert wire.open == 0

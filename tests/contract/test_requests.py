"""What leaves for the vendor: the right address, the key in its one header, the request in that vendor's form."""

import json
from typing import Any

import pytest

from providers.contract import ToolSpec
from providers.errors import ErrorCode
from tests.contract.answers import MODEL, Answer
from tests.contract.dialects import SECRET, Dialect, asked, plugged, speaking
from tests.contract.wire import Wire, plays

pytestmark = pytest.mark.anyio

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = ToolSpec("weather", "Tells the weather.", SCHEMA)


async def sent(dialect: Dialect, **over: Any) -> Wire:
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))) as wire:
        await dialect.read(asked(**over))
    return wire


async def test_the_request_goes_to_the_address_of_its_credential(dialect: Dialect) -> None:
    (request,) = (await sent(dialect)).requests
    assert (request.method, request.url.scheme, request.url.host) == ("POST", "http", "vendor.test")
    assert request.url.path == dialect.wire.PATH


async def test_the_key_is_in_its_header_and_nowhere_else(dialect: Dialect) -> None:
    wire = await sent(dialect)
    (request,) = wire.requests
    assert dialect.secret_in(wire) == SECRET
    assert SECRET not in str(request.url)
    assert SECRET.encode() not in request.content
    assert sum(SECRET in value for value in request.headers.values()) == 1


async def test_every_wire_streams_and_the_words_arrive(dialect: Dialect) -> None:
    body = (await sent(dialect, text="What is new?", system="Be brief.")).sent
    match dialect.provider_id:
        case "openai":
            assert body["input"] == [{"role": "user", "content": [{"type": "input_text", "text": "What is new?"}]}]
            assert body["instructions"] == "Be brief."
            assert (body["model"], body["stream"], body["store"]) == (MODEL, True, False)
            assert body["include"] == ["reasoning.encrypted_content"]
        case "gemini":
            assert body["contents"] == [{"role": "user", "parts": [{"text": "What is new?"}]}]
            assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
        case "anthropic":
            assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "What is new?"}]}]
            assert (body["model"], body["stream"], body["system"]) == (MODEL, True, "Be brief.")
        case _:
            assert body["messages"] == [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "What is new?"},
            ]
            assert body["stream"] is True
            # Mistral refuses fields that it does not know, and counts unasked.
            options = None if dialect.provider_id == "mistral" else {"include_usage": True}
            assert body.get("stream_options") == options


async def test_nothing_is_sent_that_was_not_asked_for(dialect: Dialect) -> None:
    body = (await sent(dialect)).sent
    required = {"max_tokens"} if dialect.provider_id == "anthropic" else set()
    limits = {"max_tokens", "max_output_tokens"} - required
    assert not {"temperature", "reasoning", "reasoning_effort", "thinking", *limits} & body.keys()
    assert not {"tools", "tool_choice", "text", "response_format", "toolConfig", "output_config"} & body.keys()
    assert not body.get("generationConfig")


async def test_limits_and_temperature_are_passed_on(dialect: Dialect) -> None:
    body = (await sent(dialect, max_output_tokens=99, temperature=0.5)).sent
    settings = body.get("generationConfig", body)
    limit = {"openai": "max_output_tokens", "gemini": "maxOutputTokens"}
    # Anthropic answers 400 to every temperature.
    temperature = None if dialect.provider_id == "anthropic" else 0.5
    assert settings[limit.get(dialect.provider_id, "max_tokens")] == 99
    assert settings.get("temperature") == temperature


async def test_tools_are_declared(dialect: Dialect) -> None:
    body = (await sent(dialect, tools=(TOOL,), tool_choice="weather")).sent
    match dialect.provider_id:
        case "openai":
            (tool,) = body["tools"]
            assert (tool["type"], tool["name"], tool["parameters"], tool["strict"]) == (
                "function",
                "weather",
                SCHEMA,
                True,
            )
            assert body["tool_choice"] == {"type": "function", "name": "weather"}
        case "gemini":
            (tool,) = body["tools"][0]["functionDeclarations"]
            assert tool == {"name": "weather", "description": "Tells the weather.", "parametersJsonSchema": SCHEMA}
            choice = {"mode": "ANY", "allowedFunctionNames": ["weather"]}
            assert body["toolConfig"]["functionCallingConfig"] == choice
        case "anthropic":
            (tool,) = body["tools"]
            assert tool == {"name": "weather", "description": "Tells the weather.", "input_schema": SCHEMA}
            assert body["tool_choice"] == {"type": "tool", "name": "weather"}
        case _:
            (tool,) = body["tools"]
            assert (tool["function"]["name"], tool["function"]["parameters"]) == ("weather", SCHEMA)
            assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}


async def test_a_schema_binds_the_answer(dialect: Dialect) -> None:
    body = (await sent(dialect, response_schema=("place", SCHEMA))).sent
    match dialect.provider_id:
        case "openai":
            assert body["text"]["format"] == {"type": "json_schema", "name": "place", "schema": SCHEMA, "strict": True}
        case "gemini":
            config = body["generationConfig"]
            assert (config["responseMimeType"], config["responseJsonSchema"]) == ("application/json", SCHEMA)
        case "anthropic":
            assert body["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
        case _:
            bound = {"name": "place", "schema": SCHEMA, "strict": True}
            assert body["response_format"] == {"type": "json_schema", "json_schema": bound}


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("gemini-2.5-flash", {"includeThoughts": True, "thinkingBudget": 24576}),
        ("gemini-3.8-flash", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ("gemini-2.0-flash", None),
    ],
)
async def test_gemini_is_told_to_think_in_the_words_of_its_family(model: str, thinking: dict[str, Any] | None) -> None:
    from providers.adapters import gemini_input
    from providers.contract import GenerateRequest, Origin

    body = gemini_input.body(GenerateRequest(model, (), reasoning_effort="high"), Origin("gemini", model))
    assert body.get("generationConfig", {}).get("thinkingConfig") == thinking


@speaking("openai")
async def test_reasoning_is_asked_for_with_its_summary(dialect: Dialect) -> None:
    assert (await sent(dialect, reasoning_effort="high")).sent["reasoning"] == {"effort": "high", "summary": "auto"}


@pytest.mark.parametrize(
    ("model", "asks"),
    [("gpt-6.2-sol", True), ("o3", True), ("gpt-4.1", False), ("gpt-5-chat-latest", False), ("gpt-4o", False)],
)
async def test_a_family_that_reasons_unasked_is_asked_to_show_it(model: str, asks: bool) -> None:
    from providers.adapters import openai_input
    from providers.contract import GenerateRequest, Origin

    body = openai_input.body(GenerateRequest(model, ()), Origin("openai", model))
    assert body.get("reasoning") == ({"summary": "auto"} if asks else None)


@speaking("openai")
async def test_an_organisation_that_may_not_read_the_reasoning_still_gets_its_answer(dialect: Dialect) -> None:
    refusal = {"error": {"message": "Verify first.", "param": "reasoning.summary", "code": "unsupported_value"}}
    scripts = plays(json.dumps(refusal).encode(), status=400), plays(dialect.wire.render(Answer(text=("ok",))))
    with plugged(*scripts) as wire:
        await dialect.read(asked(reasoning_effort="low"))
    assert [json.loads(request.content)["reasoning"] for request in wire.requests] == [
        {"effort": "low", "summary": "auto"},
        {"effort": "low"},
    ]


@speaking("openai_compatible")
async def test_without_an_address_nothing_is_sent_to_anybody(dialect: Dialect) -> None:
    with plugged(plays(b"")) as wire:
        error = await dialect.fails(asked(), dialect.credential(base_url=""))
    assert (error.code, error.detail) == (ErrorCode.INVALID_REQUEST, "no_base_url")
    assert wire.requests == []


@pytest.mark.parametrize(
    ("provider_id", "host"),
    [
        ("openai", "api.openai.com"),
        ("anthropic", "api.anthropic.com"),
        ("gemini", "generativelanguage.googleapis.com"),
        ("mistral", "api.mistral.ai"),
    ],
)
async def test_without_an_address_the_vendors_own_is_used(provider_id: str, host: str) -> None:
    from tests.contract.dialects import DIALECTS

    (dialect,) = [dialect for dialect in DIALECTS if dialect.provider_id == provider_id]
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))) as wire:
        await dialect.read(asked(), dialect.credential(base_url=""))
    assert str(wire.requests[0].url).startswith(f"https://{host}/")


@speaking("gemini")
async def test_the_api_version_is_a_setting(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))) as wire:
        await dialect.read(asked(), dialect.credential(api_version="v1"))
    assert wire.requests[0].url.path.startswith("/v1/models/")


@pytest.mark.parametrize(
    ("ending", "path"),
    [
        ("", "/v1alpha/models/model-1:streamGenerateContent"),
        ("/v1", "/v1/models/model-1:streamGenerateContent"),
        ("/gateway/v1beta/", "/gateway/v1beta/models/model-1:streamGenerateContent"),
        ("/gateway", "/gateway/v1alpha/models/model-1:streamGenerateContent"),
    ],
)
@speaking("gemini")
async def test_a_base_url_may_say_its_own_api_version(dialect: Dialect, ending: str, path: str) -> None:
    credential = dialect.credential(base_url=f"http://vendor.test{ending}", api_version="v1alpha")
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))) as wire:
        await dialect.read(asked(), credential)
    assert wire.requests[0].url.path == path


@speaking("anthropic", "mistral")
async def test_an_address_may_end_with_the_version_that_the_sdk_writes_itself(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))) as wire:
        await dialect.read(asked(), dialect.credential(base_url="http://vendor.test/v1/"))
    assert wire.requests[0].url.path == dialect.wire.PATH

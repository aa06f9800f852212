"""What the vendors seal is bound: to a model, an account, a place in the conversation, the very words and calls."""

from typing import Any

import httpx2
import pytest

from tests.sandbox.server import SandboxServer

pytestmark = pytest.mark.anyio

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "", "parameters": CITY}
ASKED = {"role": "user", "content": "The weather in Oslo"}


async def post(http: httpx2.AsyncClient, url: str, body: dict[str, Any], key: str = "sandbox-key") -> httpx2.Response:
    return await http.post(url, json=body, headers={"authorization": f"Bearer {key}", "x-goog-api-key": key})


# ---------------------------------------------------------------- Responses
def responses(*items: dict[str, Any]) -> dict[str, Any]:
    tools = [{"type": "function", **FUNCTION, "strict": False}]
    return {"model": "gpt-sandbox-reasoning", "input": [ASKED, *items], "tools": tools, "store": False}


async def reasoned(http: httpx2.AsyncClient, sandbox: SandboxServer) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The items of a step with its reasoning, and the output of its call."""
    items = (await post(http, f"{sandbox.openai}/responses", responses())).json()["output"]
    assert [item["type"] for item in items] == ["reasoning", "message", "function_call"]
    return items, {"type": "function_call_output", "call_id": items[-1]["call_id"], "output": "sunny"}


async def refused(http: httpx2.AsyncClient, url: str, body: dict[str, Any], key: str = "sandbox-key") -> str:
    answer = await post(http, url, body, key)
    assert answer.status_code == 400, answer.text
    error = answer.json().get("error") or answer.json()
    return str(error["message"])


async def test_reasoning_opens_for_the_account_that_got_it(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    items, output = await reasoned(http, sandbox)
    url, body = f"{sandbox.openai}/responses", responses(*items, output)
    assert (await post(http, url, body)).status_code == 200
    assert "could not be verified" in await refused(http, url, body, "sandbox-another-key")


async def test_keys_of_one_organisation_are_one_account(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    url = f"{sandbox.openai}/responses"
    items = (await post(http, url, responses(), "sandbox-a-org-one")).json()["output"]
    output = {"type": "function_call_output", "call_id": items[-1]["call_id"], "output": "sunny"}
    assert (await post(http, url, responses(*items, output), "sandbox-b-org-one")).status_code == 200


async def test_an_item_wants_the_reasoning_it_followed(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    (_, message, call), output = await reasoned(http, sandbox)
    url = f"{sandbox.openai}/responses"
    assert "without its required 'reasoning' item" in await refused(http, url, responses(message, call, output))
    nameless = [{name: value for name, value in item.items() if name != "id"} for item in (message, call)]
    assert (await post(http, url, responses(*nameless, output))).status_code == 200


async def test_an_output_comes_behind_its_call(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    items, output = await reasoned(http, sandbox)
    assert "No tool call found" in await refused(http, f"{sandbox.openai}/responses", responses(output, *items))


async def test_an_id_has_a_longest_length(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    call = {"type": "function_call", "call_id": "c" * 65, "name": "get_weather", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c" * 65, "output": "sunny"}
    assert "at most 64" in await refused(http, f"{sandbox.openai}/responses", responses(call, output))


# ---------------------------------------------------------------- Messages
@pytest.mark.parametrize("change", ["words", "system"])
async def test_a_thought_is_bound_to_all_that_was_said_before_it(
    sandbox: SandboxServer, http: httpx2.AsyncClient, change: str
) -> None:
    url = f"{sandbox.anthropic}/v1/messages"
    tool = {"name": "get_weather", "input_schema": CITY}
    body = {
        "model": "claude-sandbox-opus",
        "max_tokens": 9999,
        "tools": [tool],
        "messages": [ASKED],
        "system": "Be brief.",
    }
    content = (await post(http, url, body)).json()["content"]
    result = {"type": "tool_result", "tool_use_id": content[-1]["id"], "content": "sunny"}
    going_on = [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
    assert (await post(http, url, body | {"messages": [ASKED, *going_on]})).status_code == 200
    first = ASKED | ({"content": "Something else"} if change == "words" else {})
    other = {"system": "Be long."} if change == "system" else {}
    words = await refused(http, url, body | {"messages": [first, *going_on]} | other)
    assert "bound to a different conversation" in words


# ---------------------------------------------------------------- generateContent
def gemini(*contents: dict[str, Any], tools: bool = True) -> dict[str, Any]:
    declared = {"name": "get_weather", "parametersJsonSchema": CITY}
    asked = {"role": "user", "parts": [{"text": "The weather in Oslo"}]}
    offered = {"tools": [{"functionDeclarations": [declared]}]} if tools else {}
    return {"contents": [asked, *contents], **offered}


async def test_a_signature_covers_the_words_it_came_with(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    url = f"{sandbox.gemini}/v1beta/models/gemini-sandbox-pro:generateContent"
    said = (await post(http, url, gemini(tools=False))).json()["candidates"][0]["content"]
    assert "thoughtSignature" in said["parts"][-1]
    again = {"role": "user", "parts": [{"text": "Go on"}]}
    assert (await post(http, url, gemini(said, again, tools=False))).status_code == 200
    said["parts"][-1]["text"] += "!"
    assert "Thought signature" in await refused(http, url, gemini(said, again, tools=False))


async def test_a_response_has_the_name_and_id_of_its_call(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    url = f"{sandbox.gemini}/v1beta/models/gemini-sandbox-pro:generateContent"
    said = (await post(http, url, gemini())).json()["candidates"][0]["content"]
    call = said["parts"][-1]["functionCall"]
    for name, call_id, status in (
        (call["name"], call["id"], 200),
        (call["name"], "another", 400),
        ("another", call["id"], 400),
    ):
        response = {"name": name, "id": call_id, "response": {"sky": "blue"}}
        result = {"role": "user", "parts": [{"functionResponse": response}]}
        assert (await post(http, url, gemini(said, result))).status_code == status

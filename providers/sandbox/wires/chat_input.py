"""Reading a Chat Completions request; refuses tool messages and calls that do not belong together."""

import json
from typing import Any

from providers.sandbox.asks import JSON, Ask, Attachment, Message, Result
from providers.sandbox.listing import Model
from providers.sandbox.wires import openai_shapes as shapes
from providers.sandbox.wires.openai_errors import refuse

_PARAMETERS = frozenset(
    {
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "modalities",
        "model",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    }
)
LONGEST_ID = 40
_ROLES = ("system", "developer", "user", "assistant", "tool")
_CONTENT = {
    "user": ("text", "image_url", "file"),
    "assistant": ("text", "refusal"),
    "system": ("text",),
    "developer": ("text",),
    "tool": ("text",),
}


def read(provider: str, raw: Any) -> Ask:
    """Raises Refused."""
    body = shapes.body_object(raw, _PARAMETERS)
    found = shapes.model(provider, body)
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        refuse("Invalid 'messages': empty array. Expected an array with minimum length 1.", param="messages")
    names = _checked(given)
    said = [_message(item, index, names) for index, item in enumerate(given)]
    system = [one.text for one, item in zip(said, given, strict=True) if item["role"] in {"system", "developer"}]
    tools = tuple(
        shapes.function(_nested(tool, index), f"tools[{index}].function")
        for index, tool in enumerate(body.get("tools") or ())
    )
    return Ask(
        model=found.model_id,
        messages=tuple(
            one for one, item in zip(said, given, strict=True) if item["role"] not in {"system", "developer"}
        ),
        system="\n".join(system),
        tools=tools,
        tool_choice=shapes.chosen(body.get("tool_choice"), tools),
        parallel=body.get("parallel_tool_calls", True) is not False,
        schema=_schema(body),
        effort=shapes.effort(found, body.get("reasoning_effort"), body, "reasoning_effort"),
        show_reasoning=provider == "openai_compatible",
        max_tokens=_max_tokens(body, found),
        stream=body.get("stream") is True,
    )


def _checked(items: list[Any]) -> dict[str, str]:
    """The names of the tools by call id; every call must be answered by the messages right behind it."""
    names: dict[str, str] = {}
    open_calls: list[str] = []
    for index, item in enumerate(items):
        role = item.get("role") if isinstance(item, dict) else None
        if role not in _ROLES:
            message = f"Invalid value: '{role}'. Supported values are: {shapes.listed(_ROLES)}."
            refuse(message, param=f"messages[{index}].role", code="invalid_value")
        if role == "tool":
            if item.get("tool_call_id") not in open_calls:
                lack = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                refuse(f"Invalid parameter: {lack}", param=f"messages.[{index}].role")
            open_calls.remove(item["tool_call_id"])
            continue
        _closed(open_calls, index)
        for call in _calls(item, index):
            names[call["id"]] = call["function"]["name"]
            open_calls.append(call["id"])
    _closed(open_calls, len(items))
    return names


def _closed(open_calls: list[str], index: int) -> None:
    if open_calls:
        refuse(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_calls)}",
            param=f"messages.[{index}].role",
        )


def _calls(item: JSON, index: int) -> list[JSON]:
    calls = item.get("tool_calls") or []
    for call in calls:
        try:
            json.loads(call["function"]["arguments"])
            ids = (call["id"], call["function"]["name"])
        except (KeyError, TypeError, ValueError):
            ids = (None, None)
        if not all(isinstance(one, str) and one for one in ids) or len(str(ids[0])) > LONGEST_ID:
            refuse(
                f"Invalid 'messages[{index}].tool_calls'.", param=f"messages[{index}].tool_calls", code="invalid_type"
            )
    return calls if isinstance(calls, list) else []


def _message(item: JSON, index: int, names: dict[str, str]) -> Message:
    text, attachments = _content(item, index)
    match item["role"]:
        case "tool":
            return Message("tool", results=(Result(names[item["tool_call_id"]], text),))
        case "assistant":
            return Message("assistant", text, calls=tuple(call["function"]["name"] for call in _calls(item, index)))
        case _:
            return Message("user", text, attachments)


def _content(item: JSON, index: int) -> tuple[str, tuple[Attachment, ...]]:
    content, place = item.get("content"), f"messages[{index}].content"
    if isinstance(content, str):
        return content, ()
    if content is None and item["role"] == "assistant":
        return "", ()
    if not isinstance(content, list):
        refuse(
            f"Invalid type for '{place}': expected one of a string or array of objects.",
            param=place,
            code="invalid_type",
        )
    texts: list[str] = []
    attachments: list[Attachment] = []
    for number, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _CONTENT[item["role"]]:
            message = f"Invalid value: '{kind}'. Supported values are: {shapes.listed(_CONTENT[item['role']])}."
            refuse(message, param=f"{place}[{number}].type", code="invalid_value")
        inner = part.get(kind)
        if kind == "image_url":
            attachments.append(shapes.image(inner.get("url") if isinstance(inner, dict) else None, place))
        elif kind == "file":
            data = inner if isinstance(inner, dict) else {}
            attachments.append(shapes.data_url(data.get("file_data"), place, str(data.get("filename") or "")))
        else:
            texts.append(str(inner))
    return "\n".join(texts), tuple(attachments)


def _nested(tool: Any, index: int) -> JSON:
    inner = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
    if not isinstance(inner, dict):
        refuse(
            "Invalid tool: only tools of type 'function' are supported.", param=f"tools[{index}]", code="invalid_value"
        )
    return inner


def _schema(body: JSON) -> JSON | None:
    form = body.get("response_format")
    kind = form.get("type", "text") if isinstance(form, dict) else "text"
    if kind == "json_schema" and isinstance(form, dict):
        inner = form.get("json_schema")
        schema = inner.get("schema") if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or not isinstance(schema, dict) or not inner.get("name"):
            refuse("Missing required parameter: 'response_format.json_schema'.", param="response_format.json_schema")
        if inner.get("strict"):
            what = f"Invalid schema for response_format '{inner['name']}'"
            shapes.strict(schema, what, "response_format", "invalid_json_schema")
        return schema
    return {} if kind == "json_object" else None


def _max_tokens(body: JSON, found: Model) -> int | None:
    if found.reasons and "max_tokens" in body:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        refuse(message, param="max_tokens", code="unsupported_parameter")
    return shapes.integer(body, "max_completion_tokens", low=1) or shapes.integer(body, "max_tokens", low=1)
